//! What earlier runs read of manifests is not read again, and changes nothing.

use std::path::Path;
use std::sync::Arc;

use monitor::Counter;
use planner::{Facts, Note, Plan, Row};
use proptest::prelude::*;
use store::{ErrorKind, MemoryStore};
use world::strategy::{mode, script};
use world::{Bulk, Mode, Step, World};

use crate::cost::{Counting, manifests, now};
use crate::hand::{Failing, Handled};
use crate::harness::{Collection, Expected, Ways, cases, put_changes, runtime, scratch};
use crate::model::{days, ways, world};

/// What a plan decides, and on what grounds.
#[derive(Debug, PartialEq)]
struct Decided {
    rows: Vec<Row>,
    doubts: planner::Doubts,
    notes: Vec<Note>,
    facts: Facts,
}

impl Decided {
    fn by(plan: &Plan) -> Self {
        let rows = plan.segments().iter().flat_map(|segment| plan.rows(segment).unwrap());
        let mut rows: Vec<Row> = rows.map(Result::unwrap).collect();
        rows.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        let header = plan.header().clone();
        Self { rows, doubts: header.doubts, notes: header.notes, facts: header.facts }
    }
}

/// What is decided over `store`, with the manifest cache in a folder if one is named.
async fn decided(
    world: &World,
    store: &MemoryStore,
    mode: &Mode,
    ways: &Ways,
    cache: Option<&Path>,
) -> Decided {
    let collection = Collection::of(world, store.clone(), mode, ways);
    let collection = match cache {
        Some(path) => collection.remembering(path),
        None => collection,
    };
    Decided::by(&collection.plan().await.unwrap())
}

#[test]
fn a_second_run_reads_no_manifest_and_decides_the_very_same() {
    let world = world::bulk(now(), &Bulk { repositories: 12, orphans: 100, ..Bulk::default() });
    for mode in [Mode::default(), Mode::untagged()] {
        let (ways, cache) = (Ways::default(), scratch());
        let store = ways.store(&world);
        let run = || {
            let hand = Arc::new(Counting::default());
            let store = Handled::new(&store, &hand);
            let collection = Collection::of(&world, store, &mode, &ways).remembering(cache.path());
            let plan = runtime().block_on(collection.plan()).unwrap();
            let read = hand.0.lock().unwrap().gets.clone();
            let all = manifests(&world);
            let read = read.keys().filter(|key| all.contains(*key)).count();
            let counted = [Counter::AskedManifests, Counter::RecalledManifests]
                .map(|counter| collection.monitor.get(counter));
            (Decided::by(&plan), read as u64, counted)
        };
        let all = manifests(&world).len() as u64;
        let (first, read, counted) = run();
        assert_eq!((read, counted), (all, [all, 0]));
        let (second, read, counted) = run();
        assert_eq!((read, counted), (0, [0, all]));
        assert!(!first.rows.is_empty());
        assert_eq!(first, second);
    }
}

#[test]
fn a_run_that_fails_remembers_what_it_read() {
    let world = world::bulk(now(), &Bulk { repositories: 3, orphans: 0, ..Bulk::default() });
    let (mode, ways, cache) = (Mode::default(), Ways::default(), scratch());
    let store = ways.store(&world);
    let last = manifests(&world).into_iter().next_back().unwrap();
    let failing = Arc::new(Failing::new(&last, ErrorKind::Transient, u64::MAX));
    let failing = Handled::new(&store, &failing);
    let collection = Collection::of(&world, failing, &mode, &ways).remembering(cache.path());
    runtime().block_on(collection.plan()).unwrap_err();
    let read = collection.monitor.get(Counter::ReadManifests);
    let again = Collection::of(&world, store, &mode, &ways).remembering(cache.path());
    runtime().block_on(again.plan()).unwrap();
    assert!(read > 0);
    assert_eq!(again.monitor.get(Counter::RecalledManifests), read);
}

/// Whether a step harms what is there, so that a run that reads it sees something else.
fn is_harm(step: &Step) -> bool {
    matches!(step, Step::Lose { .. } | Step::Corrupt { .. })
}

/// A world, and what became of it after more steps.
fn later(before: &World, steps: &[Step], days: u64) -> World {
    let mut after = before.clone();
    for step in steps {
        after.apply(step);
    }
    after.age(std::time::Duration::from_hours(24 * days));
    after
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn whatever_is_pushed_and_deleted_what_is_remembered_changes_no_decision(
        script in script(50), more in script(30), mode in mode(), other in mode(),
        days in days(), ways in ways(),
    ) {
        let before = world(&script, days);
        let more: Vec<Step> = more.into_iter().filter(|step| !is_harm(step)).collect();
        let after = later(&before, &more, days);
        let (store, cache) = (ways.store(&before), scratch());
        runtime().block_on(async {
            decided(&before, &store, &other, &ways, Some(cache.path())).await;
            put_changes(&store, Some(&before), &after);
            let fresh = decided(&after, &store, &mode, &ways, None).await;
            for _ in 0..2 {
                let remembering = decided(&after, &store, &mode, &ways, Some(cache.path())).await;
                assert_eq!(remembering, fresh);
            }
        });
    }

    #[test]
    fn whatever_is_lost_or_rots_after_it_was_remembered_all_that_pulls_goes_on_to_pull(
        script in script(50), more in script(30), mode in mode(), days in days(), ways in ways(),
    ) {
        let before = world(&script, days);
        let after = later(&before, &more, days);
        let (store, cache) = (ways.store(&before), scratch());
        runtime().block_on(async {
            decided(&before, &store, &mode, &ways, Some(cache.path())).await;
            put_changes(&store, Some(&before), &after);
            let collection = Collection::of(&after, store.clone(), &mode, &ways);
            collection.remembering(cache.path()).run().await.unwrap();
        });
        Expected::of(&after, &mode).check_pulls(&store);
    }
}
