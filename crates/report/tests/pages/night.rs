//! What the page of a night says, and what it leaves out.

use planner::{Amount, RowKind};
use proptest::prelude::*;
use report::{Gathering, NightEnd, Place};

use crate::fixture::{blob, link};
use crate::nights::{Blobs, amount, busy, ended_by_audit, gathered, quiet};

/// Blobs by number and bytes, and from which repositories links lead to them.
fn blobs() -> impl Strategy<Value = Blobs> {
    let holders = prop::collection::btree_set(0..6_u8, 0..4);
    let blobs = prop::collection::btree_map(0..40_u64, (0..5000_u64, holders), 0..30);
    blobs.prop_map(|blobs| {
        let with_links = blobs.into_iter().map(|(number, (bytes, holders))| {
            let name = |holder| format!("team/app-{holder}");
            let links = holders.into_iter().map(|holder| link(&name(holder), number));
            (blob(number, bytes, number * 50_000), links.collect())
        });
        with_links.collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn g10_every_byte_that_was_told_is_somewhere_once(blobs in blobs()) {
        let links: Amount = blobs
            .iter()
            .flat_map(|(_, links)| links)
            .map(|link| Amount { count: 1, bytes: link.bytes })
            .sum();
        let cases = [
            (gathered(&blobs, Gathering::add), links),
            (gathered(&blobs, Gathering::add_alone), Amount::default()),
        ];
        for (figures, links) in cases {
            let of = |is_blob| -> Amount {
                let kinds = figures.kinds().iter();
                kinds.filter(|((kind, _), _)| (*kind == RowKind::Blob) == is_blob)
                    .map(|(_, amount)| *amount).sum()
            };
            prop_assert_eq!((of(true), of(false)), (amount(&blobs), links));
            let placed: u64 = figures.places().iter().map(Place::bytes).sum();
            prop_assert_eq!(placed + figures.unplaced().bytes, of(true).bytes + links.bytes);
        }
    }
}

#[test]
fn sections_that_mean_nothing_are_left_out() {
    let mut priced = quiet();
    priced.bill = busy().bill;
    let priced = priced.page();
    let (busy, quiet) = (busy().page(), quiet().page());
    for id in ["kinds", "repositories", "distribution", "blobs", "deleted", "waiting", "doubts"] {
        let section = format!("<section id=\"{id}\"");
        assert!(busy.contains(&section) && !quiet.contains(&section), "{id}");
    }
    for page in [quiet, priced] {
        let is_billed = page.contains("<section id=\"cost\"") || page.contains("Saved in a month");
        assert!(!is_billed, "nobody bills files");
    }
    let unpriced = ended_by_audit("").page();
    assert!(unpriced.contains("What was asked of the store") && !unpriced.contains("Price"));
}

#[test]
fn a_page_says_how_a_night_ended_and_why() {
    for (ended, says) in [
        (NightEnd::Completed, "Collected"),
        (NightEnd::Partial, "Collected, with something left to do"),
        (NightEnd::Stopped, "Stopped before the end"),
        (NightEnd::Refused, "It was refused to go on"),
        (NightEnd::Broken, "The run broke off"),
    ] {
        let mut shown = busy();
        shown.ended = ended;
        shown.why = (ended != NightEnd::Completed).then(|| "the reason is told".to_owned());
        let page = shown.page();
        assert!(page.contains(&format!("{says}</h2>")), "{ended:?}");
        assert_eq!(page.contains("The reason is told."), ended != NightEnd::Completed, "{ended:?}");
    }
    let mut lost = busy();
    (lost.ended, lost.deeds.lost) = (NightEnd::Partial, 1);
    assert!(lost.page().contains("Something that is needed is gone</h2>"));
    lost = quiet();
    assert!(lost.page().contains("Nothing to do</h2>"));
}

#[test]
fn a_night_that_came_to_no_look_says_nothing_of_what_was_seen() {
    let mut shown = busy();
    (shown.look, shown.bill) = (None, None);
    let page = shown.page();
    assert!(!page.contains("What was seen") && !page.contains("In doubt"));
}
