//! Streams object keys concurrently, and repositories as trees.
//!
//! # Words
//! A *range* (A, B] is the keys after A up to and including B. A *cut* is a key at which a range is divided. A *part*
//! is what one range collects. A *seam* is where two parts meet in the middle of a repository.
//!
//! # Guarantees
//! G2: the ranges of a walk never overlap and leave no gap, however they are cut and stolen; a key equal to a cut
//! belongs to the left. G3: a walk that did not see the end of every range is an error. G12: at most one page for
//! each worker is in memory, besides what the parts keep.
//!
//! # Shape
//! ```text
//! one range ──first page──▶ cuts by a Seeder ──▶ workers ──▶ parts, in key order
//!             or at once on files                  ▲ │
//!                      an idle worker takes half ──┘ └──▶ RepositoryPart ──▶ RepositoryTree (bounded channel)
//! ```
//!
//! # Cost
//! ⌈keys/1000⌉ LIST requests on S3, one more for each range, and one for each folder the seeder looks into.
//! Where a store answers at once, no more ranges are held than there are threads to list them.
//!
//! # Start reading at
//! [`walk`], then [`list_repositories`].
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod error;
mod hands;
mod pivot;
mod ranges;
mod repositories;
mod seed;
#[cfg(test)]
mod testing;
mod tree;
mod walk;

pub use error::ListError;
pub use repositories::{Complete, list_repositories};
pub use seed::{BlobSeeder, FolderSeeder, NoSeeder, Seeder};
pub use tree::{Link, RepositoryTree, Signature, TagTree, Upload};
pub use walk::{Part, Walk, walk};
