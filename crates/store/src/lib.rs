//! The only crate that talks to a store, and the only function that deletes from one.
//!
//! # Words
//! A *store* holds *objects* under *keys*, in the byte order of the keys: a bucket, a directory tree, memory. A
//! *cursor* is a listing under way. A *batch* is up to 1000 objects to delete in one request. A *delete marker* hides
//! older *versions* of a key, where the store keeps them; a *trash* is where objects go instead, inside the same store.
//! An *incomplete multipart upload* was begun and neither completed nor aborted; its parts are no object.
//!
//! # Guarantees
//! G3: a listing ends only where the store said so; anything odd on the way is an error.
//! G7: keys are handed on byte for byte. G9: [`DeleteStore::delete`] is the only way to delete and to abort, and readers
//! that take a [`ReadStore`] cannot. [`RestoreStore::unmark`] removes delete markers, which brings objects back, and nothing
//! else. G10: every key of a batch gets exactly one outcome. G12: requests in flight are bounded.
//!
//! # Shape
//! ```text
//! Retried ▶ Paced ▶ S3Store │ FileStore │ MemoryStore        (wrappers see every request; stores know nothing of them)
//! ```
//!
//! # Cost
//! S3: one LIST for each 1000 keys and range, one GET for each object read, one `DeleteObjects` for each 1000 keys; two
//! requests for each incomplete multipart upload that is aborted.
//! Files: one look at each file, no more; none at files that the layout lets presume, until somebody asks.
//!
//! # Start reading at
//! [`ReadStore`], [`DeleteStore`], [`RestoreStore`], [`WriteStore`], [`MultipartStore`],
//! [`PartStore`].

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod api;
mod batch;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod content;
mod controller;
mod error;
mod faulty;
mod files;
mod guarded;
mod key;
mod memory;
mod multipart;
mod object;
mod paced;
mod restore;
mod retried;
#[cfg(feature = "s3")]
mod s3;
#[cfg(all(feature = "benches", not(feature = "s3")))]
#[path = "s3/scanner.rs"]
mod s3;
#[cfg(test)]
mod scripted;
mod share;
mod stopping;
mod write;

pub use api::{
    Abilities, Cursor, DeleteStore, Folders, MultipartStore, PartStore, ReadStore, RestoreStore,
};
pub use batch::{BatchError, DeleteBatch, Doomed, Kept, KeyFailure, KeyOutcome, Permit, Trash};
pub use content::Content;
pub use error::{ErrorKind, Operation, StoreError};
pub use faulty::{Crash, Fault, FaultPlan, Faulty, FaultyCursor};
pub use files::{
    FileCursor, FileOptions, FileStore, Leaf, Nest, Passage, PassageRule, Shape, ShapeRule,
};
pub use guarded::{GuardSettings, Guarded, guarded};
pub use key::Key;
pub use memory::{MemoryCursor, MemoryStore};
pub use multipart::{
    MultipartPage, MultipartPlace, MultipartStep, MultipartUpload, MultipartWalk, Parts,
};
pub use object::{Listed, Object};
pub use paced::{PaceSettings, Paced, PacedCursor};
pub use restore::{Marker, PutBack, Trashed, Version};
pub use retried::{GaveUp, Retried, RetriedCursor, RetrySettings};
#[cfg(all(feature = "benches", feature = "s3"))]
#[doc(hidden)]
pub use s3::Signing;
#[cfg(feature = "benches")]
#[doc(hidden)]
pub use s3::keys_of_page;
#[cfg(feature = "s3")]
pub use s3::{
    Addresses, DefaultEndpoint, DeleteChecksum, S3Config, S3Cursor, S3Store, StaticCredentials,
    Timeouts,
};
pub use share::Share;
pub use write::{Condition, Token, Versioned, WriteStore, heeds_conditions};
