//! Which phases a run came through, when, and what had been counted by then.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::{Counter, Monitor, Phase};

/// The values of all counters at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts(Box<[u64]>);

impl Counts {
    pub(crate) fn of(monitor: &Monitor) -> Self {
        Self(Counter::ALL.iter().map(|counter| monitor.get(*counter)).collect())
    }

    /// The value of a counter then.
    #[must_use]
    pub fn get(&self, counter: Counter) -> u64 {
        self.0[counter as usize]
    }
}

/// The beginning of a phase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What the program did from then on.
    pub phase: Phase,
    /// When.
    pub at: Instant,
    /// What had been counted before.
    pub counts: Counts,
}

/// The phases of a run in the order of time, where there is a clock. A phase that is entered while it goes on is no new
/// one.
#[derive(Debug, Default)]
pub(crate) struct Course {
    clock: Option<fn() -> Instant>,
    steps: Mutex<Vec<Step>>,
}

impl Course {
    /// The most steps that are remembered (G12). A run that collects offline has ten at most, one that collects while
    /// people push some for each generation.
    const MOST: usize = 256;

    pub(crate) fn by(clock: fn() -> Instant, phase: Phase) -> Self {
        let counts = Counts(Counter::ALL.iter().map(|_| 0).collect());
        let first = Step { phase, at: clock(), counts };
        Self { clock: Some(clock), steps: Mutex::new(vec![first]) }
    }

    pub(crate) fn enter(&self, phase: Phase, monitor: &Monitor) {
        let Some(clock) = self.clock else { return };
        let mut steps = self.lock();
        let goes_on = steps.last().is_some_and(|last| last.phase == phase);
        if !goes_on && steps.len() < Self::MOST {
            steps.push(Step { phase, at: clock(), counts: monitor.counts() });
        }
    }

    pub(crate) fn steps(&self) -> Vec<Step> {
        self.lock().clone()
    }

    /// Every critical section here leaves its data whole, so a panic elsewhere poisons nothing.
    fn lock(&self) -> MutexGuard<'_, Vec<Step>> {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use super::*;

    /// A second later each time it is asked.
    #[expect(clippy::disallowed_methods, reason = "an instant can only come from there")]
    fn clock() -> Instant {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        static SECONDS: AtomicU64 = AtomicU64::new(0);
        *START + Duration::from_secs(SECONDS.fetch_add(1, Ordering::Relaxed))
    }

    #[test]
    fn each_phase_is_remembered_with_its_time_and_what_had_been_counted() {
        let monitor = Monitor::timed(clock);
        monitor.count(Counter::Blobs, 3);
        monitor.enter(Phase::Marking);
        monitor.enter(Phase::Marking);
        monitor.count(Counter::Blobs, 4);
        monitor.enter(Phase::Planning);
        let course = monitor.course();
        let told: Vec<_> =
            course.iter().map(|step| (step.phase, step.counts.get(Counter::Blobs))).collect();
        assert_eq!(told, [(Phase::Opening, 0), (Phase::Marking, 3), (Phase::Planning, 7)]);
        assert!(course.is_sorted_by_key(|step| step.at));
    }

    #[test]
    fn g12_a_course_is_bounded_and_without_a_clock_there_is_none() {
        let (timed, untimed) = (Monitor::timed(clock), Monitor::new());
        for phase in Phase::ALL.iter().cycle().take(1000) {
            timed.enter(*phase);
            untimed.enter(*phase);
        }
        assert_eq!(timed.course().len(), Course::MOST);
        assert_eq!(untimed.course(), []);
    }
}
