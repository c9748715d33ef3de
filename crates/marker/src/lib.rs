//! Reads manifests in parallel and collects every digest that must be kept.
//!
//! # Words
//! A *root* is a manifest from which marking starts. The *reach* of a repository is what its roots keep alive. A
//! *mark* is a digest that must be kept. A *doubt* is something that could not be read or understood; most doubts
//! *pin* their repository: everything it links is kept. An *expiry* is what a retention policy lets go of a repository.
//!
//! # Guarantees
//! G4: doubt keeps; no error is dropped. G5: [`MarkSetBuilder::seal`] needs a whole listing and no repository left
//! unmarked. G12: manifests in flight and remembered are bounded; a sealed mark is 8 bytes, on disk
//! where there are too many ([`MemoryLimit`]).
//!
//! # Shape
//! ```text
//! RepositoryTree ──▶ Marker ──▶ Library (each manifest once) ──▶ Evidence ──▶ reach() ──▶ Reach ──▶ planner
//!                                                                                └─ marks ─▶ MarkSetBuilder ─seal─▶ MarkSet
//! ```
//!
//! # Cost
//! One GET for each distinct manifest that the cache does not remember; one for each tag whose target the listing does
//! not tell, where tags matter; one for each link under another algorithm than sha256.
//!
//! # Start reading at
//! [`reach`], then [`Marker`].
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod digest_set;
mod doubt;
mod error;
mod evidence;
mod expiry;
mod library;
mod links;
mod mark_set;
mod marker;
mod passed_by;
mod presumed;
mod reach;
mod rules;
mod tags;
#[cfg(test)]
mod testing;
mod trace;

pub use digest_set::{
    DigestReader, DigestSet, DigestSetBuilder, MemoryLimit, Run as SpilledRun, SpillError,
    SpillFile,
};
pub use doubt::{Doubt, What};
pub use error::MarkError;
pub use evidence::{Alias, Evidence, Known, TagTarget};
pub use expiry::Expiry;
pub use library::Library;
pub use mark_set::{MarkSet, MarkSetBuilder};
pub use marker::{Follow, Marked, Marker};
pub use reach::{Event, Reach, reach};
pub use rules::{Beside, Rules};
pub use tags::link_etag;
pub use trace::{Ground, Lead, Path, tags_to, trace};
