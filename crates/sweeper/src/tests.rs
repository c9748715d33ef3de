//! Whole sweeps over small worlds.

mod crash;
mod disk;
mod faults;
mod files;
mod order;
mod rewriting;
mod stop;
mod store_double;
mod undo;
mod witness;
mod world;

use std::sync::Mutex;

use monitor::{Counter, Monitor, Phase, Stop};
use planner::{Row, RowKind};
use store::KeyOutcome;

use self::world::{GOING, World, bystanders, row, scattered_blob};
use crate::source::Source;
use crate::sweep::{Around, Settings};
use crate::{Cause, Count, Ended, Observer};

/// Remembers what it hears.
#[derive(Default)]
struct Heard(Mutex<Vec<(Box<str>, KeyOutcome)>>);

impl Observer for Heard {
    fn outcome(&self, row: &Row, outcome: &KeyOutcome) {
        self.0.lock().unwrap().push((row.key.clone(), outcome.clone()));
    }
}

#[tokio::test]
async fn everything_planned_goes_and_nothing_else_is_touched() {
    for world in World::both(&world::everything(40)) {
        let report = world.sweep().await.unwrap();
        assert_eq!(world.store.objects(), bystanders());
        assert_eq!(report.ended, Ended::Completed);
        assert!(report.is_clean());
        assert_eq!(report.total.fates.deleted, world.planned());
        assert_eq!(report.kinds.len(), GOING.len());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_planned_goes_on_several_threads_too() {
    for mut world in World::both(&world::everything(200)) {
        world.settings = Settings { concurrency: 7, batch: 3, ..Settings::default() };
        world.sweep().await.unwrap();
        assert_eq!(world.store.objects(), bystanders());
    }
}

#[tokio::test]
async fn a_plan_without_rows_is_carried_out_at_once() {
    let world = World::of(vec![]);
    let report = world.sweep().await.unwrap();
    assert!(report.is_clean());
    assert_eq!(world.store.requests().len(), 0);
    assert!(matches!(world.sweep().await.unwrap_err().cause, Cause::AlreadyApplied));
}

#[tokio::test]
async fn a_finished_plan_is_not_swept_again_and_still_tells_what_was_done() {
    let world = World::of(world::everything(9));
    let first = world.sweep().await.unwrap();
    let requests = world.store.requests().len();
    let error = world.sweep().await.unwrap_err();
    assert!(matches!(error.cause, Cause::AlreadyApplied));
    assert_eq!(*error.report, first);
    assert_eq!(world.store.requests().len(), requests);
}

#[tokio::test]
async fn g10_every_object_is_told_counted_and_reported_once() {
    for world in World::both(&world::everything(30)) {
        check_accounts(world).await;
    }
}

async fn check_accounts(world: World) {
    let (heard, monitor, stop) = (Heard::default(), Monitor::new(), Stop::new());
    world.store.answer("blob/3", KeyOutcome::Gone);
    world.store.answer("blob/4", KeyOutcome::Spared);
    world.store.answer("blob/5", world::denied());
    let around = Around { observer: &heard, monitor: &monitor, stop: &stop, trash: None };
    let report = world.sweep_with(around).await.unwrap();
    let mut keys: Vec<_> = heard.0.into_inner().unwrap().into_iter().map(|heard| heard.0).collect();
    keys.sort_unstable();
    assert_eq!(keys, world.keys());
    let fates = report.total.fates;
    assert_eq!([fates.already_gone.objects, fates.spared.objects, fates.failed.objects], [1, 1, 1]);
    assert_eq!(fates.total(), world.planned());
    assert_eq!(monitor.get(Counter::SweptObjects), world.planned().objects);
    assert_eq!(monitor.get(Counter::DeletedObjects), fates.deleted.objects);
    assert_eq!(monitor.get(Counter::FreedBytes), fates.deleted.bytes);
    assert_eq!(monitor.get(Counter::FailedObjects), 1);
    assert_eq!(monitor.phase(), Phase::Finished);
    assert_eq!(report.failures.len(), 1);
    assert_eq!(&*report.failures[0].key, "blob/5");
    assert!(!report.is_clean() && !report.needs_new_plan());
    for (segment, balance) in world.source.segments().iter().zip(report.parts.values()) {
        let planned = Count { objects: segment.rows, bytes: segment.bytes };
        assert_eq!((balance.planned, balance.fates.total()), (planned, planned));
    }
    assert_eq!(report.parts.len(), world.source.segments().len());
}

#[tokio::test]
async fn g11_an_object_is_asked_for_only_when_its_intent_is_durable() {
    let mut world = World::of(world::everything(60));
    world.settings = Settings { concurrency: 4, batch: 5, ..Settings::default() };
    world.store.watch(&world.disk);
    world.sweep().await.unwrap();
}

#[tokio::test]
async fn requests_are_full_and_one_rest_for_each_stage() {
    for (blobs, batch) in [(1000u32, 100usize), (1001, 100), (99, 100), (7, 1), (513, 1000)] {
        let rows: Vec<_> = (0..blobs).map(|n| row(RowKind::Blob, n)).collect();
        for mut world in World::both(&rows) {
            world.settings = Settings { concurrency: 8, batch, ..Settings::default() };
            world.sweep().await.unwrap();
            let most = (blobs as usize).div_ceil(batch);
            assert_eq!(world.store.requests().len(), most, "{blobs} in batches of {batch}");
        }
    }
}

#[tokio::test]
async fn g12_uploads_go_in_small_batches_as_each_is_aborted_by_itself() {
    let rows: Vec<_> = (0..130).map(|n| row(RowKind::MultipartUpload, n)).collect();
    let mut world = World::of(rows);
    world.settings = Settings { concurrency: 16, ..Settings::default() };
    world.sweep().await.unwrap();
    let mut sizes: Vec<usize> = world.store.requests().iter().map(Vec::len).collect();
    // Of batches in flight together none is the first.
    sizes.sort_unstable();
    assert_eq!(sizes, [2, 64, 64]);
}

#[tokio::test]
async fn every_batch_asks_as_much_of_each_of_sixteen_partitions() {
    let rows: Vec<_> = (0..6000).map(scattered_blob).collect();
    for mut world in World::both(&rows) {
        world.settings = Settings { concurrency: 1, batch: 64, ..Settings::default() };
        world.sweep().await.unwrap();
        let requests = world.store.requests();
        // Digests are spread by chance, so that some of the sixteen parts end before the others.
        for request in &requests[..requests.len() * 8 / 10] {
            let mut shares = [0; 16];
            let digits = request.iter().map(|key| world.shard_of(key).0 >> 4);
            digits.for_each(|digit| shares[usize::from(digit)] += 1);
            assert!(shares.iter().all(|share| (1..=8).contains(share)), "{shares:?}");
        }
    }
}

#[tokio::test]
async fn the_limits_of_store_and_request_hold_whatever_is_asked() {
    for (asked, able, most) in [(10, 4, 4), (0, 4, 1), (5000, 4000, 1000), (5000, 0, 1)] {
        let mut world = World::of((0..1200).map(|n| row(RowKind::Blob, n)).collect());
        world.settings = Settings { concurrency: 0, batch: asked, ..Settings::default() };
        world.store.set_delete_batch(able);
        world.sweep().await.unwrap();
        let longest = world.store.requests().iter().map(Vec::len).max();
        assert_eq!(longest, Some(most), "{asked} of {able}");
    }
}

#[tokio::test]
async fn a_report_that_does_not_add_up_is_an_error() {
    // The plan claims more rows than it yields.
    let world = World::of(world::everything(12)).with_phantom_rows(2);
    let error = world.sweep().await.unwrap_err();
    assert!(matches!(error.cause, Cause::Unaccounted(_)), "{error:?}");
    assert_eq!(error.report.total.left, Count { objects: 2, bytes: 0 });
}
