//! G2, G3: every key is listed once, or there is no plan.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use store::{ErrorKind, Listed, Object, Operation, StoreError};
use world::{Mode, World};

use super::{no_plan, odd_names, rows, unchanged};
use crate::crashes::{SMALL_WAYS, small};
use crate::hand::{Call, Hand, Handled, Page};
use crate::harness::{Collection, Expected, Ways, runtime};

#[test]
fn g2_every_key_is_seen_exactly_once_however_the_listing_is_cut() {
    let (world, mode) = (odd_names(), Mode::untagged());
    let expected = Expected::of(&world, &mode);
    for page in [1, 2, 3, 5, 7, 1000] {
        for width in [1, 2, 5, 8] {
            let ways = Ways { width, page, ..Ways::default() };
            let store = ways.store(&world);
            let collection = Collection::of(&world, store.clone(), &mode, &ways);
            let plan = runtime().block_on(collection.plan()).unwrap();
            let seen = plan.header().facts.keys;
            assert_eq!(seen, world.objects().len() as u64, "{ways:?}");
            let rows = rows(&plan);
            let distinct: BTreeSet<&String> = rows.iter().map(|(_, key)| key).collect();
            assert_eq!(distinct.len(), rows.len(), "a key is planned twice: {ways:?}");
            let report = runtime().block_on(collection.sweep()).unwrap();
            expected.check_it_is_collected(&store, &report);
        }
    }
}

/// What is wrong with a page.
#[derive(Clone, Copy, Debug)]
enum Hazard {
    Error(ErrorKind),
    /// The page before it once more, or its own first object.
    Repeated,
    /// Its objects in the wrong order.
    Reversed,
    /// An object that nobody asked for.
    Outside,
}

/// Makes one page of all listings a hazard.
struct BadPage {
    hazard: Hazard,
    pages_left: AtomicU64,
    last: Mutex<Vec<Listed>>,
}

impl Hand for BadPage {
    fn listed(&self, call: Call<'_>, page: Page) -> Result<Page, StoreError> {
        let Call::List { within, is_first } = call else { return Ok(page) };
        let mut last = self.last.lock().unwrap();
        if is_first {
            last.clear();
        }
        let before = std::mem::replace(&mut *last, page.clone().unwrap_or_default());
        if self.pages_left.fetch_sub(1, Ordering::SeqCst) != 0 {
            return Ok(page);
        }
        let own = page.clone().unwrap_or_default();
        match self.hazard {
            Hazard::Error(kind) => Err(StoreError::new(Operation::List, within, kind)),
            Hazard::Repeated if before.is_empty() => {
                Ok(Some(own.first().into_iter().chain(&own).cloned().collect()))
            }
            Hazard::Repeated => Ok(Some(before)),
            Hazard::Reversed => Ok(Some(own.into_iter().rev().collect())),
            Hazard::Outside => {
                let first = before.into_iter().chain(own).next().unwrap();
                let object = first.object().unwrap().clone();
                Ok(Some(vec![Object { key: "docker/registry/v3".into(), ..object }.into()]))
            }
        }
    }
}

/// Makes the page of a number bad; whether there was such a page.
fn list_badly(world: &World, hazard: Hazard, page: u64) -> bool {
    // One worker, so that the page before is of the same listing.
    let ways = Ways { width: 1, ..SMALL_WAYS };
    let (store, last) = (ways.store(world), Mutex::default());
    let hand = Arc::new(BadPage { hazard, pages_left: page.into(), last });
    let handled = Handled::new(&store, &hand);
    let collection = Collection::of(world, handled, &Mode::untagged(), &ways);
    let planned = runtime().block_on(collection.plan());
    unchanged(&store, world);
    let is_bad = hand.pages_left.load(Ordering::SeqCst) > u64::MAX / 2;
    if is_bad {
        assert!(planned.is_err(), "{hazard:?} at page {page}");
        no_plan(&collection);
    }
    is_bad
}

#[test]
fn g3_a_listing_that_fails_anywhere_in_any_way_makes_no_plan() {
    let world = small();
    for kind in [
        ErrorKind::NotFound,
        ErrorKind::NoContainer,
        ErrorKind::Denied,
        ErrorKind::Throttled,
        ErrorKind::Transient,
        ErrorKind::Malformed,
        ErrorKind::Stopped,
        ErrorKind::Fatal,
    ] {
        let pages = (0..1000).find(|page| !list_badly(&world, Hazard::Error(kind), *page));
        assert!(pages.unwrap() > 20, "{pages:?} pages are too few");
    }
}

#[test]
fn g3_a_listing_that_repeats_or_jumps_makes_no_plan() {
    let world = small();
    for hazard in [Hazard::Repeated, Hazard::Outside] {
        // The last page of all is the end of the blobs, where there is nothing to repeat.
        for page in 0..15 {
            assert!(list_badly(&world, hazard, page), "{hazard:?}: no page {page}");
        }
    }
    assert!(list_badly(&world, Hazard::Reversed, 0) && list_badly(&world, Hazard::Reversed, 1));
}
