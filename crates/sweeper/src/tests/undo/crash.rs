//! The drill: collect, undo, and every object is back byte for byte, also after crashes in the middle of both.

use proptest::prelude::*;
use store::{Crash, Fault, FaultPlan};
use tokio::runtime::{Builder, Runtime};

use super::drill::Drill;
use crate::sweep::Settings;
use crate::tests::world::everything;
use crate::{Cause, JournalError};

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().build().unwrap()
}

/// Undoes until it goes through, each time on a store without faults.
async fn undo_to_the_end(drill: &Drill) {
    match drill.undo().await {
        Ok(report) => assert!(report.is_clean(), "{report:?}"),
        // The crash came before anything was deleted.
        Err(error) => assert!(matches!(error.cause, Cause::NothingDeleted), "{error:?}"),
    }
}

#[test]
fn g11_a_crash_at_every_call_of_both_ends_with_everything_back() {
    runtime().block_on(async {
        for sweep_calls in 0..40 {
            for undo_calls in [0, 1, 2, 3, 5, 8, 13, 21, 34, 55] {
                for drill in Drill::either(&everything(4)) {
                    let before = drill.objects();
                    drop(drill.sweep_failing(FaultPlan::none(), Crash::after(sweep_calls)).await);
                    drill.pass(5);
                    drop(drill.undo_failing(FaultPlan::none(), Crash::after(undo_calls)).await);
                    undo_to_the_end(&drill).await;
                    assert_eq!(drill.objects(), before, "{sweep_calls} {undo_calls}");
                }
            }
        }
    });
}

#[test]
fn g11_a_crash_at_every_byte_of_the_journal_ends_with_everything_back() {
    runtime().block_on(async {
        let whole = Drill::of(everything(3));
        whole.sweep().await.unwrap();
        whole.undo().await.unwrap();
        let length = whole.disk.bytes().len();
        for bytes in 0..=length {
            for kept in [0, usize::MAX] {
                for drill in Drill::either(&everything(3)) {
                    let before = drill.objects();
                    drill.disk.break_after_bytes(bytes);
                    if drill.journal().is_ok() {
                        drop(drill.sweep().await);
                        drop(drill.undo().await);
                    }
                    drill.disk.restart(kept);
                    undo_to_the_end(&drill).await;
                    assert_eq!(drill.objects(), before, "{bytes}");
                }
            }
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn g11_any_row_of_crashes_and_faults_ends_with_everything_back(
        each in 1..10u32,
        kind in 0..3usize,
        batch in 1..9usize,
        concurrency in 1..6usize,
        sweeps in prop::collection::vec((any::<u64>(), 0..60u64, 0..400u16, 0..900usize), 0..5),
        undos in prop::collection::vec((any::<u64>(), 0..80u64, 0..400u16), 0..5),
        ends in any::<bool>(),
    ) {
        runtime().block_on(async {
            let [all, parts] = Drill::both(&everything(each));
            let trash = Drill::with_trash(everything(each));
            let mut drill = [all, parts, trash].into_iter().nth(kind).unwrap();
            drill.settings = Settings { concurrency, batch, ..Settings::default() };
            let before = drill.objects();
            let mut passed = 0;
            for (seed, calls, rate, bytes) in sweeps {
                passed += 20;
                drill.pass(passed);
                drill.disk.break_after_bytes(bytes);
                if let Ok(_journal) = drill.journal() {
                    let plan = FaultPlan::passing(seed, rate);
                    drop(drill.sweep_failing(plan, Crash::after(calls)).await);
                }
                drill.disk.restart(0);
            }
            if ends {
                drop(drill.sweep().await);
            }
            for (seed, calls, rate) in undos {
                let plan = FaultPlan::passing(seed, rate);
                drop(drill.undo_failing(plan, Crash::after(calls)).await);
            }
            undo_to_the_end(&drill).await;
            assert_eq!(drill.objects(), before);
        });
    }
}

#[test]
fn markers_whose_answers_were_lost_are_found_by_their_time() {
    runtime().block_on(async {
        for fault in [Fault::LostAnswer, Fault::HalfDone, Fault::LostKeys] {
            let drill = Drill::of(everything(6));
            let before = drill.objects();
            let plan = FaultPlan { seed: 7, rate_per_1000: 500, kinds: vec![fault] };
            for _ in 0..40 {
                let swept = drill.sweep_failing(plan.clone(), Crash::never()).await;
                if swept.is_ok_and(|report| report.is_clean()) {
                    break;
                }
            }
            undo_to_the_end(&drill).await;
            assert_eq!(drill.objects(), before, "{fault:?}");
        }
    });
}

#[test]
fn g11_an_undo_whose_journal_cannot_be_written_changes_nothing() {
    runtime().block_on(async {
        let drill = Drill::of(everything(3));
        drill.sweep().await.unwrap();
        let swept = drill.objects();
        drill.disk.break_after_bytes(0);
        let error = drill.undo().await.unwrap_err();
        assert!(matches!(error.cause, Cause::Journal(JournalError::Io { .. })), "{error:?}");
        assert_eq!(drill.objects(), swept);
    });
}
