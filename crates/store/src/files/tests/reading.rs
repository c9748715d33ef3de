//! Files are read as they are, and only those below the root.

use super::*;

#[tokio::test]
async fn a_body_is_whole_below_and_above_the_size_that_is_read_in_place() {
    let files = Files::new();
    let (small, inline) = (16 * 1024, 64 * 1024);
    for size in [0, 1, small - 1, small, small + 1, inline, inline + 1, 300_000] {
        let body: Vec<u8> = (0..=250).cycle().take(size).collect();
        files.put("a", &body);
        assert_eq!(files.store.get("a", size as u64).await.unwrap(), body);
        if let Some(less) = size.checked_sub(1) {
            let error = files.store.get("a", less as u64).await.unwrap_err();
            assert_eq!(error.kind, ErrorKind::TooLarge);
        }
    }
}

#[test]
fn both_ways_to_open_lead_to_the_same_file() {
    let files = Files::new();
    files.put("a/b/c", b"x");
    let tree = &*files.store.tree;
    let inode = |fd: &OwnedFd| rustix::fs::fstat(fd).unwrap().st_ino;
    let folder = tree.open_folder_by_steps(Operation::Get, "a/b/").unwrap().unwrap();
    let again = tree.open_folder(Operation::Get, "a/b/").unwrap().unwrap();
    assert_eq!(inode(&folder), inode(&again));
    let file = read::open_by_steps(tree, "a/b/c", OFlags::RDONLY).unwrap();
    let again = rustix::fs::open(files.path("a/b/c"), OFlags::RDONLY, Mode::empty()).unwrap();
    assert_eq!(inode(&file), inode(&again));
}

#[tokio::test]
async fn a_folder_is_no_object() {
    let files = Files::new();
    files.put("a/b", b"x");
    assert_eq!(files.store.get("a", 9).await.unwrap_err().kind, ErrorKind::NotFound);
    assert_eq!(files.store.get("a/b/c", 9).await.unwrap_err().kind, ErrorKind::NotFound);
    for key in ["a", "a/b/c", "x/y/z"] {
        assert_eq!(files.delete(key, Timestamp::FAR_FUTURE).await, KeyOutcome::Gone, "{key}");
    }
    assert_eq!(files.list("", "").await.unwrap(), ["a/b"]);
}

#[tokio::test]
async fn what_is_no_file_is_never_read_as_one() {
    let files = Files::new();
    files.put("a/b", b"x");
    let mode = Mode::RUSR | Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, files.path("a/pipe"), rustix::fs::FileType::Fifo, mode, 0)
        .unwrap();
    let special = async || files.store.get("a/pipe", 9).await.unwrap_err().kind;
    assert_eq!(special().await, ErrorKind::Fatal, "nobody writes");
    let both = rustix::fs::open(files.path("a/pipe"), OFlags::RDWR, Mode::empty()).unwrap();
    assert_eq!(special().await, ErrorKind::Fatal, "somebody may write");
    rustix::io::write(&both, b"x").unwrap();
    assert_eq!(special().await, ErrorKind::Fatal, "somebody wrote, and may write more");
}

#[tokio::test]
async fn keys_that_leave_the_root_are_refused() {
    let files = Files::new();
    for key in ["../x", "/etc/hostname", "a/../../x", "a/"] {
        assert_eq!(files.store.get(key, 9).await.unwrap_err().kind, ErrorKind::Fatal, "{key}");
        assert!(matches!(files.delete(key, T0).await, KeyOutcome::Failed(failure)
            if failure.kind == ErrorKind::Fatal));
    }
    assert_eq!(files.list("../", "").await.unwrap_err().kind, ErrorKind::Fatal);
    assert_eq!(files.store.folders("..").await.unwrap_err().kind, ErrorKind::Fatal);
}
