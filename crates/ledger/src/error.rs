//! What can go wrong, split by what the caller does next.

use std::fmt::Display;
use std::io;

use registry::Timestamp;
use store::StoreError;

use crate::LeaseLost;

/// Why something could not be recorded or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// Stop: begin nothing more.
    #[error(transparent)]
    Lost(#[from] LeaseLost),
    /// Come again later: somebody else collects.
    #[error("`{holder}` holds the lease until {until}")]
    Held {
        /// Who.
        holder: Box<str>,
        /// From when on it may be taken over, by the store's clock.
        until: Timestamp,
    },
    /// Come again later: somebody else collects on this machine, and holds the lock file.
    #[error("another process holds the lock `{path}`")]
    Locked {
        /// The lock file.
        path: Box<str>,
    },
    /// Read it again: the document was written since it was read, so this process knows too little.
    #[error("`{key}` was written by somebody else since it was read")]
    Overtaken {
        /// The document.
        key: Box<str>,
    },
    /// Ask the operator: the document is not as it was written (G3).
    #[error("`{key}` is damaged: {reason}")]
    Damaged {
        /// The document.
        key: Box<str>,
        /// What is wrong with it.
        reason: Box<str>,
    },
    /// Use the version of the program that wrote it.
    #[error("`{key}` is of format {format}, which this version does not know")]
    UnknownFormat {
        /// The document.
        key: Box<str>,
        /// The format that it names.
        format: u64,
    },
    /// As the store's own failures: what was to be written is in doubt.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The lock file cannot be used.
    #[error("the lock `{path}`")]
    Lock {
        /// The lock file.
        path: Box<str>,
        /// What the system says.
        source: io::Error,
    },
}

impl LedgerError {
    pub(crate) fn damaged(key: &str, reason: impl Display) -> Self {
        Self::Damaged { key: key.into(), reason: reason.to_string().into() }
    }
}
