//! What a store granted lately, and what that says about its limit.

use std::collections::VecDeque;
use std::time::Duration;

/// The keys that were granted in the last seconds.
///
/// A limit of `r` keys a second lets no stretch of time see more than its share and some that were saved up: at most a
/// second's worth, as is assumed here. So whatever was granted over a stretch of `t` seconds, divided by `t + 1`, is no
/// more than `r`; and where all that was saved up was just used, the best stretch gives `r` itself.
#[derive(Debug, Default)]
pub(super) struct Granted {
    /// Moments, and how many keys had been granted before each.
    samples: VecDeque<(Duration, u64)>,
    keys: u64,
}

impl Granted {
    /// How far back stretches begin.
    const REACH: Duration = Duration::from_secs(8);
    /// Stretches begin no closer together than this, so that few have to be remembered (G12).
    const STEP: Duration = Duration::from_millis(100);

    /// So many keys were granted.
    pub(super) fn add(&mut self, keys: u32, now: Duration) {
        if self.samples.back().is_none_or(|(last, _)| now >= *last + Self::STEP) {
            self.samples.push_back((now, self.keys));
        }
        while self.samples.front().is_some_and(|(first, _)| *first + Self::REACH < now) {
            self.samples.pop_front();
        }
        self.keys += u64::from(keys);
    }

    /// Keys granted since [`forget`](Self::forget).
    pub(super) fn keys(&self) -> u64 {
        self.keys
    }

    /// The most keys a second that the store has proved to bear.
    pub(super) fn proven(&self, now: Duration) -> f64 {
        let proven = |(since, before): &(Duration, u64)| {
            let seconds = now.saturating_sub(*since).as_secs_f64();
            (self.keys - before) as f64 / (seconds + 1.0)
        };
        self.samples.iter().map(proven).fold(0.0, f64::max)
    }

    /// Begins anew.
    pub(super) fn forget(&mut self) {
        self.samples.clear();
        self.keys = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_full_second_s_worth_and_what_came_after_give_the_limit_itself() {
        let mut granted = Granted::default();
        // Little at first, then 1000 that were saved up and 1000 a second for two seconds.
        granted.add(1, at(0));
        granted.add(1000, at(5_000));
        (1..=20).for_each(|step| granted.add(100, at(5_000 + step * 100)));
        assert!((granted.proven(at(7_000)) - 1000.0).abs() < 1e-9);
        assert_eq!(granted.keys(), 3001);
    }

    #[test]
    fn what_is_long_past_proves_nothing_any_more() {
        let mut granted = Granted::default();
        granted.add(90_000, at(0));
        assert!((granted.proven(at(2_000)) - 30_000.0).abs() < 1e-9);
        granted.add(0, at(9_000));
        assert!(granted.proven(at(9_000)) < 1e-9);
        granted.forget();
        assert_eq!((granted.keys(), granted.proven(at(9_000))), (0, 0.0));
    }

    #[test]
    fn g12_few_moments_are_remembered() {
        let mut granted = Granted::default();
        (0..1_000_000).for_each(|millis| granted.add(1, at(millis)));
        assert!(granted.samples.len() <= 81, "{}", granted.samples.len());
    }
}
