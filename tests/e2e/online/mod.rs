//! Collecting while people push, request by request: what they do is done between any two requests of the collector.
//!
//! # Shape
//! ```text
//! Registry (a store, a cache, a clock) ◀── Push, step by step ◀── Schedule: before which request, how many steps
//!        ▲                                                            │
//!        └── Collector ── looks by the program's own `collect` ── requests are counted
//! ```

mod audit;
mod bucket;
mod client;
mod drill;
mod nights;
mod opened;
mod play;
mod races;
mod random;
mod served;
mod uploads;
mod windowed;
mod witness;
