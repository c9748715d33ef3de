//! Verdicts over blobs.

use std::collections::BTreeSet;
use std::sync::Arc;

use marker::{DigestSetBuilder, MarkSetBuilder, Marker, Rules};
use monitor::{Monitor, Stop};
use proptest::prelude::*;
use registry::Shard;
use store::MemoryStore;
use tokio::sync::mpsc;

use super::*;
use crate::Policy;

const T0: Timestamp = Timestamp::from_seconds(100_000_000);
const GRACE: Duration = Duration::from_hours(24);
const RULES: Rules = Rules::new(false, Timestamp::from_seconds(0));

fn digest(n: u8) -> Digest {
    Digest::sha256(&[n])
}

/// Marks of a registry that links `kept` as layers, and `missing` as manifests that are not there.
fn marks(kept: &[u8], missing: &[u8]) -> MarkSet {
    let (store, layout) = (MemoryStore::new(), Layout::new(""));
    let link = |kind| {
        let key = layout.key_of(&kind).unwrap();
        store.put(&key, "x".repeat(71), Timestamp::from_seconds(1));
    };
    let repository = "a";
    for n in kept {
        link(KeyKind::Layer { repository, digest: digest(*n) });
    }
    for n in missing {
        link(KeyKind::Revision { repository, digest: digest(*n) });
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(mark(Arc::new(store.clone())))
}

async fn mark(store: Arc<MemoryStore>) -> MarkSet {
    let (sender, mut trees) = mpsc::channel(1);
    let (layout, monitor) = (Layout::new(""), Arc::new(Monitor::new()));
    let (shared, stop) = (Arc::clone(&monitor), Arc::new(Stop::new()));
    let listing = lister::list_repositories(Arc::clone(&store), &layout, 1, sender, shared, stop);
    let listed = listing.await.unwrap();
    let marks = Arc::new(MarkSetBuilder::new());
    let marker = Marker::new(store, &layout, 1, Arc::clone(&marks), RULES, monitor);
    while let Some(tree) = trees.recv().await {
        marker.mark(tree).await.unwrap();
    }
    drop(marker);
    Arc::into_inner(marks).unwrap().seal(&listed).unwrap()
}

fn judge(marks: MarkSet, unlinked: &[u8]) -> BlobJudge {
    let links = DigestSetBuilder::new();
    links.add(unlinked.iter().map(|n| digest(*n))).unwrap();
    BlobJudge {
        layout: Layout::new(""),
        marks,
        keep_list: None,
        unlinked: links.finish().unwrap(),
        held: DigestSetBuilder::new().finish().unwrap(),
        cutoffs: Policy { untagged: false, grace: GRACE, uploads_older_than: GRACE }.at(T0),
        newest_link: Some(T0.before(GRACE * 40)),
    }
}

fn object(key: &str, modified: Timestamp) -> Object {
    Object { key: key.into(), size: 10, modified, etag: Some("tag".into()) }
}

fn blob(n: u8, age: Duration) -> Object {
    object(&Layout::new("").blob(&digest(n)), T0.before(age))
}

fn listed(objects: Vec<Object>) -> Vec<Listed> {
    objects.into_iter().map(Listed::Object).collect()
}

fn gone(judged: &JudgedBlobs) -> Vec<&str> {
    judged.rows.iter().map(|row| &*row.key).collect()
}

#[test]
fn a_blob_goes_where_nothing_marks_it_and_it_is_old() {
    let judge = judge(marks(&[1], &[]), &[]);
    let old = GRACE * 100;
    let judged = judge.judge(listed(vec![blob(1, old), blob(2, old)])).unwrap();
    let Object { key, size: bytes, modified, .. } = blob(2, old);
    let (digest, reason) = (Some(digest(2)), Reason::Unreferenced);
    let row = Row {
        kind: RowKind::Blob,
        repository: None,
        digest,
        key: key.into(),
        bytes,
        modified,
        reason,
        rule: None,
        upload: None,
        etag: Some("tag".into()),
    };
    assert_eq!(judged.rows, [row]);
}

#[test]
fn g1_a_blob_as_young_as_the_cutoff_stays() {
    let judge = judge(marks(&[], &[]), &[]);
    let after = GRACE + Duration::from_millis(1);
    for (age, goes) in [(Duration::ZERO, 0), (GRACE, 0), (after, 1)] {
        assert_eq!(judge.judge(listed(vec![blob(1, age)])).unwrap().rows.len(), goes, "{age:?}");
    }
    let future = object(&Layout::new("").blob(&digest(1)), T0.after(GRACE));
    assert!(judge.judge(listed(vec![future])).unwrap().rows.is_empty());
}

#[test]
fn g4_what_is_no_blob_stays_and_is_counted() {
    let judge = judge(marks(&[], &[]), &[]);
    let hex = digest(1).hex();
    let keys = [
        format!("docker/registry/v2/blobs/sha256/{hex}/data"),
        format!("docker/registry/v2/blobs/sha256/00/{hex}/data"),
        format!("docker/registry/v2/blobs/sha256/{}/{hex}/data.bak", &hex[..2]),
        format!("docker/registry/v2/blobs/uploads/{hex}"),
    ];
    let markers = ["docker/registry/v2/blobs/", "docker/registry/v2/blobs/sha256/ab/"];
    let keys: Vec<&str> = keys.iter().map(String::as_str).chain(markers).collect();
    let objects = keys.iter().map(|key| object(key, Timestamp::from_seconds(1))).collect();
    let judged = judge.judge(listed(objects)).unwrap();
    assert!(judged.rows.is_empty(), "{:?}", gone(&judged));
    assert_eq!(judged.facts, Facts { foreign_keys: 4, ..Facts::default() });
}

#[test]
fn g5_a_manifest_that_comes_back_ends_the_run() {
    let judge = judge(marks(&[1], &[2, 3]), &[]);
    assert!(judge.judge(listed(vec![blob(1, GRACE)])).is_ok());
    for age in [Duration::ZERO, GRACE * 9] {
        let outcome = judge.judge(listed(vec![blob(4, age), blob(2, age)]));
        assert!(
            matches!(outcome, Err(JudgeError::Reappeared(missing)) if missing.digest == digest(2))
        );
    }
}

#[test]
fn facts_tell_how_the_registry_works_now() {
    let judge = judge(marks(&[1], &[]), &[2]);
    let (day, month) = (GRACE, GRACE * 30);
    let late = (GRACE * 40).saturating_sub(LINK_DELAY);
    let objects = vec![
        blob(1, day * 2),
        blob(2, day * 2),
        blob(3, day * 2),
        blob(4, month),
        blob(5, month + Duration::from_millis(1)),
        blob(6, late),
        blob(7, late.saturating_sub(Duration::from_millis(1))),
        blob(8, Duration::ZERO),
    ];
    let facts = judge.judge(listed(objects)).unwrap().facts;
    let amount = |count| crate::Amount { count, bytes: count * 10 };
    let expected = Facts {
        newest_blob: Some(T0),
        blobs: amount(8),
        deleted_blobs: amount(6),
        young_blobs: 4,
        young_orphans: 2,
        late_blobs: 5,
        ..Facts::default()
    };
    assert_eq!(facts, expected);
}

#[test]
fn every_blob_is_late_where_there_is_no_link() {
    let judge = BlobJudge { newest_link: None, ..judge(marks(&[], &[]), &[]) };
    let judged = judge.judge(listed(vec![blob(1, GRACE * 900), blob(2, Duration::ZERO)])).unwrap();
    assert_eq!(judged.facts.late_blobs, 1, "what is pushed while the run lists says nothing");
}

#[test]
fn g7_nothing_is_decided_over_an_unneeded_blob_that_nobody_looked_at() {
    let judge = judge(marks(&[1], &[2]), &[]);
    let key = |n| Box::<str>::from(Layout::new("").blob(&digest(n)));
    let page = [1, 2, 3].map(|n| Listed::Presumed((&*key(n)).into())).to_vec();
    let judged = judge.judge(page).unwrap();
    assert_eq!(judged.unlooked, [key(2), key(3)], "what was missing, and what goes if it is there");
    assert!(judged.rows.is_empty());
    let blobs = crate::Amount { count: 1, bytes: 0 };
    assert_eq!(judged.facts, Facts { blobs, unweighed_blobs: 1, ..Facts::default() });
}

proptest! {
    #[test]
    fn g1_g4_g7_a_blob_goes_exactly_where_it_is_old_and_unmarked(
        kept in prop::collection::btree_set(0u8..30, 0..20),
        there in prop::collection::btree_map(0u8..30, 0u64..96, 0..30),
    ) {
        let kept: Vec<u8> = kept.into_iter().collect();
        let judge = judge(marks(&kept, &[]), &[]);
        let age = |hours: &u64| Duration::from_hours(*hours);
        let mut objects: Vec<Object> = there.iter().map(|(n, hours)| blob(*n, age(hours))).collect();
        objects.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        let judged = judge.judge(listed(objects.clone())).unwrap();
        let expected: BTreeSet<String> = there
            .iter()
            .filter(|(n, hours)| !kept.contains(n) && age(hours) > GRACE)
            .map(|(n, _)| Layout::new("").blob(&digest(*n)))
            .collect();
        prop_assert_eq!(gone(&judged), expected.iter().map(String::as_str).collect::<Vec<_>>());
        prop_assert_eq!(judged.facts.deleted_blobs.count, expected.len() as u64);
        // Pages make no difference.
        let mut facts = Facts::default();
        let mut rows = Vec::new();
        for page in objects.chunks(3) {
            let judged = judge.judge(listed(page.to_vec())).unwrap();
            facts.merge(&judged.facts);
            rows.extend(judged.rows);
        }
        prop_assert_eq!(facts, judged.facts);
        prop_assert_eq!(rows, judged.rows);
    }
}

/// The same judge, where a database knows these.
fn listing(judge: BlobJudge, list: &[u8]) -> BlobJudge {
    let set = DigestSetBuilder::new();
    set.add(list.iter().map(|n| digest(*n))).unwrap();
    let known = KnownBlobs { digests: Arc::new(set.finish().unwrap()), at: T0.before(GRACE / 2) };
    BlobJudge { keep_list: Some(known), ..judge }
}

#[test]
fn what_a_database_knows_stays_and_is_no_orphan() {
    let judge = listing(judge(marks(&[1], &[]), &[]), &[1, 2, 9]);
    let objects = [1, 2, 3].map(|n| blob(n, GRACE * 2)).to_vec();
    let judged = judge.judge(listed(objects)).unwrap();
    assert_eq!(gone(&judged), [Layout::new("").blob(&digest(3))]);
    let facts = judged.facts;
    assert_eq!((facts.keep_list_blobs, facts.young_orphans, facts.late_blobs), (2, 1, 1));
    let key = |n| Layout::new("").blob(&digest(n));
    let page = [1, 2, 3].map(|n| Listed::Presumed(key(n).as_str().into())).to_vec();
    let judged = judge.judge(page).unwrap();
    assert_eq!(judged.unlooked, [Box::<str>::from(key(3))], "what is known need not be looked at");
    assert_eq!(judged.facts.keep_list_blobs, 2);
}

#[test]
fn what_was_written_after_the_list_was_exported_is_counted_whether_it_is_on_it_or_not() {
    let half = GRACE / 2;
    let objects = || {
        let ages = [half, half.saturating_sub(Duration::from_millis(1)), Duration::ZERO];
        (1..).zip(ages).map(|(n, age)| blob(n, age)).collect()
    };
    let without = judge(marks(&[], &[]), &[]).judge(listed(objects())).unwrap();
    assert_eq!(without.facts.keep_list_late_blobs, 0);
    let with = listing(judge(marks(&[], &[]), &[]), &[2]).judge(listed(objects())).unwrap();
    assert_eq!(with.facts.keep_list_late_blobs, 2);
}

#[test]
fn g5_a_manifest_that_comes_back_ends_the_run_also_where_a_database_knows_it() {
    let judge = listing(judge(marks(&[1], &[2]), &[]), &[2]);
    let outcome = judge.judge(listed(vec![blob(2, GRACE)]));
    assert!(matches!(outcome, Err(JudgeError::Reappeared(_))));
}

proptest! {
    #[test]
    fn g4_a_blob_goes_exactly_where_it_is_old_and_neither_marked_nor_listed(
        kept in prop::collection::vec(0u8..30, 0..20),
        list in prop::collection::vec(0u8..30, 0..20),
        there in prop::collection::btree_map(0u8..30, 0u64..96, 0..30),
    ) {
        let judge = listing(judge(marks(&kept, &[]), &[]), &list);
        let age = |hours: &u64| Duration::from_hours(*hours);
        let mut objects: Vec<Object> = there.iter().map(|(n, hours)| blob(*n, age(hours))).collect();
        objects.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        let judged = judge.judge(listed(objects)).unwrap();
        let goes = |n: &u8| !kept.contains(n) && !list.contains(n);
        let goes = there.iter().filter(|(n, hours)| goes(n) && age(hours) > GRACE);
        let expected: BTreeSet<String> =
            goes.map(|(n, _)| Layout::new("").blob(&digest(*n))).collect();
        prop_assert_eq!(gone(&judged), expected.iter().map(String::as_str).collect::<Vec<_>>());
        let known = there.keys().filter(|n| list.contains(n)).count() as u64;
        prop_assert_eq!(judged.facts.keep_list_blobs, known);
    }
}

#[test]
fn blobs_of_other_algorithms_are_judged_alike() {
    let other = Digest::of(registry::Algorithm::Sha512, b"x");
    let judge = judge(marks(&[], &[]), &[]);
    let key = Layout::new("").blob(&other);
    let judged = judge.judge(listed(vec![object(&key, Timestamp::from_seconds(1))])).unwrap();
    assert_eq!(gone(&judged), [key]);
    assert_eq!(judged.rows[0].shard(), Shard(other.as_bytes()[0]));
}
