//! The vocabulary of container registries, pure: no I/O, no clock, no async.
//!
//! # Words
//! A *blob* is content under its [`Digest`]. A *manifest* is a blob that names others by [`Edge`]s. A *repository*
//! holds *links*: small objects whose key, and text, name a digest. A [`KeyKind`] is what an object key means in
//! the distribution layout. A *shard* is all that shares the first byte of a digest.
//!
//! # Guarantees
//! G4: what cannot be understood is an error or [`KeyKind::Foreign`], never a guess.
//! G7: for every kind that can be deleted, [`Layout::key_of`] gives back, byte for byte, the key that was classified.
//!
//! # Shape
//! ```text
//! object key ──▶ Layout::classify ──▶ KeyKind        link text ──▶ parse_link ──▶ Digest
//! manifest bytes ──▶ Manifest::parse ──▶ edges: config · layer · child · subject
//! ```
//!
//! # Cost
//! A digest is 65 bytes and `Copy`. Classifying allocates nothing. Parsing a manifest is one pass over its JSON.
//!
//! # Start reading at
//! [`Layout`], then [`Manifest`].
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod claims;
mod digest;
mod digester;
mod edge;
mod hex;
mod layout;
mod link;
mod manifest;
mod media_type;
mod name;
mod time;

pub use claims::Claim;
pub use digest::{Algorithm, Digest, DigestError, Shard};
pub use digester::Digester;
pub use edge::{Edge, Role};
pub use layout::{FolderKind, Foreign, KeyKind, Layout, UploadPart};
pub use link::{LinkError, link_text, parse_link};
pub use manifest::{Edges, MANIFEST_LIMIT, MANIFEST_READING, Manifest, ManifestError};
pub use media_type::MediaType;
pub use name::{NameError, RepositoryName, Tag};
pub use time::{TimeError, Timestamp};
