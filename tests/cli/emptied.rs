//! What is emptied of older trash, in the audit log.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use simstore::{Fault, Faults, Kind, S3Error, Server, When, Which};

use crate::audit::{LOGGED, MANY, lines, logged, orphans, run_with_full_log};
use crate::online::night;
use crate::program::Program;
use crate::registries::{T, bucket, days, directory, now, small};

const TRASHING: [&str; 7] =
    ["gc", "s3://registry", "--untagged", "--offline", "--trash", "--audit-log", "audit"];

/// The keys in the trash, without the notes of when it was filled.
fn trash(server: &Server) -> BTreeSet<String> {
    let keys = server.keys().into_iter();
    keys.filter(|key| key.starts_with("regsweep/trash/") && !key.ends_with("/filled")).collect()
}

/// The lines about what was emptied.
fn emptied(program: &Program) -> Vec<Value> {
    lines(program).into_iter().filter(|line| line["reason"] == "trash-emptied").collect()
}

#[test]
fn what_is_emptied_of_an_older_trash_is_logged_with_the_plan_that_filled_it() {
    let server = bucket(&small(T, ""));
    let program = Program::at(&server);
    program.done(&TRASHING);
    let (filled, moved) = (trash(&server), logged(&program, "deleted"));
    let run = lines(&program)[0]["run"].clone();
    assert!(emptied(&program).is_empty() && !filled.is_empty());
    server.set_now(Some(T.after(days(8))));
    program.done(&TRASHING);
    let told: BTreeSet<String> =
        emptied(&program).iter().map(|line| line["key"].as_str().unwrap().to_owned()).collect();
    let before = emptied(&program).into_iter().map(|line| line["original_key"].clone());
    let before: BTreeSet<String> = before.map(|key| key.as_str().unwrap().to_owned()).collect();
    assert_eq!((trash(&server), told, before), (BTreeSet::new(), filled, moved));
    for line in emptied(&program) {
        assert_eq!((&line["run"], &line["outcome"]), (&run, &"deleted".into()), "{line}");
        assert!(line["etag"].is_string() && line["size"].is_u64(), "{line}");
        assert!(line["kept"].is_null() && line["kind"].is_string(), "{line}");
    }
}

#[test]
fn what_is_emptied_of_an_older_trash_of_files_is_logged_too() {
    let program = Program::new();
    let root = directory(program.home(), &small(now(), ""));
    let gc = ["gc", root.to_str().unwrap(), "--untagged", "--offline", "--audit-log", "audit"];
    let gc = [&gc[..], &["--trash", "--trash-for", "0s"]].concat();
    program.done(&gc);
    let moved = logged(&program, "deleted");
    assert!(!moved.is_empty() && emptied(&program).is_empty());
    program.done(&gc);
    let before = emptied(&program).into_iter().map(|line| line["original_key"].clone());
    let before: BTreeSet<String> = before.map(|key| key.as_str().unwrap().to_owned()).collect();
    assert_eq!(before, moved);
    assert!(emptied(&program).iter().all(|line| line["etag"].is_null()));
}

#[test]
fn what_cannot_be_emptied_is_logged_as_such() {
    let server = bucket(&small(T, ""));
    let program = Program::at(&server);
    program.done(&TRASHING);
    let filled = trash(&server);
    server.set_now(Some(T.after(days(8))));
    let fails = Fault::FailKeys(Which::Containing("/blobs/".into()), S3Error::ACCESS_DENIED);
    server.set_faults(Faults::none().on(Kind::Delete, When::Always, fails));
    program.done(&TRASHING);
    let left = trash(&server);
    assert!(!left.is_empty() && left.len() < filled.len());
    assert_eq!(logged(&program, "failed"), left);
    // A request that fails says nothing of any object: some may be gone.
    server.set_faults(Faults::none().on(
        Kind::Delete,
        When::Always,
        Fault::Refuse(S3Error::ACCESS_DENIED),
    ));
    fs::remove_file(program.home().join("audit")).unwrap();
    let refused = program.done(&TRASHING);
    assert!(refused.stderr.contains("older trash was not emptied"), "{refused:?}");
    assert_eq!((logged(&program, "failed"), trash(&server)), (left.clone(), left));
}

#[test]
fn a_collection_while_people_push_logs_what_it_empties() {
    let server = bucket(&small(T, ""));
    let program = Program::at(&server);
    let more = [&LOGGED[..], &["--trash"]].concat();
    for number in 0..3 {
        night(&server, &program, number, &more);
    }
    let (filled, run) = (trash(&server), lines(&program)[0]["run"].clone());
    assert!(!filled.is_empty());
    night(&server, &program, 8, &more);
    let emptied = emptied(&program);
    let keys: BTreeSet<String> =
        emptied.iter().map(|line| line["key"].as_str().unwrap().to_owned()).collect();
    assert_eq!((trash(&server), keys), (BTreeSet::new(), filled));
    assert!(emptied.iter().all(|line| line["run"] == run), "{emptied:?}");
}

#[test]
fn an_older_trash_is_not_emptied_on_where_the_log_cannot_go_on() {
    let (server, program) = orphans(MANY, false);
    let gc = [&TRASHING[..], &["--accept", "delete-share"]].concat();
    program.done(&gc);
    let filled = trash(&server);
    server.set_now(Some(T.after(days(8))));
    let failed = run_with_full_log(&program, &[&gc[..], &["--json"]].concat());
    let left = trash(&server);
    assert!(!left.is_empty() && left.len() < filled.len(), "{} of {}", left.len(), filled.len());
    assert_eq!(failed.summary()["swept"]["purged"]["count"], filled.len() - left.len());
    assert_eq!(failed.failure()["name"], "partial");
    assert!(failed.stderr.contains("older trash is not emptied on"), "{failed:?}");
    assert!(failed.stderr.contains("the next run with --trash empties what is left"), "{failed:?}");
    fs::remove_file(program.home().join("audit")).unwrap();
    program.done(&gc);
    assert_eq!(trash(&server), BTreeSet::new());
    assert_eq!(logged(&program, "deleted"), left);
}
