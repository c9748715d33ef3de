//! Deleting only while nobody pushes: whether that is now, and how long it would take.

use std::time::Duration;

use collector::Report;
use planner::Amount;

use crate::args::GcArgs;
use crate::location::Location;

/// Keys that are deleted in a second where nothing was seen of that: a bucket that has not been asked for much yet.
const USUAL_RATE: f64 = 1000.0;

/// When a run looks again and deletes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Window {
    /// While people push.
    NotNeeded,
    /// When the registry is read-only, and it is not: everything else is done.
    Closed,
    /// When the registry is read-only, and it is: as little else as possible is done.
    Open,
}

impl Window {
    /// What the operator says of it.
    pub(super) fn of(args: &GcArgs, location: &Location) -> Self {
        match (args.online.windowed, args.sweep.offline || location.is_readonly()) {
            (false, _) => Self::NotNeeded,
            (true, false) => Self::Closed,
            (true, true) => Self::Open,
        }
    }

    /// Whether anything new is condemned.
    pub(super) fn condemns(self) -> bool {
        self != Self::Open
    }

    /// Whether what was condemned is looked at again, and deleted.
    pub(super) fn deletes(self) -> bool {
        self != Self::Closed
    }

    /// Whether what is deleted must be able to come back: nobody pushes between a look in a window and what it deletes.
    pub(super) fn needs_undo(self) -> bool {
        self == Self::NotNeeded
    }
}

/// What waits for a window, and how long it has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Forecast {
    /// What is to be deleted.
    pub(crate) blobs: Amount,
    /// A look, and the deletion.
    pub(crate) time: Duration,
}

impl Forecast {
    /// By what a run saw; nothing where nothing waits.
    pub(super) fn of(report: &Report) -> Option<Self> {
        let blobs = report.for_window?;
        let taking = report.taking.as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "a forecast")]
        let (taken, count) = (report.taken as f64, blobs.count as f64);
        let rate = if taken > 0.0 && taking > 0.0 { taken / taking } else { USUAL_RATE };
        let deleting = Duration::try_from_secs_f64(count / rate).unwrap_or(Duration::MAX);
        Some(Self { blobs, time: report.looked.saturating_add(deleting) })
    }

    /// In whole seconds, and no less.
    pub(crate) fn seconds(&self) -> u64 {
        self.time.as_secs() + u64::from(self.time.subsec_nanos() > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forecast(taken: u64, taking: u64, count: u64) -> Option<u64> {
        let report = Report {
            for_window: Some(Amount { count, bytes: 7 }),
            looked: Duration::from_secs(40),
            taken,
            taking: Duration::from_secs(taking),
            ..Report::default()
        };
        Forecast::of(&report).map(|forecast| forecast.seconds())
    }

    #[test]
    fn a_window_is_as_long_as_a_look_and_the_deletion_at_the_rate_that_was_seen() {
        assert_eq!(forecast(500, 5, 2000), Some(60), "a hundred in a second");
        assert_eq!(forecast(0, 0, 2000), Some(42), "a thousand where none was seen");
        assert_eq!(forecast(0, 9, 1), Some(41), "parts of a second count whole");
        assert_eq!(Forecast::of(&Report::default()), None);
    }
}
