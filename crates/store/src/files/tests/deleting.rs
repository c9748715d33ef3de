use std::fs;
use std::os::unix::fs::symlink;
use std::time::Duration;

use super::*;
use crate::{Doomed, Kept, Trash};

#[tokio::test]
async fn deleting_never_follows_a_symbolic_link() {
    let files = Files::new();
    files.put("elsewhere/file", b"x");
    symlink(files.path("elsewhere"), files.path("b")).unwrap();
    symlink(files.path("elsewhere/file"), files.path("c")).unwrap();
    for key in ["b/file", "c"] {
        let outcome = files.delete(key, Timestamp::FAR_FUTURE).await;
        assert!(matches!(&outcome, KeyOutcome::Failed(failure)
            if failure.kind == ErrorKind::Fatal && failure.message.contains("symbolic link")));
    }
    assert!(files.path("elsewhere/file").exists() && files.path("b").exists());
}

#[tokio::test]
async fn a_file_written_since_it_was_listed_is_spared() {
    let files = Files::new();
    files.put("a", b"x");
    assert_eq!(files.delete("a", T0.before(Duration::from_millis(1))).await, KeyOutcome::Spared);
    assert_eq!(files.delete("a", T0).await, KeyOutcome::DELETED);
    assert_eq!(files.delete("a", T0).await, KeyOutcome::Gone);
}

#[tokio::test]
async fn emptied_folders_go_and_kept_ones_stay() {
    let files = Files::new();
    let (a, b) = (format!("{V2}/blobs/sha256/aa/a/data"), format!("{V2}/blobs/sha256/bb/b/data"));
    files.put(&a, b"x");
    files.put(&b, b"x");
    files.delete(&a, T0).await;
    assert!(!files.path(&format!("{V2}/blobs/sha256/aa")).exists());
    assert!(files.path(&b).exists());
    files.delete(&b, T0).await;
    assert!(!files.path(&format!("{V2}/blobs/sha256")).exists());
    assert!(files.path(&format!("{V2}/blobs")).exists());
}

#[tokio::test]
async fn g11_folders_that_a_killed_run_left_empty_go_with_the_resume() {
    let files = Files::new();
    fs::create_dir_all(files.path("a/b/c")).unwrap();
    assert_eq!(files.delete("a/b/c/data", T0).await, KeyOutcome::Gone);
    assert!(!files.path("a").exists());
    fs::create_dir_all(files.path("a/b")).unwrap();
    assert_eq!(files.delete("a/b/c/data", T0).await, KeyOutcome::Gone);
    assert!(!files.path("a").exists());
}

#[tokio::test]
async fn what_goes_to_the_trash_comes_back() {
    let files = Files::new();
    crate::conformance::putting_contract(&files.store).await;
    let fill = async |objects: &[(&str, &[u8])]| {
        for (key, body) in objects {
            files.put(key, body);
        }
    };
    crate::conformance::trash_contract(&files.store, fill).await;
}

#[tokio::test]
async fn the_trash_keeps_the_time_of_a_file_and_replaces_nothing() {
    let files = Files::new();
    files.put("a/b", b"one");
    files.age("a/b", T0);
    files.put("trash/a/b", b"in the way");
    let trash = Trash::new("", "trash/");
    let batch = |key: &str| {
        let doomed = Doomed { key: key.into(), modified: T0, upload: None };
        DeleteBatch::new(vec![doomed]).unwrap().into_trash(trash.clone())
    };
    let outcomes = files.store.delete(&batch("a/b")).await.unwrap();
    assert!(matches!(outcomes[..], [KeyOutcome::Failed(_)]), "{outcomes:?}");
    assert_eq!(files.store.get("a/b", 9).await.unwrap(), "one");
    files.put("c/d", b"two");
    files.age("c/d", T0);
    let outcomes = files.store.delete(&batch("c/d")).await.unwrap();
    assert_eq!(outcomes, [KeyOutcome::Deleted(Kept::Trash)]);
    let looked = files.store.look(vec!["trash/c/d".into()]).await.unwrap();
    assert_eq!(looked[0].as_ref().unwrap().modified, T0);
}
