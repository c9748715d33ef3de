//! Leaving room for others.

/// How much of what a store bears to use, in percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share(u8);

impl Share {
    /// All of it.
    pub const ALL: Self = Self(100);

    /// `None` unless 1 to 100 percent.
    #[must_use]
    pub fn percent(percent: u8) -> Option<Self> {
        (1..=100).contains(&percent).then_some(Self(percent))
    }

    /// Above zero and at most one.
    pub(crate) fn part(self) -> f64 {
        f64::from(self.0) / 100.0
    }

    /// This share of `whole`, at least one.
    pub(crate) fn of(self, whole: usize) -> usize {
        whole.saturating_mul(usize::from(self.0)).div_ceil(100).max(1)
    }
}

impl Default for Share {
    fn default() -> Self {
        Self::ALL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_1_to_100_percent_and_leaves_at_least_one() {
        assert_eq!([0, 101].map(Share::percent), [None, None]);
        assert_eq!(Share::percent(100), Some(Share::default()));
        let half = Share::percent(50).unwrap();
        assert_eq!([0, 1, 2, 3, 64].map(|whole| half.of(whole)), [1, 1, 1, 2, 32]);
        assert_eq!(Share::ALL.of(64), 64);
    }
}
