//! The whole collector against the reference model of a registry: list, mark, seal, judge, plan on disk, sweep.
//!
//! Every test makes a [`World`](world::World), puts its objects into a store in memory, collects, and asks the model
//! what must be left. Nothing here knows how the collector decides.
//!
//! # Shape
//! ```text
//! script │ scenario ─▶ World ─▶ MemoryStore ─▶ wrappers that fail, crash, count, meddle ─▶ make_plan ─▶ carry_out
//!                        │                                                                            │
//!                        └── live · garbage · pulls ◀══════════════ compared with ═══════════════ what is left
//! ```
//!
//! # Start reading at
//! `harness.rs`, then `model.rs`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

mod concurrent;
mod cost;
mod crashes;
mod hand;
mod harness;
mod keep_list;
mod model;
mod multipart;
mod online;
mod remembered;
mod retention;
mod safety;
mod scenarios;
mod undo;
mod usage;
