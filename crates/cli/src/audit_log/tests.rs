//! Lines there and back, torn ends, two writers.

use planner::{Reason, RowKind};
use serde_json::Value;
use store::{ErrorKind, KeyFailure};

use registry::{Digest, KeyKind, Layout};
use store::{Kept, Object, Trash};

use super::*;

fn row(key: &str) -> Row {
    Row {
        kind: RowKind::Blob,
        repository: None,
        digest: None,
        key: key.into(),
        bytes: 7,
        modified: Timestamp::from_seconds(0),
        reason: Reason::Unreferenced,
        rule: None,
        upload: None,
        etag: None,
    }
}

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn each_outcome_has_its_words_and_what_was_spared_has_no_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit");
    let log = AuditLog::open(&path, "run".into()).unwrap();
    let failure = KeyFailure { kind: ErrorKind::Denied, message: "no".into() };
    for outcome in [
        KeyOutcome::Deleted(Kept::Marker("id".into())),
        KeyOutcome::Deleted(Kept::Trash),
        KeyOutcome::DELETED,
        KeyOutcome::Gone,
        KeyOutcome::Spared,
        KeyOutcome::Failed(failure),
    ] {
        log.outcome(&row("a \"key\""), &outcome);
    }
    assert_eq!(lines(&path).len(), 0, "nothing is written before it is asked for");
    log.make_durable().unwrap();
    let told: Vec<String> = lines(&path)
        .iter()
        .map(|line| format!("{} {} {}", line["outcome"], line["kept"], line["version_id"]))
        .collect();
    assert_eq!(
        told,
        [
            "\"deleted\" \"version\" \"id\"",
            "\"deleted\" \"trash\" null",
            "\"deleted\" null null",
            "\"gone\" null null",
            "\"failed\" null null"
        ]
    );
    let first = &lines(&path)[0];
    assert_eq!((&first["key"], &first["run"]), (&"a \"key\"".into(), &"run".into()));
    assert_eq!((&first["size"], &first["reason"]), (&7.into(), &"unreferenced".into()));
    assert_eq!(first.get("etag"), Some(&Value::Null), "the store told none");
}

#[test]
fn an_entity_tag_is_told_as_it_was_listed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit");
    let log = AuditLog::open(&path, "run".into()).unwrap();
    let row = Row { etag: Some("9bb58f26-2".into()), ..row("key") };
    log.outcome(&row, &KeyOutcome::DELETED);
    log.make_durable().unwrap();
    assert_eq!(lines(&path)[0]["etag"], "9bb58f26-2");
}

#[test]
fn what_is_emptied_from_a_trash_has_the_key_that_went_and_the_one_that_it_had() {
    let (layout, digest) = (Layout::new("/root"), Digest::sha256(b"x"));
    let trash = Trash::new(layout.root(), "root/regsweep/trash/plan/");
    let key = |kind| layout.key_of(&kind).unwrap();
    let (repository, tag) = ("a/b", "v1");
    for (original, kind, name, named) in [
        (key(KeyKind::Blob(digest)), "blob", None, Some(digest)),
        (key(KeyKind::Layer { repository, digest }), "layer_link", Some("a/b"), Some(digest)),
        (key(KeyKind::Revision { repository, digest }), "revision_link", Some("a/b"), Some(digest)),
        (key(KeyKind::TagIndex { repository, tag, digest }), "tag_link", Some("a/b"), Some(digest)),
        (key(KeyKind::TagCurrent { repository, tag }), "tag_link", Some("a/b"), None),
    ] {
        let line = emptied(&layout, &trash, &original);
        assert_eq!((&line["kind"], &line["repository"]), (&kind.into(), &name.into()), "{line}");
        assert_eq!(line["digest"], Value::from(named.map(|digest| digest.to_string())), "{line}");
    }
    let line = emptied(&layout, &trash, "root/elsewhere");
    assert_eq!((&line["kind"], &line["digest"]), (&Value::Null, &Value::Null));
}

/// The line about an object that had a key before it went to a trash.
fn emptied(layout: &Layout, trash: &Trash, original: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit");
    let log = AuditLog::open(&path, String::new()).unwrap();
    let place = trash.key_of(original).unwrap();
    let modified = Timestamp::from_seconds(0);
    let object = Object { key: place.as_str().into(), size: 3, modified, etag: Some("tag".into()) };
    let subject = Subject::emptied(layout, trash, &object);
    log.write("plan", [(subject, &KeyOutcome::DELETED)]).unwrap();
    let line = lines(&path).remove(0);
    let told = ["run", "key", "original_key", "reason", "etag", "outcome"].map(|name| &line[name]);
    assert_eq!(told, ["plan", &place, original, "trash-emptied", "tag", "deleted"]);
    line
}

#[test]
fn a_later_run_appends_and_cuts_off_what_a_crash_has_torn() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit");
    for (torn, left) in [("", 1), ("{\"time\":\"20", 2), ("{\"ti", 3)] {
        let mut file = File::options().create(true).append(true).open(&path).unwrap();
        file.write_all(torn.as_bytes()).unwrap();
        drop(file);
        let log = AuditLog::open(&path, "run".into()).unwrap();
        log.outcome(&row("key"), &KeyOutcome::DELETED);
        log.make_durable().unwrap();
        assert_eq!(lines(&path).len(), left);
    }
}

#[test]
fn a_file_that_ends_otherwise_is_no_audit_log_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit");
    let long = format!("{{\"time\":\"{}", " ".repeat(LONGEST));
    for text in ["x", "version: 0.1\nstorage: s3", "a line\n{\"times\":1}", "{ }", &long] {
        std::fs::write(&path, text).unwrap();
        assert!(AuditLog::open(&path, "run".into()).is_err(), "{text:.40}");
        assert!(std::fs::read_to_string(&path).unwrap() == text, "{text:.40}");
    }
}

#[test]
fn two_processes_do_not_write_the_same_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit");
    let first = AuditLog::open(&path, "one".into()).unwrap();
    assert!(AuditLog::open(&path, "two".into()).is_err());
    drop(first);
    assert!(AuditLog::open(&path, "two".into()).is_ok());
}
