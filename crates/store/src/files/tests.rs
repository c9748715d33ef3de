mod deleting;
mod presuming;
mod reading;
mod writing;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::time::Duration;

use proptest::prelude::*;
use registry::{FolderKind, Layout};
use tempfile::TempDir;

use super::*;
use crate::{Doomed, FaultPlan, Faulty, MemoryStore};

const V2: &str = "docker/registry/v2";
const T0: Timestamp = Timestamp::from_seconds(1_000_000_000);

fn clock() -> Timestamp {
    T0
}

/// What a registry's folders hold; blobs are looked at.
fn shape(kind: FolderKind) -> Option<Shape> {
    let leaf = |file, is_presumed| Leaf { file, is_presumed };
    Some(match kind {
        FolderKind::Blob => Shape::Leaf(leaf("data", false)),
        FolderKind::Algorithm => return None,
        FolderKind::Layer(_) | FolderKind::TagIndex => Shape::Leaf(leaf("link", true)),
        FolderKind::Revision => Shape::Leaf(leaf("link", false)),
        FolderKind::Tag => Shape::Nest(Nest {
            counts: &[("", 2), ("current/", 0), ("index/", 1)],
            file: "current/link",
            folder: "index/sha256/",
        }),
    })
}

/// How whoever needs no tags passes a registry's folders.
fn passage(kind: FolderKind) -> Passage {
    match kind {
        FolderKind::Tag => Passage::Closed,
        FolderKind::Algorithm => Passage::Through("sha256/"),
        _ => Passage::Open,
    }
}

/// A directory that is deleted with the test, and the store that opens it.
struct Files {
    root: TempDir,
    store: FileStore,
    monitor: Arc<Monitor>,
}

impl Files {
    fn new() -> Self {
        Self::with(Arc::new(|_: &str| None), Arc::new(|_: &str| Passage::Open))
    }

    fn of_layout() -> Self {
        let layout = Layout::new("");
        let shape_of = Arc::new(move |folder: &str| layout.folders_in(folder).and_then(shape));
        Self::with(shape_of, Arc::new(|_: &str| Passage::Open))
    }

    fn of_layout_without_tags() -> Self {
        let (shaped, passed) = (Layout::new(""), Layout::new(""));
        let shape_of = Arc::new(move |folder: &str| shaped.folders_in(folder).and_then(shape));
        let open = Passage::Open;
        let passage_of = move |folder: &str| passed.folders_in(folder).map_or(open, passage);
        Self::with(shape_of, Arc::new(passage_of))
    }

    fn with(shape_of: ShapeRule, passage_of: PassageRule) -> Self {
        let root = TempDir::new().unwrap();
        let monitor = Arc::new(Monitor::new());
        let keep = vec![format!("{V2}/"), format!("{V2}/blobs/")];
        let options = FileOptions { shape_of, passage_of, keep, clock };
        let store = FileStore::open(root.path(), options, Arc::clone(&monitor)).unwrap();
        Self { root, store, monitor }
    }

    fn path(&self, key: &str) -> PathBuf {
        self.root.path().join(key)
    }

    fn put(&self, key: &str, body: &[u8]) {
        let path = self.path(key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, body).unwrap();
        self.age(key, T0);
    }

    fn age(&self, key: &str, modified: Timestamp) {
        let millis = u64::try_from(modified.as_millis()).unwrap();
        let time = std::time::UNIX_EPOCH + Duration::from_millis(millis);
        fs::File::options().write(true).open(self.path(key)).unwrap().set_modified(time).unwrap();
    }

    async fn list(&self, within: &str, after: &str) -> Result<Vec<String>, StoreError> {
        all_keys(self.store.list(within, after)).await
    }

    async fn delete(&self, key: &str, modified: Timestamp) -> KeyOutcome {
        let batch =
            DeleteBatch::new(vec![Doomed { key: key.into(), modified, upload: None }]).unwrap();
        self.store.delete(&batch).await.unwrap().remove(0)
    }
}

async fn all_keys(mut cursor: impl Cursor) -> Result<Vec<String>, StoreError> {
    let mut keys = Vec::new();
    while let Some(page) = cursor.next().await? {
        keys.extend(page.into_iter().map(|listed| String::from(listed.into_key())));
    }
    Ok(keys)
}

fn hex(n: u8) -> String {
    Digest::sha256(&[n]).hex()
}

fn cause(error: &StoreError) -> String {
    error.source.as_ref().unwrap().to_string()
}

#[tokio::test]
async fn the_store_keeps_its_contract() {
    let files = Files::new();
    let fill = async |objects: &[(&str, &[u8])]| {
        for (key, body) in objects {
            files.put(key, body);
        }
    };
    crate::conformance::store_contract(&files.store, fill).await;
    let wrapped = Faulty::new(files.store.clone(), FaultPlan::none());
    crate::conformance::store_contract(&wrapped, fill).await;
}

#[tokio::test]
async fn an_object_has_its_size_and_its_time_in_milliseconds() {
    let files = Files::new();
    files.put("a/b", b"12345");
    files.age("a/b", Timestamp::from_millis(1_234_567));
    let page = files.store.list("", "").next().await.unwrap().unwrap();
    let object = Object {
        key: "a/b".into(),
        size: 5,
        modified: Timestamp::from_millis(1_234_567),
        etag: None,
    };
    assert_eq!(page, [Listed::Object(object)]);
    assert_eq!(files.store.now().await.unwrap(), T0);
}

#[tokio::test]
async fn a_folder_of_a_digest_is_not_opened_where_its_only_file_is_there() {
    let files = Files::of_layout();
    let folder = format!("{V2}/repositories/foo/_layers/sha256");
    let link = |n| format!("{folder}/{}/link", hex(n));
    let mut expected: Vec<String> = (0..100).map(link).collect();
    for key in &expected {
        files.put(key, b"sha256:");
    }
    expected.sort_unstable();
    assert_eq!(files.list(&format!("{folder}/"), "").await.unwrap(), expected);
    assert_eq!(files.monitor.get(Counter::ListRequests), 1);
    for at in [0, 50, 99] {
        assert_eq!(files.list(V2, &expected[at]).await.unwrap(), expected[at + 1..]);
    }
}

#[tokio::test]
async fn g3_a_folder_of_a_digest_without_its_file_is_walked() {
    let files = Files::of_layout();
    let folder = format!("{V2}/blobs/sha256/ab");
    files.put(&format!("{folder}/ab1/data.tmp"), b"x");
    files.put(&format!("{folder}/ab2/data/deeper"), b"x");
    files.put(&format!("{folder}/ab3/data"), b"x");
    files.put(&format!("{folder}/file"), b"x");
    fs::create_dir(files.path(&format!("{folder}/empty"))).unwrap();
    let expected = ["ab1/data.tmp", "ab2/data/deeper", "ab3/data", "file"]
        .map(|key| format!("{folder}/{key}"));
    assert_eq!(files.list(V2, "").await.unwrap(), expected);
    for at in 0..4 {
        assert_eq!(files.list("", &expected[at]).await.unwrap(), expected[at + 1..]);
    }
}

#[tokio::test]
async fn g3_a_symbolic_link_is_an_error_that_names_it_where_it_is_in_range() {
    let files = Files::new();
    files.put("a/file", b"x");
    files.put("elsewhere/file", b"x");
    symlink(files.path("elsewhere"), files.path("b")).unwrap();
    for within in ["", "b", "b/", "b/f"] {
        let error = files.list(within, "").await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Fatal, "{within}");
        assert_eq!(error.subject.trim_end_matches('/'), "b", "{within}");
        assert!(cause(&error).contains("symbolic link"));
    }
    assert_eq!(files.list("a", "").await.unwrap(), ["a/file"]);
    assert_eq!(files.list("", "b").await.unwrap(), ["elsewhere/file"]);
    assert!(files.store.folders("").await.is_err());
    assert_eq!(files.store.get("b/file", 9).await.unwrap_err().kind, ErrorKind::Fatal);
    symlink(files.path("a/file"), files.path("a/link")).unwrap();
    assert_eq!(files.store.get("a/link", 9).await.unwrap_err().kind, ErrorKind::Fatal);
}

#[tokio::test]
async fn the_root_itself_may_be_a_symbolic_link() {
    let files = Files::new();
    files.put("target/a", b"x");
    symlink(files.path("target"), files.path("root")).unwrap();
    let options = FileOptions {
        shape_of: Arc::new(|_: &str| None),
        passage_of: Arc::new(|_: &str| Passage::Open),
        keep: vec![],
        clock,
    };
    let store = FileStore::open(&files.path("root"), options, Arc::default()).unwrap();
    assert_eq!(all_keys(store.list("", "")).await.unwrap(), ["a"]);
    assert!(store.identity().ends_with("/target"), "{}", store.identity());
}

#[test]
fn a_root_that_is_no_directory_is_no_container() {
    let files = Files::new();
    files.put("file", b"x");
    for name in ["absent", "file", "file/below"] {
        let options = FileOptions {
            shape_of: Arc::new(|_: &str| None),
            passage_of: Arc::new(|_: &str| Passage::Open),
            keep: vec![],
            clock,
        };
        let error = FileStore::open(&files.path(name), options, Arc::default()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::NoContainer, "{name}");
    }
}

#[tokio::test]
async fn g3_a_name_that_is_not_utf8_is_an_error_that_shows_it() {
    let files = Files::new();
    files.put("a/x", b"x");
    let name = std::ffi::OsStr::from_bytes(b"b\xff");
    fs::write(files.path("a").join(name), b"x").unwrap();
    let error = files.list("", "").await.unwrap_err();
    assert_eq!((error.kind, &*error.subject), (ErrorKind::Malformed, "a/b\u{fffd}"));
    assert_eq!(files.list("a/x", "").await.unwrap(), ["a/x"]);
}

#[tokio::test]
async fn g3_names_that_are_text_only_together_are_an_error() {
    let files = Files::new();
    for name in [&b"a\xc3"[..], b"\xa9"] {
        fs::write(files.path("").join(std::ffi::OsStr::from_bytes(name)), b"x").unwrap();
    }
    let error = files.list("", "").await.unwrap_err();
    assert_eq!((error.kind, &*error.subject), (ErrorKind::Malformed, "a\u{fffd}"));
}

#[tokio::test]
async fn g3_a_folder_whose_name_is_not_utf8_hides_nothing_before_it_and_is_an_error() {
    let files = Files::new();
    files.put("a/x", b"x");
    files.put("c/x", b"x");
    let name = std::ffi::OsStr::from_bytes(b"b\xff");
    fs::create_dir(files.path("").join(name)).unwrap();
    assert_eq!(files.list("a", "").await.unwrap(), ["a/x"]);
    for after in ["", "a/x"] {
        let error = files.list("", after).await.unwrap_err();
        assert_eq!((error.kind, &*error.subject), (ErrorKind::Malformed, "b\u{fffd}"));
    }
    assert_eq!(files.list("", "c").await.unwrap(), ["c/x"]);
}

#[tokio::test]
async fn g3_what_is_neither_file_nor_folder_is_an_error() {
    let files = Files::new();
    let _socket = std::os::unix::net::UnixListener::bind(files.path("socket")).unwrap();
    assert_eq!(files.list("", "").await.unwrap_err().kind, ErrorKind::Fatal);
}

#[tokio::test]
async fn g3_a_folder_that_may_not_be_read_is_an_error() {
    let files = Files::new();
    files.put("a/x", b"x");
    files.put("b/x", b"x");
    fs::set_permissions(files.path("b"), fs::Permissions::from_mode(0o000)).unwrap();
    let is_privileged = fs::read_dir(files.path("b")).is_ok();
    let listed = files.list("", "").await;
    fs::set_permissions(files.path("b"), fs::Permissions::from_mode(0o700)).unwrap();
    if is_privileged {
        assert_eq!(listed.unwrap(), ["a/x", "b/x"]);
    } else {
        assert_eq!(listed.unwrap_err().kind, ErrorKind::Denied);
    }
}

#[tokio::test]
async fn after_an_error_a_cursor_stands_where_it_stood() {
    let files = Files::new();
    let names: Vec<String> = (0..BATCH + 10).map(|n| format!("a/{n:05}")).collect();
    for key in &names {
        files.put(key, b"");
    }
    symlink("nowhere", files.path("b")).unwrap();
    let mut cursor = files.store.list("", "");
    assert_eq!(cursor.next().await.unwrap().unwrap().len(), BATCH);
    assert!(cursor.next().await.is_err());
    assert!(cursor.next().await.is_err());
    fs::remove_file(files.path("b")).unwrap();
    let rest = cursor.next().await.unwrap().unwrap();
    assert_eq!(rest.iter().map(Listed::key).collect::<Vec<_>>(), names[BATCH..]);
    assert!(cursor.next().await.unwrap().is_none());
    assert!(cursor.next().await.unwrap().is_none());
}

#[tokio::test]
async fn what_vanishes_while_it_is_listed_is_passed_over() {
    let files = Files::new();
    for n in 0..BATCH {
        files.put(&format!("a/{n:05}"), b"");
    }
    files.put("a/z", b"");
    files.put("b/c/d", b"");
    files.put("b/e", b"");
    let mut cursor = files.store.list("", "");
    assert_eq!(cursor.next().await.unwrap().unwrap().len(), BATCH);
    fs::remove_file(files.path("a/z")).unwrap();
    fs::remove_dir_all(files.path("b/c")).unwrap();
    assert_eq!(all_keys(cursor).await.unwrap(), ["b/e"]);
}

/// Keys whose components fall on all sides of `/` in byte order.
fn some_keys() -> impl Strategy<Value = Vec<String>> {
    let component = prop::sample::select(vec!["a", "a!", "a-", "a.b", "a0", "ab", "b", "~"]);
    let key = prop::collection::vec(component, 1..5).prop_map(|parts| parts.join("/"));
    prop::collection::btree_set(key, 0..24).prop_map(|keys| without_keys_that_are_folders(&keys))
}

fn without_keys_that_are_folders(keys: &BTreeSet<String>) -> Vec<String> {
    let is_folder = |key: &String| keys.iter().any(|other| other.starts_with(&format!("{key}/")));
    keys.iter().filter(|key| !is_folder(key)).cloned().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn g2_files_list_as_memory_does(
        keys in some_keys(),
        asked in prop::collection::vec(("[ab0!./~-]{0,5}", "[ab0!./~-]{0,5}"), 8),
        picked in prop::collection::vec((any::<prop::sample::Index>(), 0..9_usize), 8),
        has_leaves in any::<bool>(),
    ) {
        let leaf = Leaf { file: "leaf", is_presumed: false };
        let shape_of: ShapeRule =
            Arc::new(move |_: &str| has_leaves.then_some(Shape::Leaf(leaf)));
        let end = if has_leaves { "/leaf" } else { "" };
        let keys: Vec<String> = keys.iter().map(|key| format!("{key}{end}")).collect();
        let files = Files::with(shape_of, Arc::new(|_: &str| Passage::Open));
        let memory = MemoryStore::new();
        for key in &keys {
            files.put(key, b"");
            memory.put(key, "", T0);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let cut = |(index, end): &(prop::sample::Index, usize)| {
            let key = if keys.is_empty() { "" } else { index.get(&keys).as_str() };
            key[..key.len().min(*end)].to_owned()
        };
        let picked = picked.chunks(2).map(|pair| (cut(&pair[0]), cut(&pair[1])));
        // A prefix with an empty component, `.` or `..` is refused: no file has such a key.
        let asked = asked.into_iter().chain(picked).filter(|(within, _)| {
            path::check_folder(Operation::List, path::split(within).0).is_ok()
        });
        for (within, after) in asked {
            let found = runtime.block_on(files.list(&within, &after)).unwrap();
            let expected = runtime.block_on(all_keys(memory.list(&within, &after))).unwrap();
            prop_assert_eq!(found, expected, "{:?} after {:?}", within, after);
        }
    }
}
