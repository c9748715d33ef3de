//! What must not happen, as types.

use std::time::Duration;

use registry::Timestamp;

use crate::{Phase, Step};

/// A setting that would not be safe, or a step out of order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// A push could outlive the quarantine: choose a longer one, or bound pushes and caches more tightly.
    #[error(
        "a quarantine of {} s ends before a push of {} s that asked a cache after {} s",
        quarantine.as_secs(), longest_push.as_secs(), cache_life.as_secs()
    )]
    QuarantineTooShort {
        /// The quarantine asked for.
        quarantine: Duration,
        /// The longest that a push takes.
        longest_push: Duration,
        /// How long caches answer from before they were purged.
        cache_life: Duration,
    },
    /// A step that does not follow from this phase: the record of the generation is damaged, or the caller is wrong.
    #[error("{step:?} does not follow from {phase:?}")]
    OutOfOrder {
        /// Where the generation stands.
        phase: Phase,
        /// What was to happen.
        step: Step,
    },
    /// A look before its time: come again when it is due.
    #[error("the wait that began at {since} is not over at {now}")]
    NotDue {
        /// When the wait began.
        since: Timestamp,
        /// The store's time.
        now: Timestamp,
    },
}
