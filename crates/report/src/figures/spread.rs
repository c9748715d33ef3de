//! How something is spread over steps that grow.

use planner::Amount;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// Amounts by steps, each of which begins where the one before ends; the steps grow, as on a logarithmic scale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spread {
    steps: Vec<(u64, &'static str)>,
    amounts: Vec<Amount>,
}

impl Spread {
    fn new(steps: Vec<(u64, &'static str)>) -> Self {
        let amounts = vec![Amount::default(); steps.len()];
        Self { steps, amounts }
    }

    /// By age in seconds.
    pub(crate) fn ages() -> Self {
        Self::new(vec![
            (0, "under 1 day"),
            (DAY, "1–2 days"),
            (2 * DAY, "2–7 days"),
            (7 * DAY, "1–2 weeks"),
            (14 * DAY, "2–4 weeks"),
            (28 * DAY, "1–3 months"),
            (91 * DAY, "3–6 months"),
            (182 * DAY, "6–12 months"),
            (365 * DAY, "1–2 years"),
            (730 * DAY, "2–4 years"),
            (1461 * DAY, "over 4 years"),
        ])
    }

    /// By size in bytes.
    pub(crate) fn sizes() -> Self {
        Self::new(vec![
            (0, "under 1 KiB"),
            (KIB, "1–4 KiB"),
            (4 * KIB, "4–16 KiB"),
            (16 * KIB, "16–64 KiB"),
            (64 * KIB, "64–256 KiB"),
            (256 * KIB, "256 KiB–1 MiB"),
            (MIB, "1–4 MiB"),
            (4 * MIB, "4–16 MiB"),
            (16 * MIB, "16–64 MiB"),
            (64 * MIB, "64–256 MiB"),
            (256 * MIB, "256 MiB–1 GiB"),
            (GIB, "1–4 GiB"),
            (4 * GIB, "over 4 GiB"),
        ])
    }

    pub(crate) fn add(&mut self, value: u64, bytes: u64) {
        let step = self.steps.partition_point(|(from, _)| *from <= value);
        self.amounts[step.saturating_sub(1)].add(bytes);
    }

    /// The steps by name, and what falls into each: from the first that holds anything to the last.
    #[must_use]
    pub fn steps(&self) -> Vec<(&'static str, Amount)> {
        let holds = |amount: &Amount| amount.count > 0;
        let first = self.amounts.iter().position(holds).unwrap_or(self.amounts.len());
        let last = self.amounts.iter().rposition(holds).map_or(first, |last| last + 1);
        let all = self.steps.iter().zip(&self.amounts).map(|((_, name), amount)| (*name, *amount));
        all.take(last).skip(first).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_ascend_from_nothing_and_hold_what_begins_there() {
        for mut spread in [Spread::ages(), Spread::sizes()] {
            assert_eq!(spread.steps(), []);
            assert_eq!(spread.steps[0].0, 0);
            assert!(spread.steps.is_sorted_by(|a, b| a.0 < b.0));
            let steps = spread.steps.clone();
            for (from, _) in &steps {
                spread.add(*from, 5);
            }
            spread.add(u64::MAX, 5);
            let amounts: Vec<u64> = spread.steps().iter().map(|(_, amount)| amount.count).collect();
            assert_eq!(amounts[..steps.len() - 1], vec![1; steps.len() - 1]);
            assert_eq!(amounts.last(), Some(&2));
        }
    }

    #[test]
    fn empty_steps_are_shown_only_between_others() {
        let mut ages = Spread::ages();
        ages.add(3 * DAY, 1);
        ages.add(20 * DAY, 1);
        let names: Vec<_> = ages.steps().iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["2–7 days", "1–2 weeks", "2–4 weeks"]);
    }
}
