//! So many keys a second, as the operator says.

use std::time::Duration;

/// Hands out so many keys a second, and lets one batch run ahead.
#[derive(Debug)]
pub(crate) struct TokenBucket {
    per_second: f64,
    most: f64,
    /// What may be spent at once; below zero it is owed by those who wait.
    tokens: f64,
    filled: Duration,
}

impl TokenBucket {
    /// Full at the start: `burst` keys may go at once.
    pub(crate) fn new(per_second: u32, burst: u32) -> Self {
        let most = f64::from(burst);
        Self { per_second: f64::from(per_second), most, tokens: most, filled: Duration::ZERO }
    }

    /// Takes `keys` and tells how long to wait before they may be spent. Whoever comes later waits longer, so a batch
    /// larger than a second's worth is late and never stuck.
    pub(crate) fn take(&mut self, keys: u32, now: Duration) -> Duration {
        let since_filled = now.saturating_sub(self.filled).as_secs_f64();
        self.filled = self.filled.max(now);
        self.tokens = self.refilled(since_filled) - f64::from(keys);
        if self.tokens >= 0.0 {
            return Duration::ZERO;
        }
        Duration::try_from_secs_f64(-self.tokens / self.per_second).unwrap_or(Duration::MAX)
    }

    fn refilled(&self, seconds: f64) -> f64 {
        seconds.mul_add(self.per_second, self.tokens).min(self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn one_batch_may_run_ahead_and_the_rest_keeps_the_rate() {
        let mut bucket = TokenBucket::new(500, 1000);
        assert_eq!(bucket.take(1000, at(0)), at(0));
        assert_eq!(bucket.take(1000, at(0)), at(2_000));
        assert_eq!(bucket.take(500, at(0)), at(3_000));
        assert_eq!(bucket.take(500, at(4_000)), at(0));
    }

    #[test]
    fn what_is_not_spent_is_not_kept_beyond_one_batch() {
        let mut bucket = TokenBucket::new(10, 1000);
        assert_eq!(bucket.take(1, at(3_600_000)), at(0));
        assert_eq!(bucket.take(1000, at(3_600_000)), at(100));
    }

    #[test]
    fn a_clock_that_seems_to_step_back_gives_nothing_away() {
        let mut bucket = TokenBucket::new(1000, 1000);
        assert_eq!(bucket.take(1000, at(1_000)), at(0));
        assert_eq!(bucket.take(1000, at(500)), at(1_000));
        assert_eq!(bucket.take(1000, at(1_000)), at(2_000));
    }
}
