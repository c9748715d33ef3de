use std::fs;
use std::os::unix::fs::symlink;
use std::time::Duration;

use super::*;

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
