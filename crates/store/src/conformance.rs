//! What every store promises, as checks that any store can be run against.
//!
//! The checks write below [`PREFIX`] only and panic where a promise is broken. Start each with a store that holds
//! nothing there.

mod restoring;
mod uploading;
mod writing;

use registry::{Digest, Timestamp};

pub use restoring::{putting_contract, trash_contract, versions_contract};
pub use uploading::{ToBegin, uploads_contract};
pub use writing::writing_contract;

use crate::{
    Cursor as _, DeleteBatch, DeleteStore, Doomed, ErrorKind, KeyOutcome, Listed, Object,
    PartStore, ReadStore, StoreError,
};

/// Every key that the checks write starts with this.
pub const PREFIX: &str = "contract/";

/// Neighbours in byte order that a walk by folders, or a prefix taken for a folder, gets wrong.
const KEYS: &[&str] = &[
    "contract/a",
    "contract/b/c/d/e/f",
    "contract/foo!",
    "contract/foo-",
    "contract/foo-bar",
    "contract/foo-baz/x",
    "contract/foo.x",
    "contract/foo/.hidden",
    "contract/foo/bar",
    "contract/foo/bar-/link",
    "contract/foo/bar0/link",
    "contract/foo0",
    "contract/foo~/data",
    "contract/z/z",
];

/// Keys that a bucket may hold: directory markers, empty components, keys that are prefixes of keys, and bytes that
/// have to be escaped on the way.
const ODD_KEYS: &[&str] = &[
    "contract/ space",
    "contract/%2F",
    "contract/+plus",
    "contract//double",
    "contract/<&>\"'",
    "contract/a",
    "contract/a/",
    "contract/a/b",
    "contract/a?b=c#d",
    "contract/tab\tbell\u{7}",
    "contract/ä",
    "contract/日本",
    "contract/\u{ffff}",
    "contract/😀",
];

/// Checks a store that holds keys which files can have too.
///
/// `fill` writes objects, so that the store's clock is not before their time of writing.
///
/// # Panics
/// Where the store breaks its contract.
pub async fn store_contract<S: DeleteStore + PartStore>(
    store: &S,
    fill: impl AsyncFn(&[(&str, &[u8])]),
) {
    let before = must(store.now().await);
    fill(&bodies(KEYS)).await;
    lists_what_is_there(store, KEYS).await;
    resumes_from_everywhere(store, KEYS).await;
    tells_folders(store).await;
    reads_whole_objects(store, KEYS).await;
    reads_parts_of_objects(store, KEYS).await;
    assert!(must(store.now().await) >= before, "the clock runs backwards");
    spares_what_was_written_since(store).await;
    deletes_each_key_once_and_again(store, KEYS).await;
    lists_many_pages(store, fill).await;
}

/// Checks a store that holds keys which only buckets can have.
///
/// # Panics
/// Where the store breaks its contract.
pub async fn odd_keys_contract<S: DeleteStore + PartStore>(
    store: &S,
    fill: impl AsyncFn(&[(&str, &[u8])]),
) {
    fill(&bodies(ODD_KEYS)).await;
    lists_what_is_there(store, ODD_KEYS).await;
    resumes_from_everywhere(store, ODD_KEYS).await;
    reads_whole_objects(store, ODD_KEYS).await;
    reads_parts_of_objects(store, ODD_KEYS).await;
    deletes_each_key_once_and_again(store, ODD_KEYS).await;
}

/// Each key is its own content.
fn bodies<'k>(keys: &[&'k str]) -> Vec<(&'k str, &'k [u8])> {
    keys.iter().map(|key| (*key, key.as_bytes())).collect()
}

fn must<T>(result: Result<T, StoreError>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{error}: {:?}", error.source),
    }
}

/// Lists to the end, and checks what holds for every listing.
async fn list<S: ReadStore>(store: &S, within: &str, after: &str) -> Vec<Object> {
    let mut cursor = store.list(within, after);
    let mut objects: Vec<Object> = Vec::new();
    while let Some(page) = must(cursor.next().await) {
        assert!(!page.is_empty(), "an empty page of {within:?} after {after:?}");
        objects.extend(look_at(store, page).await);
    }
    let ascend = objects.windows(2).all(|pair| pair[0].key.as_bytes() < pair[1].key.as_bytes());
    assert!(ascend, "keys of {within:?} after {after:?} do not ascend");
    objects
}

/// Looks at what was presumed, and at the first object: it is what the listing says.
async fn look_at<S: ReadStore>(store: &S, page: Vec<Listed>) -> Vec<Object> {
    let (mut objects, mut unlooked) = (Vec::new(), Vec::new());
    for listed in page {
        match listed {
            Listed::Object(object) => objects.push(object),
            Listed::Presumed(key) => unlooked.push(key.into()),
            Listed::Closed(folder) => panic!("{folder:?} was not entered"),
        }
    }
    if let Some(object) = objects.first() {
        let absent = format!("{}-absent", object.key).into();
        let looked = must(store.look(vec![object.key.clone().into(), absent]).await);
        assert_eq!(looked, [Some(object.clone()), None]);
    }
    if !unlooked.is_empty() {
        objects.extend(must(store.look(unlooked).await).into_iter().flatten());
    }
    objects
}

/// G2: what comes after `until` may be listed, what does not must be.
async fn list_until<S: ReadStore>(store: &S, within: &str, until: &str) -> Vec<String> {
    let mut cursor = store.list(within, "");
    cursor.end_at(until);
    let mut keys: Vec<String> = Vec::new();
    while let Some(page) = must(cursor.next().await) {
        keys.extend(page.into_iter().map(|listed| listed.into_key().into()));
    }
    keys.retain(|key| key.as_str() <= until);
    keys
}

async fn list_keys<S: ReadStore>(store: &S, within: &str, after: &str) -> Vec<String> {
    list(store, within, after).await.into_iter().map(|object| object.key.to_string()).collect()
}

fn expected(keys: &[&str], within: &str, after: &str) -> Vec<String> {
    let mut keys: Vec<String> = keys
        .iter()
        .filter(|key| key.starts_with(within) && **key > after)
        .map(|key| (*key).to_owned())
        .collect();
    keys.sort_unstable();
    keys
}

/// Every text that a key starts with, from [`PREFIX`] on, and some that none does.
fn withins(keys: &[&str]) -> Vec<String> {
    let mut withins: Vec<String> = keys
        .iter()
        .flat_map(|key| (PREFIX.len()..=key.len()).filter_map(|end| key.get(..end)))
        .map(String::from)
        .chain(["contract/foo/b/", "contract/nothing/at/all/", "contract/a/x"].map(String::from))
        .collect();
    withins.sort_unstable();
    withins.dedup();
    withins
}

async fn lists_what_is_there<S: ReadStore>(store: &S, keys: &[&str]) {
    for object in list(store, PREFIX, "").await {
        assert_eq!(object.size, object.key.len() as u64, "the size of {}", object.key);
    }
    for within in withins(keys) {
        assert_eq!(list_keys(store, &within, "").await, expected(keys, &within, ""), "{within:?}");
    }
}

async fn resumes_from_everywhere<S: ReadStore>(store: &S, keys: &[&str]) {
    let mut afters: Vec<String> =
        ["", "contract", PREFIX, "contract0", "zzz", "contract/foo/bar/none"]
            .map(String::from)
            .to_vec();
    for key in keys {
        let parent = key.rfind('/').map_or(0, |slash| slash + 1);
        afters.extend([
            key.to_string(),
            format!("{key}0"),
            format!("{key}/"),
            key[..parent].into(),
        ]);
    }
    for within in [PREFIX, "contract/f", "contract/foo", "contract/foo/", "contract/foo-"] {
        for after in &afters {
            let found = list_keys(store, within, after).await;
            assert_eq!(found, expected(keys, within, after), "{within:?} after {after:?}");
            let mut until = expected(keys, within, "");
            until.retain(|key| key <= after);
            assert_eq!(list_until(store, within, after).await, until, "{within:?} to {after:?}");
        }
    }
}

async fn tells_folders<S: ReadStore>(store: &S) {
    for (within, expected) in [
        (
            PREFIX,
            &["contract/b/", "contract/foo-baz/", "contract/foo/", "contract/foo~/", "contract/z/"]
                [..],
        ),
        ("contract/foo/", &["contract/foo/bar-/", "contract/foo/bar0/"]),
        ("contract/b/c/d/", &["contract/b/c/d/e/"]),
        ("contract/nothing/", &[]),
    ] {
        let folders = must(store.folders(within).await);
        if folders.is_complete {
            assert_eq!(folders.prefixes, expected, "folders of {within}");
        } else {
            let is_start = expected.iter().zip(&folders.prefixes).all(|(a, b)| a == b);
            assert!(is_start, "folders of {within}: {folders:?}");
        }
    }
}

async fn kind_of_get<S: ReadStore>(store: &S, key: &str, at_most: u64) -> Option<ErrorKind> {
    store.get(key, at_most).await.err().map(|error| error.kind)
}

async fn reads_whole_objects<S: ReadStore>(store: &S, keys: &[&str]) {
    for key in keys {
        let size = key.len() as u64;
        assert_eq!(must(store.get(key, size).await), key.as_bytes(), "{key}");
        for digest in [Digest::sha256(key.as_bytes()), Digest::sha256(b"something else")] {
            let content = must(store.get_content(key, &digest, size).await);
            assert_eq!(content.bytes, key.as_bytes(), "{key}");
            assert_eq!(content.actual, Digest::sha256(key.as_bytes()), "{key}");
        }
        let too_large = kind_of_get(store, key, size - 1).await;
        assert_eq!(too_large, Some(ErrorKind::TooLarge), "{key} in fewer bytes than it has");
        let absent = format!("{key}-absent");
        assert_eq!(kind_of_get(store, &absent, size).await, Some(ErrorKind::NotFound), "{absent}");
    }
}

async fn reads_parts_of_objects<S: PartStore>(store: &S, keys: &[&str]) {
    for key in keys {
        let size = key.len();
        let behind = [(2, size + 9), (size, size + 1), (size + 5, size + 7)];
        for (start, end) in [(0, 1), (0, size), (1, size - 1), (3, 3)].into_iter().chain(behind) {
            let part = must(store.get_part(key, start as u64..end as u64).await);
            let expected = &key.as_bytes()[start.min(size)..end.min(size)];
            assert_eq!(part, expected, "{key}, from {start} to {end}");
        }
        let absent = store.get_part(&format!("{key}-absent"), 0..1).await;
        assert_eq!(absent.map_err(|error| error.kind), Err(ErrorKind::NotFound), "{key}-absent");
    }
}

async fn delete<S: DeleteStore>(store: &S, objects: Vec<Doomed>) -> Vec<KeyOutcome> {
    let count = objects.len();
    let batch = DeleteBatch::new(objects).unwrap_or_else(|error| panic!("{error}"));
    let outcomes = must(store.delete(&batch).await);
    assert_eq!(outcomes.len(), count, "G10: one outcome for each key");
    outcomes
}

/// A store that looks spares; one that cannot look deletes. Either way the outcome tells the truth.
async fn spares_what_was_written_since<S: DeleteStore>(store: &S) {
    let key = "contract/foo/bar";
    let older = Timestamp::from_seconds(1);
    let outcomes =
        delete(store, vec![Doomed { key: key.into(), modified: older, upload: None }]).await;
    let is_there = kind_of_get(store, key, 1000).await.is_none();
    match outcomes[0] {
        KeyOutcome::Spared => assert!(is_there, "spared and not there"),
        KeyOutcome::Deleted(_) => assert!(!is_there, "deleted and still there"),
        _ => panic!("an object that is there: {outcomes:?}"),
    }
}

async fn deletes_each_key_once_and_again<S: DeleteStore>(store: &S, keys: &[&str]) {
    let listed = list(store, PREFIX, "").await;
    let absent = Doomed {
        key: "contract/absent/link".into(),
        modified: Timestamp::FAR_FUTURE,
        upload: None,
    };
    let mut doomed: Vec<Doomed> = listed
        .into_iter()
        .map(|Object { key, modified, .. }| Doomed { key: key.into(), modified, upload: None })
        .collect();
    // Every other key, backwards, with one that is not there: the order of the batch is the order of the answer.
    let (kept, mut part): (Vec<_>, Vec<_>) =
        doomed.drain(..).enumerate().partition(|(i, _)| i % 2 == 0);
    part.reverse();
    let mut batch: Vec<Doomed> = part.into_iter().map(|(_, doomed)| doomed).collect();
    batch.insert(1, absent);
    for is_again in [false, true] {
        for (index, outcome) in delete(store, batch.clone()).await.into_iter().enumerate() {
            let is_right = match outcome {
                KeyOutcome::Deleted(_) => true, // S3 says so of keys that are not there, too
                KeyOutcome::Gone => is_again || index == 1,
                KeyOutcome::Spared | KeyOutcome::Rewritten | KeyOutcome::Failed(_) => false,
            };
            assert!(is_right, "{}: {outcome:?}", batch[index].key);
        }
        let left: Vec<&str> = kept.iter().map(|(_, doomed)| &*doomed.key).collect();
        assert_eq!(list_keys(store, PREFIX, "").await, left, "deleted exactly what was asked");
    }
    delete(store, kept.into_iter().map(|(_, doomed)| doomed).collect()).await;
    assert_eq!(list_keys(store, PREFIX, "").await, [""; 0], "{} keys are deleted", keys.len());
}

/// More keys than two pages of any store hold.
async fn lists_many_pages<S: DeleteStore>(store: &S, fill: impl AsyncFn(&[(&str, &[u8])])) {
    let keys: Vec<String> = (0..2100).map(|n| format!("contract/many/{:02}/{n}", n % 7)).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    fill(&bodies(&keys)).await;
    let all = expected(&keys, PREFIX, "");
    assert_eq!(list_keys(store, PREFIX, "").await, all);
    for index in (0..all.len()).step_by(211).chain([999, 1000, 1001, 1023, 1024, 1025]) {
        assert_eq!(list_keys(store, PREFIX, &all[index]).await, all[index + 1..]);
    }
    for part in list(store, PREFIX, "").await.chunks(1000) {
        let doomed = part.iter().map(|object| Doomed {
            key: object.key.clone().into(),
            modified: object.modified,
            upload: None,
        });
        delete(store, doomed.collect()).await;
    }
    assert_eq!(list_keys(store, PREFIX, "").await, [""; 0]);
}
