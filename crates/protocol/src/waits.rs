//! How long a generation waits.

use std::time::Duration;

use registry::Timestamp;

use crate::ProtocolError;

/// The waits of a generation: before what was condemned is deleted, and before what was deleted is given up.
///
/// Both outlast every push that could have been misled by what was there before the purge that began the wait
/// (assumption A2). Both are counted from the *end* of that purge, by the store's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waits {
    quarantine: Duration,
    settle: Duration,
}

impl Waits {
    /// The quarantine where the operator does not say.
    pub const QUARANTINE: Duration = Duration::from_hours(24);

    /// Checks a quarantine. `longest_push` is from a client's first question to the answer to its manifest;
    /// `cache_life` is how long a cache that can be neither purged nor asked may still answer from before, zero where
    /// there is none.
    ///
    /// # Errors
    /// [`ProtocolError::QuarantineTooShort`] where it is shorter than both together.
    pub fn new(
        quarantine: Duration,
        longest_push: Duration,
        cache_life: Duration,
    ) -> Result<Self, ProtocolError> {
        let shortest = longest_push.saturating_add(cache_life);
        if quarantine < shortest {
            return Err(ProtocolError::QuarantineTooShort { quarantine, longest_push, cache_life });
        }
        // Who is misled last believes what the last push before the purge told a cache, just before it is forgotten.
        let believes = if cache_life.is_zero() { Duration::ZERO } else { longest_push };
        let settle = shortest.saturating_add(believes);
        // Never shorter, so that what one generation gives back is there before the next one looks again.
        Ok(Self { quarantine: quarantine.max(settle), settle })
    }

    /// From the end of the first purge to the second look: as long as was asked for, or as [`Waits::settle`].
    #[must_use]
    pub const fn quarantine(&self) -> Duration {
        self.quarantine
    }

    /// From the end of the second purge to the last look.
    #[must_use]
    pub const fn settle(&self) -> Duration {
        self.settle
    }
}

/// Whether `wait` is over that began at `since`. A clock that went back prolongs it.
pub(crate) fn is_over(since: Timestamp, now: Timestamp, wait: Duration) -> bool {
    now >= since && now.since(since) >= wait
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    #[test]
    fn a_quarantine_is_never_under_the_longest_push_plus_cache_life() {
        assert!(Waits::new(3 * HOUR, 2 * HOUR, HOUR).is_ok());
        let short = Waits::new(3 * HOUR, 2 * HOUR, HOUR + Duration::from_millis(1));
        assert!(matches!(short, Err(ProtocolError::QuarantineTooShort { .. })));
        assert!(Waits::new(HOUR, Duration::MAX, Duration::MAX).is_err(), "sums saturate");
    }

    proptest! {
        #[test]
        fn every_wait_outlasts_what_it_waits_for(
            quarantine in 0_u64..100, push in 0_u64..100, cache in 0_u64..100,
        ) {
            let [quarantine, push, cache] = [quarantine, push, cache].map(Duration::from_secs);
            if let Ok(waits) = Waits::new(quarantine, push, cache) {
                prop_assert!(waits.settle() >= push + cache);
                prop_assert!(waits.quarantine() >= waits.settle());
                prop_assert!(waits.quarantine() >= quarantine);
                prop_assert!(cache.is_zero() || waits.settle() == push + cache + push);
            } else {
                prop_assert!(quarantine < push + cache);
            }
        }

        #[test]
        fn a_wait_that_is_over_stays_over(since in 0_i64..1000, now in 0_i64..1000, later in 0_i64..1000, wait in 0_u64..1000) {
            let [since, now, later] = [since, now, now + later].map(Timestamp::from_millis);
            let wait = Duration::from_millis(wait);
            prop_assert!(!is_over(since, now, wait) || is_over(since, later, wait));
            prop_assert!(now >= since || !is_over(since, now, wait), "a clock that went back");
        }
    }
}
