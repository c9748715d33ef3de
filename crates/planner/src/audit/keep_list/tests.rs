use std::time::Duration;

use crate::{Amount, Breaker, Facts, Limits, Policy, Severity, audit};

const POLICY: Policy = Policy {
    untagged: false,
    grace: Duration::from_hours(24),
    uploads_older_than: Duration::from_hours(168),
};

/// GitLab's registry long after it moved to a database: nothing is linked, and the list has nearly all that is there.
fn moved() -> Facts {
    Facts {
        blobs: Amount { count: 1_000, bytes: 1_000 },
        deleted_blobs: Amount { count: 20, bytes: 20 },
        late_blobs: 20,
        young_blobs: 400,
        young_orphans: 20,
        keep_list: 980,
        keep_list_blobs: 980,
        ..Facts::default()
    }
}

/// Harbor: everything is linked, and its database knows it.
fn linked() -> Facts {
    Facts { revisions: 2_000, young_revisions: 100, repositories: 9, ..moved() }
}

fn found(facts: &Facts) -> Vec<(Breaker, Severity)> {
    let notes = audit(facts, &POLICY, &Limits::default());
    notes.iter().map(|note| (note.breaker, note.severity)).collect()
}

#[test]
fn what_is_by_nature_so_is_unremarkable() {
    assert_eq!(found(&moved()), [], "no link at all, and some garbage");
    assert_eq!(found(&linked()), []);
    let no_list = Facts { keep_list: 0, keep_list_blobs: 0, ..moved() };
    assert_eq!(found(&no_list), [(Breaker::StaleLinks, Severity::Fatal)]);
}

#[test]
fn most_of_a_list_that_is_not_here_is_of_another_registry() {
    let stranger = Breaker::KeepListStranger;
    let at = |all, here| found(&Facts { keep_list: all, keep_list_blobs: here, ..moved() });
    assert_eq!(at(1_000, 500), [], "half of it");
    assert_eq!(at(1_001, 500), [(stranger, Severity::Fatal)]);
    assert_eq!(at(20, 1), [(stranger, Severity::Warning)], "19, as foreign layers of some images");
    assert_eq!(at(21, 1), [(stranger, Severity::Fatal)]);
    assert_eq!(at(1, 0), [(stranger, Severity::Fatal)], "nothing of it is here at all");
    let empty = Facts { keep_list: 9, ..Facts::default() };
    assert_eq!(found(&empty), [], "nothing can go");
}

#[test]
fn a_list_that_lacks_what_was_pushed_lately_is_not_whole() {
    let short = Breaker::KeepListShort;
    let at = |gaps, of| found(&Facts { keep_list_gaps: gaps, young_revisions: of, ..linked() });
    assert_eq!(at(0, 0), [], "nothing was linked lately");
    assert_eq!(at(10, 200), []);
    assert_eq!(at(11, 200), [(short, Severity::Fatal)]);
    assert_eq!(at(9, 9), [(short, Severity::Warning)], "two images that were deleted");
    assert_eq!(at(10, 10), [(short, Severity::Fatal)]);
}

#[test]
fn a_single_blob_that_is_newer_than_the_list_says_that_somebody_pushed() {
    let facts = Facts { keep_list_late_blobs: 1, ..linked() };
    assert_eq!(found(&facts), [(Breaker::KeepListOutdated, Severity::Fatal)]);
}

#[test]
fn young_blobs_that_are_neither_linked_nor_listed_say_that_the_list_was_cut_off() {
    let facts = Facts { young_orphans: 21, ..moved() };
    let notes = audit(&facts, &POLICY, &Limits::default());
    assert_eq!(found(&facts), [(Breaker::YoungOrphans, Severity::Fatal)]);
    assert_eq!(
        notes[0].evidence,
        "21 of 400 blobs younger than 30 days are linked by no repository and not on the keep list: the list may not be \
         whole"
    );
}

#[test]
fn where_a_list_decides_the_share_that_may_go_spares_no_small_registry() {
    let few = Facts {
        blobs: Amount { count: 10, bytes: 10 },
        deleted_blobs: Amount { count: 4, bytes: 4 },
        keep_list: 6,
        keep_list_blobs: 6,
        ..Facts::default()
    };
    assert_eq!(found(&few), [(Breaker::DeleteShare, Severity::Fatal); 2]);
    let less = Facts { deleted_blobs: Amount { count: 3, bytes: 3 }, ..few };
    assert_eq!(found(&less), []);
}

#[test]
fn evidence_tells_the_numbers() {
    let facts = Facts { keep_list: 900, keep_list_blobs: 100, ..moved() };
    let notes = audit(&facts, &POLICY, &Limits::default());
    assert_eq!((notes[0].found, notes[0].of), (800, 900));
    assert!(
        notes[0].evidence.starts_with("800 of 900 digests on the keep list are not in the store")
    );
    let facts = Facts { keep_list_gaps: 50, ..linked() };
    let notes = audit(&facts, &POLICY, &Limits::default());
    assert_eq!((notes[0].found, notes[0].of), (50, 100));
    assert!(notes[0].evidence.starts_with("50 of 100 manifests younger than 30 days are not on"));
}
