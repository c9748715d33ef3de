//! `regsweep check`: what it says of sound and of damaged registries, and its exit code.

use std::fs;

use registry::Digest;
use simstore::{Fault, Faults, Kind, Options, S3Error, When};
use world::{Content, World};

use crate::expected::{assert_expected, redacted};
use crate::program::Program;
use crate::registries::{
    T, bucket, bucket_with, days, directory, files, keys, misbehaving, now, small,
};
use crate::undo::objects;

/// Loses a layer and what a tag points to, empties a link, cuts data off, and leaves a file.
fn damaged(mut world: World) -> World {
    let keys = world.keys().clone();
    let layer = Content::new(201, 64).digest();
    assert!(world.lose(&keys.blob(&layer)));
    let cut = Content::new(301, 64);
    assert!(world.damage(&keys.blob(&cut.digest()), &cut.bytes()[..10]));
    let old = Content::new(601, 64).digest();
    assert!(world.damage(&keys.layer("library/old", &old), b""));
    world.put_foreign("library/old", "_manifests/note.txt");
    let lost = Digest::sha256(b"lost");
    world.put_layer_link("library/new", lost, lost);
    world
}

#[test]
fn a_sound_bucket_is_told_so_and_left_as_it_is() {
    let server = bucket(&small(T, ""));
    let before = keys(&server);
    let done = Program::at(&server).done(&["check", "s3://registry", "--verify-data"]);
    assert_expected("check-table.txt", &done.stdout);
    assert_eq!(keys(&server), before);
}

#[test]
fn each_pass_says_how_it_went() {
    let server = bucket(&small(T, ""));
    let typed = ["check", "s3://registry", "--verify-data", "--progress", "lines"];
    let said = Program::at(&server).done(&typed).stderr;
    let passes: Vec<&str> = said.lines().filter_map(|line| line.split(':').next()).collect();
    assert_eq!(passes, ["listing", "verifying", "marking"], "{said}");
}

#[test]
fn damage_is_told_with_exit_code_6() {
    let server = bucket(&damaged(small(T, "")));
    let program = Program::at(&server);
    let found = program.run(&["check", "s3://registry", "--quiet"]).with_code(6);
    assert_expected("check-damaged-table.txt", &found.stdout);
    assert_expected("check-damaged-stderr.txt", &found.stderr);
    let told = program.run(&["check", "s3://registry", "--json"]).with_code(6);
    assert_expected("check-damaged.json", &redacted(&told.stdout, &[]));
    assert_eq!(told.failure()["name"], "format");
}

#[test]
fn a_directory_is_checked_as_closely_as_a_bucket() {
    let program = Program::new();
    let root = directory(program.home(), &damaged(small(now(), "")));
    let before = files(&root);
    let root = root.to_string_lossy();
    let found = program.run(&["check", &root, "--quiet"]).with_code(6);
    let told = redacted(&found.stdout, &[(&root, "[registry]")]);
    assert_expected("check-directory-table.txt", &told);
    let data = program.run(&["check", &root, "--verify-data=100", "--json"]).with_code(6);
    let kinds = data.summary()["findings"].to_string();
    assert!(kinds.contains("wrong-content") && !kinds.contains("wrong-size"), "{kinds}");
    assert_eq!(files(root.as_ref().as_ref()), before);
}

#[test]
fn the_first_of_each_kind_are_shown_or_all() {
    let program = Program::new();
    let mut world = small(now(), "");
    for number in 0..12u8 {
        let lost = Digest::sha256(&[number]);
        world.put_layer_link("library/new", lost, lost);
    }
    let root = directory(program.home(), &world);
    let root = root.to_string_lossy();
    let first = program.done(&["check", &root]).stdout;
    assert!(first.contains("and 2 more") && first.contains("no damage"), "{first}");
    let all = program.done(&["check", &root, "--all"]).stdout;
    assert!(!all.contains("more") && all.matches("/_layers/").count() == 12, "{all}");
}

#[test]
fn what_is_no_registry_is_refused_and_what_is_no_part_is_misuse() {
    let program = Program::new();
    fs::create_dir(program.home().join("photos")).unwrap();
    fs::write(program.home().join("photos/1.jpg"), "photo").unwrap();
    program.run(&["check", "photos"]).with_code(4);
    let wrong = program.run(&["check", "photos", "--verify-data=0"]).with_code(2);
    assert!(wrong.stderr.contains("0 is not in 1..=100"), "{}", wrong.stderr);
}

#[test]
fn a_check_that_is_not_whole_says_nothing_of_the_registry() {
    let server = bucket(&small(T, ""));
    server.set_faults(misbehaving(Fault::Refuse(S3Error::SLOW_DOWN)));
    let typed = ["check", "s3://registry", "--patience", "0s", "--quiet"];
    let broken = Program::at(&server).run(&typed).with_code(7);
    assert_eq!(broken.stdout, "");
}

/// A broken link of each kind, and one that leads nowhere.
fn mendable(mut world: World) -> World {
    let keys = world.keys().clone();
    let tag = Digest::sha256(b"moved");
    world.put_revision_link("library/app", tag);
    world.put_tag_links("library/app", "moved", tag);
    let latest = &world.objects()[&keys.current("library/app", "latest")].bytes;
    let latest = std::str::from_utf8(latest).unwrap().parse().unwrap();
    world.put_tag_links("library/app", "moved", latest);
    assert!(world.lose(&keys.revision("library/app", &tag)));
    let lost = Digest::sha256(b"lost");
    world.put_layer_link("library/app", lost, lost);
    assert!(world.damage(&keys.layer("library/old", &Content::new(601, 64).digest()), b""));
    let old = world.revisions("library/old")[0];
    assert!(world.damage(&keys.revision("library/old", &old), b"sha256:"));
    assert!(world.damage(&keys.current("library/new", "v1"), b"\n"));
    world.age(days(2));
    world
}

const REPAIR: [&str; 4] = ["check", "s3://registry", "--repair", "plan"];
const APPLY: [&str; 3] = ["apply", "plan", "--offline"];

#[test]
fn what_can_be_repaired_is_planned_shown_carried_out_and_taken_back() {
    let world = mendable(small(T, ""));
    let server = bucket_with(&world, Options { versioned: true, ..Options::default() });
    let program = Program::at(&server);
    let before = objects(&server);
    let found = program.run(&REPAIR).with_code(6);
    assert_expected("check-repair-table.txt", &found.stdout);
    assert!(found.stderr.contains("`regsweep apply plan --offline`"), "{}", found.stderr);
    assert_eq!(objects(&server), before, "a check changes nothing");
    assert_expected("repair-plan.txt", &redacted(&program.done(&["show", "plan"]).stdout, &[]));
    assert_expected("repair-plan.csv", &program.done(&["show", "plan", "--format", "csv"]).stdout);
    let shown = program.done(&["show", "plan", "--json"]).summary();
    assert_eq!((&shown["purpose"], &shown["rewrite"]["count"]), (&"repair".into(), &3.into()));

    program.done(&["show", "plan", "--report", "page.html"]);
    let page = fs::read_to_string(program.home().join("page.html")).unwrap();
    for words in ["Can be repaired", "3 broken links", "which are written anew"] {
        assert!(page.contains(words), "{words}");
    }

    let applied = program.done(&[&APPLY[..], &["--audit-log", "audit"]].concat());
    assert_expected("repair-apply.txt", &redacted(&applied.stdout, &[]));
    let log = fs::read_to_string(program.home().join("audit")).unwrap();
    assert_eq!(log.matches("\"outcome\":\"rewritten\"").count(), 3, "{log}");
    let twice = program.run(&APPLY).with_code(4);
    assert!(twice.stderr.contains("carried out before"), "{}", twice.stderr);
    let after = objects(&server);
    let again = program.done(&["check", "s3://registry", "--repair", "again", "--json"]).summary();
    assert_eq!((&again["sound"], again.get("repair")), (&true.into(), None));
    assert!(!program.home().join("again").exists());

    let undone = program.done(&["undo", "plan"]);
    assert_expected("repair-undo.txt", &redacted(&undone.stdout, &[]));
    let back = objects(&server);
    let removed = before.keys().filter(|key| !after.contains_key(*key)).count();
    assert_eq!(removed, 2);
    // What was removed is back byte for byte, and what was broken is not broken again.
    for (key, content) in &before {
        let whole = after.get(key).unwrap_or(content);
        assert_eq!(back.get(key), Some(whole), "{key}");
    }
    assert_eq!(back.len(), before.len());
}

#[test]
fn a_directory_is_repaired_as_a_bucket_is() {
    let program = Program::new();
    let root = directory(program.home(), &mendable(small(now().before(days(2)), "")));
    let place = root.to_string_lossy();
    let told = program.run(&["check", &place, "--repair", "plan", "--json"]).with_code(6).summary();
    assert_eq!((&told["repair"]["rewrite"], &told["repair"]["remove"]), (&3.into(), &2.into()));
    let before = files(&root);
    program.done(&[&APPLY[..], &["--trash"]].concat());
    let sound = program.done(&["check", &place, "--json"]).summary();
    assert_eq!((&sound["sound"], &sound["findings"]), (&true.into(), &serde_json::json!([])));
    program.done(&["undo", "plan"]);
    let back = files(&root);
    assert!(before.iter().all(|key| back.contains(key)));
}

#[test]
fn a_push_between_check_and_apply_is_refused() {
    let server = bucket(&mendable(small(T, "")));
    let program = Program::at(&server);
    program.run(&REPAIR).with_code(6);
    let before = objects(&server);
    let mut pushed = mendable(small(T, ""));
    pushed.push_image("library/app", &world::Image::new(7, &[]), Some("next"));
    for (key, stored) in pushed.objects() {
        if !before.contains_key(key) {
            server.put(key, stored.bytes.clone(), pushed.now());
        }
    }
    let there = objects(&server);
    program.run(&APPLY).with_code(4);
    assert_eq!(objects(&server), there);
}

#[test]
fn g11_a_repair_that_was_cut_off_is_no_push_and_goes_on() {
    let whole = {
        let server = bucket(&mendable(small(T, "")));
        let program = Program::at(&server);
        program.run(&REPAIR).with_code(6);
        program.done(&APPLY);
        objects(&server)
    };
    let mut half_done = 0;
    for request in 1.. {
        let server = bucket(&mendable(small(T, "")));
        let program = Program::at(&server);
        program.run(&REPAIR).with_code(6);
        let before = objects(&server);
        // What is written now is younger than the plan.
        server.set_now(Some(T.after(days(3))));
        let last = if request % 2 == 0 { Fault::HangUpBefore } else { Fault::HangUpAfter };
        server.set_faults(Faults::none().dies_at(request, last));
        let first = program.run(&[&APPLY[..], &["--patience", "0s"]].concat());
        server.set_faults(Faults::none());
        let half = objects(&server);
        half_done += usize::from(half != before && half != whole);
        let second = program.run(&APPLY);
        assert!(matches!(second.code, Some(0 | 4)), "{}", second.stderr);
        assert_eq!(objects(&server), whole, "{request}: {}", second.stderr);
        if first.code == Some(0) {
            assert!(half_done > 3 && request > 10, "{half_done} of {request}");
            return;
        }
    }
}

#[test]
fn a_server_that_knows_no_conditions_is_repaired_too() {
    let server = bucket(&mendable(small(T, "")));
    let program = Program::at(&server);
    program.run(&REPAIR).with_code(6);
    // It refuses each first try, which has a condition.
    let first_tries = [1, 3, 5].into_iter().fold(Faults::none(), |faults, put| {
        faults.on(Kind::Put, When::Nth(put), Fault::Refuse(S3Error::NOT_IMPLEMENTED))
    });
    server.set_faults(first_tries);
    program.done(&[&APPLY[..], &["--max-in-flight", "1"]].concat());
    let again = program.done(&["check", "s3://registry", "--json"]).summary();
    assert_eq!(again["sound"], true);
}

#[test]
fn repairs_keep_to_what_keeps_collections_away() {
    let server = bucket(&mendable(small(T, "")));
    let program = Program::at(&server);
    let online = program.run(&REPAIR).with_code(6);
    assert!(online.stderr.contains("nothing was changed"), "{}", online.stderr);
    program.run(&["apply", "plan"]).with_code(4);
    // An undo that did not end, and then a generation.
    let note = "regsweep/undone/a";
    server.put(note, "{\"format\":1,\"undo\":\"begun\"}", T);
    let refused = program.run(&["check", "s3://registry", "--repair", "other"]).with_code(4);
    assert!(refused.stderr.contains(note), "{}", refused.stderr);
    program.run(&APPLY).with_code(4);
    server.put(note, "{\"format\":1,\"undo\":\"ended\"}\n", T);
    let night = ["gc", "s3://registry", "--online", "--registry-cache", "none", "--without-undo"];
    program.done(&night);
    program.run(&["check", "s3://registry", "--repair", "other"]).with_code(4);
    program.run(&APPLY).with_code(4);
    assert!(!program.home().join("other").exists());
}

#[test]
fn a_directory_that_holds_something_gets_no_plan() {
    let server = bucket(&mendable(small(T, "")));
    let program = Program::at(&server);
    fs::create_dir(program.home().join("photos")).unwrap();
    fs::write(program.home().join("photos/1.jpg"), "photo").unwrap();
    program.run(&["check", "s3://registry", "--repair", "photos"]).with_code(2);
    program.run(&["check", "s3://registry", "--grace", "1h"]).with_code(2);
}
