//! What a run of a collection while people push did, as a page shows it.

use std::time::Duration;

use planner::{Amount, Header, MultipartSeen, Requests};
use registry::Timestamp;

use crate::{FailedObject, Figures, NightBill, Timeline};

/// All that the page of a night is made of: one run of a collection while people push.
#[derive(Clone, Debug)]
pub struct Night<'a> {
    /// The registry, as it was typed.
    pub source: &'a str,
    /// What the store calls itself.
    pub identity: &'a str,
    /// Where the registry's keys begin.
    pub base: &'a str,
    /// Whose version it was that ran.
    pub created_by: &'a str,
    /// When it began, by the store's clock.
    pub began: Timestamp,
    /// By which rules.
    pub rules: NightRules,
    /// How it ended.
    pub ended: NightEnd,
    /// Why, where it did not go well.
    pub why: Option<&'a str>,
    /// What was done.
    pub deeds: &'a Deeds,
    /// What waits, the oldest first.
    pub waiting: &'a [Awaited],
    /// What the last look at the registry says of itself; none where it did not come to one.
    pub look: Option<&'a Header>,
    /// The blobs of the registry when it was looked at first, before anything was deleted; none where it was not.
    pub stored: Option<Amount>,
    /// What was condemned, with the links to it.
    pub condemned: &'a Figures,
    /// What was deleted, without the links to it, which went earlier.
    pub deleted: &'a Figures,
    /// What was asked of the store.
    pub requests: Requests,
    /// What that costs; none where no prices are known.
    pub bill: Option<&'a NightBill>,
    /// How the run went on.
    pub timeline: &'a Timeline,
}

impl Night<'_> {
    /// Whether the registry lies in files, where nobody is billed for requests.
    pub(crate) fn is_files(&self) -> bool {
        self.identity.starts_with("files at ")
    }
}

/// By which rules a night is collected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NightRules {
    /// Whether manifests without a tag are condemned.
    pub untagged: bool,
    /// Nothing younger is condemned.
    pub grace: Duration,
    /// How long nothing was added to a multipart upload that is aborted.
    pub uploads_older_than: Duration,
    /// How long nothing is deleted after it was condemned.
    pub quarantine: Duration,
    /// How long a push takes at most.
    pub longest_push: Duration,
    /// Whether anything is deleted only while nobody can push.
    pub windowed: bool,
}

/// How a night ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NightEnd {
    /// All that was due is done.
    Completed,
    /// All that was due was tried, and some of it failed.
    Partial,
    /// It was asked to stop.
    Stopped,
    /// It went no further, because something forbids that.
    Refused,
    /// Something went wrong.
    Broken,
}

/// What a night did, over all generations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deeds {
    /// Blobs that were condemned.
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
    /// Objects that could not be deleted.
    pub failed: u64,
    /// Blobs that are needed and could not be brought back yet.
    pub not_back: u64,
    /// Blobs that are needed and that nobody has.
    pub lost: u64,
    /// Incomplete multipart uploads that were aborted, and the bytes of their parts.
    pub aborted: Amount,
    /// What was seen of these; none where nobody looked.
    pub uploads: Option<MultipartSeen>,
    /// Generations that were given up.
    pub overtaken: u64,
    /// Generations that ended.
    pub closed: u64,
    /// The names of the generations that deleted anything.
    pub deleted_by: Vec<String>,
    /// Some of the objects that something is wrong with.
    pub failures: Vec<FailedObject>,
}

/// A generation that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Awaited {
    /// Its name.
    pub generation: String,
    /// For what.
    pub waits_for: WaitsFor,
    /// What it condemned, and what came back of that too.
    pub condemned: Amount,
}

/// What a generation waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitsFor {
    /// To be deleted by the first run after this time.
    Deletion(Timestamp),
    /// To be deleted by the first run after this time while nobody can push.
    Window(Timestamp),
    /// To be looked at for the last time by the first run after this time; its data is deleted.
    LastLook(Timestamp),
    /// The next run, which goes on with it.
    NextRun,
}
