//! Incomplete multipart uploads: what a plan says of them, what a sweep aborts, and what an undo says.

use registry::Timestamp;
use serde_json::Value;
use simstore::{Fault, Faults, Kind, S3Error, Server, When};

use crate::expected::{assert_expected, redacted};
use crate::program::{Program, wait_until};
use crate::registries::{READ_ONLY, T, bucket, bucket_config, days, small};
use crate::undo::versioned;

const BASE: &str = "docker/registry/v2";
const PLAN: [&str; 4] = ["plan", "s3://registry", "--out", "plan"];
const APPLY: [&str; 3] = ["apply", "plan", "--offline"];

/// Data on its way into a repository.
pub(crate) fn data(id: &str) -> String {
    format!("{BASE}/repositories/library/app/_uploads/{id}/data")
}

/// A copy on its way to where blobs lie.
pub(crate) fn copy() -> String {
    let hex = "ab".repeat(32);
    format!("{BASE}/blobs/sha256/ab/{hex}/data")
}

/// An upload that was begun `age` days ago, with parts of these ages and sizes.
pub(crate) fn begin(server: &Server, key: &str, age: u64, parts: &[(u64, usize)]) -> String {
    let at = |age| -> Timestamp { T.before(days(age)) };
    let id = server.begin_upload(key, at(age));
    for (number, (age, bytes)) in (1..).zip(parts) {
        assert!(server.put_part(key, &id, number, vec![0; *bytes], at(*age)));
    }
    id
}

/// Two that go, two that are young in one way or another, and two that no registry began.
pub(crate) fn leave_uploads(server: &Server) {
    begin(server, &data("old"), 20, &[(20, 1000), (19, 24)]);
    begin(server, &copy(), 9, &[]);
    begin(server, &data("young"), 3, &[(3, 5)]);
    begin(server, &data("in-progress"), 20, &[(19, 5), (1, 6)]);
    begin(server, &format!("{BASE}/backup.tar"), 90, &[(90, 7)]);
    begin(server, "elsewhere/data", 90, &[(90, 7)]);
}

pub(crate) fn kept() -> Vec<String> {
    let own = [data("in-progress"), data("young")];
    [vec![format!("{BASE}/backup.tar")], own.to_vec(), vec!["elsewhere/data".into()]].concat()
}

fn left_behind() -> (Server, Program) {
    let server = bucket(&small(T, ""));
    leave_uploads(&server);
    let program = Program::at(&server);
    (server, program)
}

fn summary(program: &Program) -> Value {
    program.done(&["show", "plan", "--json"]).summary()
}

#[test]
fn what_was_begun_and_left_is_planned_with_its_bytes_and_aborted() {
    let (server, program) = left_behind();
    let planned = program.done(&PLAN);
    let home = program.home().to_string_lossy().into_owned();
    assert_expected("multipart-table.txt", &redacted(&planned.stdout, &[(&home, "[home]")]));
    let told = summary(&program);
    assert_eq!(told["delete"]["multipart_uploads"], serde_json::json!({"count": 2, "bytes": 1024}));
    let seen = serde_json::json!(
        {"state": "known", "listed": 5, "foreign": 1, "young": 2, "unread": 0});
    assert_eq!(told["multipart"], seen);
    let rows = program.done(&["show", "plan", "--format", "csv"]).stdout;
    let rows: Vec<&str> = rows.lines().filter(|row| !row.starts_with("layer")).collect();
    assert_expected("multipart.csv", &(rows.join("\n") + "\n"));
    assert_eq!(server.open_uploads().len(), 6, "a plan aborts nothing");
    program.done(&APPLY);
    assert_eq!(server.open_uploads(), kept());
    let aborts = server.requests().into_iter().filter(|request| request.kind == Kind::Upload);
    assert_eq!(aborts.count(), 2);
}

#[test]
fn gc_aborts_them_too_and_the_report_tells_of_them() {
    let (server, program) = left_behind();
    let gc = ["gc", "s3://registry", "--offline", "--report", "page.html", "--json"];
    let done = program.done(&gc).summary();
    assert_eq!(done["swept"]["deleted"], done["swept"]["planned"]);
    assert_eq!(server.open_uploads(), kept());
    let page = std::fs::read_to_string(program.home().join("page.html")).unwrap();
    assert!(page.contains("Incomplete multipart uploads") && page.contains("2 multipart uploads"));
}

#[test]
fn the_rule_is_that_of_uploads_and_never_younger_than_the_grace() {
    for (options, left) in [
        (&["--uploads-older-than", "0s", "--grace", "0s"][..], 2),
        (&["--uploads-older-than", "0s", "--grace", "2d"], 3),
        (&["--uploads-older-than", "10d"], 5),
    ] {
        let (server, program) = left_behind();
        program.done(&[&["gc", "s3://registry", "--offline"], options].concat());
        assert_eq!(server.open_uploads().len(), left, "{options:?}");
    }
}

#[test]
fn one_that_got_a_part_after_the_plan_was_made_is_spared() {
    let (server, program) = left_behind();
    let id = begin(&server, &data("resumed"), 20, &[(20, 3)]);
    program.done(&PLAN);
    server.put_part(&data("resumed"), &id, 2, "more", T);
    let swept = program.done(&[&APPLY[..], &["--json"]].concat()).summary();
    assert_eq!(swept["swept"]["spared"], serde_json::json!({"count": 1, "bytes": 3}));
    assert!(server.open_uploads().contains(&data("resumed")));
    assert_eq!(server.open_uploads().len(), kept().len() + 1);
}

#[test]
fn where_they_may_not_be_listed_or_not_well_a_plan_says_that_they_are_not_known() {
    for (fault, why) in [
        (Fault::Refuse(S3Error::ACCESS_DENIED), "permission denied"),
        (Fault::Refuse(S3Error::NOT_IMPLEMENTED), "the store does not list them"),
        (Fault::Refuse(S3Error::INVALID_ARGUMENT), "the store does not list them"),
        (Fault::HalfBody, "the answer breaks the protocol"),
        (Fault::ForeignBody, "the answer breaks the protocol"),
    ] {
        let (server, program) = left_behind();
        server.set_faults(Faults::none().on(Kind::ListUploads, When::Always, fault));
        let planned = program.done(&PLAN).stdout;
        let line = planned.lines().find(|line| line.contains("are not known")).unwrap();
        assert!(line.ends_with(why), "{line}");
        let told = summary(&program);
        assert_eq!(told["multipart"]["state"], "unknown");
        assert_eq!(told["delete"]["multipart_uploads"], Value::Null, "never zero");
        let row = planned.lines().find(|line| line.starts_with("multipart ")).unwrap();
        assert!(row.contains("not known") && !row.contains('0'), "{row}");
        program.done(&APPLY);
        assert_eq!(server.open_uploads().len(), 6);
    }
}

#[test]
fn g4_where_parts_may_not_be_listed_the_uploads_stay_and_are_counted() {
    let (server, program) = left_behind();
    let refuse = Fault::Refuse(S3Error::ACCESS_DENIED);
    server.set_faults(Faults::none().on(Kind::ListParts, When::Subject(data("old")), refuse));
    let planned = program.done(&PLAN).stdout;
    assert!(planned.contains("1 incomplete multipart uploads stay: their parts"), "{planned}");
    assert_eq!(summary(&program)["multipart"]["unread"], 1);
    server.set_faults(Faults::none());
    program.done(&APPLY);
    assert!(server.open_uploads().contains(&data("old")));
    assert!(!server.open_uploads().contains(&copy()));
}

#[test]
fn g3_any_other_failure_to_list_them_is_an_error_and_there_is_no_plan() {
    for (kind, fault) in [
        (Kind::ListUploads, Fault::Refuse(S3Error::INTERNAL_ERROR)),
        (Kind::ListUploads, Fault::BreakBody),
        (Kind::ListParts, Fault::Refuse(S3Error::INTERNAL_ERROR)),
    ] {
        let (server, program) = left_behind();
        server.set_faults(Faults::none().on(kind, When::Always, fault.clone()));
        let failed = program.run(&[&PLAN[..], &["--patience", "0s", "--json"]].concat());
        let failure = failed.with_code(7).failure();
        assert!(failure.to_string().contains("multipart uploads"), "{failure}");
        program.run(&["show", "plan"]).with_code(6);
    }
}

#[test]
fn bad_days_of_the_store_cost_time_and_nothing_else() {
    let (server, program) = left_behind();
    let faults = [
        Fault::Refuse(S3Error::SLOW_DOWN),
        Fault::Refuse(S3Error::INTERNAL_ERROR),
        Fault::HangUpBefore,
        Fault::HangUpAfter,
        Fault::BreakBody,
    ];
    let kinds = [Kind::ListUploads, Kind::ListParts, Kind::Upload];
    let pairs = kinds.into_iter().flat_map(|kind| faults.clone().map(|fault| (kind, fault)));
    let on = |all: Faults, (kind, fault)| all.on(kind, When::Chance(0.15), fault);
    server.set_faults(pairs.fold(Faults::none().seed(7), on));
    program.done(&PLAN);
    program.done(&APPLY);
    assert_eq!(server.open_uploads(), kept());
}

#[test]
fn an_abort_that_is_refused_is_partial_and_the_same_command_ends_it() {
    let (server, program) = left_behind();
    program.done(&PLAN);
    let refuse = Fault::Refuse(S3Error::ACCESS_DENIED);
    server.set_faults(Faults::none().on(Kind::Upload, When::Always, refuse));
    let failed = program.run(&APPLY).with_code(3);
    assert!(failed.stderr.contains("could not delete 2 objects"), "{}", failed.stderr);
    server.set_faults(Faults::none());
    program.done(&APPLY);
    assert_eq!(server.open_uploads(), kept());
}

#[test]
fn g11_a_run_killed_before_its_answer_is_taken_up_and_every_abort_is_logged() {
    let (server, program) = left_behind();
    program.done(&PLAN);
    let apply = [&APPLY[..], &["--audit-log", "audit"]].concat();
    server.set_faults(Faults::none().on(Kind::Upload, When::Always, Fault::HangUpAfter));
    let mut killed = program.start(&apply);
    wait_until("an abort", || server.open_uploads().len() < 6);
    killed.child.kill().unwrap();
    killed.end();
    server.set_faults(Faults::none());
    program.done(&apply);
    assert_eq!(server.open_uploads(), kept());
    let log = std::fs::read_to_string(program.home().join("audit")).unwrap();
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let aborted: Vec<Value> = lines.filter(|line| line["kind"] == "multipart_upload").collect();
    assert!(aborted.iter().all(|line| line["upload_id"].is_string()), "{log}");
    assert_eq!(aborted.len(), 2, "{log}");
}

#[test]
fn the_drop_in_leaves_them_alone() {
    let (server, program) = left_behind();
    let config = bucket_config(program.home(), &server, READ_ONLY);
    program.done(&["garbage-collect", &config.to_string_lossy()]);
    assert_eq!(server.open_uploads().len(), 6);
    assert_eq!(server.count(Kind::ListUploads), 0);
}

#[test]
fn what_was_aborted_is_no_loss_of_an_undo_and_said_once() {
    let (server, program) = versioned();
    leave_uploads(&server);
    let before = server.keys();
    program.done(&PLAN);
    program.done(&APPLY);
    let undone = program.done(&["undo", "plan"]);
    let said = "2 multipart uploads were aborted, which nothing brings back";
    assert_eq!(undone.stdout.matches(said).count(), 1, "{}", undone.stdout);
    let back: Vec<String> =
        server.keys().into_iter().filter(|key| !key.starts_with("regsweep/")).collect();
    assert_eq!(back, before);
    assert_eq!(server.open_uploads(), kept());
    let object = program.done(&["undo", "plan", "--json"]).summary();
    assert_eq!(object["aborted"], serde_json::json!({"count": 2, "bytes": 1024}));
    assert_eq!(object["lost"], serde_json::json!({}));
}

#[test]
fn a_diagnosis_warns_where_they_may_not_be_listed_and_fails_of_it_no_command() {
    let (server, program) = left_behind();
    let refuse = Fault::Refuse(S3Error::ACCESS_DENIED);
    server.set_faults(Faults::none().on(Kind::ListUploads, When::Always, refuse));
    for task in ["plan", "usage"] {
        let doctor = ["doctor", "s3://registry", "--for", task, "--json"];
        let found = program.done(&doctor).summary();
        let checks = found["checks"].as_array().unwrap();
        let check = checks.iter().find(|check| check["name"] == "multipart-uploads").unwrap();
        assert_eq!(check["result"], "missing");
        let advice = check["advice"].to_string();
        assert!(advice.contains("allow s3:ListBucketMultipartUploads on arn:aws:s3:::registry:"));
        assert!(advice.contains("until then such uploads stay"), "{advice}");
    }
}
