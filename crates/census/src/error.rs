//! Why there is no census.

use marker::SpillError;

/// Why there is no census.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CensusError {
    /// What did not fit into memory cannot be written, or read again.
    #[error(transparent)]
    Spill(#[from] SpillError),
    /// More repositories, or tags of one of them, than can be told apart.
    #[error("there are too many {what} to count")]
    TooMany {
        /// What is too many.
        what: &'static str,
    },
}
