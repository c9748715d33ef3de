//! `regsweep check`: what it says of sound and of damaged registries, and its exit code.

use std::fs;

use registry::Digest;
use simstore::{Fault, S3Error};
use world::{Content, World};

use crate::expected::{assert_expected, redacted};
use crate::program::Program;
use crate::registries::{T, bucket, directory, files, keys, misbehaving, now, small};

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
