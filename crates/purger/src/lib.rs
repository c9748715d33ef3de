//! Clears digests from the redis in which a registry remembers its blobs.
//!
//! # Words
//! An *entry* is what the registry remembers of a digest: of all the store, or of one repository; as long as there is
//! one it is *believed*. To *forget* an entry is to clear it, so that the registry looks into its store again. A *batch*
//! is what is asked for at once.
//!
//! # Guarantees
//! What is forgotten is what the registry's own clearing takes away, of every version, and nothing else. Forgetting
//! again is harmless: whoever does not know how far an earlier run came forgets everything once more. No error is
//! swallowed, none holds a secret, and every request ends in time. G12: a batch at a time, whatever is asked for.
//!
//! # Shape
//! ```text
//! config::Redis ─▶ Route ─▶ a server, or sentinels ─▶ the server they name
//!                    │        or the servers of a cluster
//! entries ─▶ Purger ─┴─ batches of commands ─▶ redis, in a cluster each to the server of its key
//!               └── lost: connect again, ask again
//! ```
//!
//! # Cost
//! One round trip for each thousand entries, three short commands each; as many digests are asked for at once, one
//! command each.
//!
//! # Start reading at
//! [`Purger`], [`Entry`].
//!
//! Source: distribution `registry/storage/cache/redis/redis.go`, 2.8 to 3.1; `go-redis` 9 for how servers are found.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod cluster;
mod connect;
mod entry;
mod error;
mod limits;
mod purger;
mod route;

#[cfg(test)]
mod tests;

pub use entry::Entry;
pub use error::PurgeError;
pub use limits::Limits;
pub use purger::Purger;
