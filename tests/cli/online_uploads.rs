//! Incomplete multipart uploads, while people push.

use serde_json::{Value, json};
use simstore::{Fault, Faults, Kind, S3Error, Server, When};

use crate::multipart::{begin, data, kept, leave_uploads};
use crate::online::{ONLINE, night};
use crate::program::{Outcome, Program};
use crate::registries::{T, days, directory, now, small};
use crate::undo::versioned;

/// A bucket in which something was condemned, then left uploads; two days later.
fn left() -> (Server, Program) {
    let (server, program) = versioned();
    night(&server, &program, 0, &[]);
    leave_uploads(&server);
    server.forget_requests();
    server.set_now(Some(T.after(days(2))));
    (server, program)
}

fn run(program: &Program, more: &[&str]) -> Outcome {
    program.run(&[&ONLINE[..], more].concat())
}

#[test]
fn those_that_were_left_are_aborted_last_and_told_everywhere() {
    let (server, program) = left();
    let more = ["--json", "--report", "night.html", "--audit-log", "audit", "--metrics-file", "m"];
    let summary = run(&program, &more).with_code(0).summary();
    assert!(summary["deleted"]["objects"].as_u64().unwrap() > 0, "{summary}");
    assert_eq!(summary["aborted"], json!({"objects": 2, "bytes": 1024}));
    let seen = json!({"state": "known", "listed": 5, "foreign": 1, "young": 2, "unread": 0});
    assert_eq!(summary["multipart"], seen);
    assert_eq!(server.open_uploads(), kept());

    let kinds: Vec<Kind> = server.requests().into_iter().map(|request| request.kind).collect();
    let first = kinds.iter().position(|kind| *kind == Kind::ListUploads).unwrap();
    assert!(kinds[..first].contains(&Kind::Delete), "{kinds:?}");
    assert!(!kinds[first..].contains(&Kind::Delete), "uploads go last: {kinds:?}");

    let read = |name: &str| std::fs::read_to_string(program.home().join(name)).unwrap();
    let page = read("night.html");
    assert!(page.contains("Multipart uploads aborted") && page.contains("1.0 KiB"), "{page}");
    let log = read("audit");
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let aborted: Vec<Value> = lines.filter(|line| line["kind"] == "multipart_upload").collect();
    assert_eq!(aborted.len(), 2, "{log}");
    for line in aborted {
        assert_eq!((&line["run"], &line["outcome"]), (&json!("uploads"), &json!("deleted")));
        assert!(line["upload_id"].is_string() && line["kept"].is_null(), "{line}");
    }
    let freed = 1024 + summary["deleted"]["bytes"].as_u64().unwrap();
    let counted = format!("regsweep_freed_bytes_total{{command=\"gc-online\"}} {freed}");
    let metrics = read("m");
    assert!(metrics.lines().any(|line| line == counted), "{counted} is not in {metrics}");
}

#[test]
fn people_are_told_and_a_second_night_finds_none() {
    let (_server, program) = left();
    let told = run(&program, &[]).with_code(0).stdout;
    assert!(told.contains("aborted uploads               2      1.0 KiB"), "{told}");
    let told = run(&program, &[]).with_code(0).stdout;
    assert!(!told.contains("uploads"), "{told}");
}

#[test]
fn what_a_push_may_still_add_to_stays_however_short_the_rule() {
    let rule = ["--uploads-older-than", "0s", "--grace", "0s", "--quarantine", "7d"];
    for (longest_push, left_over) in [("0s", 2), ("4d", 3), ("6d", 4)] {
        let (server, program) = left();
        run(&program, &[&rule[..], &["--longest-push", longest_push]].concat()).with_code(0);
        assert_eq!(server.open_uploads().len(), left_over, "{longest_push}");
    }
}

#[test]
fn where_they_may_not_be_listed_they_stay_and_that_is_said() {
    let (server, program) = left();
    let refuse = Fault::Refuse(S3Error::ACCESS_DENIED);
    server.set_faults(Faults::none().on(Kind::ListUploads, When::Always, refuse));
    let told = run(&program, &["--report", "night.html"]).with_code(0).stdout;
    let said = "incomplete multipart uploads are not known, and stay: ";
    assert!(told.contains(said), "{told}");
    let page = std::fs::read_to_string(program.home().join("night.html")).unwrap();
    assert!(page.to_lowercase().contains(said), "{page}");
    let summary = run(&program, &["--json"]).with_code(0).summary();
    assert_eq!(summary["multipart"]["state"], "unknown", "{summary}");
    assert_eq!(server.open_uploads().len(), 6);
}

#[test]
fn g3_a_listing_that_fails_ends_a_night_that_has_done_all_else() {
    let (server, program) = left();
    let fault = Fault::Refuse(S3Error::INTERNAL_ERROR);
    server.set_faults(Faults::none().on(Kind::ListUploads, When::Always, fault));
    let failed = run(&program, &["--patience", "0s", "--json"]).with_code(7);
    assert!(failed.failure().to_string().contains("multipart uploads"), "{failed:?}");
    let summary: Value = serde_json::from_str(failed.stdout.lines().last().unwrap()).unwrap();
    assert!(summary["deleted"]["objects"].as_u64().unwrap() > 0, "{summary}");
    assert_eq!(server.open_uploads().len(), 6);
}

#[test]
fn an_abort_that_is_refused_is_partial_and_the_next_night_ends_it() {
    let (server, program) = left();
    let refuse = Fault::Refuse(S3Error::ACCESS_DENIED);
    server.set_faults(Faults::none().on(Kind::Upload, When::Always, refuse));
    let failed = run(&program, &[]).with_code(3);
    assert!(failed.stderr.contains("could not delete 2 objects"), "{}", failed.stderr);
    server.set_faults(Faults::none());
    // After a failure the next run waits until the lease has ended.
    server.set_now(Some(T.after(days(3))));
    run(&program, &[]).with_code(0);
    assert_eq!(server.open_uploads(), kept());
}

#[test]
fn between_windows_none_is_aborted_and_in_a_window_they_are() {
    let (server, program) = left();
    begin(&server, &data("another"), 30, &[(30, 9)]);
    let summary = run(&program, &["--windowed", "--json"]).with_code(0).summary();
    assert_eq!((&summary["multipart"], &summary["aborted"]["objects"]), (&Value::Null, &json!(0)));
    assert_eq!(server.open_uploads().len(), 7);
    let summary = run(&program, &["--windowed", "--offline", "--json"]).with_code(0).summary();
    assert_eq!(summary["aborted"]["objects"], json!(3), "{summary}");
    assert_eq!(server.open_uploads(), kept());
}

#[test]
fn files_have_none() {
    let program = Program::new();
    let root = directory(program.home(), &small(now(), ""));
    let online = ["gc", root.to_str().unwrap(), "--online", "--registry-cache", "none", "--trash"];
    let summary = program.done(&[&online[..], &["--json"]].concat()).summary();
    assert_eq!(summary["aborted"]["objects"], 0);
    assert_eq!(summary["multipart"]["state"], "known");
}
