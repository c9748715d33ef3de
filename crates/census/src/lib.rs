//! Counts who keeps which blob, and how large it is: exactly, and right about sharing.
//!
//! # Words
//! A *claim* says that a repository keeps a digest, for one of its tags or for another reason, or that it only links
//! it. What a repository or a tag *keeps* is *exclusive* where nobody else does, and *shared* otherwise. *Reclaimable*
//! is what a plan by the same rules would delete. What is needed and not there is *missing*: counted, never summed.
//!
//! # Guarantees
//! Every blob counts once in the totals, in exactly one of: exclusive, shared, reclaimable, too young to judge. What is
//! exclusive to a repository is what a collection would free besides, if the repository went. G1, G4: who keeps what is
//! told by [`marker::Reach`] alone, so that doubt and youth keep here what they keep in a plan. G12: claims and blobs
//! past a limit of memory go to disk; what stays in memory is a few numbers for each repository, and for each tag that
//! is asked about. What was written there and reads otherwise is an error.
//!
//! # Shape
//! ```text
//! Marked repository ─▶ claims ─▶ Pile ─┐ by shard, sorted
//!                                      ├─▶ join ─▶ Census
//! page of blobs ─▶ sizes ─────▶ Pile ──┘
//! ```
//!
//! # Cost
//! 24 bytes for each claim and each blob, sorted once. Digests are told apart by 17 of their bytes.
//!
//! # Start reading at
//! [`CensusBuilder`], then `join.rs`.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod builder;
mod claim;
mod closure;
mod error;
mod join;
mod pile;
mod usage;

pub use builder::{Blob, CensusBuilder};
pub use error::CensusError;
pub use usage::{BlobTotals, ByTag, Census, Keeps, Reclaimable, RepositoryUsage, TagUsage, Totals};
