//! What can go wrong, split by what the caller does next.

use ledger::LedgerError;
use marker::SpillError;
use planner::PlanError;
use protocol::ProtocolError;
use store::{KeyFailure, StoreError};
use tokio::task::JoinError;

/// Why a run could not go on. The next one takes up what it left; `E` is what the surroundings say.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CollectError<E: std::error::Error + 'static> {
    /// The surroundings failed, or objected.
    #[error(transparent)]
    Around(E),
    /// Nothing can be read from, or put on, record; or the lease is lost.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A bug, or a damaged record.
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    /// What was seen cannot be read again.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// What was seen cannot be read again.
    #[error(transparent)]
    Marks(#[from] SpillError),
    /// A blob that is needed could not be brought back: try again.
    #[error("`{key}` is needed and could not be brought back")]
    NotBack {
        /// The key of its data.
        key: Box<str>,
        /// What the store said.
        #[source]
        source: KeyFailure,
    },
    /// There is no such generation.
    #[error("there is no such generation on record")]
    NoGeneration,
    /// The store kept nothing of what was deleted, although it promised to: nothing more is deleted.
    #[error("nothing was kept of `{key}`, although the store keeps versions")]
    NothingKept {
        /// The key of the data that was deleted.
        key: Box<str>,
    },
    /// It was asked to stop; what is begun is on record.
    #[error("stopped")]
    Stopped,
    /// A bug.
    #[error("a task ended early")]
    LostTask(#[from] JoinError),
}

/// Why requests were not all sent.
#[derive(Debug)]
pub(crate) enum Unsent {
    Store(StoreError),
    NotBack { key: Box<str>, source: KeyFailure },
    Lost(JoinError),
}

impl<E: std::error::Error + 'static> From<Unsent> for CollectError<E> {
    fn from(unsent: Unsent) -> Self {
        match unsent {
            Unsent::Store(error) => Self::Store(error),
            Unsent::NotBack { key, source } => Self::NotBack { key, source },
            Unsent::Lost(error) => Self::LostTask(error),
        }
    }
}
