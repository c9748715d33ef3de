//! Random registries, random ways, random failures: what is left is what the model says.

use std::sync::Arc;
use std::time::Duration;

use monitor::{Monitor, Stop};
use proptest::prelude::*;
use registry::Timestamp;
use store::{
    ErrorKind, FaultPlan, Faulty, MemoryStore, Operation, Retried, RetrySettings, StoreError,
};
use world::strategy::{mode, script};
use world::{Mode, Random, Size, Step, World};

use crate::hand::{Call, Hand, Handled};
use crate::harness::{Collection, Expected, Ways, cases, keys, put_changes, runtime};

/// A world in which `script` happened, some time ago or just now.
pub(crate) fn world(script: &[Step], days_ago: u64) -> World {
    let mut world = World::new(Timestamp::from_seconds(1_700_000_000), "");
    for step in script {
        world.apply(step);
    }
    world.age(Duration::from_hours(24 * days_ago));
    world
}

pub(crate) fn ways() -> impl Strategy<Value = Ways> {
    let numbers = (1..9usize, 1..8usize, 1..6usize);
    let kinds = (any::<bool>(), any::<bool>(), prop_oneof![Just(0), Just(1 << 30)]);
    (numbers, kinds).prop_map(|((width, page, batch), (has_etags, presumes, memory))| Ways {
        width,
        page,
        batch,
        has_etags,
        presumes,
        memory,
    })
}

pub(crate) fn days() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), Just(1), Just(2), Just(40)]
}

/// Collects `store` undisturbed and checks everything there is to check; says how many objects went.
async fn collect(world: &World, store: &MemoryStore, mode: &Mode, ways: &Ways) -> u64 {
    let expected = Expected::of(world, mode);
    let collection = Collection::of(world, store.clone(), mode, ways);
    let report = collection.run().await.unwrap();
    expected.check_it_is_collected(store, &report);
    let deleted = report.total.fates.deleted.objects;
    assert_eq!(deleted, expected.gone(&keys(store)).len() as u64, "G10");
    assert_eq!(deleted, report.total.planned.objects, "G10");
    deleted
}

/// Tells the world what is gone from the store.
fn note_deleted(world: &mut World, store: &MemoryStore) {
    let left = keys(store);
    let gone: Vec<String> =
        world.objects().keys().filter(|key| !left.contains(*key)).cloned().collect();
    world.note_deleted(gone.iter().map(String::as_str));
}

/// A store that asks `store` again, without a pause, until it answers well.
pub(crate) fn stubborn(store: &MemoryStore, faults: FaultPlan) -> Retried<Faulty<MemoryStore>> {
    let settings = RetrySettings { first_pause: Duration::ZERO, ..RetrySettings::default() };
    let (monitor, stop) = (Arc::new(Monitor::new()), Arc::new(Stop::new()));
    Retried::new(Faulty::new(store.clone(), faults), settings, &monitor, &stop)
}

/// Lets only some keys be read.
struct Forbidding {
    seed: u64,
}

impl Hand for Forbidding {
    async fn before(&self, call: Call<'_>) -> Result<(), StoreError> {
        let Call::Get(key) = call else { return Ok(()) };
        let letters = key.bytes().fold(self.seed, |sum, byte| sum.rotate_left(7) ^ u64::from(byte));
        if Random::new(letters).chance(self.seed % 100) {
            return Err(StoreError::new(Operation::Get, key, ErrorKind::Denied));
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn a_collection_takes_all_garbage_and_nothing_live_and_leaves_nothing_to_the_next(
        script in script(60), mode in mode(), days in days(),
    ) {
        let (mut world, ways) = (world(&script, days), Ways::default());
        let store = ways.store(&world);
        let open = Expected::of(&world, &mode).open();
        runtime().block_on(async {
            collect(&world, &store, &mode, &ways).await;
            note_deleted(&mut world, &store);
            // What the rules leave open may go as soon as that which kept it is gone.
            collect(&world, &store, &mode, &ways).await;
            let gone = Expected::of(&world, &mode).gone(&keys(&store));
            assert!(gone.is_subset(&open), "{gone:#?} were not left open");
            note_deleted(&mut world, &store);
            assert_eq!(collect(&world, &store, &mode, &ways).await, 0, "the third collection");
        });
    }

    #[test]
    fn g2_pages_ranges_workers_batches_and_etags_make_no_difference(
        script in script(60), mode in mode(), days in days(), ways in ways(),
    ) {
        let world = world(&script, days);
        let (usual, other) = (Ways::default().store(&world), ways.store(&world));
        runtime().block_on(async {
            collect(&world, &usual, &mode, &Ways::default()).await;
            collect(&world, &other, &mode, &ways).await;
        });
        prop_assert_eq!(usual.keys(), other.keys());
    }
}

proptest! {
    #![proptest_config(cases(96))]

    #[test]
    fn failures_that_pass_make_no_difference(
        script in script(50), mode in mode(), days in days(), ways in ways(),
        seed: u64, rate in 1..400u16,
    ) {
        let world = world(&script, days);
        let (usual, other) = (ways.store(&world), ways.store(&world));
        runtime().block_on(async {
            collect(&world, &usual, &mode, &ways).await;
            let store = stubborn(&other, FaultPlan::passing(seed, rate));
            let collection = Collection::of(&world, store, &mode, &ways);
            let report = collection.run().await.unwrap();
            Expected::of(&world, &mode).check_it_is_collected(&other, &report);
        });
        prop_assert_eq!(usual.keys(), other.keys());
    }

    #[test]
    fn whatever_fails_nothing_live_is_lost_and_a_later_collection_ends_clean(
        script in script(50), mode in mode(), days in days(), ways in ways(),
        seed: u64, rate in 1..200u16,
    ) {
        let mut world = world(&script, days);
        let store = ways.store(&world);
        runtime().block_on(async {
            let faulty = Faulty::new(store.clone(), FaultPlan::passing(seed, rate));
            let collection = Collection::of(&world, faulty, &mode, &ways);
            let report = collection.run().await;
            Expected::of(&world, &mode).check_nothing_is_lost(&store);
            if let Ok(report) = report {
                report.check().unwrap();
            }
            note_deleted(&mut world, &store);
            collect(&world, &store, &mode, &ways).await;
        });
    }

    #[test]
    fn g4_what_may_not_be_read_costs_nobody_a_pull_and_a_later_collection_ends_clean(
        script in script(50), mode in mode(), days in days(), ways in ways(), seed: u64,
    ) {
        let mut world = world(&script, days);
        let store = ways.store(&world);
        runtime().block_on(async {
            let handled = Handled::new(&store, &Arc::new(Forbidding { seed }));
            match Collection::of(&world, handled, &mode, &ways).run().await {
                Ok(report) => report.check().unwrap(),
                // Which blob an alias serves, only its link says.
                Err(error) => assert!(store.keys().concat().contains("/sha512/"), "{error:?}"),
            }
            let expected = Expected::of(&world, &mode);
            expected.check_pulls(&store);
            // What a manifest names and its repository does not link is known only to who can read it.
            let left = keys(&store);
            let is_link = |key: &&String| key.ends_with("/link");
            let lost: Vec<_> = expected.live.difference(&left).filter(is_link).collect();
            assert!(lost.is_empty(), "live, and gone: {lost:#?}");
            note_deleted(&mut world, &store);
            collect(&world, &store, &mode, &ways).await;
        });
    }

    #[test]
    fn a_registry_that_is_used_and_collected_again_and_again_stays_whole(
        rounds in prop::collection::vec((script(25), mode(), days(), ways(), any::<Option<u64>>()), 1..6),
    ) {
        let mut world = world(&[], 0);
        let store = Ways::default().store(&world);
        for (script, mode, days, ways, disturbed) in rounds {
            let before = world.clone();
            for step in &script {
                world.apply(step);
            }
            world.age(Duration::from_hours(24 * days));
            put_changes(&store, Some(&before), &world);
            runtime().block_on(async {
                let Some(seed) = disturbed else {
                    collect(&world, &store, &mode, &ways).await;
                    return;
                };
                let faulty = Faulty::new(store.clone(), FaultPlan::passing(seed, 60));
                // It may fail; what it did must be right all the same.
                drop(Collection::of(&world, faulty, &mode, &ways).run().await);
                Expected::of(&world, &mode).check_nothing_is_lost(&store);
            });
            note_deleted(&mut world, &store);
        }
    }
}

#[test]
fn registries_that_were_used_for_months_are_collected_as_the_model_says() {
    let now = Timestamp::from_seconds(1_790_000_000);
    for seed in 0..8 {
        let size = Size { repositories: 9, events_per_repository: 14, ..Size::default() };
        let mut world = world::sample(now, seed, &size);
        for mode in [Mode::default(), Mode::untagged()] {
            let ways = Ways { page: 100, batch: 50, ..Ways::default() };
            let store = ways.store(&world);
            let deleted = runtime().block_on(collect(&world, &store, &mode, &ways));
            assert!(deleted > 10, "seed {seed}: {deleted}");
            note_deleted(&mut world, &store);
        }
    }
}
