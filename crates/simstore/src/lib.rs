//! A simulated S3 server over HTTP, with faults, limits and latency: nastier than the real ones, for tests, benches and
//! demos.
//!
//! # Words
//! A *kind* of request is what the request does: list, get, delete. A *fault* is one way to misbehave; a *rule* says
//! on which requests of a kind it strikes. The *log* is what the server was asked. A *partition* is a range of keys that
//! takes so many requests per second, as [`Limits`] say. A registry is *procedural* where its objects are computed from
//! their places in the listing; its [`Shape`] says how many there are. A place there is an *ordinal*.
//!
//! # Guarantees
//! Without faults it answers as S3 documents: keys in byte order, strongly consistent, one bucket, with versions where
//! asked for. With faults it breaks exactly the promise that the fault names, and the same rules strike the same
//! requests again: chance comes from a seed. No stretch of time sees more let through than the limits of the partitions
//! allow and a second's worth; by a [`Clock`] that stands still, what is let through is the same again. It listens on
//! the loopback unless told otherwise. Dropping [`Server`] ends every connection and joins every task.
//!
//! What it does not know it refuses as not implemented: tags, access lists, lists of parts, folders in lists of
//! versions and uploads, the first version of listings.
//!
//! # Shape
//! ```text
//! connection ─▶ request ─▶ faults, latency ─▶ limits ─▶ handler (list, get, put, delete) ─▶ reply ─▶ log
//!                                                          │
//!                             objects: put, in memory ◀────┴────▶ procedural, minus those that are gone
//! ```
//!
//! # Cost
//! One thread unless told otherwise. Every object that was put is held in memory, and the last 65,536 requests. Of a
//! procedural registry 48 bytes per manifest are held, and a bit per deleted object. A page of 1,000 computed blobs takes
//! about 110 microseconds of processor time with its way through the loopback, one of links 400: their entity tags are
//! true. A key is found in O(log n). `examples/load.rs` measures it.
//!
//! # Start reading at
//! [`Server`], [`Faults`], [`Limits`], [`Shape`].

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod bitmap;
mod checksum;
mod clock;
mod connection;
mod error;
mod faults;
mod fill;
mod handler;
mod hex;
mod latency;
mod limits;
mod log;
mod mix;
mod needs;
mod object;
mod objects;
mod options;
mod passing;
mod percent;
mod procedural;
mod reply;
mod request;
mod server;
mod shared;
mod storage_class;
mod uploads;
mod versions;
mod xml;

pub use error::S3Error;
pub use faults::{Fault, Faults, When, Which};
pub use fill::registry_objects;
pub use latency::{Latencies, Latency};
pub use limits::{Limits, Load, Refusal, Split};
pub use log::Request;
pub use needs::Need;
pub use options::Options;
pub use passing::Clock;
pub use procedural::Shape;
pub use request::Kind;
pub use server::Server;
