//! The audit log: a line for each object that went, and none is lost.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::FileExt;
use std::time::Duration;

use registry::{Digest, Layout};
use serde_json::Value;
use simstore::{Fault, Faults, Kind, Options, S3Error, Server, When, Which};
use world::{Content, World};

use crate::online::{ONLINE, night};
use crate::program::{Outcome, Program, wait_until};
use crate::registries::{T, bucket, bucket_with, days, directory, image, keys, now, small};
use crate::undo::{PLAN, versioned};

const APPLY: [&str; 5] = ["apply", "plan", "--offline", "--audit-log", "audit"];

pub(crate) fn lines(program: &Program) -> Vec<Value> {
    let text = fs::read_to_string(program.home().join("audit")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub(crate) fn logged(program: &Program, outcome: &str) -> BTreeSet<String> {
    let lines = lines(program).into_iter().filter(|line| line["outcome"] == outcome);
    lines.map(|line| line["key"].as_str().unwrap().to_owned()).collect()
}

fn gone(server: &Server, before: &BTreeSet<String>) -> BTreeSet<String> {
    before.difference(&keys(server)).cloned().collect()
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
    let gone = gone(&server, &before);
    assert_eq!(logged(&program, "deleted"), gone);
    assert_eq!(gone, planned);
    let plan = program.run(&["show", "plan", "--format", "json"]).summary();
    for line in lines(&program) {
        assert!(line["version_id"].is_string() && line["kept"] == "version", "{line}");
        assert!(line["reason"].is_string() && line["size"].is_u64(), "{line}");
        assert!(plan.to_string().contains(line["run"].as_str().unwrap()), "{line}");
    }
}

/// An entity tag as S3 gives it to what was uploaded in parts.
const OF_PARTS: &str = "9b2cf535f27731c974343645a3985328-2";

#[test]
fn the_entity_tag_of_each_object_is_logged_and_shown_as_it_was_listed() {
    let server = bucket(&small(T, ""));
    let program = Program::at(&server);
    let blob = server.keys().into_iter().find(|key| key.contains("/blobs/")).unwrap();
    let orphan = Content::new(1 << 40, 64).bytes();
    let digest = Digest::sha256(&orphan);
    let in_parts = Layout::new("").blob(&digest);
    assert_ne!(blob, in_parts);
    server.put_as(&in_parts, orphan, T.before(days(30)), OF_PARTS);
    program.done(&PLAN);
    let csv = program.done(&["show", "plan", "--format", "csv"]).stdout;
    let row = csv.lines().find(|row| row.contains(&in_parts)).unwrap();
    assert!(row.ends_with(&format!(",unreferenced,{OF_PARTS}")), "{row}");
    program.done(&APPLY);
    let mut links = 0;
    for line in lines(&program) {
        let etag = line["etag"].as_str().unwrap();
        if line["kind"].as_str().unwrap().ends_with("_link") {
            let named: Digest = line["digest"].as_str().unwrap().parse().unwrap();
            assert_eq!(etag, marker::link_etag(&named), "{line}");
            links += 1;
        }
        assert_eq!(etag == OF_PARTS, line["key"] == *in_parts, "{line}");
    }
    assert!(links > 0);
    assert!(logged(&program, "deleted").contains(&in_parts));
}

#[test]
fn files_have_no_entity_tags() {
    let program = Program::new();
    let root = directory(program.home(), &small(now(), ""));
    program.done(&["plan", root.to_str().unwrap(), "--untagged", "--out", "plan"]);
    let csv = program.done(&["show", "plan", "--format", "csv"]).stdout;
    assert!(csv.starts_with("kind,repository,digest,key,bytes,last_modified,reason\n"), "{csv}");
    program.done(&APPLY);
    let lines = lines(&program);
    assert!(!lines.is_empty() && lines.iter().all(|line| line["etag"].is_null()), "{lines:?}");
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
    let gone = gone(&server, &before);
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

pub(crate) const LOGGED: [&str; 4] = ["--audit-log", "audit", "--accept", "delete-share"];

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
    let gone = gone(&server, &before);
    assert_eq!(logged(&program, "deleted"), gone);
    for line in lines(&program) {
        assert!(line["version_id"].is_string() && line["size"].as_u64() > Some(0), "{line}");
        assert_eq!(line["run"], taken[0]["run"], "{line}");
        let named: Digest = line["digest"].as_str().unwrap().parse().unwrap();
        let is_of_link = line["etag"] == marker::link_etag(&named);
        assert_eq!(
            (is_of_link, line["etag"].is_string()),
            (line["kind"] != "blob", true),
            "{line}"
        );
    }
    assert!(lines(&program).iter().any(|line| line["kind"] == "blob"));
}

#[test]
fn what_was_condemned_while_no_log_was_wanted_is_told_without_entity_tags() {
    let (server, program) = versioned();
    night(&server, &program, 0, &["--accept", "delete-share"]);
    night(&server, &program, 1, &LOGGED);
    let lines = lines(&program);
    assert!(!lines.is_empty() && lines.iter().all(|line| line["etag"].is_null()), "{lines:?}");
}

#[test]
fn g11_a_night_that_takes_up_a_killed_one_logs_what_that_could_not() {
    let (server, program) = versioned();
    let before = keys(&server);
    killed_in_second_night(&server, &program);
    night(&server, &program, 2, &LOGGED);
    let gone = gone(&server, &before);
    let told: BTreeSet<String> = &logged(&program, "deleted") | &logged(&program, "gone");
    assert!(!logged(&program, "gone").is_empty(), "the killed run logged all that it deleted");
    assert_eq!(told, gone);
}

/// A second night that deletes, and is killed before it hears of that.
fn killed_in_second_night(server: &Server, program: &Program) {
    night(server, program, 0, &LOGGED);
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
}

#[test]
fn nobody_looks_for_what_is_gone_where_no_log_is_wanted() {
    let lists = |more: &[&str]| {
        let (server, program) = versioned();
        killed_in_second_night(&server, &program);
        let told = lines(&program).len();
        server.forget_requests();
        night(&server, &program, 2, more);
        (server.count(Kind::List), lines(&program).len() - told)
    };
    let ((with, told), (without, _)) = (lists(&LOGGED), lists(&[]));
    assert!(told > 0 && without + told as u64 <= with, "{without}, and {told} more than {with}");
}

#[test]
fn what_was_logged_as_gone_is_not_logged_again_as_long_as_a_blob_cannot_be_deleted() {
    for is_killed in [false, true] {
        let (server, program) = uploads(5);
        if is_killed {
            killed_in_second_night(&server, &program);
        } else {
            night(&server, &program, 0, &LOGGED);
        }
        let digests = lines(&program).into_iter().map(|line| line["digest"].to_string());
        let mut digests = digests.map(|digest| digest.replace("sha256:", "").replace('"', ""));
        let is_there = |digest: &String| {
            keys(&server).iter().any(|key| key.contains(&format!("/{digest}/data")))
        };
        let stays = Which::Containing(digests.find(is_there).unwrap());
        let fails = Fault::FailKeys(stays, S3Error::ACCESS_DENIED);
        server.set_faults(Faults::none().on(Kind::Delete, When::Always, fails));
        for night in 2..5 {
            server.set_now(Some(T.after(days(2 * night))));
            program.run(&[&ONLINE[..], &LOGGED].concat()).with_code(3);
        }
        assert_eq!(logged(&program, "gone").is_empty(), !is_killed);
        assert_eq!(keys(&server).iter().filter(|key| key.ends_with("/data")).count(), 4);
        let went = lines(&program).into_iter().filter(|line| line["outcome"] != "failed");
        let went: Vec<String> = went.map(|line| line["key"].to_string()).collect();
        let distinct: BTreeSet<&String> = went.iter().collect();
        assert_eq!((went.len(), logged(&program, "failed").len()), (distinct.len(), 1));
    }
}

/// A bucket that keeps versions, with so many uploads of nobody.
fn uploads(count: u64) -> (Server, Program) {
    orphans(count, true)
}

pub(crate) fn orphans(count: u64, versioned: bool) -> (Server, Program) {
    let mut world = World::new(T.before(days(60)), "");
    world.push_image("library/app", &image(1), Some("latest"));
    for orphan in 0..count {
        world.upload_orphan("library/app", Content::new((1 << 40) | orphan, 64));
    }
    world.age(days(60));
    let server = bucket_with(&world, Options { versioned, ..Options::default() });
    let program = Program::at(&server);
    (server, program)
}

/// More than go into one request.
pub(crate) const MANY: u64 = 1500;

/// A run over many, with so many requests in flight.
fn run_many(program: &Program, width: &str) -> Outcome {
    let more = ["--json", "--max-in-flight", width];
    program.run(&[&ONLINE[..], &LOGGED, &more].concat())
}

/// What is gone is told, where there are blobs among it also by which generation.
fn assert_told(outcome: &Outcome, program: &Program, gone: &BTreeSet<String>) {
    let told = logged(program, "deleted");
    assert!(told == *gone, "{} are gone, {} were told", gone.len(), told.len());
    let summary = outcome.summary();
    let blobs = gone.iter().filter(|key| key.contains("/blobs/")).count();
    assert_eq!(summary["deleted"]["objects"], blobs);
    assert_eq!(summary["generations"]["deleted"].as_array().unwrap().len(), blobs.min(1));
}

#[test]
fn what_was_taken_and_deleted_before_a_request_failed_or_beside_it_is_logged_and_counted() {
    for width in ["1", "4"] {
        let (server, program) = uploads(MANY);
        let before = keys(&server);
        let denied = |number| {
            let denied = Fault::Refuse(S3Error::ACCESS_DENIED);
            server.set_faults(Faults::none().on(Kind::Delete, When::Nth(number), denied));
        };
        denied(2);
        let failed = run_many(&program, width).with_code(5);
        let links = gone(&server, &before);
        assert!(!links.is_empty(), "nothing was taken");
        assert_told(&failed, &program, &links);
        assert_eq!(failed.summary()["taken"], links.len());

        // The links come back, and the next night condemns them anew.
        fs::remove_file(program.home().join("audit")).unwrap();
        server.set_faults(Faults::none());
        server.set_now(Some(T.after(days(2))));
        run_many(&program, width).with_code(0);
        fs::remove_file(program.home().join("audit")).unwrap();
        let before = keys(&server);
        server.set_now(Some(T.after(days(4))));
        // The first blob is deleted alone, to see that it can come back.
        denied(3);
        let failed = run_many(&program, width).with_code(5);
        let blobs = gone(&server, &before);
        assert!((2..1500).contains(&blobs.len()), "{} blobs are gone", blobs.len());
        assert_told(&failed, &program, &blobs);
    }
}

#[test]
fn what_was_deleted_before_a_stop_is_logged_and_counted() {
    let (server, program) = uploads(MANY);
    run_many(&program, "1").with_code(0);
    fs::remove_file(program.home().join("audit")).unwrap();
    let before = keys(&server);
    server.set_now(Some(T.after(days(2))));
    let slow = Fault::Delay(Duration::from_secs(1));
    server.set_faults(Faults::none().on(Kind::Delete, When::Always, slow));
    let asked = server.count(Kind::Delete);
    let more = ["--json", "--max-in-flight", "1"];
    let run = program.start(&[&ONLINE[..], &LOGGED, &more].concat());
    // Those of the first request, which is answered, are a single one.
    wait_until("the first request", || server.count(Kind::Delete) > asked);
    run.signal("INT");
    let stopped = run.end().with_code(130);
    let gone = gone(&server, &before);
    assert!((1..1500).contains(&gone.len()), "{} are gone", gone.len());
    assert_told(&stopped, &program, &gone);
}

/// Past the end of any file that a run may write.
const NO_FURTHER: u64 = 256 << 20;

/// A run whose audit log can be opened and takes no line.
pub(crate) fn run_with_full_log(program: &Program, typed: &[&str]) -> Outcome {
    let log = fs::File::create(program.home().join("audit")).unwrap();
    log.set_len(NO_FURTHER).unwrap();
    log.write_all_at(b"\n", NO_FURTHER - 1).unwrap();
    let blocks = NO_FURTHER / 512;
    let (program_path, typed) = (env!("CARGO_BIN_EXE_regsweep"), typed.join(" "));
    let limited = format!("trap '' XFSZ; ulimit -f {blocks}; exec {program_path} {typed}");
    program.run_as_printed(&limited).with_code(3)
}

#[test]
fn where_the_log_cannot_go_on_it_is_said_what_was_deleted_and_how_to_go_on() {
    let (server, program) = versioned();
    night(&server, &program, 0, &[]);
    let before = keys(&server);
    server.set_now(Some(T.after(days(2))));
    let failed = run_with_full_log(&program, &[&ONLINE[..], &LOGGED, &["--json"]].concat());
    let gone = gone(&server, &before);
    assert!(!gone.is_empty());
    assert_eq!(failed.summary()["deleted"]["objects"], gone.len());
    assert_eq!(failed.summary()["generations"]["deleted"].as_array().unwrap().len(), 1);
    assert!(failed.stderr.contains("the audit log audit cannot be written"), "{failed:?}");
    assert!(failed.stderr.contains("goes on where this ended"), "{failed:?}");
    // Nothing of it is on record, so that it is looked for.
    fs::remove_file(program.home().join("audit")).unwrap();
    night(&server, &program, 2, &LOGGED);
    assert!(logged(&program, "gone").is_superset(&gone));
}

#[test]
fn a_file_that_is_no_audit_log_is_not_touched_and_nothing_is_deleted() {
    let (server, program) = versioned();
    let before = keys(&server);
    let text = "version: 0.1\nstorage: s3";
    fs::write(program.home().join("audit"), text).unwrap();
    let wrong = program.run(&[&ONLINE[..], &LOGGED].concat()).with_code(2);
    assert!(wrong.stderr.contains("it is no audit log"), "{wrong:?}");
    assert_eq!(fs::read_to_string(program.home().join("audit")).unwrap(), text);
    assert_eq!(keys(&server), before);
}
