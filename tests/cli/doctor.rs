//! What is missing is found before a command meets it, and by the same rules.

use std::os::unix::process::CommandExt as _;

use simstore::{Fault, Faults, Kind, Options, S3Error, Server, When};

use crate::expected::{assert_expected, redacted};
use crate::program::{Outcome, Program, Run};
use crate::redis_double::RedisDouble;
use crate::registries::{
    READ_ONLY, T, bucket, bucket_config, bucket_with, directory, files_config, now, small,
};

const ALL: &str = "plan,gc,gc-online,undo,trash";

/// A bucket at the time of this machine, so that clocks agree.
fn current(options: Options) -> (Server, Program) {
    let server = bucket_with(&small(now(), ""), options);
    server.set_now(None);
    let program = Program::at(&server);
    (server, program)
}

/// What was found of one thing: `ok`, `missing` or `not probed`.
#[track_caller]
fn result(outcome: &Outcome, name: &str) -> String {
    let summary = outcome.summary();
    let checks = summary["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["name"] == name);
    let check = check.unwrap_or_else(|| panic!("{name} of {summary:#}"));
    check["result"].as_str().unwrap().to_owned()
}

/// The names of everything with a result.
fn named(outcome: &Outcome, result: &str) -> Vec<String> {
    let summary = outcome.summary();
    let checks = summary["checks"].as_array().unwrap().iter();
    let checks = checks.filter(|check| check["result"] == result);
    checks.map(|check| check["name"].as_str().unwrap().to_owned()).collect()
}

fn doctor(program: &Program, more: &[&str]) -> Outcome {
    program.run(&[&["doctor", "s3://registry", "--json"], more].concat())
}

fn refusing(kind: Kind) -> Faults {
    Faults::none().on(kind, When::Always, Fault::Refuse(S3Error::ACCESS_DENIED))
}

#[test]
fn all_that_is_there_is_told_and_nothing_is_written() {
    let (server, program) = current(Options { versioned: true, ..Options::default() });
    let before = server.keys();
    let found = program.done(&[
        "doctor",
        "s3://registry",
        "--for",
        ALL,
        "--offline",
        "--registry-cache",
        "none",
    ]);
    assert_eq!(server.keys(), before);
    assert_eq!(server.count(Kind::Put) + server.count(Kind::Delete) + server.count(Kind::Copy), 0);
    let endpoint = server.endpoint();
    assert_expected("doctor-table.txt", &redacted(&found.stdout, &[(&endpoint, "[endpoint]")]));
}

#[test]
fn a_trial_tells_the_rest_and_leaves_nothing() {
    for versioned in [false, true] {
        let (server, program) = current(Options { versioned, ..Options::default() });
        let before = server.keys();
        let more = ["--write", "--for", ALL, "--offline", "--trash", "--registry-cache", "none"];
        let found = doctor(&program, &more).with_code(0);
        assert_eq!(named(&found, "not probed"), Vec::<String>::new());
        assert_eq!(named(&found, "missing"), Vec::<String>::new());
        assert_eq!(server.keys(), before);
        let touched = server.requests().into_iter().filter(|request| request.kind == Kind::Put);
        assert!(touched.into_iter().all(|put| put.subject == "regsweep/doctor"));
    }
}

#[test]
fn each_permission_that_is_missing_is_named_with_the_commands_that_need_it() {
    for (kind, name, action, code) in [
        (Kind::List, "list", "s3:ListBucket", 5),
        (Kind::Get, "read", "s3:GetObject", 5),
        (Kind::Put, "write", "s3:PutObject", 5),
        (Kind::Delete, "delete", "s3:DeleteObject", 5),
        (Kind::Bucket, "versioning", "s3:GetBucketVersioning", 5),
        (Kind::ListVersions, "older-versions", "s3:ListBucketVersions", 5),
    ] {
        let (server, program) = current(Options { versioned: true, ..Options::default() });
        server.set_faults(refusing(kind));
        let more = ["--write", "--for", ALL, "--offline", "--registry-cache", "none"];
        let found = doctor(&program, &more).with_code(code);
        assert_eq!(result(&found, name), "missing", "{kind:?}");
        let advice = found.summary()["checks"].to_string();
        assert!(advice.contains(&format!("allow {action} on arn:aws:s3:::registry")), "{advice}");
        assert!(found.failure()["message"].as_str().unwrap().contains(name), "{kind:?}");
    }
}

#[test]
fn what_is_missing_for_another_command_is_no_failure() {
    let (server, program) = current(Options::default());
    server.set_faults(refusing(Kind::Delete));
    doctor(&program, &["--for", "plan", "--write"]).with_code(0);
    let found = doctor(&program, &["--for", "gc", "--write", "--offline"]).with_code(5);
    assert_eq!(named(&found, "missing"), ["delete"]);
}

#[test]
fn the_table_says_of_what_is_missing_what_to_do() {
    let server = bucket_with(&small(T, ""), Options::default());
    server.set_now(None);
    let program = Program::at(&server);
    // Lines break by the length of what was typed, which is not to depend on where the program lies.
    let mut command = program.command(&["doctor", "s3://registry", "--for", "plan,gc,gc-online"]);
    command.arg0("regsweep");
    let broken = Run::start(command).end();
    let names = [(&*server.endpoint(), "[endpoint]")];
    assert_expected("doctor-missing.txt", &redacted(&broken.stdout, &names));
}

#[test]
fn a_store_that_cannot_be_reached_is_told_and_of_the_rest_nothing_is_known() {
    let (server, program) =
        current(Options { refused_access_keys: vec!["ACCESS".to_owned()], ..Options::default() });
    let found = doctor(&program, &[]).with_code(5);
    assert_eq!(named(&found, "missing"), ["store", "offline"]);
    assert_eq!(named(&found, "ok"), ["cache"]);
    let gone = doctor(&program, &["--endpoint-url", "http://127.0.0.1:1"]).with_code(5);
    assert_eq!(result(&gone, "store"), "missing");
    drop(server);
}

#[test]
fn who_refuses_to_collect_says_the_same_here() {
    let program = Program::at(&bucket(&small(T, "")));
    for (typed, asked, said) in [
        (&["gc", "s3://registry"][..], &["--for", "gc"][..], "may be accepting pushes"),
        (
            &["gc", "s3://registry", "--online", "--registry-cache", "none"],
            &["--for", "gc-online", "--registry-cache", "none"],
            "turn on the bucket's versioning, or collect with --trash",
        ),
        (
            &["gc", "s3://registry", "--online", "--trash"],
            &["--for", "gc-online", "--trash"],
            "nothing is known of the registry's cache",
        ),
        (
            &[
                "gc",
                "s3://registry",
                "--online",
                "--untagged",
                "--trash",
                "--registry-cache",
                "none",
            ],
            &["--for", "gc-online", "--untagged", "--trash", "--registry-cache", "none"],
            "manifests without a tag",
        ),
    ] {
        let server = bucket(&small(T, ""));
        let endpoint = ["--endpoint-url", &server.endpoint()];
        let refused = program.run(&[typed, &endpoint].concat()).with_code(4);
        let found = doctor(&program, &[asked, &endpoint].concat()).with_code(4);
        assert!(refused.stderr.contains(said), "{typed:?}: {}", refused.stderr);
        assert!(found.stdout.contains(said), "{asked:?}: {}", found.stdout);
    }
}

#[test]
fn another_layout_is_refused_with_the_same_evidence() {
    let server = Server::start(Options::default()).unwrap();
    server.put("uploads/one", "", T);
    let program = Program::at(&server);
    let found = doctor(&program, &["--offline"]).with_code(4);
    assert_eq!(result(&found, "layout"), "missing");
    assert_eq!([result(&found, "list"), result(&found, "read")], ["ok", "ok"]);
    assert!(found.stdout.contains("Quay"), "{}", found.stdout);
}

#[test]
fn an_unfinished_generation_keeps_other_collections_away() {
    let (server, program) = current(Options { versioned: true, ..Options::default() });
    server.set_now(Some(now().after(crate::registries::days(1))));
    program.done(&["gc", "s3://registry", "--online", "--registry-cache", "none"]);
    let found = doctor(&program, &["--offline"]).with_code(4);
    assert_eq!(result(&found, "generations"), "missing");
    let online = ["--for", "gc-online", "--registry-cache", "none"];
    doctor(&program, &online).with_code(0);
}

#[test]
fn a_redis_that_does_not_answer_is_missing() {
    let (server, program) = (bucket(&small(T, "")), Program::new());
    let redis = RedisDouble::start();
    let config = format!("{READ_ONLY}{}", redis.config());
    bucket_config(program.home(), &server, &config);
    let typed = ["doctor", "config.yml", "--json", "--for", "gc,gc-online", "--trash"];
    let found = program.run(&typed).with_code(0);
    assert_eq!([result(&found, "cache"), result(&found, "cache-online")], ["ok", "ok"]);
    assert_eq!(result(&found, "offline"), "ok");
    drop(redis);
    let found = program.run(&typed).with_code(4);
    assert_eq!(
        [result(&found, "cache"), result(&found, "cache-online")],
        ["missing", "not probed"]
    );
}

#[test]
fn a_clock_that_is_off_is_told_and_stands_in_nobodys_way() {
    let server = bucket(&small(T, ""));
    let found = doctor(&Program::at(&server), &["--for", "plan"]).with_code(0);
    assert_eq!(result(&found, "clock"), "missing");
}

#[test]
fn a_directory_is_examined_as_well() {
    let program = Program::new();
    let root = directory(program.home(), &small(now(), ""));
    let before = crate::registries::files(&root);
    files_config(program.home(), &root, READ_ONLY);
    let typed = ["doctor", "config.yml", "--json", "--for", ALL, "--trash", "--write"];
    let found = program.run(&typed).with_code(0);
    assert_eq!(named(&found, "missing"), Vec::<String>::new());
    assert_eq!(named(&found, "not probed"), Vec::<String>::new());
    assert_eq!(crate::registries::files(&root), before);
}

#[test]
fn an_empty_registry_has_nothing_to_read_yet() {
    let server = Server::start(Options::default()).unwrap();
    let found = doctor(&Program::at(&server), &["--offline"]).with_code(0);
    assert_eq!(result(&found, "read"), "not probed");
    assert!(found.stdout.contains("nobody has pushed to it yet"), "{}", found.stdout);
}
