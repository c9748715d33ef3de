//! A simulated S3 server over HTTP, in memory, with faults: nastier than the real ones, for tests, benches and demos.
//!
//! # Words
//! A *kind* of request is what the request does: list, get, delete. A *fault* is one way to misbehave; a *rule* says
//! on which requests of a kind it strikes. The *log* is what the server was asked.
//!
//! # Guarantees
//! Without faults it answers as S3 documents: keys in byte order, strongly consistent, one bucket. With faults it
//! breaks exactly the promise that the fault names, and the same rules strike the same requests again: chance comes
//! from a seed. It listens on the loopback unless told otherwise. Dropping [`Server`] ends every connection and joins
//! every task.
//!
//! # Shape
//! ```text
//! connection ─▶ request ─▶ faults (delay, refuse, hang up) ─▶ handler (list, get, put, delete) ─▶ reply ─▶ log
//!                                                                      │
//!                                                                   objects
//! ```
//!
//! # Cost
//! One thread. Every object is held in memory, and the last 65,536 requests.
//!
//! # Start reading at
//! [`Server`], [`Faults`].

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
mod objects;
mod passing;
mod percent;
mod procedural;
mod reply;
mod request;
mod server;
mod uploads;
mod versions;
mod xml;

pub use error::S3Error;
pub use faults::{Fault, Faults, When, Which};
pub use fill::registry_objects;
pub use latency::{Latencies, Latency};
pub use limits::{Limits, Load, Refusal, Split};
pub use log::Request;
pub use passing::Clock;
pub use procedural::Shape;
pub use request::Kind;
pub use server::{Options, Server};
