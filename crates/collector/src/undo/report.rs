//! What an undo did.

use planner::Amount;

/// What an undo of a generation did; in a dry run, what it would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Undone {
    /// The name of the generation; empty where none was found.
    pub generation: Box<str>,
    /// Whether nothing was changed.
    pub is_dry_run: bool,
    /// Blobs whose data is back.
    pub restored: Amount,
    /// Blobs whose data was there.
    pub present: Amount,
    /// Blobs whose data nobody kept.
    pub lost: Amount,
    /// Links that are back.
    pub links: u64,
    /// Links that were there.
    pub links_present: u64,
    /// Links to blobs that are lost; they stay away.
    pub links_dangling: u64,
    /// The keys of the first that are lost, at most [`Undone::MISSING`].
    pub missing: Vec<Box<str>>,
    /// Whether the generation ended with it.
    pub is_closed: bool,
}

impl Undone {
    /// How many keys are named.
    pub const MISSING: usize = 20;
}
