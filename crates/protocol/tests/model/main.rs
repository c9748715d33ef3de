//! The protocol, with who pushes, the caches, crashes and the store, checked exhaustively within bounds.
#![expect(clippy::unwrap_used, reason = "tests")]

mod client;
mod collector;
mod play;
mod push;
mod registries;
mod rules;
mod system;
mod world;

mod mutations;
mod races;
mod safety;
