//! Stub.
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
