//! The protocol, with who pushes, the caches, crashes and the store, checked exhaustively within bounds.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests, which say how much they saw")]

mod client;
mod collector;
mod looks;
mod play;
mod properties;
mod push;
mod registries;
mod rules;
mod system;
mod world;

mod mutations;
mod races;
mod safety;
