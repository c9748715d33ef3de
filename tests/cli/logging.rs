//! Logs: on stderr, only where they are asked for, for people or for machines.

use serde_json::Value;

use crate::program::Program;
use crate::registries::{T, bucket, small};

const GC: [&str; 4] = ["gc", "s3://registry", "--offline", "-q"];

#[test]
fn what_happens_is_logged_as_json_lines() {
    let server = bucket(&small(T, ""));
    let program = Program::at(&server);
    let done = program.done(&[&GC[..], &["--log", "info", "--log-format", "json"]].concat());
    let lines = done.stderr.lines();
    let events: Vec<Value> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
    let of_ours = |event: &&Value| event["target"].as_str().unwrap().starts_with("regsweep");
    let told: Vec<&str> = events
        .iter()
        .filter(of_ours)
        .map(|event| event["fields"]["message"].as_str().unwrap())
        .collect();
    assert_eq!(told, ["opened", "planned", "swept"], "{}", done.stderr);
    let swept = events.iter().find(|event| event["fields"]["message"] == "swept").unwrap();
    assert!(swept["fields"]["deleted"].as_u64().unwrap() > 0, "{swept}");
}

#[test]
fn logs_are_for_people_by_default_and_by_the_environment_too() {
    let server = bucket(&small(T, ""));
    let program = Program::at(&server).with("REGSWEEP_LOG", "regsweep=info");
    let done = program.done(&GC);
    assert!(done.stderr.contains("INFO regsweep::open: opened location="), "{}", done.stderr);
    assert!(!done.stderr.contains('\x1b'), "no colours in a file");
}

#[test]
fn libraries_are_quiet_until_debug_and_no_secret_is_logged_at_all() {
    let server = bucket(&small(T, ""));
    let program = Program::at(&server);
    let quiet = program.done(&[&GC[..], &["--log", "info"]].concat()).stderr;
    for line in quiet.lines() {
        assert!(line.contains(" regsweep"), "{line}");
    }
    let server = bucket(&small(T, ""));
    let loud = Program::at(&server).done(&[&GC[..], &["--log", "trace"]].concat()).stderr;
    assert!(loud.lines().count() > quiet.lines().count());
    assert!(!loud.contains("=secret") && !loud.contains("\"secret\""), "the secret key is told");
}
