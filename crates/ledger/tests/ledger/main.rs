//! Leases and generations against stores that fail.

#![expect(clippy::unwrap_used, reason = "tests")]

mod generations;
mod interleavings;
mod leases;
mod stepped;
mod wire;
