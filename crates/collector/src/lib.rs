//! Collects while people push: carries generations from phase to phase.
//!
//! # Words
//! A *generation* is what one run condemns, and all that becomes of it over the nights; `protocol` says what may follow
//! what, `ledger` keeps it on record. A *blob* of a generation comes with the links to it that were *taken*. A *look*
//! lists and marks the registry anew; it is taken by the [`Surroundings`], as are questions to the registry's cache.
//!
//! # Guarantees
//! G8: links go before data, and data comes back before links. G4: what a look leaves in doubt comes back. G11: whatever
//! is changed is on record before, and a look does not outlive its process, so that a run that ends at any instant is
//! taken up by the next one. G9: only what is on record is deleted, in one place. G12: a segment of a generation at a
//! time, a page of uploads, one entry for each blob that came back, and a number for each that is on record as deleted.
//!
//! # Shape
//! ```text
//!                 ┌ look last ─▶ give back ─▶ closed
//! Collector ─ run ┼ look again ▶ give back ─▶ delete ─▶ purge ─▶ (wait)
//!    │            ├ look ──────▶ condemn ───▶ unlink ─▶ purge ─▶ (wait)
//!    │            └ uploads ───▶ abort
//!    ├─ Surroundings: look, purge, ask caches, trash, old uploads
//!    └─ Ledger: generations, blob by blob
//! Undo ────── run ─ data ─▶ links ─▶ on record as given back
//! ```
//!
//! # Cost
//! Each look is a listing of the registry. A generation is written once and read once for each step.
//!
//! # Start reading at
//! [`Collector`], then `again.rs`.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod abort;
mod again;
mod answer;
mod blobs;
mod collector;
mod condemn;
mod delete;
mod error;
mod give_back;
mod last;
mod report;
mod see;
mod seen;
mod surroundings;
mod told;
mod undo;
mod unlink;

pub use collector::{Collector, Settings};
pub use error::CollectError;
pub use report::{Report, Stubborn, Waiting};
pub use surroundings::{Look, Noted, Purpose, Remembered, Surroundings, Uploads};
pub use undo::{Asked, Keeper, Undo, UndoSettings, Undone, Which};
