//! Carries out a plan, and decides nothing: it deletes what the plan lists, writes its broken links anew, or spares it.
//!
//! # Words
//! A *row* is one object of the plan; its *ordinal* is its place in its segment. A *batch* is what one request
//! deletes. An *intent* says which rows are about to be deleted, an *outcome* what became of them; both stand in the
//! *journal*, in the plan's directory. A row is *held back* where a link stays that may lead to it. An *undo* takes back
//! what a plan deleted, where the store kept it.
//!
//! # Guarantees
//! G6: only rows of the plan are deleted, or written anew. G8: broken links first, then tags, then revisions, then layer links, then blobs; what a remaining
//! link may lead to stays. Incomplete multipart uploads, to which nothing leads, are aborted last. G10: planned = deleted + rewritten + already gone + spared + failed, in every segment and in
//! total. G11: an intent is durable before its request is sent, so that a sweep cut off at any instant can be taken up
//! and ends in the same objects; so can an undo, which never overwrites. G12: rows, batches and requests in memory depend on [`Settings`] alone; the journal's
//! state takes up to a bit for each row.
//!
//! # Shape
//! ```text
//! plan ──rows──▶ cut ──batches──▶ sweep ──requests──▶ store
//!                 ▲                 │ ▲ outcomes        │
//!        what is done          intents└─────────────────┘
//!                 │                 ▼
//!                 └──── replay ── journal              ledger ──▶ report
//! ```
//!
//! # Cost
//! One delete request for each full batch, and one for the rest of each stage. Journal: some 200 bytes for each batch
//! of neighbours, one sync for all batches that wait.
//!
//! # Start reading at
//! [`sweep`], [`Journal`], [`undo`].

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod count;
mod cut;
mod error;
mod journal;
mod ledger;
mod note;
mod obstacles;
mod report;
mod rewrite;
mod runs;
mod source;
mod sweep;
mod trash;
mod undo;

#[cfg(test)]
mod tests;

pub use count::{Count, Fates};
pub use error::{Cause, SweepError};
pub use journal::{
    Journal, JournalError, JournalState, Replay, ReplayError, Witness, parse_journal,
};
pub use note::{
    NOTE_LIMIT, Promise, UndoState, trash_note, trash_prefix, undone_note, undone_prefix,
};
pub use report::{Balance, Ended, FailedObject, Imbalance, SweepReport};
pub use sweep::{Observer, Settings, sweep};
pub use undo::{
    Missing, MissingWhy, Only, Returns, UndoError, UndoReport, UndoSettings, Why, undo,
};
