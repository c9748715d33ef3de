//! Collecting while people push: when what may go, and what comes back. Pure: no I/O, no clock.
//!
//! # Words
//! A *generation* is what one run condemns, and all that becomes of it over the nights. Blobs are *condemned* by the
//! first of three *looks*; a look is a listing, the marks made from it, and verdicts. Links to what is condemned are
//! *taken*: removed, and kept on record so that they can be *given back*. The *quarantine* is the wait between taking
//! and deleting. What a later look finds needed is *rescued* where it was not deleted yet, *restored* where it was.
//!
//! # Guarantees
//! G1: nothing young is condemned. G4: doubt keeps, and gives back. G8: links go before data; G11: a crash at any
//! instant, then a resume, ends where it could have ended without: no look outlives the process that took it, so who
//! would take or delete by one, looks again.
//!
//! # Shape
//! ```text
//! Marking ─▶ Unlinking ─▶ Purging ─▶ Quarantined ─▶ Looking ─▶ Deleting ─▶ PurgingAgain ─▶ Settling ─▶ LookingLast ─▶ Closed
//! FirstLook  take links   caches,    waits out all  look_again delete so   caches          waits out   look_last
//! ::judge    on record    its end    pushes begun   rescue     that it can                 pushes that restore
//!    ▲          │         counts     before         ▲    │     be undone                   saw it
//!    └─ crash ──┘                                   └─ crash ──┘
//! ```
//!
//! # What a look must see
//! - All links that are listed, and all that any open generation took. Taken revision links are no roots, but a
//!   manifest is followed by them where something names it; one that was overtaken
//!   ([`TakenLink::was_overtaken`]) is a root.
//! - Manifests whose data an open generation deleted are read from where it is kept until that generation is closed.
//!   And one run does its [`Work`] in order: it gives back before it deletes, and deletes before it condemns. Either
//!   keeps a generation from deleting what only a manifest names that is about to come back.
//! - The second and the last look begin with asking the registry's cache what it believes ([`Evidence::cached`]);
//!   where it cannot be asked, a purge is a restart of every process of the registry, and it ends with the last one.
//! - Whoever is uncertain about any of it says so ([`Evidence::doubt`]).
//!
//! # Assumptions
//! - A1: when a purge ends, caches are purged; those that can be neither purged, asked nor restarted forget within a
//!   time that the operator states.
//! - A2: what a registry was doing at the end of a purge is finished when the next wait is over ([`Waits`]). For
//!   safety, single requests are enough; whole pushes are waited for so that nobody is told of a layer in vain.
//! - A3: whoever reads or lists an object after it was written or removed sees that.
//! - A4: nobody else removes layer links or data while a generation is open: no other collector, no deletion of blobs
//!   through the registry. Deletion of manifests is fine, but for this: where the registry believes a shared cache that
//!   a manifest is there (up to 3.1.1), deleting one while the last look lists, and while the same is pushed elsewhere,
//!   can hide that push; so can the cache, if it evicts the entry just then.
//! - A5: times are those of the store's clock.
//!
//! `tests/model` checks all of it exhaustively within bounds, and that it breaks where a step is left out.
//!
//! # Cost
//! A verdict is a few comparisons.
//!
//! # Start reading at
//! [`Phase`], then [`look_again`].
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod condemn;
mod error;
mod look;
mod phase;
mod taken;
mod waits;

pub use condemn::{First, FirstLook, Kept, Suspect};
pub use error::ProtocolError;
pub use look::{Evidence, Last, Needed, Second, look_again, look_last};
pub use phase::{Phase, Step, Work};
pub use taken::{LinkKind, TakenLink, links_to_give_back};
pub use waits::Waits;
