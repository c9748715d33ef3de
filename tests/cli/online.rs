//! Collecting while people push, as operators meet it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use bytes::Bytes;
use serde_json::Value;
use simstore::{Fault, Faults, Kind, S3Error, Server, When};
use world::Mode;

use crate::program::{Outcome, Program, wait_until};
use crate::registries::{
    READ_ONLY, T, bucket, bucket_config, days, directory, files, hanging, keys, left, now, small,
};
use crate::undo::{APPLY, PLAN, objects, versioned};

pub(crate) const ONLINE: [&str; 5] =
    ["gc", "s3://registry", "--online", "--registry-cache", "none"];

/// A process that collects while people push holds the lease, and was killed.
fn killed_while_collecting(server: &Server, program: &Program) {
    server.set_faults(hanging());
    let mut first = program.start(&ONLINE);
    let lease = || server.keys().iter().any(|key| key == "regsweep/lease.json");
    wait_until("the lease of the first run", lease);
    first.child.kill().unwrap();
    first.end();
    server.set_faults(Faults::none());
}

#[test]
fn nothing_else_deletes_or_takes_back_while_somebody_holds_the_lease() {
    let (server, program) = versioned();
    program.done(&PLAN);
    program.done(&APPLY);
    program.done(&["plan", "s3://registry", "--out", "second"]);
    killed_while_collecting(&server, &program);
    let before: BTreeMap<String, Bytes> = objects(&server);
    let config = bucket_config(program.home(), &server, "");
    for (typed, code) in [
        (&["gc", "s3://registry", "--offline"][..], 4),
        (&["apply", "second", "--offline"], 4),
        (&["undo", "plan"], 4),
        (&["garbage-collect", config.to_str().unwrap()], 1),
    ] {
        let refused = program.run(typed).with_code(code);
        assert!(refused.stderr.contains("its lease ends at "), "{typed:?}: {}", refused.stderr);
        assert!(refused.stderr.contains(" again then"), "{typed:?}: {}", refused.stderr);
        assert!(objects(&server) == before, "{typed:?}");
    }
    // Who only looks may.
    program.done(&["gc", "s3://registry", "--dry-run"]);
    program.done(&["undo", "plan", "--dry-run"]);
    server.set_now(Some(T.after(days(1))));
    program.done(&["undo", "plan"]);
    assert_ne!(objects(&server), before);
}

/// A run of a collection while people push; two days pass then.
pub(crate) fn night(server: &Server, program: &Program, number: u64, more: &[&str]) -> Outcome {
    server.set_now(Some(T.after(days(2 * number))));
    program.done(&[&ONLINE[..], more].concat())
}

#[test]
fn what_was_deleted_while_people_pushed_comes_back_by_the_command_that_is_told() {
    let (server, program) = versioned();
    let before = objects(&server);
    let first = night(&server, &program, 0, &[]);
    assert!(!first.stderr.contains("takes back"), "{}", first.stderr);
    assert!(objects(&server).len() < before.len(), "links are taken");
    let second = night(&server, &program, 1, &[]);
    let printed = second.stderr.split('`').nth(1).unwrap();
    assert!(printed.starts_with("regsweep undo s3://registry --endpoint-url http"), "{printed}");
    let typed = printed.replacen("regsweep", env!("CARGO_BIN_EXE_regsweep"), 1);

    let between = server.keys();
    let looked = program.run_as_printed(&format!("{typed} --dry-run")).with_code(0);
    assert!(looked.stdout.contains("would be back"), "{}", looked.stdout);
    assert_eq!(server.keys(), between, "a dry run changes nothing");
    let undone = program.run_as_printed(&typed).with_code(0);
    assert!(undone.stdout.contains("taken back"), "{}", undone.stdout);
    assert!(objects(&server) == before, "not all is back");

    server.set_now(Some(T.after(days(2) + days(1) / 2)));
    program.done(&ONLINE);
    assert!(objects(&server) == before, "what came back is young");
}

#[test]
fn machines_are_told_what_of_a_generation_came_back() {
    let (server, program) = versioned();
    let before = objects(&server);
    night(&server, &program, 0, &[]);
    night(&server, &program, 1, &[]);
    let undo = ["undo", "s3://registry", "--generation", "latest", "--json"];
    let undone = program.done(&undo).summary();
    assert!(objects(&server) == before, "not all is back");
    assert_eq!((&undone["type"], &undone["ended"]), (&"undo".into(), &"completed".into()));
    let is_some = |value: &Value| value.as_u64().unwrap() > 0;
    assert!(is_some(&undone["kinds"]["blob"]["restored"]["count"]), "{undone}");
    assert!(is_some(&undone["kinds"]["link"]["restored"]["count"]), "{undone}");
    assert_eq!(undone["generation"].as_str().unwrap().len(), 15);
    let again = program.done(&undo).summary();
    assert_eq!(again["restored"]["count"], 0, "{again}");
}

#[test]
fn what_the_store_did_not_keep_of_a_generation_is_partial_and_named() {
    let (server, program) = versioned();
    let before = objects(&server);
    night(&server, &program, 0, &[]);
    night(&server, &program, 1, &[]);
    let is_gone = |key: &&String| key.ends_with("/data") && !server.keys().contains(key);
    let gone = before.keys().find(is_gone).unwrap();
    server.expire(gone);
    let undo = ["undo", "s3://registry", "--generation", "latest"];
    let partial = program.run(&undo).with_code(3);
    assert!(partial.stderr.contains("1 object cannot be brought back"), "{}", partial.stderr);
    assert!(partial.stdout.contains(gone.as_str()), "{}", partial.stdout);
    assert!(!objects(&server).contains_key(gone));
}

#[test]
fn no_collection_runs_over_an_undo_that_was_cut_off() {
    let (server, program) = versioned();
    let before = objects(&server);
    night(&server, &program, 0, &[]);
    night(&server, &program, 1, &[]);
    let denied = Fault::Refuse(S3Error::ACCESS_DENIED);
    let is_taken = |key: &&String| key.contains("/_layers/") && !server.keys().contains(key);
    let link = before.keys().find(is_taken).unwrap().clone();
    server.set_faults(Faults::none().on(Kind::Put, When::Subject(link), denied));
    program.run(&["undo", "s3://registry", "--generation", "latest"]).with_code(5);
    server.set_faults(Faults::none());
    let cut_off = objects(&server);
    for typed in [&ONLINE[..], &["gc", "s3://registry", "--offline"]] {
        let refused = program.run(typed).with_code(4);
        assert!(refused.stderr.contains("an undo has not ended"), "{}", refused.stderr);
        assert!(refused.stderr.contains("undo LOCATION --generation 0"), "{}", refused.stderr);
        assert!(objects(&server) == cut_off, "{typed:?}");
    }
    program.done(&["undo", "s3://registry", "--generation", "latest"]);
    assert!(objects(&server) == before, "not all is back");
    night(&server, &program, 2, &[]);
}

#[test]
fn a_generation_that_is_not_on_record_is_a_refusal() {
    let (server, program) = versioned();
    let before = server.keys();
    for id in ["latest", "000000000000001"] {
        let refused = program.run(&["undo", "s3://registry", "--generation", id]).with_code(4);
        assert!(refused.stderr.contains("no such generation of s3://registry is on record"));
    }
    let own = |keys: Vec<String>| keys.into_iter().filter(|key| !key.starts_with("regsweep/"));
    assert!(own(server.keys()).eq(own(before)));
    let wrong = program.run(&["undo", "s3://registry", "--generation", "last"]).with_code(2);
    assert!(wrong.stderr.contains("neither `latest` nor the ID"), "{}", wrong.stderr);
}

#[test]
fn windows_are_foretold_and_delete_by_the_command_that_is_told() {
    // Nothing is kept, and nothing has to be.
    let world = small(T, "");
    let server = bucket(&world);
    let program = Program::at(&server);
    let windowed = |number: u64, more: &[&str]| {
        night(&server, &program, number, &[&["--windowed"], more].concat())
    };
    let first = windowed(0, &["--json"]).summary();
    assert_eq!((&first["window"], &first["deleted"]["objects"]), (&Value::Null, &0.into()));
    let condemned = &first["condemned"];
    assert!(condemned["objects"].as_u64().unwrap() > 0, "{first}");
    let second = windowed(1, &["--json"]).summary();
    let window = &second["window"];
    assert_eq!((&window["blobs"], &window["bytes"]), (&condemned["objects"], &condemned["bytes"]));
    assert!(window["seconds"].as_u64().unwrap() < 60, "{window}");

    let told = windowed(1, &[]);
    assert!(told.stdout.contains("waiting until nobody can push: 1 blobs"), "{}", told.stdout);
    let printed = told.stderr.split('`').nth(1).unwrap();
    assert!(printed.ends_with("--windowed --offline"), "{printed}");
    let deleted = program.run_as_printed(printed).with_code(0);
    assert!(!deleted.stdout.contains("waiting until"), "{}", deleted.stdout);
    let last = windowed(2, &["--json"]).summary();
    assert_eq!((&last["window"], &last["generations"]["open"]), (&Value::Null, &0.into()));
    let blobs = |keys: BTreeSet<String>| -> BTreeSet<String> {
        keys.into_iter().filter(|key| key.ends_with("/data") && key.contains("/blobs/")).collect()
    };
    assert_eq!(blobs(keys(&server)), blobs(left(&world, &Mode::default())));
}

#[test]
fn a_registry_that_is_read_only_is_a_window() {
    let server = bucket(&small(T, ""));
    let program = Program::at(&server);
    let before = server.keys();
    bucket_config(program.home(), &server, READ_ONLY);
    let windowed =
        ["gc", "config.yml", "--online", "--windowed", "--registry-cache", "none", "--json"];
    let done = program.done(&windowed).summary();
    assert_eq!((&done["condemned"]["objects"], &done["window"]), (&0.into(), &Value::Null));
    let kept = server.keys().into_iter().filter(|key| !key.starts_with("regsweep/"));
    assert!(kept.eq(before), "nothing was due, and nothing is condemned in a window");
}

#[test]
fn who_says_that_nobody_pushes_collects_offline_or_in_a_window() {
    let program = Program::new();
    let wrong = program.run(&["gc", "here", "--online", "--offline"]).with_code(2);
    assert!(wrong.stderr.contains("cannot be used with '--offline'"), "{}", wrong.stderr);
    let wrong = program.run(&["gc", "here", "--windowed"]).with_code(2);
    assert!(wrong.stderr.contains("--online"), "{}", wrong.stderr);
}

#[test]
fn the_trash_of_a_generation_gives_all_back_until_it_is_past_its_time() {
    let server = bucket(&small(T, ""));
    let program = Program::at(&server);
    let refused = program.run(&ONLINE).with_code(4);
    assert!(refused.stderr.contains("or collect with --trash"), "{}", refused.stderr);
    let before = objects(&server);
    let trash = || server.keys().iter().filter(|key| key.starts_with("regsweep/trash/")).count();
    let undo = ["undo", "s3://registry", "--generation", "latest"];
    for number in [0, 1] {
        night(&server, &program, number, &["--trash"]);
    }
    assert!(trash() > 1, "the data and what tells of it");
    let deleted = objects(&server);
    night(&server, &program, 2, &["--trash"]);
    assert!(trash() > 1 && objects(&server) == deleted, "the last look is over");
    program.done(&[&undo[..], &["--dry-run"]].concat());
    night(&server, &program, 7, &["--trash"]);
    assert_eq!(trash(), 0, "ten days later");
    let lost = program.run(&undo).with_code(3);
    assert!(lost.stderr.contains("cannot be brought back"), "{}", lost.stderr);
    assert!(objects(&server).len() < before.len());
}

/// The registry's own files of a directory, with their contents. What served writing is nobody's.
fn contents(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let is_own = |file: &String| file.starts_with("docker/") && !file.ends_with("/.lock");
    let own = files(root).into_iter().filter(is_own);
    own.map(|file| (file.clone(), fs::read(root.join(file)).unwrap())).collect()
}

#[test]
fn a_generation_of_a_directory_is_back_byte_for_byte() {
    let program = Program::new();
    let root = directory(program.home(), &small(now(), ""));
    let before = contents(&root);
    let waits = ["--quarantine", "0s", "--longest-push", "0s"];
    let online = ["gc", "registry", "--online", "--registry-cache", "none", "--trash"];
    let online = [&online[..], &waits, &["--untagged"]].concat();
    program.done(&online);
    let condemned = contents(&root);
    assert!(condemned.len() < before.len());
    let told = program.done(&online);
    assert!(contents(&root).len() < condemned.len());
    let printed = told.stderr.split('`').nth(1).unwrap();
    let typed = printed.replacen("regsweep", env!("CARGO_BIN_EXE_regsweep"), 1);
    program.run_as_printed(&typed).with_code(0);
    assert!(contents(&root) == before, "not all is back");
}
