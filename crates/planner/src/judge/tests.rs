//! Verdicts over small repositories.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use lister::RepositoryTree;
use marker::{Evidence, Reach, What};
use proptest::prelude::*;
use registry::{KeyKind, Layout};

use super::*;

const OBJECTS: Timestamp = Timestamp::from_seconds(1_000_000);
const UPLOADS: Timestamp = Timestamp::from_seconds(500_000);

fn cutoffs(untagged: bool) -> Cutoffs {
    let t0 = OBJECTS.after(Duration::from_hours(1));
    Cutoffs { t0, untagged, objects: OBJECTS, uploads: UPLOADS }
}

fn digest(name: &str) -> Digest {
    Digest::sha256(name.as_bytes())
}

fn key(inside: &str) -> String {
    format!("docker/registry/v2/repositories/a/{inside}")
}

fn object(inside: &str, modified: Timestamp) -> Object {
    let key = key(inside);
    let etag = Some(etag_of(&key).into());
    Object { key: key.into(), size: inside.len() as u64, modified, etag }
}

/// The entity tag under which a key is listed.
fn etag_of(key: &str) -> String {
    format!("of {key}")
}

fn hex(name: &str) -> String {
    digest(name).hex()
}

fn revision(name: &str) -> String {
    format!("_manifests/revisions/sha256/{}/link", hex(name))
}

fn layer(name: &str) -> String {
    format!("_layers/sha256/{}/link", hex(name))
}

fn history(tag: &str, name: &str) -> String {
    format!("_manifests/tags/{tag}/index/sha256/{}/link", hex(name))
}

fn current(tag: &str) -> String {
    format!("_manifests/tags/{tag}/current/link")
}

fn signature(revision: &str, name: &str) -> String {
    format!("_manifests/revisions/sha256/{}/signatures/sha256/{}/link", hex(revision), hex(name))
}

/// A repository whose keys are given, with their times, and what of it is alive.
#[derive(Clone, Debug)]
struct Case {
    keys: BTreeMap<String, Timestamp>,
    manifests: BTreeSet<&'static str>,
    needed: BTreeSet<&'static str>,
    doubts: Vec<What>,
    started: Vec<Option<Timestamp>>,
}

impl Case {
    fn of(keys: impl IntoIterator<Item = String>) -> Self {
        Self {
            keys: keys.into_iter().map(|key| (key, Timestamp::from_seconds(1))).collect(),
            manifests: BTreeSet::new(),
            needed: BTreeSet::new(),
            doubts: Vec::new(),
            started: vec![Some(Timestamp::from_seconds(1)); 9],
        }
    }

    fn alive(mut self, manifests: &[&'static str], layers: &[&'static str]) -> Self {
        self.manifests.extend(manifests);
        self.needed.extend(manifests.iter().chain(layers));
        self
    }

    fn at(mut self, key: &str, modified: Timestamp) -> Self {
        self.keys.insert(key.to_owned(), modified);
        self
    }

    fn marked(&self) -> Marked {
        let mut tree = RepositoryTree::new(RepositoryName::new("a").unwrap());
        for (inside, modified) in &self.keys {
            tree.add(&Layout::new(""), object(inside, *modified).into());
        }
        let all = |names: &BTreeSet<&str>| names.iter().map(|name| digest(name)).collect();
        let reach = Reach {
            manifests: all(&self.manifests),
            needed: all(&self.needed),
            doubts: self.doubts.clone(),
            ..Reach::default()
        };
        let started = self.started.iter().copied().take(tree.uploads.len()).collect();
        let (evidence, events) = (Evidence::default(), Vec::new());
        Marked { tree, evidence, reach, expiry: None, events, started }
    }

    fn judge(&self, untagged: bool) -> Judged {
        judge_repository(&self.marked(), &cutoffs(untagged))
    }

    /// Asserts which keys go, and why.
    #[track_caller]
    fn goes(&self, untagged: bool, expected: &[(RowKind, Reason, String)]) -> &Self {
        let rows = self.judge(untagged).rows;
        assert!(rows.iter().all(|row| row.etag.as_deref() == Some(&*etag_of(&row.key))));
        let gone: BTreeSet<_> =
            rows.iter().map(|row| (row.kind, row.reason.name(), row.key.to_string())).collect();
        let expected: BTreeSet<_> = expected
            .iter()
            .map(|(kind, reason, inside)| (*kind, reason.name(), key(inside)))
            .collect();
        assert_eq!(gone, expected, "untagged: {untagged}");
        assert_eq!(gone.len(), rows.len(), "a row comes twice");
        self
    }
}

/// An image that a tag points to, and one that it pointed to.
fn image() -> Case {
    Case::of([
        revision("M"),
        revision("old"),
        layer("a"),
        layer("b"),
        history("v1", "M"),
        history("v1", "old"),
        current("v1"),
        signature("old", "sig"),
        signature("M", "sig"),
    ])
}

#[test]
fn what_is_alive_stays() {
    let case = image().alive(&["M", "old"], &["a", "b"]);
    case.goes(false, &[]).goes(true, &[]);
}

#[test]
fn a_dead_manifest_goes_with_its_signatures_and_its_place_in_histories() {
    let dead = [
        (RowKind::RevisionLink, Reason::Untagged, revision("old")),
        (RowKind::RevisionLink, Reason::Untagged, signature("old", "sig")),
        (RowKind::TagLink, Reason::DeadTagHistory, history("v1", "old")),
        (RowKind::LayerLink, Reason::UnneededHere, layer("b")),
    ];
    image().alive(&["M"], &["a"]).goes(true, &dead);
}

#[test]
fn manifests_and_histories_stay_where_untagged_ones_do() {
    let dead = [(RowKind::LayerLink, Reason::UnneededHere, layer("b"))];
    image().alive(&["M"], &["a"]).goes(false, &dead);
}

#[test]
fn g1_what_is_as_young_as_the_cutoff_stays() {
    let young = image().alive(&["M"], &["a"]);
    for inside in [revision("old"), signature("old", "sig"), history("v1", "old"), layer("b")] {
        let before = OBJECTS.before(Duration::from_millis(1));
        for (modified, goes) in [(OBJECTS, false), (before, true)] {
            let rows = young.clone().at(&inside, modified).judge(true).rows;
            assert_eq!(rows.iter().any(|row| *row.key == key(&inside)), goes, "{inside}");
        }
    }
}

#[test]
fn g4_of_a_pinned_repository_only_abandoned_uploads_go() {
    let upload = "_uploads/1/startedat".to_owned();
    let mut case = image().at(&upload, Timestamp::from_seconds(1));
    case.doubts = vec![What::IrregularName];
    let stale = [(RowKind::Upload, Reason::StaleUpload, upload)];
    case.goes(true, &stale).goes(false, &stale);
}

#[test]
fn a_doubt_that_does_not_pin_keeps_nothing() {
    let mut case = image().alive(&["M", "old"], &["a"]);
    case.doubts = vec![What::HalfWrittenLink { key: key(&layer("b")).into() }];
    case.goes(false, &[(RowKind::LayerLink, Reason::UnneededHere, layer("b"))]);
}

#[test]
fn an_upload_goes_whole_when_every_time_of_it_is_old() {
    let parts = ["_uploads/1/data", "_uploads/1/hashstates/sha256/0", "_uploads/1/startedat"];
    let case = Case::of(parts.map(str::to_owned));
    let all = parts.map(|part| (RowKind::Upload, Reason::StaleUpload, part.to_owned()));
    case.goes(false, &all);
    for part in parts {
        case.clone().at(part, UPLOADS).goes(false, &[]);
    }
    for started in [None, Some(UPLOADS), Some(Timestamp::FAR_FUTURE)] {
        Case { started: vec![started], ..case.clone() }.goes(false, &[]);
    }
    let late = Some(UPLOADS.before(Duration::from_millis(1)));
    Case { started: vec![late], ..case.clone() }.goes(false, &all);
    Case { started: Vec::new(), ..case }.goes(false, &[]);
}

#[test]
fn nothing_stays_of_a_repository_without_content() {
    let remains = [
        current("v1"),
        history("v1", "M"),
        "_layers/".to_owned(),
        "_uploads/".to_owned(),
        signature("M", "sig"),
    ];
    let empty = |inside| (RowKind::TagLink, Reason::EmptyRepository, inside);
    let all = remains.clone().map(empty);
    let case = Case::of(remains.clone());
    case.goes(false, &all);
    let stale = "_uploads/1/data".to_owned();
    let with_upload = case.clone().at(&stale, Timestamp::from_seconds(1));
    let upload = (RowKind::Upload, Reason::StaleUpload, stale);
    with_upload.goes(false, &[&all[..], &[upload]].concat());
    for young in &remains {
        case.clone().at(young, OBJECTS).goes(false, &[]);
    }
    for content in ["_layers/note.txt".to_owned(), "_layers/odd/link".to_owned(), revision("M")] {
        case.clone().at(&content, Timestamp::from_seconds(1)).goes(false, &[]);
    }
}

#[test]
fn nothing_of_an_untagged_repository_stays_in_one_go() {
    let rows = image().judge(true).rows;
    assert_eq!(rows.len(), image().keys.len());
}

#[test]
fn facts_count_what_was_seen() {
    let newest = Timestamp::from_seconds(77);
    let case = image().alive(&["M"], &["a"]).at(&layer("b"), newest).at("_odd", OBJECTS);
    let facts = case.judge(true).facts;
    let expected = Facts {
        newest_link: Some(newest),
        repositories: 1,
        repositories_with_revisions: 1,
        revisions: 2,
        young_revisions: 2,
        untagged_revisions: 1,
        foreign_keys: 1,
        ..Facts::default()
    };
    assert_eq!(facts, expected);
    let untagged = Case::of([revision("M")]).judge(false).facts;
    assert_eq!((untagged.untagged_repositories, untagged.revisions), (1, 1));
    assert_eq!(Case::of(["_uploads/1/data".to_owned()]).judge(false).facts.newest_link, None);
}

const NAMES: [&str; 5] = ["M", "N", "a", "b", "c"];

fn inside() -> impl Strategy<Value = String> {
    let name = || prop::sample::select(&NAMES[..]);
    let tag = || prop::sample::select(vec!["v1", "v2"]);
    prop_oneof![
        4 => name().prop_map(revision),
        4 => name().prop_map(layer),
        2 => (tag(), name()).prop_map(|(tag, name)| history(tag, name)),
        2 => tag().prop_map(current),
        1 => (name(), name()).prop_map(|(revision, name)| signature(revision, name)),
        2 => (0u8..2, prop::sample::select(vec!["data", "startedat", ""]))
            .prop_map(|(id, part)| format!("_uploads/{id}/{part}")),
        1 => prop::sample::select(vec!["_layers/", "_layers/note", "_layers/odd/link"])
            .prop_map(str::to_owned),
    ]
}

fn time() -> impl Strategy<Value = Timestamp> {
    let around = |cutoff: Timestamp| {
        (-2i64..=2).prop_map(move |n| Timestamp::from_millis(cutoff.as_millis() + n))
    };
    prop_oneof![Just(Timestamp::from_seconds(1)), around(OBJECTS), around(UPLOADS)]
}

fn case() -> impl Strategy<Value = Case> {
    let names = || prop::collection::btree_set(prop::sample::select(&NAMES[..]), 0..5);
    let doubts = prop::collection::vec(
        prop_oneof![Just(What::IrregularName), Just(What::HalfWrittenLink { key: "link".into() })],
        0..2,
    );
    let keys = prop::collection::btree_map(inside(), time(), 0..16);
    let started = prop::collection::vec(prop::option::weighted(0.8, time()), 2);
    (keys, names(), names(), doubts, started).prop_map(
        |(keys, manifests, needed, doubts, started)| Case {
            keys,
            manifests,
            needed,
            doubts,
            started,
        },
    )
}

proptest! {
    #[test]
    fn g1_g4_g7_rows_are_keys_of_the_tree_that_are_old_and_dead(case in case(), untagged: bool) {
        let (marked, rows) = (case.marked(), case.judge(untagged).rows);
        let mut seen = BTreeSet::new();
        for row in &rows {
            prop_assert!(seen.insert(row.key.clone()), "{} comes twice", row.key);
            let inside = row.key.strip_prefix(&key("")).unwrap();
            let modified = case.keys.get(inside).copied();
            prop_assert_eq!(modified, Some(row.modified), "a key of the tree (G7)");
            prop_assert_eq!(row.bytes, inside.len() as u64);
            prop_assert!(row.modified < OBJECTS, "G1");
            prop_assert!(row.kind == RowKind::Upload || !marked.reach.is_pinned(), "G4");
            let (kept, needed) = (&marked.reach.manifests, &marked.reach.needed);
            match Layout::new("").classify(&row.key) {
                KeyKind::Revision { digest, .. } => {
                    prop_assert!(untagged && !kept.contains(&digest));
                    prop_assert_eq!(row.digest, Some(digest));
                }
                KeyKind::Layer { digest, .. } => {
                    prop_assert!(!needed.contains(&digest));
                    prop_assert_eq!(row.digest, Some(digest));
                }
                KeyKind::Upload { .. } => prop_assert!(row.modified < UPLOADS, "G1"),
                KeyKind::Foreign(_) | KeyKind::Blob(_) => prop_assert!(false, "{row:?}"),
                KeyKind::TagIndex { digest, .. } if row.reason == Reason::DeadTagHistory => {
                    prop_assert!(untagged && !kept.contains(&digest));
                }
                KeyKind::Signature { revision, .. } if row.reason == Reason::Untagged => {
                    prop_assert!(untagged && !kept.contains(&revision));
                }
                KeyKind::Signature { .. }
                | KeyKind::TagIndex { .. }
                | KeyKind::TagCurrent { .. }
                | KeyKind::Marker { .. } => {
                    prop_assert_eq!(row.reason, Reason::EmptyRepository);
                    prop_assert_eq!(rows.len(), case.keys.len(), "all of it or nothing");
                }
            }
        }
    }

    #[test]
    fn more_that_is_alive_or_young_never_makes_more_go(
        case in case(), name in prop::sample::select(&NAMES[..]), at in any::<prop::sample::Index>(), untagged: bool,
    ) {
        let gone = |case: &Case| -> BTreeSet<Box<str>> {
            case.judge(untagged).rows.into_iter().map(|row| row.key).collect()
        };
        let before = gone(&case);
        prop_assert!(gone(&case.clone().alive(&[name], &[])).is_subset(&before));
        if !case.keys.is_empty() {
            let key = case.keys.keys().nth(at.index(case.keys.len())).cloned().unwrap();
            prop_assert!(gone(&case.clone().at(&key, Timestamp::FAR_FUTURE)).is_subset(&before));
        }
        let pinned = Case { doubts: vec![What::IrregularName], ..case };
        prop_assert!(gone(&pinned).is_subset(&before));
    }
}
