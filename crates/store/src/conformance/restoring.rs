//! What every store promises about bringing objects back.

use bytes::Bytes;
use registry::Timestamp;

use super::{delete, list_keys, must};
use crate::{
    Condition, DeleteBatch, Doomed, Kept, KeyOutcome, Marker, PutBack, RestoreStore, Trash,
    Trashed, Version,
};

const KEY: &str = "contract/back/link";
/// Comes right behind, and begins with the key.
const NEIGHBOUR: &str = "contract/back/link2";
/// What the program writes.
const NOTE: &str = "contract/note/undone";

/// Checks that a store tells what it holds of a key and writes small objects.
///
/// # Panics
/// Where the store breaks its contract.
pub async fn putting_contract<S: RestoreStore>(store: &S) {
    assert_eq!(must(store.versions(NOTE).await), []);
    assert_eq!(must(store.unmark(&[]).await), []);
    for body in ["first", "the second"] {
        must(store.write(NOTE, Bytes::from_static(body.as_bytes()), &Condition::None).await);
        assert_eq!(must(store.get(NOTE, 100).await), body);
        let versions = must(store.versions(NOTE).await);
        assert_eq!(size_of(versions.first()), Some(body.len() as u64));
    }
    assert_eq!(list_keys(store, "contract/note/", "").await, [NOTE]);
    delete(store, vec![doomed(NOTE)]).await;
    assert_eq!(list_keys(store, "contract/note/", "").await, [""; 0]);
}

/// Checks a store that keeps versions.
///
/// # Panics
/// Where the store breaks its contract.
pub async fn versions_contract<S: RestoreStore>(store: &S, fill: impl AsyncFn(&[(&str, &[u8])])) {
    fill(&[(KEY, b"one"), (NEIGHBOUR, b"two")]).await;
    let first = hidden(store, KEY).await;
    assert_eq!(list_keys(store, "contract/back/", "").await, [NEIGHBOUR]);
    must(store.unmark(std::slice::from_ref(&first)).await)[0]
        .as_ref()
        .unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(must(store.get(KEY, 100).await), "one");
    // A second time is as once, and so is one under two markers.
    assert_eq!(must(store.unmark(&[first]).await), [Ok(())]);
    assert_eq!(must(store.get(KEY, 100).await), "one");
    let (lower, upper) = (hidden(store, KEY).await, hidden(store, KEY).await);
    assert_ne!(lower, upper);
    assert_eq!(must(store.unmark(&[upper]).await), [Ok(())]);
    assert_eq!(list_keys(store, "contract/back/", "").await, [NEIGHBOUR], "one marker is left");
    // What was written since is not overwritten.
    fill(&[(KEY, b"newer")]).await;
    assert_eq!(must(store.unmark(&[lower]).await), [Ok(())]);
    assert_eq!(must(store.get(KEY, 100).await), "newer");
    delete(store, [KEY, NEIGHBOUR].map(doomed).to_vec()).await;
}

/// Checks a store that moves what it deletes to a trash.
///
/// # Panics
/// Where the store breaks its contract.
pub async fn trash_contract<S: RestoreStore>(store: &S, fill: impl AsyncFn(&[(&str, &[u8])])) {
    const OTHER: &str = "contract/away/link";
    let trash = Trash::new("contract/", "contract/regsweep/trash/plan/");
    let place = |key: &str| trash.key_of(key).unwrap_or_default();
    fill(&[(KEY, b"one"), (NEIGHBOUR, b"two")]).await;
    let all: Vec<Doomed> = [KEY, NEIGHBOUR, OTHER].map(doomed).to_vec();
    let batch = DeleteBatch::new(all).unwrap_or_else(|error| panic!("{error}"));
    let batch = batch.into_trash(trash.clone());
    let trashed = KeyOutcome::Deleted(Kept::Trash);
    // A second time is as once: its answer may have been lost.
    for _ in 0..2 {
        let outcomes = must(store.delete(&batch).await);
        assert_eq!(outcomes, [trashed.clone(), trashed.clone(), KeyOutcome::Gone]);
    }
    assert_eq!(list_keys(store, "contract/", "").await, [place(KEY), place(NEIGHBOUR)]);
    assert_eq!(must(store.get(&place(KEY), 100).await), "one");
    // What was written since is left as it is.
    fill(&[(NEIGHBOUR, b"newer")]).await;
    let back =
        [KEY, NEIGHBOUR, OTHER].map(|key| Trashed { key: key.into(), trash: place(key).into() });
    let answers = must(store.put_back(&back).await);
    assert_eq!(answers, [Ok(PutBack::Restored), Ok(PutBack::Present), Ok(PutBack::Absent)]);
    let again = must(store.put_back(&back).await);
    assert_eq!(again, [Ok(PutBack::Present), Ok(PutBack::Present), Ok(PutBack::Absent)]);
    assert_eq!(must(store.get(KEY, 100).await), "one");
    assert_eq!(must(store.get(NEIGHBOUR, 100).await), "newer");
    let left = list_keys(store, "contract/", "").await;
    delete(store, left.iter().map(|key| doomed(key)).collect()).await;
    assert_eq!(list_keys(store, "contract/", "").await, [""; 0]);
    // What lies outside is kept.
    fill(&[(KEY, b"one")]).await;
    let elsewhere = Trash::new("another/", "another/regsweep/trash/plan/");
    let batch = DeleteBatch::new(vec![doomed(KEY)]).unwrap_or_else(|error| panic!("{error}"));
    let outcomes = must(store.delete(&batch.into_trash(elsewhere)).await);
    assert!(matches!(outcomes[..], [KeyOutcome::Failed(_)]), "{outcomes:?}");
    assert_eq!(must(store.get(KEY, 100).await), "one");
    delete(store, vec![doomed(KEY)]).await;
}

/// Deletes a key, and gives the marker that hides it, which the outcome and the history name alike.
async fn hidden<S: RestoreStore>(store: &S, key: &str) -> Marker {
    let batch = DeleteBatch::new(vec![doomed(key)]).unwrap_or_else(|error| panic!("{error}"));
    let outcomes = must(store.delete(&batch).await);
    let KeyOutcome::Deleted(Kept::Marker(id)) = &outcomes[0] else {
        panic!("no marker is told of: {outcomes:?}")
    };
    let versions = must(store.versions(key).await);
    assert!(versions.iter().any(|version| size_of(Some(version)) == Some(3)), "{versions:?}");
    match &versions[0] {
        Version::Marker(marker) if marker.id() == &**id => marker.clone(),
        other => panic!("{other:?} is not the marker {id}"),
    }
}

fn doomed(key: &str) -> Doomed {
    Doomed { key: key.into(), modified: Timestamp::FAR_FUTURE, upload: None }
}

fn size_of(version: Option<&Version>) -> Option<u64> {
    match version {
        Some(Version::Object { size, .. }) => Some(*size),
        Some(Version::Marker(_)) | None => None,
    }
}
