//! Against real servers of redis: keys as the registry writes them, users, TLS, replicas, sentinels.
//!
//! Run by `scripts/test real`. A server that is missing is a failure. They talk to the loopback address only.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

mod certificates;
mod keys;
mod server;
mod servers;
mod tls;
mod users;
