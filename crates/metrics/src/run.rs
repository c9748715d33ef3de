//! What a run says of itself, beside what it counts.

use std::time::Instant;

use monitor::{Counter, Garbage, Monitor, Phase};
use registry::Timestamp;

use crate::{Former, Labels};

/// A run as it stands.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// The program's version.
    pub version: &'a str,
    /// The labels of all samples.
    pub labels: &'a Labels,
    /// When it began, by this machine's clock.
    pub began: Timestamp,
    /// The moment in which the counters are read.
    pub now: Instant,
    /// How it ended; none while it goes on.
    pub ended: Option<Ended>,
    /// What the runs before it left.
    pub former: &'a Former,
}

/// The end of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// When, by this machine's clock.
    pub at: Timestamp,
    /// The program's exit code.
    pub exit_code: u8,
}

impl Ended {
    /// Whether all that was asked is done.
    pub(crate) const fn is_success(self) -> bool {
        self.exit_code == 0
    }
}

impl Run<'_> {
    /// The end of this run or, while it goes on, of the last one.
    pub(crate) fn last(&self) -> Option<Ended> {
        self.ended.or(self.former.last)
    }

    /// When the last run ended that did all that was asked.
    pub(crate) fn last_success(&self) -> Option<Timestamp> {
        let success = self.ended.filter(|ended| ended.is_success());
        success.map(|ended| ended.at).or(self.former.last_success)
    }

    /// When the oldest object was last written that a plan names and that is still there. None where there is none, and
    /// where nobody knows: of a sweep that was broken off, only its journal tells what is left.
    ///
    /// A run that made no plan and failed leaves what the last plan said.
    pub(crate) fn oldest_garbage(&self, monitor: &Monitor) -> Option<Timestamp> {
        let time = |garbage| monitor.oldest(garbage).map(Timestamp::from_millis);
        if monitor.has_entered(Phase::SweepingLinks) || monitor.has_entered(Phase::SweepingBlobs) {
            let planned = monitor.get(Counter::PlannedObjects);
            let is_whole = monitor.get(Counter::SweptObjects) >= planned;
            return time(Garbage::Failed).filter(|_| is_whole);
        }
        let has_succeeded = self.ended.is_some_and(Ended::is_success);
        time(Garbage::Planned).or(self.former.oldest_garbage.filter(|_| !has_succeeded))
    }
}
