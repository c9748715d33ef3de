//! G5: a plan is made only from marks that are whole.

use std::sync::Arc;

use lister::list_repositories;
use marker::{MarkError, MarkSetBuilder, Marker, Rules};
use monitor::{Asked, Monitor, Stop};
use registry::Layout;
use regsweep::Code;
use store::{ErrorKind, Fault, FaultPlan, Faulty, StoreError};
use tokio::sync::mpsc;
use world::{Bulk, Mode};

use super::{no_plan, unchanged};
use crate::crashes::{SMALL_WAYS, small};
use crate::hand::{Call, Failing, Hand, Handled};
use crate::harness::{Collection, runtime};

#[test]
fn g5_marks_with_an_unread_manifest_cannot_be_sealed() {
    let world = small();
    let store = SMALL_WAYS.store(&world);
    let (monitor, stop) = (Arc::new(Monitor::new()), Arc::new(Stop::new()));
    let always = FaultPlan { seed: 0, rate_per_1000: 1000, kinds: vec![Fault::Unserved] };
    let failing = Arc::new(Faulty::new(store.clone(), always));
    let (layout, marks) = (Layout::new(""), Arc::new(MarkSetBuilder::new()));
    let rules = Rules::new(false, world.now());
    let marker = Marker::new(failing, &layout, 1, Arc::clone(&marks), rules, Arc::clone(&monitor));
    runtime().block_on(async {
        let (sender, mut trees) = mpsc::channel(100);
        let listed = list_repositories(Arc::new(store), &layout, 2, sender, monitor, stop).await;
        marker.mark(trees.recv().await.unwrap()).await.unwrap_err();
        drop(marker);
        let listed = listed.unwrap();
        let repositories = listed.repositories;
        let sealed = Arc::into_inner(marks).unwrap().seal(&listed);
        let Err(MarkError::Unresolved { unresolved }) = sealed else { panic!("{sealed:?}") };
        assert_eq!(unresolved.get(), repositories, "one failed, the others were never marked");
    });
}

#[test]
fn g5_a_read_that_fails_for_good_anywhere_makes_no_plan() {
    for (mode, reads) in [(Mode::default(), 9), (Mode::untagged(), 12)] {
        let world = small();
        let base = world.keys().base();
        let mut failed = 0;
        for key in world.objects().keys() {
            let store = SMALL_WAYS.store(&world);
            let hand = Arc::new(Failing::new(key, ErrorKind::Transient, u64::MAX));
            let handled = Handled::new(&store, &hand);
            let collection = Collection::of(&world, handled, &mode, &SMALL_WAYS);
            let planned = runtime().block_on(collection.plan());
            unchanged(&store, &world);
            let was_read = hand.failed() > 0;
            assert_eq!(planned.is_err(), was_read, "{key}");
            if was_read {
                no_plan(&collection);
            }
            failed += usize::from(was_read);
        }
        assert!(failed >= reads, "{failed} reads below {base}");
    }
}

/// What happens to every read.
#[derive(Clone, Copy, Debug)]
enum Mishap {
    Panic,
    Stop,
}

struct Misfortune {
    mishap: Mishap,
    stop: Arc<Stop>,
}

impl Hand for Misfortune {
    async fn before(&self, call: Call<'_>) -> Result<(), StoreError> {
        match (call, self.mishap) {
            (Call::Get(_), Mishap::Panic) => panic!("a bug, by plan"),
            (Call::Get(_), Mishap::Stop) => self.stop.ask(Asked::Drain),
            _ => {}
        }
        Ok(())
    }
}

#[test]
fn g5_a_run_whose_markers_all_panic_or_are_stopped_ends_without_a_plan() {
    let shape = Bulk { repositories: 100, images: 2, indexes: 0, referrers: 0, ..Bulk::default() };
    let world = world::bulk(small().now(), &shape);
    for (mishap, code) in [(Mishap::Panic, Code::Internal), (Mishap::Stop, Code::Stopped)] {
        let store = SMALL_WAYS.store(&world);
        let stop = Arc::new(Stop::new());
        let hand = Arc::new(Misfortune { mishap, stop: Arc::clone(&stop) });
        let handled = Handled::new(&store, &hand);
        let collection = Collection::of(&world, handled, &Mode::default(), &SMALL_WAYS);
        let planned = runtime().block_on(collection.plan_unless(&stop));
        assert_eq!(planned.unwrap_err().code(), code, "{mishap:?}");
        no_plan(&collection);
        unchanged(&store, &world);
    }
}
