//! What is not ours to collect, and what looks wrong: exit code 4, with the evidence and a way on.

use std::fs;
use std::path::Path;

use simstore::Server;
use world::Mode;

use crate::program::{Outcome, Program};
use crate::registries::{
    READ_ONLY, T, bucket, bucket_config, directory, files, files_config, keys, left, now, small,
    with_orphans,
};

fn put(root: &Path, file: &str) {
    let path = root.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, "{}").unwrap();
}

/// What was refused, with no word too many.
#[track_caller]
fn assert_refused(outcome: &Outcome, says: &[&str]) {
    assert_eq!(outcome.code, Some(4), "{outcome:?}");
    for words in says {
        assert!(outcome.stderr.contains(words), "{words} is not in {}", outcome.stderr);
    }
}

/// The same, in a directory and in a bucket.
fn both(mut prepare: impl FnMut(&mut dyn FnMut(&str)), says: &[&str]) {
    let program = Program::new();
    let root = program.home().join("data");
    fs::create_dir(&root).unwrap();
    prepare(&mut |file| put(&root, file));
    let before = files(&root);
    assert_refused(&program.run(&["gc", "data", "--offline"]), says);
    assert_eq!(files(&root), before, "nothing was touched");

    let server = Server::start(simstore::Options::default()).unwrap();
    prepare(&mut |file| server.put(file, "{}", T));
    let before = keys(&server);
    assert_refused(&Program::at(&server).run(&["gc", "s3://registry", "--offline"]), says);
    assert_eq!(keys(&server), before, "nothing was touched");
}

const BLOB: &str = "docker/registry/v2/blobs/sha256/ab/abcd/data";

#[test]
fn what_is_no_registry_is_told_with_what_is_there() {
    both(
        |put| ["photos/1.jpg", "notes"].into_iter().for_each(put),
        &[
            "is not a registry: it holds photos/ and no `docker/registry/v2`",
            "config.yml calls it rootdirectory",
        ],
    );
}

#[test]
fn a_folder_of_another_kind_may_hold_anything() {
    let program = Program::new();
    let root = program.home().join("data");
    fs::create_dir(&root).unwrap();
    std::os::unix::fs::symlink("/nowhere", root.join("link")).unwrap();
    let refused = program.run(&["gc", "data", "--offline"]);
    assert_refused(&refused, &["is not a registry: it holds no `docker/registry/v2`"]);
}

#[test]
fn g4_registries_whose_truth_is_elsewhere_are_refused() {
    both(
        |put| [BLOB, "docker/registry/lockfiles/database-in-use"].into_iter().for_each(put),
        &[
            "GitLab's registry in database mode",
            "`docker/registry/lockfiles/database-in-use` is there",
        ],
    );
    both(
        |put| [BLOB, "scheduler-state.json"].into_iter().for_each(put),
        &["a pull-through cache", "`scheduler-state.json` is there"],
    );
}

#[test]
fn g4_other_layouts_are_refused_by_name() {
    for (file, system) in [
        ("sha256/ab/abcd", "Quay"),
        ("images/abcd/json", "version 1"),
        ("v2/blobs/sha256/ab/abcd", "Angos"),
    ] {
        both(|put| put(file), &[system, "collect it with that system's own tools"]);
    }
}

#[test]
fn a_folder_inside_a_registry_is_answered_with_the_registry() {
    let program = Program::new();
    let root = directory(program.home(), &small(now(), ""));
    for inside in ["docker", "docker/registry", "docker/registry/v2"] {
        let typed = root.join(inside);
        let refused = program.run(&["gc", typed.to_str().unwrap(), "--offline"]);
        let hint = format!("the location of the registry seems to be {}\n", root.display());
        assert_refused(&refused, &[&hint]);
    }
}

#[test]
fn a_pull_through_cache_is_refused_by_its_configuration() {
    let world = small(now(), "");
    let program = Program::new();
    let root = directory(program.home(), &world);
    let proxy = "proxy:\n  remoteurl: https://registry.example\n";
    files_config(program.home(), &root, proxy);
    let says = ["belongs to a pull-through cache: `proxy: remoteurl` is set in "];
    assert_refused(&program.run(&["gc", "config.yml", "--offline"]), &says);
    let drop_in = program.run(&["garbage-collect", "config.yml"]).with_code(1);
    assert!(drop_in.stderr.contains(says[0]), "{drop_in:?}");
    assert_eq!(files(&root), world.objects().keys().cloned().collect());
}

#[test]
fn nothing_is_deleted_where_somebody_may_push() {
    let world = small(now(), "");
    let program = Program::new();
    let root = directory(program.home(), &world);
    let refused = program.run(&["gc", "registry"]);
    assert_refused(
        &refused,
        &["may be accepting pushes, which a sweep could lose", "readonly: enabled: true"],
    );
    program.done(&["plan", "registry", "--out", "my plan"]);
    let refused = program.run(&["apply", "my plan"]);
    assert_refused(&refused, &["may be accepting pushes"]);
    assert_eq!(files(&root), world.objects().keys().cloned().collect());
    let printed = refused.stderr.lines().last().unwrap().split('`').nth(1).unwrap();
    assert!(printed.ends_with("apply 'my plan' --offline"), "{printed}");
    program.run_as_printed(printed).with_code(0);
    assert_eq!(files(&root), left(&world, &Mode::default()));
}

#[test]
fn a_read_only_registry_needs_no_promise() {
    let world = small(now(), "");
    let program = Program::new();
    let root = directory(program.home(), &world);
    files_config(program.home(), &root, READ_ONLY);
    let plan = program.done(&["plan", "config.yml", "--out", "plan"]);
    assert!(plan.stderr.ends_with("`regsweep apply plan` carries it out\n"), "{}", plan.stderr);
    program.done(&["apply", "plan"]);
    assert_eq!(files(&root), left(&world, &Mode::default()));
    program.done(&["gc", "config.yml", "--untagged"]);
    assert_eq!(files(&root), left(&world, &Mode::untagged()));

    let world = small(T, "root");
    let server = bucket(&world);
    let program = Program::new();
    let root_directory = format!("    rootdirectory: /root\n{READ_ONLY}");
    bucket_config(program.home(), &server, &root_directory);
    program.done(&["gc", "config.yml"]);
    assert_eq!(keys(&server), left(&world, &Mode::default()));
}

#[test]
fn a_plan_that_deletes_too_much_is_refused_until_it_is_accepted() {
    let world = with_orphans(T, 150);
    let server = bucket(&world);
    let program = Program::at(&server);
    let gc = ["gc", "s3://registry", "--offline"];
    let refused = program.run(&gc);
    assert_refused(
        &refused,
        &[
            "regsweep: the plan looks wrong, so nothing was deleted\n  delete-share: ",
            "with --accept delete-share (or a higher --max-delete-share)",
        ],
    );
    assert!(refused.stdout.contains("REFUSED delete-share: "), "{}", refused.stdout);
    assert_eq!(keys(&server).len(), world.objects().len());
    let show = refused.command_in_hint();
    let shown =
        program.run_as_printed(&show.replacen("regsweep", env!("CARGO_BIN_EXE_regsweep"), 1));
    assert!(shown.with_code(0).stdout.contains("REFUSED delete-share"));
    for accepted in [&["--max-delete-share", "99"][..], &["--accept", "delete-share"]] {
        let done = program.done(&[&gc[..], accepted, &["--dry-run"]].concat());
        assert!(!done.stdout.contains("REFUSED"), "{}", done.stdout);
    }
    program.done(&[&gc[..], &["--accept", "delete-share"]].concat());
    assert_eq!(keys(&server), left(&world, &Mode::default()));
}

#[test]
fn a_refused_plan_stays_refused_and_says_so_with_exit_code_4() {
    let server = bucket(&with_orphans(T, 150));
    let program = Program::at(&server);
    let planned = program.run(&["plan", "s3://registry", "--out", "plan"]);
    assert_refused(&planned, &["delete-share"]);
    assert_refused(&program.run(&["apply", "plan", "--offline"]), &["delete-share"]);
    program.done(&["show", "plan"]);
    let object = program.run(&["apply", "plan", "--offline", "--json"]).with_code(4).failure();
    assert_eq!(object["name"], "unsafe");
    assert!(object["causes"][0].as_str().unwrap().starts_with("delete-share: "), "{object}");
}
