//! Stores that fail.

use store::{ErrorKind, KeyOutcome};

use super::store_double::Fault;
use super::world::{World, bystanders, denied, everything};
use crate::{Cause, Count, Ended, SweepReport};

#[tokio::test]
async fn a_fault_of_any_request_ends_the_sweep_and_another_sweep_ends_the_plan() {
    let whole = World::of(everything(6));
    whole.sweep().await.unwrap();
    for request in 0..whole.store.requests().len() {
        for fault in [
            Fault::Refused(ErrorKind::Transient),
            Fault::Refused(ErrorKind::Stopped),
            Fault::AnswerLost,
            Fault::AnswerShort,
            Fault::Panic,
        ] {
            for world in World::both(&everything(6)) {
                fail_and_sweep_on(world, request, fault).await;
            }
        }
    }
}

async fn fail_and_sweep_on(world: World, request: usize, fault: Fault) {
    world.store.fail(request, fault);
    let error = world.sweep().await.unwrap_err();
    match error.cause {
        Cause::Panicked(_) => assert!(matches!(fault, Fault::Panic)),
        Cause::Store(_) => assert!(!matches!(fault, Fault::Panic)),
        cause => panic!("{cause:?}"),
    }
    assert_eq!(error.report.ended, Ended::Broken);
    assert!(error.report.total.left.objects > 0);
    let report = world.sweep().await.unwrap();
    assert!(report.is_clean());
    assert_eq!(world.store.objects(), bystanders());
}

#[tokio::test]
async fn what_was_in_flight_is_awaited_and_kept_when_a_request_fails() {
    let world = World::of(everything(6));
    world.store.fail(0, Fault::Refused(ErrorKind::Denied));
    let error = world.sweep().await.unwrap_err();
    let done = error.report.total.fates.deleted.objects;
    assert_eq!(done, world.planned().objects - (world.store.objects().len() as u64 - 3));
    assert_eq!(world.journal().unwrap().state().fates().deleted.objects, done);
}

#[tokio::test]
async fn a_key_that_fails_is_tried_again_by_the_next_sweep_alone() {
    for key in ["blob/2", "upload/0"] {
        let world = World::of(everything(5));
        world.store.answer(key, denied());
        let report = world.sweep().await.unwrap();
        assert_eq!(report.total.fates.failed.objects, 1);
        assert_eq!(report.ended, Ended::Completed);
        let before = world.store.requests().len();
        let report = world.sweep().await.unwrap();
        assert_eq!(report.total.fates.failed.objects, 1);
        assert_eq!(world.store.requests()[before..], [vec![Box::from(key)]]);
        world.store.heal();
        assert!(world.sweep().await.unwrap().is_clean());
        assert_eq!(world.store.objects(), bystanders());
    }
}

#[tokio::test]
async fn only_the_first_failures_are_kept_word_for_word() {
    let world = World::of(everything(50));
    for number in 0..50 {
        world.store.answer(&format!("blob/{number}"), denied());
    }
    let report = world.sweep().await.unwrap();
    assert_eq!(report.total.fates.failed, Count { objects: 50, bytes: (1..=50).sum() });
    assert_eq!(report.failures.len(), SweepReport::FAILURES);
}

#[tokio::test]
async fn an_object_written_since_is_spared_for_good() {
    let world = World::of(everything(5));
    world.store.answer("blob/1", KeyOutcome::Spared);
    let report = world.sweep().await.unwrap();
    assert_eq!(report.total.fates.spared, Count::one(2));
    assert!(report.is_clean() && !report.needs_new_plan());
    assert!(matches!(world.sweep().await.unwrap_err().cause, Cause::AlreadyApplied));
    assert!(world.store.objects().contains("blob/1"));
}
