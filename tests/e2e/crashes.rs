//! G11: cut off at any instant and taken up again, a collection ends in the same objects.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use planner::{Plan, PlanError};
use proptest::prelude::*;
use registry::Timestamp;
use regsweep::Failure;
use store::{
    Crash, DeleteStore, FaultPlan, Faulty, MemoryStore, MultipartStore, StoreError, WriteStore,
};
use sweeper::{Cause, Journal, SweepReport};
use tokio::sync::Notify;
use world::strategy::{mode, script};
use world::{Content, Image, Index, Mode, World};

use crate::hand::{Call, Hand, Handled};
use crate::harness::{Collection, Expected, Ways, cases, runtime};
use crate::model::{ways, world};

/// A bit of everything that lives and everything that goes, 30 days old.
pub(crate) fn small() -> World {
    let mut world = World::new(Timestamp::from_seconds(1_700_000_000), "");
    let image = |number: u64| Image::new(number * 10, &[Content::new(number * 10 + 1, 32)]);
    world.push_image("app", &image(1), Some("v1"));
    let moved_on = world.push_image("app", &image(2), Some("v1"));
    let child = world.push_image("app", &image(3), None);
    world.push_index("app", &Index::of(&[child]), Some("v2"));
    world.push_artifact("app", moved_on, Content::new(500, 32), None);
    let dead = world.push_image("app/x", &image(4), None);
    world.push_artifact("app/x", dead, Content::new(501, 32), None);
    world.push_schema1("old", &[Content::new(502, 32)], &[Content::new(503, 32)], Some("v1"));
    world.push_schema1("old", &[Content::new(504, 32)], &[Content::new(505, 32)], None);
    world.upload_sha512("app", Content::new(506, 32));
    world.start_upload("app", Content::new(507, 32));
    let gone = world.push_image("gone", &image(5), Some("v1"));
    world.put_marker("gone", "_uploads/");
    world.lose(&world.keys().revision("gone", &gone));
    world.age(Duration::from_hours(30 * 24));
    world
}

/// Small enough that a collection of a small world takes many calls of every kind.
pub(crate) const SMALL_WAYS: Ways =
    Ways { width: 2, page: 5, batch: 4, has_etags: false, presumes: true, memory: 0 };

/// A collection without crashes: what is left, and how many calls the plan and all of it took.
fn uninterrupted(world: &World, mode: &Mode, ways: &Ways) -> (MemoryStore, u64, u64) {
    let (store, crash) = (ways.store(world), Crash::never());
    let counted = Faulty::crashing(store.clone(), FaultPlan::none(), crash.clone());
    let collection = Collection::of(world, counted, mode, ways);
    runtime().block_on(collection.plan()).unwrap();
    let planned = crash.calls();
    let report = runtime().block_on(collection.sweep()).unwrap();
    Expected::of(world, mode).check_it_is_collected(&store, &report);
    (store, planned, crash.calls())
}

/// What the program does when it is started again: takes up the plan in the directory, or makes one.
pub(crate) fn take_up<S>(crashed: &Collection<S>, store: &MemoryStore) -> SweepReport {
    let again = crashed.again(store.clone());
    match Plan::open(&again.dir()) {
        Ok(_) => {}
        Err(PlanError::NotAPlan { .. }) => drop(runtime().block_on(again.plan()).unwrap()),
        Err(error) => panic!("{error:?}"),
    }
    match runtime().block_on(again.sweep()) {
        Ok(report) => report,
        Err(Failure::Sweep(error)) if matches!(error.cause, Cause::AlreadyApplied) => *error.report,
        Err(error) => panic!("{error:?}"),
    }
}

#[test]
fn g11_a_crash_at_every_call_ends_in_the_same_objects() {
    let (world, mode) = (small(), Mode::untagged());
    let (end, planned, calls) = uninterrupted(&world, &mode, &SMALL_WAYS);
    assert!(planned > 30 && calls > planned + 8, "{planned} of {calls} calls are too few");
    for call in 0..calls {
        let store = SMALL_WAYS.store(&world);
        let crash = Crash::after(call);
        let faulty = Faulty::crashing(store.clone(), FaultPlan::none(), crash.clone());
        let collection = Collection::of(&world, faulty, &mode, &SMALL_WAYS);
        runtime().block_on(collection.run()).unwrap_err();
        assert!(crash.has_happened());
        if call < planned {
            assert!(store.keys().iter().eq(world.objects().keys()), "a plan deletes nothing");
        }
        Expected::of(&world, &mode).check_nothing_is_lost(&store);
        let report = take_up(&collection, &store);
        assert!(report.is_clean(), "{report:?}");
        assert_eq!(store.keys(), end.keys(), "call {call}");
    }
}

/// Stands still for ever at one call.
struct Halting {
    calls_left: AtomicU64,
    halted: Notify,
}

impl Hand for Halting {
    async fn before(&self, _: Call<'_>) -> Result<(), StoreError> {
        let less = |calls: u64| calls.checked_sub(1);
        let count = self.calls_left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less);
        if count.is_err() {
            self.halted.notify_one();
            std::future::pending::<()>().await;
        }
        Ok(())
    }
}

#[test]
fn g11_a_run_that_is_dropped_at_every_call_ends_in_the_same_objects() {
    let (world, mode) = (small(), Mode::untagged());
    let (end, _, calls) = uninterrupted(&world, &mode, &SMALL_WAYS);
    for call in 0..calls {
        let store = SMALL_WAYS.store(&world);
        let hand = Arc::new(Halting { calls_left: call.into(), halted: Notify::new() });
        let collection = Collection::of(&world, Handled::new(&store, &hand), &mode, &SMALL_WAYS);
        // Ending the runtime ends every task, and waits for the thread that writes the journal.
        runtime().block_on(async {
            tokio::select! {
                ended = collection.run() => panic!("it was to halt at call {call}: {ended:?}"),
                () = hand.halted.notified() => {}
            }
        });
        Expected::of(&world, &mode).check_nothing_is_lost(&store);
        let report = take_up(&collection, &store);
        assert!(report.is_clean(), "{report:?}");
        assert_eq!(store.keys(), end.keys(), "call {call}");
    }
}

/// What a crash may leave of a journal: its beginning.
fn tear(dir: &Path, kept_per_mille: u64) {
    let path = dir.join(Journal::FILE_NAME);
    let Ok(mut bytes) = fs::read(&path) else { return };
    let kept = bytes.len() as u64 * kept_per_mille / 1000;
    bytes.truncate(usize::try_from(kept).unwrap());
    fs::write(&path, bytes).unwrap();
}

proptest! {
    #![proptest_config(cases(96))]

    #[test]
    fn g11_any_row_of_crashes_faults_and_torn_journals_ends_in_the_same_objects(
        script in script(60), mode in mode(), ways in ways(),
        crashes in prop::collection::vec(
            (0..1000u64, any::<u64>(), 0..60u16, prop_oneof![2 => Just(1000), 1 => 0..1000u64]),
            1..6,
        ),
    ) {
        let world = world(&script, 40);
        let (end, _, calls) = uninterrupted(&world, &mode, &ways);
        let store = ways.store(&world);
        let first = Collection::of(&world, store.clone(), &mode, &ways);
        for (call, seed, rate, kept) in crashes {
            let crash = Crash::after(call * calls / 1000);
            let faulty = Faulty::crashing(store.clone(), FaultPlan::passing(seed, rate), crash);
            let collection = first.again(faulty);
            // It fails, mostly; what it did must be right all the same.
            drop(runtime().block_on(go_on(&collection)));
            Expected::of(&world, &mode).check_nothing_is_lost(&store);
            tear(&first.dir(), kept);
        }
        let report = take_up(&first, &store);
        prop_assert!(report.is_clean(), "{:?}", report);
        prop_assert_eq!(store.keys(), end.keys());
    }
}

/// Goes on with the plan, where there is one.
async fn go_on<S: DeleteStore + WriteStore + MultipartStore>(
    collection: &Collection<S>,
) -> Result<SweepReport, Failure> {
    if Plan::open(&collection.dir()).is_ok() {
        collection.sweep().await
    } else {
        collection.run().await
    }
}

#[test]
fn g11_a_journal_torn_at_every_byte_ends_in_the_same_objects() {
    let (world, mode) = (small(), Mode::untagged());
    let (end, planned, calls) = uninterrupted(&world, &mode, &SMALL_WAYS);
    for call in [planned + 2, planned.midpoint(calls), calls - 1] {
        let whole = SMALL_WAYS.store(&world);
        let crash = Crash::after(call);
        let faulty = Faulty::crashing(whole.clone(), FaultPlan::none(), crash);
        let collection = Collection::of(&world, faulty, &mode, &SMALL_WAYS);
        runtime().block_on(collection.run()).unwrap_err();
        let journal = collection.dir().join(Journal::FILE_NAME);
        let bytes = fs::read(&journal).unwrap();
        for kept in (0..=bytes.len()).step_by(5) {
            let store = whole.fork();
            fs::write(&journal, &bytes[..kept]).unwrap();
            let report = take_up(&collection, &store);
            assert!(report.is_clean(), "{report:?}");
            assert_eq!(store.keys(), end.keys(), "call {call}, {kept} bytes kept");
        }
    }
}
