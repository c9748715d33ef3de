//! Why marking could not be completed.

use std::num::NonZeroU64;

use registry::{Digest, RepositoryName};
use store::StoreError;

use crate::SpillError;

/// Marking that is not whole; nothing may be deleted after it (G5).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MarkError {
    /// The store failed for good while a manifest was read.
    #[error("read manifest {digest} of repository `{repository}`")]
    Manifest {
        /// The repository.
        repository: RepositoryName,
        /// The manifest.
        digest: Digest,
        /// What the store said.
        #[source]
        source: StoreError,
    },
    /// The store failed for good while a link was read.
    #[error("read link `{key}`")]
    Link {
        /// The link.
        key: Box<str>,
        /// What the store said.
        #[source]
        source: StoreError,
    },
    /// The store failed for good while it was looked whether links are there.
    #[error("look at links of repository `{repository}`")]
    Look {
        /// The repository.
        repository: RepositoryName,
        /// What the store said.
        #[source]
        source: StoreError,
    },
    /// The store failed for good while a folder that had been left closed was listed.
    #[error("list `{folder}`")]
    List {
        /// The folder.
        folder: Box<str>,
        /// What the store said.
        #[source]
        source: StoreError,
    },
    /// Marks that did not fit into memory are lost.
    #[error(transparent)]
    Spill(#[from] SpillError),
    /// The run was asked to stop.
    #[error("stopped while repository `{repository}` was being marked")]
    Stopped {
        /// The repository.
        repository: RepositoryName,
    },
    /// Marking ended while repositories were still being marked.
    #[error("{unresolved} repositories are not marked to the end")]
    Unresolved {
        /// How many.
        unresolved: NonZeroU64,
    },
    /// A reader ended without an answer: a bug.
    #[error("a reader of repository `{repository}` ended early")]
    LostReader {
        /// The repository.
        repository: RepositoryName,
        /// How it ended.
        #[source]
        source: tokio::task::JoinError,
    },
}
