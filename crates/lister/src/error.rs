//! Why a listing is not whole.

use store::StoreError;

/// A listing that did not see every key (G3).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListError {
    /// The store failed.
    #[error("list the keys below `{within}`")]
    Store {
        /// The prefix that was listed.
        within: Box<str>,
        /// What the store said.
        #[source]
        source: StoreError,
    },
    /// The store failed.
    #[error("list the incomplete multipart uploads below `{within}`")]
    Uploads {
        /// The prefix that was listed.
        within: Box<str>,
        /// What the store said.
        #[source]
        source: StoreError,
    },
    /// The store gave keys out of order, or outside of what was asked.
    #[error("the listing below `{within}` gave `{key}` out of order")]
    Order {
        /// The prefix that was listed.
        within: Box<str>,
        /// The key that does not fit.
        key: Box<str>,
    },
    /// The run was asked to stop.
    #[error("the run was asked to stop while it listed `{within}`")]
    Stopped {
        /// The prefix that was listed.
        within: Box<str>,
    },
    /// Whoever takes the entries has gone away.
    #[error("nobody takes the entries below `{within}` any more")]
    Abandoned {
        /// The prefix that was listed.
        within: Box<str>,
    },
    /// A worker ended without an answer: a bug.
    #[error("a worker ended in the middle of `{within}`")]
    LostWorker {
        /// The prefix that was listed.
        within: Box<str>,
        /// How it ended.
        #[source]
        source: tokio::task::JoinError,
    },
}
