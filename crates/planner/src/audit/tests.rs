use std::time::Duration;

use registry::Timestamp;

use super::*;

const POLICY: Policy = Policy {
    untagged: true,
    grace: Duration::from_hours(24),
    uploads_older_than: Duration::from_hours(168),
};

/// A registry of middling size in which everything is as it should be.
fn healthy() -> Facts {
    Facts {
        newest_link: Some(Timestamp::from_seconds(1_000_000)),
        newest_blob: Some(Timestamp::from_seconds(999_999)),
        late_blobs: 0,
        blobs: Amount { count: 10_000, bytes: 1 << 40 },
        deleted_blobs: Amount { count: 3_000, bytes: 3 << 38 },
        young_blobs: 1_000,
        young_orphans: 50,
        repositories: 120,
        repositories_with_revisions: 100,
        untagged_repositories: 50,
        revisions: 1_000,
        untagged_revisions: 500,
        keys: 100_000,
        foreign_keys: 100,
        stray_links: 0,
        ..Facts::default()
    }
}

fn found(facts: &Facts, limits: &Limits) -> Vec<(Breaker, Severity)> {
    audit(facts, &POLICY, limits).iter().map(|note| (note.breaker, note.severity)).collect()
}

/// Changes a healthy registry; what must come out of it.
type Case = (&'static str, fn(&mut Facts), Option<(Breaker, Severity)>);

const FATAL: Severity = Severity::Fatal;
const WARNING: Severity = Severity::Warning;

const CASES: &[Case] = &[
    ("healthy up to every limit", |f| f.deleted_blobs.bytes = (1 << 40) * 30 / 100, None),
    ("one image late", |f| f.late_blobs = 9, Some((Breaker::StaleLinks, WARNING))),
    ("links stopped", |f| f.late_blobs = 10, Some((Breaker::StaleLinks, FATAL))),
    (
        "no links at all",
        |f| (f.newest_link, f.late_blobs) = (None, 10_000),
        Some((Breaker::StaleLinks, FATAL)),
    ),
    ("orphans past 5 %", |f| f.young_orphans = 51, Some((Breaker::YoungOrphans, FATAL))),
    (
        "19 orphans",
        |f| (f.young_orphans, f.young_blobs) = (19, 100),
        Some((Breaker::YoungOrphans, WARNING)),
    ),
    (
        "20 orphans",
        |f| (f.young_orphans, f.young_blobs) = (20, 100),
        Some((Breaker::YoungOrphans, FATAL)),
    ),
    ("20 orphans of 400", |f| (f.young_orphans, f.young_blobs) = (20, 400), None),
    (
        "repositories past half",
        |f| f.untagged_repositories = 51,
        Some((Breaker::UntaggedShare, FATAL)),
    ),
    (
        "4 of 4 repositories",
        |f| (f.untagged_repositories, f.repositories_with_revisions) = (4, 4),
        Some((Breaker::UntaggedShare, WARNING)),
    ),
    (
        "5 of 5 repositories",
        |f| (f.untagged_repositories, f.repositories_with_revisions) = (5, 5),
        Some((Breaker::UntaggedShare, FATAL)),
    ),
    ("revisions past half", |f| f.untagged_revisions = 501, Some((Breaker::UntaggedShare, FATAL))),
    (
        "49 of 50 revisions",
        |f| (f.untagged_revisions, f.revisions) = (49, 50),
        Some((Breaker::UntaggedShare, WARNING)),
    ),
    (
        "50 of 51 revisions",
        |f| (f.untagged_revisions, f.revisions) = (50, 51),
        Some((Breaker::UntaggedShare, FATAL)),
    ),
    ("count past 30 %", |f| f.deleted_blobs.count = 3_001, Some((Breaker::DeleteShare, FATAL))),
    (
        "bytes past 30 %",
        |f| f.deleted_blobs.bytes = (1 << 40) * 30 / 100 + 1,
        Some((Breaker::DeleteShare, FATAL)),
    ),
    (
        "99 of 100 blobs",
        |f| (f.deleted_blobs.count, f.deleted_blobs.bytes, f.blobs.count) = (99, 1, 100),
        Some((Breaker::DeleteShare, WARNING)),
    ),
    (
        "100 of 101 blobs",
        |f| (f.deleted_blobs.count, f.deleted_blobs.bytes, f.blobs.count) = (100, 1, 101),
        Some((Breaker::DeleteShare, FATAL)),
    ),
    (
        "one large blob of ten",
        |f| (f.blobs, f.deleted_blobs) = (amount(10, 100 << 30), amount(1, 64 << 30)),
        Some((Breaker::DeleteShare, FATAL)),
    ),
    (
        "one middling blob of ten",
        |f| (f.blobs, f.deleted_blobs) = (amount(10, 100 << 30), amount(1, (64 << 30) - 1)),
        Some((Breaker::DeleteShare, WARNING)),
    ),
    ("foreign past 0.1 %", |f| f.foreign_keys = 101, Some((Breaker::ForeignKeys, FATAL))),
    (
        "9 foreign of 10",
        |f| (f.foreign_keys, f.keys) = (9, 10),
        Some((Breaker::ForeignKeys, WARNING)),
    ),
    (
        "10 foreign of 11",
        |f| (f.foreign_keys, f.keys) = (10, 11),
        Some((Breaker::ForeignKeys, FATAL)),
    ),
    ("a stray link", |f| f.stray_links = 1, Some((Breaker::ForeignKeys, FATAL))),
];

const fn amount(count: u64, bytes: u64) -> Amount {
    Amount { count, bytes }
}

fn changed(change: fn(&mut Facts)) -> Facts {
    let mut facts = healthy();
    facts.deleted_blobs.bytes = 1;
    change(&mut facts);
    facts
}

#[test]
fn each_breaker_trips_just_past_its_share_and_its_floor() {
    for (name, change, expected) in CASES {
        let notes = found(&changed(*change), &Limits::default());
        assert_eq!(notes, Vec::from_iter(*expected), "{name}");
    }
}

#[test]
fn an_accepted_breaker_is_told_and_forbids_nothing() {
    for (name, change, expected) in CASES {
        let Some((breaker, severity)) = *expected else { continue };
        let accepted = Limits { accepted: [breaker].into(), ..Limits::default() };
        assert_eq!(found(&changed(*change), &accepted), [(breaker, Severity::Accepted)], "{name}");
        let others = Breaker::ALL.into_iter().filter(|other| *other != breaker).collect();
        let other = Limits { accepted: others, ..Limits::default() };
        assert_eq!(found(&changed(*change), &other), [(breaker, severity)], "{name}");
    }
}

#[test]
fn only_fatal_notes_forbid_sweeping() {
    for (name, change, expected) in CASES {
        let notes = audit(&changed(*change), &POLICY, &Limits::default());
        let is_fatal = matches!(expected, Some((_, Severity::Fatal)));
        assert_eq!(allows_sweep(&notes), !is_fatal, "{name}");
    }
}

#[test]
fn a_share_that_the_operator_named_holds_for_small_registries_too() {
    let mut facts =
        Facts { blobs: amount(10, 1_000), deleted_blobs: amount(2, 200), ..Facts::default() };
    let limits = |percent| Limits { max_delete_share_percent: Some(percent), ..Limits::default() };
    assert_eq!(found(&facts, &limits(20)), []);
    assert_eq!(found(&facts, &limits(19)), [(Breaker::DeleteShare, FATAL); 2]);
    facts.deleted_blobs = facts.blobs;
    assert_eq!(found(&facts, &limits(100)), []);
    assert_eq!(found(&facts, &limits(0)), [(Breaker::DeleteShare, FATAL); 2]);
}

#[test]
fn a_share_of_zero_allows_a_plan_that_deletes_nothing() {
    let facts = Facts { blobs: amount(10, 1_000), ..Facts::default() };
    let limits = Limits { max_delete_share_percent: Some(0), ..Limits::default() };
    assert_eq!(found(&facts, &limits), []);
}

#[test]
fn untagged_manifests_matter_only_where_they_would_go() {
    let mut facts = healthy();
    facts.deleted_blobs = Amount::default();
    (facts.untagged_repositories, facts.untagged_revisions) = (100, 1_000);
    let keeping = Policy { untagged: false, ..POLICY };
    assert_eq!(audit(&facts, &keeping, &Limits::default()), []);
    assert_eq!(found(&facts, &Limits::default()), [(Breaker::UntaggedShare, FATAL); 2]);
}

#[test]
fn an_empty_registry_is_unremarkable() {
    assert_eq!(audit(&Facts::default(), &POLICY, &Limits::default()), []);
}

#[test]
fn shares_of_the_largest_numbers_do_not_overflow() {
    assert!(exceeds(u64::MAX, u64::MAX, 99, 100));
    assert!(!exceeds(u64::MAX, u64::MAX, 100, 100));
    assert!(exceeds(1, 0, 100, 100));
}

#[test]
fn names_parse_back_and_an_unknown_one_is_answered_with_the_list() {
    for breaker in Breaker::ALL {
        assert_eq!(breaker.name().parse(), Ok(breaker));
        assert_eq!(serde_json::to_value(breaker).unwrap(), breaker.name());
    }
    let error = "all".parse::<Breaker>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "\"all\" is none of stale-links, young-orphans, untagged-share, delete-share, foreign-keys, \
         keep-list-stranger, keep-list-short, keep-list-outdated"
    );
}

#[test]
fn evidence_tells_the_numbers() {
    let mut facts = healthy();
    facts.deleted_blobs = Amount::default();
    facts.late_blobs = 12;
    let notes = audit(&facts, &POLICY, &Limits::default());
    let expected = "12 of 10000 blobs were written more than an hour after the newest link (1970-01-12T13:46:40Z), \
                    the newest at 1970-01-12T13:46:39Z: links may be kept elsewhere";
    assert_eq!(notes[0].evidence, expected);
    assert_eq!((notes[0].found, notes[0].of), (12, 10_000));
}
