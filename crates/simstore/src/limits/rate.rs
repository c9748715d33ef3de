//! One rate.

/// Nanoseconds of a second, which is also how much may come at once.
pub(super) const SECOND: u64 = 1_000_000_000;

/// A rate as the time until which all that was taken is paid for: the generic cell rate algorithm.
///
/// Source: ITU-T I.371, "virtual scheduling algorithm".
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    per_second: u128,
    /// In nanoseconds times `per_second`, so that nothing is ever rounded.
    paid: u128,
}

impl Rate {
    pub(super) fn new(per_second: u32) -> Self {
        Self { per_second: per_second.max(1).into(), paid: 0 }
    }

    /// Whether `count` more are within the rate. More than a second's worth waits until all is paid for, and then goes
    /// through whole.
    pub(super) fn allows(&self, now: u64, count: u64) -> bool {
        let soon = u128::from(now) + u128::from(SECOND);
        self.paid <= self.scaled(now)
            || self.paid + u128::from(count) * u128::from(SECOND) <= soon * self.per_second
    }

    pub(super) fn take(&mut self, now: u64, count: u64) {
        self.paid = self.paid.max(self.scaled(now)) + u128::from(count) * u128::from(SECOND);
    }

    fn scaled(&self, now: u64) -> u128 {
        u128::from(now) * self.per_second
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_stretch_of_time_sees_more_than_its_share_and_a_second_s_worth(
            per_second in 1..5000_u32,
            asks in prop::collection::vec((0..2 * SECOND, 1..1000_u64), 1..60),
        ) {
            let mut rate = Rate::new(per_second);
            let (mut now, mut taken) = (0, Vec::new());
            for (pause, count) in asks {
                now += pause;
                let count = count.min(per_second.into());
                if rate.allows(now, count) {
                    rate.take(now, count);
                    taken.push((now, count));
                }
            }
            for (first, (from, _)) in taken.iter().enumerate() {
                let mut sum = 0;
                for (until, count) in &taken[first..] {
                    sum += count;
                    let share = u128::from(until - from + SECOND) * u128::from(per_second);
                    prop_assert!(u128::from(sum) * u128::from(SECOND) <= share);
                }
            }
        }

        #[test]
        fn whoever_waits_a_second_gets_a_second_s_worth(per_second in 1..5000_u32, before in 0..5000_u64) {
            let mut rate = Rate::new(per_second);
            let before = before.min(per_second.into());
            rate.take(0, before);
            prop_assert!(rate.allows(SECOND, per_second.into()));
        }

        #[test]
        fn more_than_a_second_s_worth_goes_through_and_is_paid_for(per_second in 1..500_u32, times in 2..9_u64) {
            let mut rate = Rate::new(per_second);
            let count = times * u64::from(per_second);
            prop_assert!(rate.allows(0, count));
            rate.take(0, count);
            prop_assert!(!rate.allows((times - 1) * SECOND, 1));
            prop_assert!(rate.allows(times * SECOND, 1));
        }
    }
}
