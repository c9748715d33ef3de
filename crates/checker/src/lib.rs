//! Says what is wrong with a registry, and which images cannot be pulled: pure.
//!
//! # Words
//! A *finding* is something that is not as a registry leaves it, and what follows from it. *Damage* is what cannot be
//! served right; what is *useless* or *odd* does no harm. A *suspect* is a key that has to be looked at once more before
//! anything is said of it: a listing is no snapshot, and a push may have gone on meanwhile. A *fault* is the first thing
//! that a client misses which pulls an image. A *repair* removes a link, or writes it anew, and carries the proof that
//! this is right; none is ever tried here.
//!
//! # Guarantees
//! G4: what was not seen is not judged; nothing is called missing that a second look found. G12: a report holds so many
//! findings of a kind at most as it was told, and counts all of them.
//!
//! # Shape
//! ```text
//! listing of blobs ─▶ BlobsBuilder ─▶ Blobs ─┐
//!                                            ├─▶ suspects ─▶ keys ─▶ Seen ─▶ judge ─▶ Report
//! Marked repository ─────────────────────────┘
//! ```
//!
//! # Cost
//! Sixteen bytes for each blob of the registry, on disk where they are too many; two looks into sorted lists for each
//! reference of a manifest.
//!
//! # Start reading at
//! [`Kind`], then [`Repository::judge`], and [`Remedy`] for the proofs.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod blobs;
mod finding;
mod image;
mod judge;
mod links;
mod repair;
mod report;
mod repository;
mod sight;
mod suspects;

pub use blobs::{Blobs, BlobsBuilder, has_data, is_selected, slices};
pub use finding::{Finding, Kind, Severity};
pub use image::{BrokenImage, Fault, Part, Trouble};
pub use judge::Judgement;
pub use repair::{Remedy, Repair, Useless};
pub use report::Report;
pub use repository::{Links, Repository};
pub use suspects::{LinkText, Seen, Suspects};
