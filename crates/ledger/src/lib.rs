//! What a collection records in the registry's own store: who collects, and what becomes of each generation.
//!
//! # Words
//! A *lease* is the right to collect, until it expires by the store's clock. Who has it is its *holder*, and shows it by
//! what is [`Held`]. A *generation* is what one run condemns, and all that becomes of it ([`protocol`]); its *document*
//! says where it stands, and names the *segments* that hold its *entries*.
//!
//! # Guarantees
//! No two holders delete at the same time, within the assumptions of [`Lease`]. G3: a document is read whole or is an
//! error, and a generation with all of its segments. What is written here is durable before anything that it announces
//! is done, and a write depends on what was read: who lost the lease changes nothing any more.
//!
//! # Shape
//! ```text
//! <rootdirectory>/docker/registry/v2/…                     the registry's; all that collections ever list
//! <rootdirectory>/regsweep/lease.json                      Lease; on a store that ignores conditions a LocalLease
//!                          probe                           whether the store looks at conditions
//!                          generations/<id>.json           where it stands, and which segments there are
//!                          generations/<id>/entries-000.jsonl   written once, before the document names it
//! ```
//!
//! # Cost
//! A lease: one request for the time and one write for each renewal. An append: a write for each segment, and one for
//! the document.
//!
//! # Start reading at
//! [`Lease`], [`Ledger`].
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod clock;
mod document;
mod entry;
mod error;
mod fenced;
mod fields;
mod generation;
mod held;
mod kept;
mod keys;
mod lease;
mod ledger;
mod local;

pub use clock::{LocalClock, Moment};
pub use entry::Entry;
pub use error::LedgerError;
pub use fenced::Fenced;
pub use generation::{Counts, Generation, GenerationId};
pub use held::{Held, LeaseLost};
pub use kept::Kept;
pub use keys::probe_key;
pub use lease::{Holder, Lease, LeaseTimes, lease_holder};
pub use ledger::Ledger;
pub use local::{HereOnly, LocalLease};
