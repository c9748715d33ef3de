#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]
//! A reference model of a registry: what was pushed, what must still be pulled, what is garbage.
//!
//! Deliberately naive: it remembers what it wrote and what every manifest says, and never lists, classifies or parses,
//! so that its answers and the collector's have no code in common. Property tests, the demo and the benches ask it.
//!
//! # Words
//! A [`World`] is a registry's bucket with a clock that stands still until it is told to move on. A [`Pull`] is what a
//! client reads, key by key. A [`Step`] is something that happens to a registry, and a script is a list of them. A
//! [`Scenario`] is a world with the exact keys that a collection of it deletes. A key that is neither in
//! [`World::expected_live`] nor in [`World::garbage`] may stay or go: the rules leave it open.
//!
//! # Guarantees
//! No I/O, no clock, no randomness: the same calls make the same bytes. Each push writes exactly the keys that the
//! registry writes, and leaves the age of a blob that is there already as it is.
//! G1, G4: what is young or in doubt is in [`World::expected_live`].
//!
//! # Shape
//! ```text
//! push · tag · delete · mount · damage · age ──▶ World ──▶ objects ──▶ the collector under test
//!                                                  │                         │
//!                         pulls · expected_live · garbage      left ──▶ replace_objects ──▶ broken_pulls
//! ```
//!
//! # Cost
//! Everything lies in memory. Each answer is a pass over all objects, and a fixpoint over the manifests of each
//! repository.
//!
//! # Start reading at
//! [`World`], then `live.rs`: the rules of what lives, in the plainest code that says them.

mod change;
mod content;
mod damage;
mod document;
mod generate;
mod keys;
mod live;
mod mode;
mod pull;
mod push;
mod records;
mod retention;
pub mod scenario;
mod script;
#[cfg(any(test, feature = "strategies"))]
pub mod strategy;
mod summary;
mod world;

pub use content::{Content, Random};
pub use document::{Child, Form, Image, Index, Part};
pub use generate::{Bulk, Size, bulk, sample};
pub use keys::Keys;
pub use mode::Mode;
pub use pull::{Pull, Reference};
pub use retention::Retention;
pub use scenario::Scenario;
pub use script::{Step, steps};
pub use summary::Summary;
pub use world::{Stored, World};
