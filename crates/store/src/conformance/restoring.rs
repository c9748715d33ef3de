//! What every store promises about bringing objects back.

use bytes::Bytes;
use registry::Timestamp;

use super::{delete, list_keys, must};
use crate::{DeleteBatch, Doomed, Kept, KeyOutcome, Marker, RestoreStore, Version};

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
        must(store.put(NOTE, Bytes::from_static(body.as_bytes())).await);
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
    Doomed { key: key.into(), modified: Timestamp::FAR_FUTURE }
}

fn size_of(version: Option<&Version>) -> Option<u64> {
    match version {
        Some(Version::Object { size, .. }) => Some(*size),
        Some(Version::Marker(_)) | None => None,
    }
}
