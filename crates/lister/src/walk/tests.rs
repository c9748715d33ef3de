//! Walks over arbitrary keys, cut anywhere.

use std::collections::BTreeSet;

use proptest::prelude::*;
use store::{Crash, ErrorKind, FaultPlan, Faulty};

use super::*;
use crate::NoSeeder;
use crate::testing::{Trick, Unhurried, ends, runtimes, text, walk_of};

/// Cuts that were thought of before.
struct Given(Vec<String>);

impl Seeder for Given {
    async fn cuts(&self, _position: &str) -> Result<Vec<String>, store::StoreError> {
        tokio::task::yield_now().await;
        Ok(self.0.clone())
    }
}

/// Keeps the keys of one range.
#[derive(Default)]
struct Keys(Vec<Box<str>>);

impl Part for Keys {
    async fn take(&mut self, entries: Vec<Listed>) -> Result<(), ListError> {
        tokio::task::yield_now().await;
        self.0.extend(entries.into_iter().map(Listed::into_key));
        Ok(())
    }
}

async fn keys_of<S: ReadStore, D: Seeder>(ask: Walk<S, D>) -> Result<Vec<Box<str>>, ListError> {
    let parts = walk(ask, Keys::default).await?;
    Ok(parts.into_iter().flat_map(|part| part.0).collect())
}

fn below_p(keys: &BTreeSet<String>) -> Vec<String> {
    keys.iter().filter(|key| key.starts_with("p/")).cloned().collect()
}

fn numbered(count: usize) -> BTreeSet<String> {
    (0..count).map(|n| format!("p/{n:05}")).collect()
}

prop_compose! {
    /// Keys, most of them below `p/`, and cuts: keys, what lies between keys, and nonsense.
    fn keys_and_cuts()(
        keys in prop::collection::btree_set(text().prop_map(|text| format!("p/{text}")), 0..50),
        others in prop::collection::btree_set(text(), 0..5),
        near in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        far in prop::collection::vec(prop_oneof![text(), text().prop_map(|text| format!("p/{text}"))], 0..5),
    ) -> (BTreeSet<String>, Vec<String>) {
        let listed: Vec<&String> = keys.iter().collect();
        let near = near.iter().filter(|_| !listed.is_empty()).map(|at| (*at.get(&listed)).clone());
        let cuts = near.chain(far).collect();
        (keys.into_iter().chain(others).collect(), cuts)
    }
}

proptest! {
    #[test]
    fn g2_every_key_comes_once_and_in_order_wherever_the_listing_is_cut(
        (keys, cuts) in keys_and_cuts(), page in 1usize..8, workers in 1usize..9, in_place in any::<bool>(),
    ) {
        for runtime in runtimes() {
            let store = Unhurried::new(page, &keys).in_place(in_place);
            let (ask, monitor) = walk_of(store.clone(), Given(cuts.clone()), workers);
            let listed = ends(&runtime, keys_of(ask)).unwrap();
            let expected = below_p(&keys);
            prop_assert!(listed.iter().map(|key| &**key).eq(expected.iter().map(String::as_str)));
            prop_assert_eq!(monitor.get(Counter::BlobKeys), expected.len() as u64);
            let ranges = monitor.get(Counter::ListedRanges);
            let full = (expected.len() / page) as u64;
            prop_assert!(store.pages() <= full + 2 * ranges, "{} {full} {ranges}", store.pages());
            prop_assert!(ranges <= 1 + cuts.len() as u64 + store.pages(), "a steal for each page");
        }
    }

    #[test]
    fn g3_an_error_at_any_call_surfaces(
        (keys, cuts) in keys_and_cuts(), page in 1usize..8, workers in 1usize..9, at in any::<prop::sample::Index>(),
    ) {
        for runtime in runtimes() {
            let whole = Unhurried::new(page, &keys);
            ends(&runtime, keys_of(walk_of(whole.clone(), Given(cuts.clone()), workers).0)).unwrap();
            // Other timing makes other requests; each walk makes at least one for each full page and the end.
            let least = below_p(&keys).len() / page + 1;
            let crash = Crash::after(at.index(least) as u64);
            let store = Faulty::crashing(Unhurried::new(page, &keys), FaultPlan::none(), crash);
            let outcome = ends(&runtime, keys_of(walk_of(store, Given(cuts.clone()), workers).0));
            prop_assert!(matches!(outcome, Err(ListError::Store { .. })), "{outcome:?}");
        }
    }

    #[test]
    fn g3_faults_surface_or_change_nothing(
        (keys, cuts) in keys_and_cuts(), seed in any::<u64>(), rate in 0u16..200, workers in 1usize..9,
        in_place in any::<bool>(),
    ) {
        for runtime in runtimes() {
            let store = Unhurried::new(3, &keys).in_place(in_place);
            let store = Faulty::new(store, FaultPlan::passing(seed, rate));
            match ends(&runtime, keys_of(walk_of(store, Given(cuts.clone()), workers).0)) {
                Ok(listed) => prop_assert_eq!(listed.len(), below_p(&keys).len()),
                Err(error) => prop_assert!(matches!(error, ListError::Store { .. }), "{error}"),
            }
        }
    }

    #[test]
    fn g3_keys_that_do_not_ascend_are_refused(
        trick in prop::sample::select(vec![Trick::Repeated, Trick::Overlapping, Trick::Swapped, Trick::Outside]),
        from in 0u64..5, page in 2usize..5, workers in 1usize..5,
    ) {
        for runtime in runtimes() {
            let store = Unhurried::new(page, numbered(60)).playing(trick, from);
            let outcome = ends(&runtime, keys_of(walk_of(store, NoSeeder, workers).0));
            prop_assert!(matches!(outcome, Err(ListError::Order { .. })), "{outcome:?}");
        }
    }

    #[test]
    fn a_stop_is_an_error_and_is_seen_within_a_page_of_each_worker(
        at in 0u64..40, workers in 1usize..9,
    ) {
        for runtime in runtimes() {
            let (mut ask, _) = walk_of(Unhurried::new(2, numbered(100)), NoSeeder, workers);
            let store = ask.store.stopping(&ask.stop, at);
            ask.store = Arc::new(store.clone());
            let outcome = ends(&runtime, keys_of(ask));
            prop_assert!(matches!(outcome, Err(ListError::Stopped { .. })), "{outcome:?}");
            prop_assert!(store.pages() <= at + 1 + workers as u64, "{} pages", store.pages());
        }
    }
}

#[test]
fn a_seeder_that_fails_ends_the_walk() {
    struct Failing;
    impl Seeder for Failing {
        async fn cuts(&self, position: &str) -> Result<Vec<String>, store::StoreError> {
            Err(store::StoreError::new(store::Operation::List, position, ErrorKind::Denied))
        }
    }
    for runtime in runtimes() {
        let outcome =
            ends(&runtime, keys_of(walk_of(Unhurried::new(5, numbered(30)), Failing, 4).0));
        assert!(matches!(outcome, Err(ListError::Store { .. })), "{outcome:?}");
    }
}

#[test]
fn a_part_that_fails_or_panics_ends_the_walk_and_every_worker() {
    struct Bad(bool);
    impl Part for Bad {
        async fn take(&mut self, entries: Vec<Listed>) -> Result<(), ListError> {
            assert!(!self.0 || entries[0].key() < "p/00010", "a bug, by plan");
            let is_late = entries[0].key() > "p/00010";
            if is_late { Err(ListError::Abandoned { within: "p/".into() }) } else { Ok(()) }
        }
    }
    for runtime in runtimes() {
        for panics in [false, true] {
            let (ask, _) = walk_of(Unhurried::new(3, numbered(90)), NoSeeder, 4);
            let store = Arc::downgrade(&ask.store);
            let error = ends(&runtime, walk(ask, move || Bad(panics))).err().unwrap();
            assert_eq!(matches!(error, ListError::LostWorker { .. }), panics, "{error}");
            assert!(store.upgrade().is_none(), "no worker is left");
        }
    }
}

#[test]
fn an_empty_listing_is_one_request() {
    for runtime in runtimes() {
        let store = Unhurried::new(7, ["o/before", "q/behind"]);
        let listed = ends(&runtime, keys_of(walk_of(store.clone(), NoSeeder, 8).0)).unwrap();
        assert!(listed.is_empty());
        assert_eq!(store.pages(), 1);
    }
}

#[test]
fn a_short_listing_is_cut_only_where_the_store_answers_at_once() {
    let cuts = || Given(vec!["p/00002".to_owned(), "p/00004".to_owned()]);
    for (in_place, ranges) in [(false, 1), (true, 3)] {
        let store = Unhurried::new(10, numbered(6)).in_place(in_place);
        let (ask, monitor) = walk_of(store, cuts(), 2);
        assert_eq!(ends(&runtimes()[0], keys_of(ask)).unwrap().len(), 6);
        assert_eq!(monitor.get(Counter::ListedRanges), ranges);
    }
}

#[test]
fn all_workers_list_from_when_on_the_store_keeps_one_waiting() {
    let cuts = || Given((1..20).map(|n| format!("p/{:05}", n * 100)).collect());
    let most = |runtime, from| {
        let store = Unhurried::new(10, numbered(2000)).in_place(true).waiting_from(from);
        let (ask, _) = walk_of(store.clone(), cuts(), 8);
        assert_eq!(ends(runtime, keys_of(ask)).unwrap().len(), 2000);
        store.most_pages_at_once()
    };
    let [one, several] = runtimes();
    assert_eq!([0, 40, u64::MAX].map(|from| most(&one, from)), [8, 8, 1]);
    assert!(most(&several, u64::MAX) <= 3, "there are three threads");
}

#[test]
fn idle_workers_share_a_long_listing_without_a_seeder() {
    let runtime = &runtimes()[0];
    let (ask, monitor) = walk_of(Unhurried::new(10, numbered(3000)), NoSeeder, 8);
    let parts = ends(runtime, walk(ask, Keys::default)).unwrap();
    let longest = parts.iter().map(|part| part.0.len()).max().unwrap();
    assert!(longest < 3000 / 4, "{longest} of 3000 keys by one worker");
    let ranges = monitor.get(Counter::ListedRanges);
    assert!(ranges < 60, "{ranges} ranges for 300 pages");
}
