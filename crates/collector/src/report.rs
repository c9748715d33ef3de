//! What a run did.

use std::time::Duration;

use planner::{Amount, MultipartSeen};
use registry::Timestamp;
use store::KeyFailure;

/// What a run did, over all generations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Blobs that this run condemned.
    pub condemned: Amount,
    /// Links that were taken.
    pub taken: u64,
    /// Blobs that were deleted.
    pub deleted: Amount,
    /// Blobs that came to be needed before they were deleted.
    pub rescued: u64,
    /// Blobs that came to be needed when they were deleted, and came back.
    pub restored: u64,
    /// Links that were written back.
    pub given_back: u64,
    /// Keys of blobs that are needed, and that nobody has: they were gone before they were deleted.
    pub lost: Vec<Box<str>>,
    /// Blobs that are needed and could not be brought back; they are tried again, and nothing is condemned before.
    pub not_back: Vec<Stubborn>,
    /// Objects that could not be deleted; they are tried again.
    pub failed: u64,
    /// The first of those.
    pub first_failed: Option<Stubborn>,
    /// Generations that were given up, because a manifest was pushed just when it was taken.
    pub overtaken: u64,
    /// The names of the generations that deleted anything.
    pub deleted_by: Vec<Box<str>>,
    /// Incomplete multipart uploads that were aborted, and the bytes of their parts.
    pub aborted: Amount,
    /// What was seen of incomplete multipart uploads; none where nobody looked.
    pub uploads: Option<MultipartSeen>,
    /// Generations that ended.
    pub closed: u64,
    /// Blobs that are due to be looked at again and deleted by a run that may ([`crate::Settings::deletes`]); none where
    /// this one may, or nothing is due.
    pub for_window: Option<Amount>,
    /// How long the longest look took.
    pub looked: Duration,
    /// How long links were taken.
    pub taking: Duration,
    /// Generations that wait, the oldest first.
    pub waiting: Vec<Waiting>,
}

impl Report {
    pub(crate) fn fail(&mut self, key: &str, failure: &KeyFailure) {
        self.failed += 1;
        let stubborn = || Stubborn { key: key.into(), message: failure.to_string() };
        self.first_failed.get_or_insert_with(stubborn);
    }
}

/// An object with which the store did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stubborn {
    /// Its key.
    pub key: Box<str>,
    /// What the store said.
    pub message: String,
}

/// A generation that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Its name.
    pub generation: Box<str>,
    /// What waits: before data is deleted, or after.
    pub is_deleted: bool,
    /// Blobs that are condemned, those that came back included.
    pub condemned: Amount,
    /// From when on it goes on; none where it is not waiting for a time.
    pub due: Option<Timestamp>,
}
