//! The drill: collect, undo, and every object is back byte for byte, also after crashes in the middle of both.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use monitor::{Monitor, Stop};
use planner::Plan;
use proptest::prelude::*;
use store::{Crash, FaultPlan, Faulty, MemoryStore, RestoreStore};
use sweeper::{Cause, Journal, Only, Settings, UndoError, UndoReport, UndoSettings, sweep, undo};
use world::strategy::{mode, script};

use crate::harness::{Collection, cases, runtime};
use crate::model::{ways, world};

/// Every object but the program's own.
fn objects(store: &MemoryStore) -> BTreeMap<String, Bytes> {
    let mut objects = store.snapshot();
    objects.retain(|key, _| !key.contains("regsweep/"));
    objects
}

/// Sweeps, as far as it goes.
async fn sweep_on<S: RestoreStore>(collection: &Collection<S>, trash: bool) {
    let plan = Plan::open(&collection.dir()).unwrap();
    let journal = Journal::open(&collection.dir(), plan.id()).unwrap();
    let (concurrency, batch) = (collection.ways.width, collection.ways.batch);
    let settings = Settings { concurrency, batch, trash };
    let (store, stop) = (Arc::clone(&collection.store), Stop::new());
    drop(sweep(store, plan, journal, settings, &(), &Monitor::new(), &stop).await);
}

async fn undo_on<S: RestoreStore>(collection: &Collection<S>) -> Result<UndoReport, UndoError> {
    let plan = Plan::open(&collection.dir()).unwrap();
    let journal = Journal::open(&collection.dir(), plan.id()).unwrap();
    let concurrency = collection.ways.width;
    let settings = UndoSettings { only: Only::default(), is_dry_run: false, concurrency };
    let store = Arc::clone(&collection.store);
    undo(store, plan, journal, settings, &Monitor::new(), &Stop::new()).await
}

proptest! {
    #![proptest_config(cases(96))]

    #[test]
    fn g11_any_registry_is_back_byte_for_byte_after_crashes_in_sweep_and_undo(
        script in script(60), mode in mode(), ways in ways(), trash in any::<bool>(),
        sweeps in prop::collection::vec((0..60u64, any::<u64>(), 0..200u16), 0..4),
        undos in prop::collection::vec((0..200u64, any::<u64>(), 0..200u16), 0..4),
        ends in any::<bool>(),
    ) {
        let world = world(&script, 40);
        let store = ways.store(&world);
        let store = if trash { store } else { store.with_versions() };
        let before = objects(&store);
        let first = Collection::of(&world, store.clone(), &mode, &ways);
        runtime().block_on(first.plan()).unwrap();
        let failing = |(calls, seed, rate)| {
            let plan = FaultPlan::passing(seed, rate);
            first.again(Faulty::crashing(store.clone(), plan, Crash::after(calls)))
        };
        for crash in sweeps {
            runtime().block_on(sweep_on(&failing(crash), trash));
        }
        if ends {
            runtime().block_on(sweep_on(&first, trash));
        }
        for crash in undos {
            drop(runtime().block_on(undo_on(&failing(crash))));
        }
        match runtime().block_on(undo_on(&first)) {
            Ok(report) => prop_assert!(report.is_clean(), "{:?}", report),
            Err(error) => prop_assert!(matches!(error.cause, Cause::NothingDeleted), "{error:?}"),
        }
        prop_assert_eq!(objects(&store), before);
    }
}
