//! What became of a plan, as a report shows it.

use planner::{Amount, Requests};

/// How a sweep ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Every object has an outcome.
    Completed,
    /// It was asked to stop.
    Stopped,
    /// Something went wrong.
    Broken,
}

/// An object that could not be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedObject {
    /// Its key.
    pub key: String,
    /// What the store said.
    pub message: String,
}

/// What became of a plan: planned = deleted + already gone + spared + failed + left (G10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub ended: Ended,
    /// What the plan says.
    pub planned: Amount,
    /// What the store said it deleted.
    pub deleted: Amount,
    /// What was not there any more.
    pub already_gone: Amount,
    /// What was kept after all.
    pub spared: Amount,
    /// What could not be deleted.
    pub failed: Amount,
    /// What has no outcome yet.
    pub left: Amount,
    /// The first objects that could not be deleted.
    pub failures: Vec<FailedObject>,
    /// What the sweep asked of the store, apart from what the plan did.
    pub requests: Requests,
}
