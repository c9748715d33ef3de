//! When marks are whole.

use std::sync::Arc;

use super::*;
use crate::testing::{Registry, digest, layer, list};

/// Proof that as many repositories were listed.
async fn listed(repositories: u64) -> Complete {
    let registry = Registry::new();
    for n in 0..repositories {
        let key = layer(digest("x")).replace("team/app", &format!("team/app-{n}"));
        registry.link(&key, digest("x"));
    }
    let (complete, _) = list(&Arc::new(registry.store)).await;
    assert_eq!(complete.repositories, repositories);
    complete
}

fn unresolved(sealed: Result<MarkSet, MarkError>) -> u64 {
    match sealed {
        Err(MarkError::Unresolved { unresolved }) => unresolved.get(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn g5_marks_are_sealed_when_every_listed_repository_is_marked() {
    let marks = MarkSetBuilder::new();
    for name in ["a", "b"] {
        marks.begin();
        marks.resolve([digest(name), digest("both")], &[digest("gone")]).unwrap();
    }
    let marks = marks.seal(&listed(2).await).unwrap();
    assert_eq!(marks.len(), 3);
    let mut reader = marks.reader();
    let answers = ["a", "b", "both", "gone"].map(|name| reader.contains(&digest(name)).unwrap());
    assert_eq!(answers, [true, true, true, false]);
    assert!(marks.was_missing(&digest("gone")));
    assert!(!marks.was_missing(&digest("a")));
}

#[tokio::test]
async fn g5_one_repository_that_did_not_end_well_forbids_sealing() {
    let marks = MarkSetBuilder::new();
    for _ in 0..3 {
        marks.begin();
    }
    marks.resolve([], &[]).unwrap();
    assert_eq!(unresolved(marks.seal(&listed(3).await)), 2);
}

#[tokio::test]
async fn g5_one_repository_that_was_listed_and_never_marked_forbids_sealing() {
    let marks = MarkSetBuilder::new();
    marks.begin();
    marks.resolve([], &[]).unwrap();
    assert_eq!(unresolved(marks.seal(&listed(2).await)), 1);
    assert!(MarkSetBuilder::new().seal(&listed(0).await).unwrap().is_empty());
}

#[tokio::test]
async fn g5_one_marked_twice_does_not_stand_for_one_that_failed() {
    let marks = MarkSetBuilder::new();
    for _ in 0..3 {
        marks.begin();
    }
    marks.resolve([], &[]).unwrap();
    marks.resolve([], &[]).unwrap();
    assert_eq!(unresolved(marks.seal(&listed(2).await)), 1);
}
