use std::time::Duration;

use proptest::prelude::*;

use super::*;

const HOUR: Duration = Duration::from_hours(1);

fn waits() -> Waits {
    Waits::new(24 * HOUR, HOUR, HOUR).unwrap()
}

fn hours(hours: i64) -> Timestamp {
    Timestamp::from_seconds(hours * 3600)
}

fn run(steps: &[Step]) -> Result<Phase, ProtocolError> {
    steps.iter().try_fold(Phase::FIRST, |phase, step| phase.advance(*step, &waits()))
}

const WHOLE: [Step; 9] = [
    Step::Condemned,
    Step::Unlinked,
    Step::Purged { at: Timestamp::from_seconds(0) },
    Step::LookBegins { now: Timestamp::from_seconds(24 * 3600) },
    Step::GivenBack,
    Step::Deleted,
    Step::Purged { at: Timestamp::from_seconds(25 * 3600) },
    Step::LookBegins { now: Timestamp::from_seconds(28 * 3600) },
    Step::GivenBack,
];

#[test]
fn a_generation_goes_through_all_of_its_phases() {
    assert_eq!(run(&WHOLE), Ok(Phase::Closed));
}

#[test]
fn no_step_can_be_left_out() {
    for (place, left_out) in WHOLE.iter().enumerate().take(WHOLE.len() - 1) {
        let mut steps = WHOLE.to_vec();
        steps.remove(place);
        let ran = run(&steps);
        assert!(matches!(ran, Err(ProtocolError::OutOfOrder { .. })), "without {left_out:?}");
    }
}

#[test]
fn waits_are_counted_from_the_end_of_the_purge() {
    let quarantined = Phase::Quarantined { purged: hours(100) };
    for (now, due) in [(99, false), (100, false), (123, false), (124, true)] {
        assert_eq!(quarantined.is_due(hours(now), &waits()), due, "{now}");
        let begun = quarantined.advance(Step::LookBegins { now: hours(now) }, &waits());
        assert_eq!(begun.is_ok(), due, "{now}");
    }
    let settling = Phase::Settling { purged: hours(100) };
    assert!(!settling.is_due(hours(101), &waits()));
    assert!(!settling.is_due(hours(102), &waits()));
    assert!(settling.is_due(hours(103), &waits()));
}

#[test]
fn g11_who_would_take_or_delete_by_an_old_look_looks_again() {
    assert_eq!(Phase::Unlinking.resume(), Phase::Marking);
    assert_eq!(Phase::Deleting.resume(), Phase::Looking);
}

#[test]
fn one_run_gives_back_before_it_deletes_and_deletes_before_it_condemns() {
    let now = hours(1000);
    let mut work =
        [Phase::Marking, Phase::Quarantined { purged: hours(0) }, Phase::Settling { purged: now }]
            .map(|phase| phase.work(now, &waits()));
    work.sort();
    assert_eq!(work, [Work::LookAgain, Work::Condemn, Work::Wait]);
    assert!(Work::LookLast < Work::LookAgain);
}

fn phases() -> impl Strategy<Value = Phase> {
    let purged = Timestamp::from_seconds(0);
    proptest::sample::select(vec![
        Phase::Marking,
        Phase::Unlinking,
        Phase::Purging,
        Phase::Quarantined { purged },
        Phase::Looking,
        Phase::Deleting,
        Phase::PurgingAgain,
        Phase::Settling { purged },
        Phase::LookingLast,
        Phase::Closed,
    ])
}

proptest! {
    #[test]
    fn from_each_phase_one_step_follows_and_a_look_may_find_nothing_left(phase in phases()) {
        let follow = WHOLE[..6].iter().filter(|step| phase.advance(**step, &waits()).is_ok());
        prop_assert_eq!(follow.count(), usize::from(phase != Phase::Closed));
        let ends = phase.advance(Step::NothingLeft, &waits()).is_ok();
        prop_assert_eq!(ends, matches!(phase, Phase::Marking | Phase::Looking));
    }

    #[test]
    fn resuming_twice_is_resuming_once(phase in phases()) {
        prop_assert_eq!(phase.resume().resume(), phase.resume());
    }

    #[test]
    fn a_resumed_phase_has_the_work_of_the_recorded_one(phase in phases(), now in 0_i64..1000) {
        let now = hours(now);
        prop_assert_eq!(phase.resume().work(now, &waits()), phase.work(now, &waits()));
    }

    /// What a generation deleted by mistake is back before the next one looks again, so that nothing which only that
    /// names is taken for garbage.
    #[test]
    fn a_generation_is_due_for_its_last_look_before_the_next_one_is_for_its_second(
        push in 0_u32..50, longer in 0_u32..50, cache in 0_u32..50, purged in 0_i64..100, later in 0_i64..100, now in 0_i64..400,
    ) {
        let waits = Waits::new(HOUR * (push + cache + longer), HOUR * push, HOUR * cache).unwrap();
        let older = Phase::Settling { purged: hours(purged) };
        let younger = Phase::Quarantined { purged: hours(purged + later) };
        prop_assert!(!younger.is_due(hours(now), &waits) || older.is_due(hours(now), &waits));
        prop_assert!(older.work(hours(now), &waits) < younger.work(hours(now), &waits)
            || younger.work(hours(now), &waits) == Work::Wait);
    }
}
