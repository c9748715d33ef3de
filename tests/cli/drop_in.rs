//! `garbage-collect` in place of the registry's own command: its flags, its lines, its exit codes, our verdicts.

use std::collections::BTreeSet;

use registry::Timestamp;
use simstore::Server;
use world::scenario::{self, Scenario};
use world::{Mode, World};

use crate::expected::{assert_expected, redacted};
use crate::program::{Outcome, Program};
use crate::registries::{
    READ_ONLY, T, bucket, bucket_config, days, directory, files, files_config, keys, now, small,
};

/// What the registry's command keeps and takes: no grace, uploads are its own affair.
fn mode(untagged: bool) -> Mode {
    let never = days(20 * 365);
    Mode { untagged, grace: std::time::Duration::ZERO, uploads_older_than: never }
}

fn left(world: &World, untagged: bool) -> BTreeSet<String> {
    crate::registries::left(world, &mode(untagged))
}

fn in_a_bucket(world: &World, more: &str) -> (Server, Program) {
    let server = bucket(world);
    let program = Program::new();
    let more = format!("    rootdirectory: {}\n{more}", world.rootdirectory());
    bucket_config(program.home(), &server, &more);
    (server, program)
}

#[test]
fn the_lines_are_those_of_the_registrys_command() {
    let world = small(T, "");
    let (server, program) = in_a_bucket(&world, READ_ONLY);
    let dry = program.done(&["garbage-collect", "--dry-run", "--delete-untagged", "config.yml"]);
    assert_expected("garbage-collect-untagged.txt", &dry.stdout);
    assert_eq!(dry.stderr, "");
    assert_eq!(keys(&server).len(), world.objects().len(), "a dry run deletes nothing");
    let done = program.done(&["garbage-collect", "-m", "config.yml"]);
    assert_eq!(done.stdout, dry.stdout, "a dry run says what a run says");
    assert_eq!(keys(&server), left(&world, true));

    let (server, program) = in_a_bucket(&world, READ_ONLY);
    let done = program.done(&["garbage-collect", "config.yml"]);
    assert_expected("garbage-collect.txt", &done.stdout);
    assert_eq!(keys(&server), left(&world, false));
}

#[test]
fn each_deletion_is_logged_as_the_registry_is_configured_to() {
    let world = small(T, "");
    let log = |more: &str| {
        let (_server, program) = in_a_bucket(&world, &format!("{READ_ONLY}{more}"));
        program.done(&["garbage-collect", "-m", "config.yml"]).stderr
    };
    let sorted = |text: &str| {
        let redacted = redacted(text, &[]);
        let mut lines: Vec<&str> = redacted.lines().collect();
        lines.sort_unstable();
        lines.join("\n") + "\n"
    };
    assert_expected("garbage-collect-log.txt", &sorted(&log("")));
    assert_expected("garbage-collect-log-json.txt", &sorted(&log("log:\n  formatter: json\n")));
    assert_eq!(log("log:\n  level: warn\n"), "");
}

#[test]
fn quiet_says_nothing_and_does_the_same() {
    let world = small(T, "");
    let (server, program) = in_a_bucket(&world, READ_ONLY);
    let quiet = program.done(&["garbage-collect", "-q", "-m", "config.yml"]);
    assert_eq!(quiet.stdout, "");
    assert_eq!(keys(&server), left(&world, true));
}

#[test]
fn machines_get_the_summary_in_place_of_the_lines() {
    let world = small(T, "");
    let (server, program) = in_a_bucket(&world, READ_ONLY);
    let dry = program.done(&["garbage-collect", "-d", "--json", "config.yml"]).summary();
    assert!(dry["swept"].is_null() && dry["delete"]["blobs"]["count"].as_u64().unwrap() > 0);
    let done = program.done(&["garbage-collect", "--json", "config.yml"]).summary();
    assert_eq!(done["swept"]["ended"], "completed");
    assert_eq!(keys(&server), left(&world, false));
}

#[test]
fn what_the_operator_must_see_to_is_said_on_stderr() {
    let world = small(T, "");
    let (_server, program) = in_a_bucket(&world, "  cache:\n    blobdescriptor: inmemory\n");
    let note = "regsweep: the registry must be stopped or read-only while this runs, and restarted afterwards: \
                it caches what is deleted here\n";
    let dry = program.done(&["garbage-collect", "-d", "config.yml"]);
    assert!(!dry.stderr.contains(note), "a dry run disturbs nobody");
    assert!(program.done(&["garbage-collect", "config.yml"]).stderr.starts_with(note));
    let (_server, program) = in_a_bucket(&world, "");
    let note = "regsweep: the registry must be stopped or read-only while this runs\n";
    assert!(program.done(&["garbage-collect", "config.yml"]).stderr.starts_with(note));
}

#[test]
fn a_directory_gives_the_lines_of_a_bucket_in_another_order_of_repositories() {
    let lines = |outcome: &Outcome| -> Vec<String> {
        let mut lines: Vec<String> = outcome.stdout.lines().map(str::to_owned).collect();
        lines.sort_unstable();
        lines
    };
    let grown = |now: Timestamp| {
        let mut world = small(now, "");
        let names = ["library/app-api", "library/app.web", "library/app/sub"];
        for (name, number) in names.into_iter().zip(1 << 20..) {
            world.push_image(name, &world::Image::new(number, &[]), Some("v1"));
        }
        world
    };
    let (_server, program) = in_a_bucket(&grown(T), READ_ONLY);
    let of_bucket = program.done(&["garbage-collect", "-m", "config.yml"]);
    let world = grown(now());
    let program = Program::new();
    let root = directory(program.home(), &world);
    files_config(program.home(), &root, READ_ONLY);
    let of_directory = program.done(&["garbage-collect", "-m", "config.yml"]);
    assert_eq!(lines(&of_directory), lines(&of_bucket));
    assert_eq!(files(&root), left(&world, true));
    let order = |outcome: &Outcome| -> Vec<String> {
        let names = outcome.stdout.lines().filter(|line| !line.is_empty() && !line.contains(' '));
        names.map(str::to_owned).collect()
    };
    let (app, api, web) = ("library/app", "library/app-api", "library/app.web");
    let (sub, new, old) = ("library/app/sub", "library/new", "library/old");
    assert_eq!(order(&of_bucket), [api, web, app, sub, new, old]);
    assert_eq!(order(&of_directory), [app, sub, api, web, new, old]);
}

#[test]
fn without_a_configuration_it_ends_with_1_and_the_usage() {
    let unspecified = Program::new().run(&["garbage-collect"]).with_code(1);
    assert!(
        unspecified.stderr.starts_with(
            "configuration error: configuration path unspecified\nUsage: regsweep garbage-collect "
        ),
        "{unspecified:?}"
    );
    let missing = Program::new().run(&["garbage-collect", "config.yml"]).with_code(1);
    assert!(missing.stderr.starts_with("configuration error: "), "{missing:?}");
    let program = Program::new();
    let directory = program.run(&["garbage-collect", "."]).with_code(1);
    assert!(directory.stderr.contains("it is no config.yml"), "{directory:?}");
    std::fs::write(program.home().join("config.yml"), "version: 0.1\nstorage: [").unwrap();
    let wrong = program.run(&["garbage-collect", "config.yml"]).with_code(1);
    assert!(wrong.stderr.contains("config.yml: configuration: line 3, column "), "{wrong:?}");
}

#[test]
fn the_configuration_may_be_named_by_the_environment() {
    let world = small(now(), "");
    let program = Program::new();
    let root = directory(program.home(), &world);
    let config = files_config(program.home(), "/no/such/data".as_ref(), READ_ONLY);
    let program = program
        .with("REGISTRY_CONFIGURATION_PATH", config.to_str().unwrap())
        .with("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY", root.to_str().unwrap());
    program.done(&["garbage-collect", "-m"]);
    assert_eq!(files(&root), left(&world, true));
}

#[test]
fn a_failure_of_the_store_ends_with_1_in_one_line_and_a_hint() {
    let (server, program) = in_a_bucket(&small(T, ""), READ_ONLY);
    drop(server);
    let failed = program.run(&["garbage-collect", "config.yml"]).with_code(1);
    assert!(
        failed.stderr.starts_with("failed to garbage collect: cannot use s3://registry: "),
        "{failed:?}"
    );
    assert!(
        failed.stderr.ends_with("hint: check --endpoint-url, and that the store runs\n"),
        "{failed:?}"
    );
}

/// Collects a scenario with `-m` as it asks; what must go is gone, what must stay is there.
fn assert_verdict(scenario: &Scenario) -> Outcome {
    let Scenario { id, world, goes, open, .. } = scenario;
    let (server, program) = in_a_bucket(world, READ_ONLY);
    let typed: &[&str] = if scenario.mode.untagged { &["-m"] } else { &[] };
    let done = program.run(&[&["garbage-collect", "config.yml"], typed].concat()).with_code(0);
    let left = keys(&server);
    for key in world.objects().keys().filter(|key| !open.contains(*key)) {
        assert_eq!(left.contains(key), !goes.contains(key), "{id}: {key}");
    }
    done
}

#[test]
fn where_the_reference_loses_data_our_verdict_holds() {
    for scenario in [
        scenario::ra(),
        scenario::rb(),
        scenario::rc(),
        scenario::rd(),
        scenario::re(),
        scenario::ri(),
    ] {
        assert_verdict(&scenario);
    }
}

#[test]
fn g4_signatures_in_a_directory_live_and_die_with_their_revision() {
    let Scenario { world, goes, .. } = scenario::signatures();
    let program = Program::new();
    let root = directory(program.home(), &world);
    files_config(program.home(), &root, READ_ONLY);
    program.done(&["garbage-collect", "config.yml"]);
    let signatures =
        |files: &BTreeSet<String>| files.iter().filter(|key| key.contains("/signatures/")).count();
    assert_eq!(signatures(&files(&root)), 2);
    program.done(&["garbage-collect", "-m", "config.yml"]);
    let all = world.objects().keys().filter(|key| !goes.contains(*key));
    assert_eq!(files(&root), all.cloned().collect());
}

#[test]
fn a_repository_without_tags_is_told_manifest_by_manifest() {
    let done = assert_verdict(&scenario::rd());
    assert!(done.stdout.contains("manifest eligible for deletion: {a sha256:"), "{}", done.stdout);
    assert!(
        done.stdout.contains(" 4 blobs and 1 manifests eligible for deletion"),
        "{}",
        done.stdout
    );
}
