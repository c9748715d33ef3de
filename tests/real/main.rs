//! Tests against real servers: the registry that people run, its own collector, a real client, a real S3 server.
//!
//! They are run by `scripts/test real`, which starts what they need, and never by a plain `cargo test`. A server that
//! is missing is a failure. They are bounded, and talk to the loopback address only.
//!
//! # Shape
//! ```text
//! population ▶ images ▶ http │ skopeo ▶ registry ▶ files │ s3      (what is pushed, how, and where it lands)
//!     │                                               ▼
//!     └──────── what must be left ◀══ equals ══▶ what the reference and regsweep leave
//! ```
//!
//! # Start reading at
//! [`population`], then `files`.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on fails there"
)]

mod book;
mod bucket;
mod cached;
mod check;
mod client;
mod files;
mod harness;
mod http;
mod images;
mod multipart;
mod population;
mod redis;
mod registry;
mod regsweep;
mod s3;
mod skopeo;
mod usage;
