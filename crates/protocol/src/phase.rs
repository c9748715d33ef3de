//! Where a generation stands, and what may follow.

use registry::Timestamp;

use crate::waits::is_over;
use crate::{ProtocolError, Waits};

/// Where one generation stands. Durable before anything of the phase is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// The first look: listing, marking, and choosing what is condemned. What an interrupted try had taken and is
    /// not condemned again is given back.
    Marking,
    /// Taking the links that the first look listed to what is condemned.
    Unlinking,
    /// Purging the registry's caches of what is condemned.
    Purging,
    /// Waiting until no push is left that could know of what was there before.
    Quarantined {
        /// When the purge ended, by the store's clock.
        purged: Timestamp,
    },
    /// The second look: a fresh listing, and giving back what is needed.
    Looking,
    /// Deleting the data of what is still condemned, so that it can be undone.
    Deleting,
    /// Purging the caches again: a request that was under way during the first purge may have filled them since, and
    /// a later push may have believed that.
    PurgingAgain,
    /// Waiting until no push is left that saw the data before it went.
    Settling {
        /// When the second purge ended, by the store's clock.
        purged: Timestamp,
    },
    /// The last look: a fresh listing, and giving back what came to be needed.
    LookingLast,
    /// Over: what is deleted may go for good.
    Closed,
}

/// What was completed, or begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// What is condemned is on record, with every link to it, and what is not was given back.
    Condemned,
    /// Every link on record was taken, or found gone.
    Unlinked,
    /// A purge of all that is condemned has ended.
    Purged {
        /// When it ended, by the store's clock.
        at: Timestamp,
    },
    /// A look begins; its listing is not begun before.
    LookBegins {
        /// The store's time.
        now: Timestamp,
    },
    /// What the look found to be needed was given back, and that is on record.
    GivenBack,
    /// The data of all that is still condemned is deleted, or found gone.
    Deleted,
    /// Nothing is condemned, or not any more, and what was not was given back.
    NothingLeft,
}

/// What a run has to do for a generation, in the order in which one run does it for all of them: give back before
/// deleting, delete before condemning, so that no look takes what is about to come back for missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Work {
    /// Look for the last time, give back, close.
    LookLast,
    /// Look again, give back, delete.
    LookAgain,
    /// Purge the caches of what is deleted.
    PurgeAgain,
    /// Purge the caches of what is condemned.
    Purge,
    /// Look for the first time, condemn, unlink.
    Condemn,
    /// Nothing before its wait is over; a look that only rescues may be taken at any time.
    Wait,
    /// Nothing any more.
    Nothing,
}

impl Phase {
    /// Where every generation begins.
    pub const FIRST: Self = Self::Marking;

    /// The phase after `step`; the only way from one to another.
    ///
    /// # Errors
    /// [`ProtocolError::OutOfOrder`] where `step` does not follow; [`ProtocolError::NotDue`] where a look begins too
    /// early. The generation then stays where it was.
    pub fn advance(self, step: Step, waits: &Waits) -> Result<Self, ProtocolError> {
        match (self, step) {
            (Self::Marking, Step::Condemned) => Ok(Self::Unlinking),
            (Self::Unlinking, Step::Unlinked) => Ok(Self::Purging),
            (Self::Purging, Step::Purged { at }) => Ok(Self::Quarantined { purged: at }),
            (Self::Quarantined { .. }, Step::LookBegins { now }) => {
                self.when_due(now, waits, Self::Looking)
            }
            (Self::Looking, Step::GivenBack) => Ok(Self::Deleting),
            (Self::Deleting, Step::Deleted) => Ok(Self::PurgingAgain),
            (Self::PurgingAgain, Step::Purged { at }) => Ok(Self::Settling { purged: at }),
            (Self::Settling { .. }, Step::LookBegins { now }) => {
                self.when_due(now, waits, Self::LookingLast)
            }
            (Self::LookingLast, Step::GivenBack)
            | (Self::Marking | Self::Looking, Step::NothingLeft) => Ok(Self::Closed),
            _ => Err(ProtocolError::OutOfOrder { phase: self, step }),
        }
    }

    /// Where a process goes on that finds this phase on record. A look does not outlive the process that took it
    /// (G11): who would take links or delete by one, looks again.
    #[must_use]
    pub const fn resume(self) -> Self {
        match self {
            Self::Unlinking => Self::Marking,
            Self::Deleting => Self::Looking,
            Self::Marking
            | Self::Purging
            | Self::Quarantined { .. }
            | Self::Looking
            | Self::PurgingAgain
            | Self::Settling { .. }
            | Self::LookingLast
            | Self::Closed => self,
        }
    }

    /// What is to be done at `now`, by the store's clock, by a process that finds this phase on record.
    #[must_use]
    pub fn work(self, now: Timestamp, waits: &Waits) -> Work {
        match self {
            _ if !self.is_due(now, waits) => Work::Wait,
            Self::Marking | Self::Unlinking => Work::Condemn,
            Self::Purging => Work::Purge,
            Self::Quarantined { .. } | Self::Looking | Self::Deleting => Work::LookAgain,
            Self::PurgingAgain => Work::PurgeAgain,
            Self::Settling { .. } | Self::LookingLast => Work::LookLast,
            Self::Closed => Work::Nothing,
        }
    }

    /// Whether a wait is over at `now`, by the store's clock; true where there is none.
    #[must_use]
    pub fn is_due(self, now: Timestamp, waits: &Waits) -> bool {
        match self {
            Self::Quarantined { purged } => is_over(purged, now, waits.quarantine()),
            Self::Settling { purged } => is_over(purged, now, waits.settle()),
            _ => true,
        }
    }

    fn when_due(self, now: Timestamp, waits: &Waits, next: Self) -> Result<Self, ProtocolError> {
        match self {
            Self::Quarantined { purged: since } | Self::Settling { purged: since }
                if !self.is_due(now, waits) =>
            {
                Err(ProtocolError::NotDue { since, now })
            }
            _ => Ok(next),
        }
    }
}

#[cfg(test)]
mod tests;
