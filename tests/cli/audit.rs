//! The audit log: a line for each object that went, and none is lost.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use simstore::{Fault, Faults, Kind, S3Error, When, Which};

use crate::online::{ONLINE, night};
use crate::program::{Program, wait_until};
use crate::registries::{T, bucket, days, keys, small};
use crate::undo::{PLAN, versioned};

const APPLY: [&str; 5] = ["apply", "plan", "--offline", "--audit-log", "audit"];

fn lines(program: &Program) -> Vec<Value> {
    let text = fs::read_to_string(program.home().join("audit")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn logged(program: &Program, outcome: &str) -> BTreeSet<String> {
    let lines = lines(program).into_iter().filter(|line| line["outcome"] == outcome);
    lines.map(|line| line["key"].as_str().unwrap().to_owned()).collect()
}

/// The keys that a plan names.
fn planned(program: &Program) -> BTreeSet<String> {
    let rows = program.done(&["show", "plan", "--format", "csv"]).stdout;
    rows.lines().skip(1).map(|row| row.split(',').nth(3).unwrap().to_owned()).collect()
}

#[test]
fn every_deletion_is_logged_with_the_delete_marker_that_takes_it_back() {
    let (server, program) = versioned();
    program.done(&PLAN);
    let planned = planned(&program);
    let before = keys(&server);
    program.done(&APPLY);
    let gone: BTreeSet<String> = before.difference(&keys(&server)).cloned().collect();
    assert_eq!(logged(&program, "deleted"), gone);
    assert_eq!(gone, planned);
    let plan = program.run(&["show", "plan", "--format", "json"]).summary();
    for line in lines(&program) {
        assert!(line["version_id"].is_string() && line["kept"] == "version", "{line}");
        assert!(line["reason"].is_string() && line["size"].is_u64(), "{line}");
        assert!(plan.to_string().contains(line["run"].as_str().unwrap()), "{line}");
    }
}

#[test]
fn g11_a_run_that_takes_up_a_killed_one_logs_what_that_could_not() {
    let server = bucket(&small(T, ""));
    let program = Program::at(&server);
    program.done(&PLAN);
    let (planned, before) = (planned(&program), keys(&server));
    // The answer never comes, and the deletion is done all the same.
    server.set_faults(Faults::none().on(Kind::Delete, When::After(1), Fault::HangUpAfter));
    let mut killed = program.start(&[&APPLY[..], &["--patience", "10m"]].concat());
    wait_until("a second request", || server.count(Kind::Delete) > 2);
    killed.child.kill().unwrap();
    killed.end();
    server.set_faults(Faults::none());
    program.done(&APPLY);
    let gone: BTreeSet<String> = before.difference(&keys(&server)).cloned().collect();
    let all: BTreeSet<String> =
        logged(&program, "deleted").union(&logged(&program, "gone")).cloned().collect();
    assert_eq!((&gone, &all), (&planned, &planned));
}

#[test]
fn what_could_not_be_deleted_is_logged_as_such() {
    let server = bucket(&small(T, ""));
    let program = Program::at(&server);
    let fails = Fault::FailKeys(Which::Containing("/blobs/".into()), S3Error::ACCESS_DENIED);
    server.set_faults(Faults::none().on(Kind::Delete, When::Always, fails));
    program.run(&["gc", "s3://registry", "--offline", "--audit-log", "audit"]).with_code(3);
    let failed = logged(&program, "failed");
    assert!(!failed.is_empty() && failed.iter().all(|key| key.contains("/blobs/")));
    let errors = lines(&program).into_iter().filter(|line| line["outcome"] == "failed");
    assert!(errors.into_iter().all(|line| line["error"].to_string().contains("AccessDenied")));
}

#[test]
fn nothing_is_deleted_where_the_log_cannot_be_written() {
    let server = bucket(&small(T, ""));
    let program = Program::at(&server);
    let before = keys(&server);
    fs::create_dir(program.home().join("audit")).unwrap();
    let wrong = program.run(&["gc", "s3://registry", "--offline", "--audit-log", "audit"]);
    assert!(wrong.clone().with_code(2).stderr.contains("cannot use audit"), "{wrong:?}");
    let online =
        ["gc", "s3://registry", "--online", "--registry-cache", "none", "--audit-log", "audit"];
    let wrong = program.run(&online).with_code(2);
    assert!(wrong.stderr.contains("cannot use audit"), "{wrong:?}");
    assert_eq!(keys(&server), before);
}

const LOGGED: [&str; 2] = ["--audit-log", "audit"];

#[test]
fn a_collection_while_people_push_logs_links_that_it_takes_and_blobs_that_it_deletes() {
    let (server, program) = versioned();
    let before = keys(&server);
    night(&server, &program, 0, &LOGGED);
    let taken = lines(&program);
    assert!(
        !taken.is_empty() && taken.iter().all(|line| line["kind"] == "layer_link"),
        "{taken:?}"
    );
    night(&server, &program, 1, &LOGGED);
    let gone: BTreeSet<String> = before.difference(&keys(&server)).cloned().collect();
    assert_eq!(logged(&program, "deleted"), gone);
    for line in lines(&program) {
        assert!(line["version_id"].is_string() && line["size"].as_u64() > Some(0), "{line}");
        assert_eq!(line["run"], taken[0]["run"], "{line}");
    }
    assert!(lines(&program).iter().any(|line| line["kind"] == "blob"));
}

#[test]
fn g11_a_night_that_takes_up_a_killed_one_logs_what_that_could_not() {
    let (server, program) = versioned();
    let before = keys(&server);
    night(&server, &program, 0, &LOGGED);
    server.set_now(Some(T.after(days(2))));
    // The answer never comes, and the deletion is done all the same.
    let asked = server.count(Kind::Delete);
    server.set_faults(Faults::none().on(Kind::Delete, When::After(0), Fault::HangUpAfter));
    let second = [&ONLINE[..], &LOGGED, &["--patience", "10m"]].concat();
    let mut killed = program.start(&second);
    wait_until("a request without an answer", || server.count(Kind::Delete) > asked + 1);
    killed.child.kill().unwrap();
    killed.end();
    server.set_faults(Faults::none());
    night(&server, &program, 2, &LOGGED);
    let gone: BTreeSet<String> = before.difference(&keys(&server)).cloned().collect();
    let told: BTreeSet<String> = &logged(&program, "deleted") | &logged(&program, "gone");
    assert!(!logged(&program, "gone").is_empty(), "the killed run logged all that it deleted");
    assert_eq!(told, gone);
}
