//! How a server is set up.

use std::net::{Ipv4Addr, SocketAddr};

use crate::{Clock, Faults, Latencies, Limits, S3Error, Shape};

/// How a server is set up; for misbehaviour see [`Faults`].
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen; port 0 takes a free one.
    pub address: SocketAddr,
    /// The name of the one bucket.
    pub bucket: String,
    /// The region of the bucket; requests signed for another are refused where this is set.
    pub region: Option<String>,
    /// Access keys to refuse; all others are let in, whatever their signature.
    pub refused_access_keys: Vec<String>,
    /// Insist on `Content-MD5` for `DeleteObjects`, with this error where it is missing. Otherwise any checksum will
    /// do.
    pub insists_on_content_md5: Option<S3Error>,
    /// The most keys that one `DeleteObjects` may name.
    pub delete_limit: usize,
    /// A registry that is there from the start without being held.
    pub procedural: Option<Shape>,
    /// Keep versions of objects.
    pub versioned: bool,
    /// The smallest part of a multipart upload in bytes, but for the last.
    pub smallest_part: u64,
    /// How many requests per second are too many; none are without.
    pub limits: Option<Limits>,
    /// The clock of the limits.
    pub clock: Clock,
    /// How long answers take.
    pub latency: Latencies,
    /// How many threads answer.
    pub threads: usize,
    /// Remember all that a policy would have had to allow: [`Server::needs`](crate::Server::needs). It takes memory for each key.
    pub remembers_needs: bool,
    /// How to misbehave at first.
    pub faults: Faults,
}

impl Default for Options {
    /// A free port of the loopback, an empty bucket named `registry`, one thread, no limits, no latency, no faults.
    fn default() -> Self {
        Self {
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            bucket: "registry".to_owned(),
            region: None,
            refused_access_keys: Vec::new(),
            insists_on_content_md5: None,
            delete_limit: 1000,
            procedural: None,
            versioned: false,
            smallest_part: 5 << 20,
            limits: None,
            clock: Clock::real(),
            latency: Latencies::default(),
            threads: 1,
            remembers_needs: false,
            faults: Faults::none(),
        }
    }
}
