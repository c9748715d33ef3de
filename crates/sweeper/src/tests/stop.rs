//! Sweeps that are asked to stop.

use std::sync::atomic::{AtomicU64, Ordering};

use monitor::{Asked, Monitor, Stop};
use planner::Row;
use store::KeyOutcome;

use super::store_double::Fault;
use super::world::{World, bystanders, everything};
use crate::sweep::{Around, Settings};
use crate::{Ended, Observer, SweepReport};

/// Asks to stop after so many outcomes.
struct Impatient<'a> {
    left: AtomicU64,
    asks: Asked,
    stop: &'a Stop,
}

impl Observer for Impatient<'_> {
    fn outcome(&self, _: &Row, _: &KeyOutcome) {
        if self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.stop.ask(self.asks);
        }
    }
}

async fn stop_after(world: &World, outcomes: u64, asks: Asked) -> SweepReport {
    sweep_and_stop(world, outcomes, asks, &Stop::new()).await
}

async fn sweep_and_stop(world: &World, outcomes: u64, asks: Asked, stop: &Stop) -> SweepReport {
    let monitor = Monitor::new();
    let observer = Impatient { left: AtomicU64::new(outcomes), asks, stop };
    world
        .sweep_with(Around { observer: &observer, monitor: &monitor, stop, trash: None })
        .await
        .unwrap()
}

#[tokio::test]
async fn a_sweep_stopped_at_any_batch_can_be_taken_up_and_asks_for_nothing_twice() {
    let worlds = (1..=30).flat_map(|outcomes| World::both(&everything(6)).map(|w| (outcomes, w)));
    for (outcomes, world) in worlds {
        let report = stop_after(&world, outcomes, Asked::Drain).await;
        assert_eq!(report.ended, Ended::Stopped);
        // Whatever was in flight has been awaited and accounted for.
        let objects = world.store.objects().len() - bystanders().len();
        assert_eq!(report.total.left.objects, objects as u64);
        assert!(world.sweep().await.unwrap().is_clean());
        assert_eq!(world.store.objects(), bystanders());
        let asked: usize = world.store.requests().iter().map(Vec::len).sum();
        assert_eq!(asked as u64, world.planned().objects);
    }
}

#[tokio::test]
async fn an_aborted_sweep_leaves_at_once_and_asks_again_for_what_was_in_flight() {
    for outcomes in [1, 2, 3, 4] {
        let mut world = World::of(everything(6));
        world.settings = Settings { concurrency: 5, batch: 2, ..Settings::default() };
        world.store.fail(0, Fault::WaitsFor(2));
        // Never answered: a sweep that waits for it would wait for ever.
        world.store.fail(1, Fault::Hangs);
        let report = stop_after(&world, outcomes, Asked::Abort).await;
        assert_eq!(report.ended, Ended::Stopped);
        assert!(world.journal().unwrap().state().uncertain_rows() > 0);
        world.store.heal();
        assert!(world.sweep().await.unwrap().is_clean());
        assert_eq!(world.store.objects(), bystanders());
    }
}

#[tokio::test]
async fn a_sweep_that_was_asked_to_stop_before_it_began_sends_nothing() {
    for asks in [Asked::Drain, Asked::Abort] {
        let world = World::of(everything(6));
        let stop = Stop::new();
        stop.ask(asks);
        let report = world.sweep_until(&stop).await.unwrap();
        assert_eq!((report.ended, report.total.left), (Ended::Stopped, world.planned()));
        assert!(world.store.requests().is_empty());
    }
}

#[tokio::test]
async fn a_request_that_was_given_up_because_of_the_stop_is_no_failure() {
    let world = World::of(everything(6));
    let stop: &'static Stop = Box::leak(Box::default());
    world.store.fail(0, Fault::WaitsFor(2));
    world.store.fail(1, Fault::GivesUp(stop));
    let report = sweep_and_stop(&world, 1, Asked::Drain, stop).await;
    assert_eq!(report.ended, Ended::Stopped);
    assert!(world.journal().unwrap().state().uncertain_rows() > 0);
    world.store.heal();
    assert!(world.sweep().await.unwrap().is_clean());
}

#[tokio::test]
async fn a_sweep_that_is_dropped_can_be_taken_up() {
    for polls in 0..40 {
        let world = World::of(everything(6));
        world.store.fail(7, Fault::Hangs);
        let stop = Stop::new();
        let mut sweep = Box::pin(world.sweep_until(&stop));
        for _ in 0..polls {
            tokio::select! {
                biased;
                ended = &mut sweep => panic!("{ended:?}"),
                () = tokio::task::yield_now() => {}
            }
        }
        drop(sweep);
        // The thread that writes the journal ends by itself; a real journal is locked until then.
        while world.disk.is_held() {
            tokio::task::yield_now().await;
        }
        world.store.heal();
        assert!(world.sweep().await.unwrap().is_clean(), "{polls}");
        assert_eq!(world.store.objects(), bystanders());
    }
}
