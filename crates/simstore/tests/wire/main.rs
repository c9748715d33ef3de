//! The server over the wire, asked by hand: no client library whose opinion could hide a mistake.

#![expect(clippy::unwrap_used, reason = "tests")]

mod by_hand;
mod classes;
mod faults;
mod limits;
mod needs;
mod objects;
mod program;
mod server;
mod uploads;
