//! How much time has passed, by a clock that tests can hold in their hands.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The clock by which rates are limited.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    Real(Instant),
    /// Nanoseconds.
    Manual(Arc<AtomicU64>),
}

impl Clock {
    /// A clock that follows the machine's.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the clock that is passed")]
    pub fn real() -> Self {
        Self(Source::Real(Instant::now()))
    }

    /// A clock that stands still until [`Clock::advance`]; clones share their hands.
    #[must_use]
    pub fn manual() -> Self {
        Self(Source::Manual(Arc::default()))
    }

    /// Moves a manual clock on; a real one moves by itself.
    pub fn advance(&self, time: Duration) {
        if let Source::Manual(passed) = &self.0 {
            passed.fetch_add(nanos(time), Ordering::Relaxed);
        }
    }

    /// Nanoseconds since it was made.
    pub(crate) fn passed(&self) -> u64 {
        match &self.0 {
            Source::Real(start) => nanos(start.elapsed()),
            Source::Manual(passed) => passed.load(Ordering::Relaxed),
        }
    }
}

/// 584 years where it is more.
pub(crate) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_is_moved_by_hand_and_a_real_one_is_not() {
        let clock = Clock::manual();
        clock.clone().advance(Duration::from_secs(2));
        assert_eq!(clock.passed(), 2_000_000_000);
        let real = Clock::real();
        real.advance(Duration::from_hours(1));
        assert!(real.passed() < nanos(Duration::from_hours(1)));
    }
}
