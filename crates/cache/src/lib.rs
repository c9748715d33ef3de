//! Remembers on disk what manifests refer to, so that the next run need not read them again.
//!
//! # Words
//! A *record* is a digest with the edges of its manifest. A *segment* is an immutable file of records in the order of
//! their digests. *Tidying* removes what is damaged or too much, and merges small segments.
//!
//! # Guarantees
//! G4: a record is believed only where its checksum, over digest and edges and made when they were put in, is right, and
//! where this version of the program wrote it. A digest names its content for ever, so a right record never grows old.
//! Anything else is a miss: damage, a truncated or foreign file, a segment that somebody removed. No failure here ends a
//! run, and the folder may be removed at any time, also under a run.
//! G12: a segment costs 8 bytes of memory for each KiB of its size, and one of up to 8 MiB that much once it is used;
//! what waits to be written is bounded.
//!
//! # Shape
//! ```text
//! get ──▶ filter ─▶ block index ─▶ one read, or none where it is held ─▶ record ─▶ checksum ─▶ Manifest
//! put ──▶ waiting records ──full, close──▶ sorted ─▶ temporary file ─rename─▶ segment ──tidy──▶ evicted, merged
//! ```
//!
//! # Several processes
//! Segments have the checksum of their content as their name and come into being by a rename, so that nobody sees half of
//! one. A writer never waits: the file that it writes is locked, and whoever tidies, which one does at a time, removes
//! only those that are not, which writers left that were cut off. Whoever has a segment open goes on reading it when it is
//! removed.
//!
//! # Cost
//! 416 bytes on disk for an image of ten layers, and one read of 1 KiB to find it; small segments are read once.
//!
//! # Start reading at
//! [`ManifestCache`].
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod cache;
mod directory;
mod error;
mod filter;
mod merge;
mod record;
mod segment;
mod tidy;
mod waiting;
mod write;

pub use cache::{Limits, ManifestCache};
pub use error::{CacheError, Damage};
pub use segment::{parse_segment, segment_header};

#[cfg(test)]
mod tests;
