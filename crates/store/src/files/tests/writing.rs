use rustix::fs::FlockOperation;

use super::*;
use crate::conformance::writing_contract;
use crate::{Condition, Token, WriteStore as _};

const KEY: &str = "regsweep/lease.json";

fn body(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

#[tokio::test]
async fn files_keep_the_contract_of_writing() {
    writing_contract(&Files::new().store).await;
}

#[tokio::test]
async fn g7_no_key_leads_out_of_the_root_and_none_is_the_lock() {
    let files = Files::new();
    for key in ["", "/x", "../x", "a/../x", "regsweep/.lock", "regsweep/.unfinished"] {
        let error = files.store.write(key, body("x"), &Condition::None).await.unwrap_err();
        assert_eq!((error.kind, error.operation), (ErrorKind::Fatal, Operation::Write), "{key:?}");
    }
}

#[tokio::test]
async fn a_link_in_the_place_of_a_folder_is_not_followed() {
    let files = Files::new();
    let elsewhere = TempDir::new().unwrap();
    symlink(elsewhere.path(), files.path("regsweep")).unwrap();
    assert!(files.store.write(KEY, body("x"), &Condition::None).await.is_err());
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn what_a_crash_left_unfinished_is_not_read_and_does_not_hinder() {
    let files = Files::new();
    files.put("regsweep/.unfinished", b"half of what somebody wanted to write, and longer");
    assert_eq!(files.store.read(KEY, 9).await.unwrap_err().kind, ErrorKind::NotFound);
    files.store.write(KEY, body("whole"), &Condition::Absent).await.unwrap();
    assert_eq!(files.store.read(KEY, 9).await.unwrap().content, "whole");
    assert!(!files.path("regsweep/.unfinished").exists());
}

#[tokio::test]
async fn what_takes_the_place_of_a_file_has_its_owner_and_mode() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};

    let files = Files::new();
    files.put("a/link", b"");
    let path = files.path("a/link");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o660)).unwrap();
    // Only root may give files away.
    let gave = chown(&path, Some(4321), Some(4321)).is_ok();
    files.store.write("a/link", body("whole"), &Condition::None).await.unwrap();
    let after = fs::metadata(&path).unwrap();
    assert_eq!(after.permissions().mode() & 0o7777, 0o660);
    assert_eq!((after.uid() == 4321, after.gid() == 4321), (gave, gave));
    if gave {
        chown(files.path("a"), Some(1234), Some(1234)).unwrap();
        files.store.write("a/new", body("new"), &Condition::Absent).await.unwrap();
        assert_eq!(fs::metadata(files.path("a/new")).unwrap().uid(), 1234);
    }
}

/// A lock belongs to an opened file, so that this one is as good as another process's.
#[tokio::test(start_paused = true)]
async fn nothing_is_written_while_somebody_else_writes() {
    let files = Files::new();
    files.store.write(KEY, body("before"), &Condition::None).await.unwrap();
    let other = fs::File::open(files.path("regsweep/.lock")).unwrap();
    rustix::fs::flock(&other, FlockOperation::LockExclusive).unwrap();
    let error = files.store.write(KEY, body("meanwhile"), &Condition::None).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Transient);
    assert_eq!(files.store.read(KEY, 9).await.unwrap().content, "before");
    drop(other);
    files.store.write(KEY, body("after"), &Condition::None).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_stores_of_the_same_folder_one_wins_each_round() {
    let files = Files::new();
    let options = FileOptions {
        shape_of: Arc::new(|_: &str| None),
        passage_of: Arc::new(|_: &str| Passage::Open),
        keep: Vec::new(),
        clock,
    };
    let other = FileStore::open(files.root.path(), options, Arc::default()).unwrap();
    let mut token = files.store.write(KEY, body("0"), &Condition::Absent).await.unwrap();
    for round in 0..50 {
        let condition = Condition::Unchanged(token);
        let (a, b) = tokio::join!(
            settled(&files.store, format!("a{round}"), &condition),
            settled(&other, format!("b{round}"), &condition)
        );
        assert!(a.is_some() != b.is_some(), "one wins, and one only: {a:?} {b:?}");
        token = a.or(b).unwrap();
        assert_eq!(files.store.read(KEY, 9).await.unwrap().token, token);
    }
}

async fn settled(store: &FileStore, text: String, condition: &Condition) -> Option<Token> {
    loop {
        match store.write(KEY, text.clone().into(), condition).await {
            Ok(token) => return Some(token),
            Err(error) if error.kind == ErrorKind::Precondition => return None,
            Err(error) => assert!(error.kind.may_pass(), "{error}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_writes_at_the_same_time_waits_and_all_is_whole() {
    let files = Files::new();
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..4 {
        let (store, text) = (files.store.clone(), format!("{writer}").repeat(100));
        writers.spawn(async move { store.write(KEY, text.into(), &Condition::None).await });
    }
    while let Some(written) = writers.join_next().await {
        written.unwrap().unwrap();
    }
    let content = files.store.read(KEY, 1000).await.unwrap().content;
    assert!(content.len() == 100 && content.iter().all(|byte| *byte == content[0]), "{content:?}");
}

#[tokio::test]
async fn what_serves_writing_is_no_object_and_goes_with_its_folder() {
    let files = Files::new();
    for key in ["own/trash/a", "own/b"] {
        files.store.write(key, body("x"), &Condition::None).await.unwrap();
    }
    files.put("own/trash/.unfinished", b"by who was killed");
    assert_eq!(files.list("own/", "").await.unwrap(), ["own/b", "own/trash/a"]);
    assert_eq!(files.delete("own/trash/a", Timestamp::FAR_FUTURE).await, KeyOutcome::DELETED);
    assert!(!files.path("own/trash").exists());
    assert!(files.path("own/.lock").exists(), "somebody may write there");
    assert_eq!(files.delete("own/b", Timestamp::FAR_FUTURE).await, KeyOutcome::DELETED);
    assert!(!files.path("own").exists());
}

#[tokio::test]
async fn a_folder_in_which_somebody_writes_stays() {
    let files = Files::new();
    files.store.write(KEY, body("x"), &Condition::None).await.unwrap();
    let writer = fs::File::open(files.path("regsweep/.lock")).unwrap();
    rustix::fs::flock(&writer, FlockOperation::LockExclusive).unwrap();
    files.delete(KEY, Timestamp::FAR_FUTURE).await;
    assert!(files.path("regsweep/.lock").exists());
    drop(writer);
    files.delete(KEY, Timestamp::FAR_FUTURE).await;
    assert!(!files.path("regsweep").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writing_goes_on_while_somebody_removes_the_folder_again_and_again() {
    let files = Files::new();
    let (store, other) = (files.store.clone(), files.store.clone());
    let mut writing = tokio::task::JoinSet::new();
    writing.spawn(async move {
        for round in 0..100 {
            let text = format!("{round}");
            store.write("own/trash/a", text.clone().into(), &Condition::None).await.unwrap();
        }
    });
    let doomed =
        Doomed { key: "own/trash/a".into(), modified: Timestamp::FAR_FUTURE, upload: None };
    let batch = DeleteBatch::new(vec![doomed]).unwrap();
    let written = loop {
        // Who deletes has seen it.
        if other.look(vec!["own/trash/a".into()]).await.unwrap()[0].is_some() {
            other.delete(&batch).await.unwrap();
        }
        if let Some(written) = writing.try_join_next() {
            break written;
        }
    };
    written.unwrap();
    files.store.write("own/trash/a", body("last"), &Condition::None).await.unwrap();
    assert_eq!(files.store.read("own/trash/a", 9).await.unwrap().content, "last");
}
