//! What a run counts, as text for Prometheus. Pure: no clock, no file, no network.
//!
//! # Words
//! As in the exposition format: a *family* is a name with its help and its type; a *sample* is one line of it, with
//! *labels* and a value. What the last run left in a file is the *former* text.
//!
//! # Guarantees
//! The labels of all samples together have a bounded number of values: none is a key, a repository or a message.
//! G4 of a kind: of a former text nothing is believed that this program would not have written so.
//!
//! # Shape
//! ```text
//! former text ─▶ Former ─┐
//! Monitor ───────────────┼─▶ text
//! Run (labels, times) ───┘
//! ```
//!
//! # Cost
//! Some 20 KiB of text, and as many loads of counters as there are samples.
//!
//! Source: Prometheus documentation, "Exposition formats", version 0.0.4 of the text format; "Metric and label naming".
//!
//! # Start reading at
//! [`text`], then `table`.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod former;
mod labels;
mod names;
mod page;
mod run;
mod seconds;
mod table;
#[cfg(test)]
mod tests;

pub use former::Former;
pub use labels::{Label, LabelError, Labels};
pub use names::phase as phase_name;
pub use page::text;
pub use run::{Ended, Run};
pub use table::counters;

/// What the text is, as HTTP says it.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
