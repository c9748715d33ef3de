//! Why a sweep came to no good end.

use std::error::Error;
use std::fmt;

use planner::PlanError;
use store::{BatchError, StoreError};
use tokio::task::JoinError;

use crate::{Count, Imbalance, JournalError, SweepReport};

/// A sweep that came to no good end, and how far it came.
///
/// What was in flight has been awaited and journaled, so the same plan can be swept on.
#[derive(Debug)]
pub struct SweepError {
    /// What went wrong first.
    pub cause: Cause,
    /// What was done, by this run and earlier ones.
    pub report: Box<SweepReport>,
}

impl fmt::Display for SweepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(f)
    }
}

impl Error for SweepError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.source()
    }
}

/// What ended a sweep.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Cause {
    /// Every row of the plan has its outcome: there is nothing to do.
    #[error("the plan has been carried out before")]
    AlreadyApplied,
    /// What the plan deleted was taken back: what may go now, only a new plan can tell.
    #[error("the plan has been taken back")]
    TakenBack,
    /// The plan deleted nothing, so there is nothing to take back.
    #[error("the plan has deleted nothing")]
    NothingDeleted,
    /// Nothing of what the plan deleted is left.
    #[error("{} objects were deleted, and the store kept none of them", deleted.objects)]
    NothingKept {
        /// What was deleted.
        deleted: Count,
    },
    /// An undo saw another number of objects than were deleted (G10).
    #[error("{deleted} objects were deleted, and {counted} were looked at")]
    Miscounted {
        /// By the journal.
        deleted: u64,
        /// By the rows.
        counted: u64,
    },
    /// The store does not go on, however often it is asked.
    #[error("the store did not carry out a batch")]
    Store(#[source] StoreError),
    /// The plan cannot be read on.
    #[error("the plan cannot be read")]
    Plan(#[source] PlanError),
    /// The journal cannot be written, so nothing more may be deleted.
    #[error("the journal cannot be kept")]
    Journal(#[source] JournalError),
    /// The journal stopped taking records without an error of its own.
    #[error("the journal ended early")]
    JournalClosed,
    /// The plan and its journal contradict each other.
    #[error("the journal has outcomes for segment {number}, which the plan does not have")]
    StrangeSegment {
        /// The number.
        number: u32,
    },
    /// The plan and its journal contradict each other.
    #[error("the journal has outcomes for rows that the plan does not have in {file}")]
    OtherRows {
        /// The segment's file, relative to the plan's directory.
        file: String,
    },
    /// A segment has more rows than ordinals.
    #[error("{file} has more than 2³² rows")]
    Oversized {
        /// The segment's file, relative to the plan's directory.
        file: String,
    },
    /// Rows that cannot be asked for in one request.
    #[error("rows of the plan make no batch")]
    Batch(#[source] BatchError),
    /// A part of the program panicked.
    #[error("a part of the sweep panicked")]
    Panicked(#[source] JoinError),
    /// The outcomes do not add up to the plan (G10).
    #[error("the outcomes do not add up to the plan")]
    Unaccounted(#[source] Box<Imbalance>),
}

impl Cause {
    /// Whether nothing was begun because there is nothing to do.
    #[must_use]
    pub const fn says_nothing_to_do(&self) -> bool {
        matches!(
            self,
            Self::AlreadyApplied
                | Self::TakenBack
                | Self::NothingDeleted
                | Self::NothingKept { .. }
        )
    }
}
