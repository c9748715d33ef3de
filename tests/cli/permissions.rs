//! The least that a command must be allowed: all that it asks for, and nothing that it never asks for.

use std::collections::BTreeSet;

use registry::{Digest, link_text};
use serde_json::Value;
use simstore::{Need, Options, Server};

use crate::expected::assert_expected;
use crate::program::Program;
use crate::registries::{T, bucket_with, days, small};

/// Where the registry is: a root directory, so that what is outside of it can be told.
const ROOT: &str = "team/a";
const LOCATION: &str = "s3://registry/team/a";

/// Allowed, and seen used: the statement and the action.
type Right = (String, String);

/// The policy of some commands, as it is written.
fn policy(tasks: &[&str]) -> Vec<Value> {
    let typed = [&["iam"], tasks, &["--bucket", "registry", "--root-directory", ROOT]].concat();
    let policy = Program::new().done(&typed).summary();
    assert_eq!(policy["Version"], "2012-10-17");
    policy["Statement"].as_array().unwrap().clone()
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().map(|all| all.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
}

fn matches(pattern: &str, text: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => text.starts_with(start),
        None => pattern == text,
    }
}

/// Whether a statement allows something, as S3 decides it.
fn allows(statement: &Value, need: &Need) -> bool {
    let mut resources = texts(&statement["Resource"]).into_iter();
    let is_listing = need.action.starts_with("s3:ListBucket");
    let of_bucket = is_listing || need.action.starts_with("s3:GetBucket");
    let object = format!("arn:aws:s3:::registry/{}", need.subject);
    let subject = if of_bucket { "arn:aws:s3:::registry" } else { &object };
    let prefixes = texts(&statement["Condition"]["StringLike"]["s3:prefix"]);
    let is_asked = texts(&statement["Action"]).contains(&need.action);
    // Listings of uploads know no such condition: one would allow nothing.
    let is_bound = is_listing && need.action != "s3:ListBucketMultipartUploads";
    let is_within = if is_bound {
        prefixes.iter().any(|prefix| matches(prefix, &need.subject))
    } else {
        prefixes.is_empty()
    };
    is_asked && resources.any(|resource| matches(resource, subject)) && is_within
}

/// Makes sure that a policy allows all that was asked for; gives what of it was used.
#[track_caller]
fn used(policy: &[Value], server: &Server) -> BTreeSet<Right> {
    let right = |need: &Need| {
        let statement = policy.iter().find(|statement| allows(statement, need));
        let statement = statement.unwrap_or_else(|| panic!("not allowed: {need:?}\n{policy:#?}"));
        (statement["Sid"].as_str().unwrap().to_owned(), need.action.to_owned())
    };
    let needs = server.needs();
    assert!(!needs.is_empty());
    needs.iter().map(right).collect()
}

fn rights(policy: &[Value]) -> BTreeSet<Right> {
    let of = |statement: &Value| -> Vec<Right> {
        let sid = statement["Sid"].as_str().unwrap();
        texts(&statement["Action"]).iter().map(|it| (sid.to_owned(), (*it).to_owned())).collect()
    };
    policy.iter().flat_map(of).collect()
}

/// Something of everything, in a bucket that remembers what a policy would have had to allow.
fn registry(versioned: bool) -> (Server, Program) {
    let options = Options { versioned, remembers_needs: true, ..Options::default() };
    let server = bucket_with(&small(T, ROOT), options);
    leave_upload(&server);
    let program = Program::at(&server);
    (server, program)
}

/// A multipart upload that nobody ended.
fn leave_upload(server: &Server) {
    let key = format!("{ROOT}/docker/registry/v2/repositories/library/app/_uploads/1/data");
    let begun = T.before(days(30));
    let id = server.begin_upload(&key, begun);
    assert!(server.put_part(&key, &id, 1, "part", begun));
}

const PLAN: [&str; 5] = ["plan", LOCATION, "--untagged", "--out", "plan"];
const APPLY: [&str; 3] = ["apply", "plan", "--offline"];
const ONLINE: [&str; 6] = ["gc", LOCATION, "--online", "--untagged", "--registry-cache", "none"];

fn night(server: &Server, program: &Program, number: u64, more: &[&str]) {
    server.set_now(Some(T.after(days(2 * number))));
    program.done(&[&ONLINE[..], more].concat());
}

/// What is there and matters to somebody who pulls.
fn contents(server: &Server) -> Vec<(String, bytes::Bytes)> {
    let keys = server.keys().into_iter().filter(|key| key.contains("/docker/registry/v2/"));
    keys.map(|key| (key.clone(), server.content(&key).unwrap())).collect()
}

/// Somebody pushes again what is in `before` and gone.
fn push_again(server: &Server, before: &[(String, bytes::Bytes)], part: &str) {
    let there = server.keys();
    for (key, content) in before.iter().filter(|(key, _)| key.contains(part)) {
        if !there.contains(key) {
            server.put(key, content.clone(), server.now());
        }
    }
}

/// Three nights; what is condemned, and later deleted, is needed again in between.
fn nights(server: &Server, program: &Program, more: &[&str]) {
    let before = contents(server);
    night(server, program, 0, more);
    push_again(server, &before, "library/old/_manifests/");
    night(server, program, 1, more);
    night(server, program, 2, more);
    push_again(server, &before, "/_manifests/");
    for number in 3..30 {
        night(server, program, number, more);
    }
}

#[test]
fn a_plan_needs_what_its_policy_allows_and_nothing_less() {
    let (server, program) = registry(false);
    program.done(&PLAN);
    program.done(&["gc", LOCATION, "--dry-run"]);
    let policy = policy(&["plan"]);
    assert_eq!(used(&policy, &server), rights(&policy));
}

#[test]
fn a_census_needs_what_a_plan_does_and_nothing_less() {
    let (server, program) = registry(false);
    program.done(&["usage", LOCATION, "--tags"]);
    let policy = policy(&["usage"]);
    assert_eq!(used(&policy, &server), rights(&policy));
}

#[test]
fn what_says_that_a_database_knows_more_may_be_looked_at() {
    let (server, program) = registry(false);
    let file = |name| format!("{ROOT}/docker/registry/lockfiles/{name}-in-use");
    server.put(&file("database"), "{}", T);
    let known = format!("{}\n# end: 1 digests at 4200000000\n", Digest::sha256(b"x"));
    std::fs::write(program.home().join("known.txt"), known).unwrap();
    // Of another registry, which the audit says when all is read.
    program.run(&["plan", LOCATION, "--keep-list", "known.txt", "--out", "plan"]).with_code(4);
    let asked = server.needs().iter().any(|need| need.subject == file("filesystem"));
    assert!(asked, "{:?}", server.needs());
    used(&policy(&["plan"]), &server);
}

#[test]
fn who_looks_at_a_place_where_nothing_is_may_do_so() {
    let options = Options { remembers_needs: true, ..Options::default() };
    let server = Server::start(options).unwrap();
    let program = Program::at(&server);
    program.done(&["plan", LOCATION, "--out", "plan"]);
    used(&policy(&["plan"]), &server);
}

#[test]
fn an_offline_collection_needs_what_its_policy_allows_and_nothing_less() {
    let policy = policy(&["gc"]);
    for versioned in [false, true] {
        let (server, program) = registry(versioned);
        program.done(&PLAN);
        program.done(&APPLY);
        program.done(&["gc", LOCATION, "--untagged", "--offline"]);
        assert_eq!(used(&policy, &server), rights(&policy));
    }
    // What other commands leave is looked at.
    let (server, program) = registry(true);
    program.done(&PLAN);
    program.done(&APPLY);
    program.done(&["undo", "plan"]);
    server.forget_requests();
    leave_upload(&server);
    server.set_now(Some(T.after(days(1))));
    program.done(&["gc", LOCATION, "--untagged", "--offline"]);
    assert_eq!(used(&policy, &server), rights(&policy));
}

#[test]
fn a_collection_while_people_push_needs_what_its_policy_allows_and_nothing_less() {
    let policy = policy(&["gc-online"]);
    let (server, program) = registry(true);
    nights(&server, &program, &[]);
    assert_eq!(used(&policy, &server), rights(&policy));
}

#[test]
fn an_undo_needs_what_its_policy_allows_and_nothing_less() {
    let policy = policy(&["undo"]);
    let (server, program) = registry(true);
    let before = contents(&server);
    program.done(&PLAN);
    program.done(&APPLY);
    server.forget_requests();
    let link = before.iter().find(|(key, _)| key.contains("library/old/_manifests/")).unwrap();
    let digest = String::from_utf8(link.1.to_vec()).unwrap();
    program.done(&["undo", "plan", "--digest", &digest]);
    program.done(&["undo", "plan"]);
    let mut seen = used(&policy, &server);
    let (server, program) = registry(true);
    night(&server, &program, 0, &[]);
    night(&server, &program, 1, &[]);
    server.forget_requests();
    program.done(&["undo", LOCATION, "--generation", "latest"]);
    seen.append(&mut used(&policy, &server));
    assert_eq!(seen, rights(&policy));
}

#[test]
fn a_repair_needs_what_its_policy_allows_and_nothing_less() {
    let policy = policy(&["repair"]);
    for versioned in [false, true] {
        let (server, program) = registry(versioned);
        let keys = contents(&server);
        let link = keys.iter().find(|(key, _)| key.contains("library/old/_layers/")).unwrap();
        server.put(&link.0, "", T.before(days(30)));
        let lost = Digest::sha256(b"lost");
        let key = link.0.replace(&String::from_utf8_lossy(&link.1)[7..], &lost.hex());
        server.put(&key, link_text(&lost), T.before(days(30)));
        program.run(&["check", LOCATION, "--repair", "plan"]).with_code(6);
        program.done(&APPLY);
        assert_eq!(server.content(&link.0).as_ref(), Some(&link.1));
        assert!(!server.keys().contains(&key));
        program.done(&["check", LOCATION, "--repair", "again"]);
        assert_eq!(used(&policy, &server), rights(&policy));
    }
}

#[test]
fn a_trash_adds_what_its_policy_allows_and_nothing_less() {
    let (server, program) = registry(false);
    let gc = policy(&["gc", "trash"]);
    program.done(&PLAN);
    program.done(&[&APPLY[..], &["--trash"]].concat());
    server.set_now(Some(T.after(days(8))));
    program.done(&["gc", LOCATION, "--untagged", "--offline", "--trash"]);
    let mut seen = used(&gc, &server);

    let (server, program) = registry(false);
    program.done(&PLAN);
    program.done(&[&APPLY[..], &["--trash"]].concat());
    server.forget_requests();
    program.done(&["undo", "plan"]);
    seen.append(&mut used(&policy(&["undo", "trash"]), &server));

    let (server, program) = registry(false);
    let program = program.with("REGSWEEP_LOG", "warn");
    let online = ["gc", LOCATION, "--online", "--registry-cache", "none", "--trash"];
    for number in 0..6 {
        server.set_now(Some(T.after(days(2 * number))));
        program.done(&online);
    }
    seen.append(&mut used(&policy(&["gc-online", "trash"]), &server));

    // Only the copy of more than 5 GiB that fails is aborted.
    seen.insert(("Own".into(), "s3:AbortMultipartUpload".into()));
    let unused: Vec<Right> = rights(&policy(&["trash"])).difference(&seen).cloned().collect();
    assert_eq!(unused, []);
}

#[test]
fn a_diagnosis_asks_for_nothing_that_the_command_itself_would_not() {
    for tasks in [&["plan"][..], &["gc"], &["gc-online"], &["undo"], &["gc", "trash"]] {
        let (server, program) = registry(true);
        let tasks = tasks.join(",");
        program.run(&["doctor", LOCATION, "--for", &tasks, "--offline"]);
        let rights: Vec<&str> = tasks.split(',').chain(["doctor"]).collect();
        used(&policy(&rights), &server);
    }
}

#[test]
fn a_trial_asks_for_nothing_that_its_policy_does_not_allow() {
    let mut seen = BTreeSet::new();
    for versioned in [false, true] {
        let (server, program) = registry(versioned);
        let all = "plan,gc,gc-online,undo";
        program.run(&["doctor", LOCATION, "--for", all, "--offline", "--write"]);
        let policy = policy(&["plan", "gc", "gc-online", "undo", "doctor"]);
        seen.append(&mut used(&policy, &server));
    }
    let unused: Vec<Right> = rights(&policy(&["doctor"])).difference(&seen).cloned().collect();
    assert_eq!(unused, []);
}

#[test]
fn policies_are_documents_that_can_be_reviewed() {
    let program = Program::new();
    for task in ["plan", "gc", "gc-online", "undo", "repair", "trash", "doctor"] {
        let document = program.done(&["iam", task, "--bucket", "registry"]).stdout;
        assert_expected(&format!("iam-{task}.json"), &document);
    }
    let (apply, gc) = (&["iam", "apply", "--bucket", "b"], &["iam", "gc", "--bucket", "b"]);
    assert_eq!(program.done(apply).stdout, program.done(gc).stdout);
    let china =
        program.done(&["iam", "plan", "--bucket", "registry", "--partition", "aws-cn"]).stdout;
    let usual = program.done(&["iam", "plan", "--bucket", "registry"]).stdout;
    assert_eq!(china, usual.replace("arn:aws:", "arn:aws-cn:"));
}
