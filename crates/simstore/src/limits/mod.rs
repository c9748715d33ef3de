//! Limits of requests per second, as Amazon sets them: per partition of the key space.
//!
//! Source: Amazon S3 User Guide, "Best practices design patterns: optimizing Amazon S3 performance": at least 3,500
//! writes and 5,500 reads per second per partitioned prefix. Each key of a `DeleteObjects` counts as a write.

mod partition;
mod rate;
mod throttle;

use std::time::Duration;

use registry::Layout;

pub(crate) use self::throttle::Throttle;

/// How many requests per second the server takes, and what it does with more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Reads per second of each partition: GET, HEAD, and each page of a listing. Up to a second's worth may come at
    /// once.
    pub reads: u32,
    /// Writes per second of each partition; each key of a `DeleteObjects` is one.
    pub writes: u32,
    /// Where partitions begin, but for the first, which begins before all keys.
    pub boundaries: Vec<String>,
    /// When partitions split; never where there is none.
    pub split: Option<Split>,
    /// What is refused of a `DeleteObjects` that is too much.
    pub refusal: Refusal,
}

/// When a partition splits in two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Split {
    /// After so long under at least half of a limit in each second.
    pub after: Duration,
    /// It takes so long, and all requests to the partition are refused meanwhile.
    pub lasts: Duration,
}

/// What is refused of a `DeleteObjects` that is too much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Refusal {
    /// All of it, with status 503.
    #[default]
    Request,
    /// The keys that are too many, each with an error inside a 200.
    Keys,
}

impl Default for Limits {
    /// Amazon's for a new bucket: one partition, 5,500 reads and 3,500 writes per second.
    fn default() -> Self {
        Self {
            reads: 5500,
            writes: 3500,
            boundaries: Vec::new(),
            split: None,
            refusal: Refusal::Request,
        }
    }
}

impl Limits {
    /// So many partitions, each with as many digests of `blobs/`; links lie in the last.
    #[must_use]
    pub fn partitions(self, count: u32) -> Self {
        let blobs = format!("{}sha256/", Layout::new("").blobs());
        let count = u64::from(count.max(1));
        let boundary = |n: u64| {
            let digits = format!("{:08x}", (n << 32) / count);
            format!("{blobs}{}/{digits}", &digits[..2])
        };
        Self { boundaries: (1..count).map(boundary).collect(), ..self }
    }
}

/// What the limits have done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Reads that were let through.
    pub reads: u64,
    /// Writes that were let through.
    pub writes: u64,
    /// Reads that were refused.
    pub refused_reads: u64,
    /// Writes that were refused.
    pub refused_writes: u64,
}

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Read,
    Write,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_partitions_cut_the_digests() {
        assert_eq!(Limits::default().partitions(1).boundaries, [""; 0]);
        let blobs = "docker/registry/v2/blobs/sha256/";
        let four = ["40/40000000", "80/80000000", "c0/c0000000"].map(|end| format!("{blobs}{end}"));
        assert_eq!(Limits::default().partitions(4).boundaries, four);
        assert!(Limits::default().partitions(1000).boundaries.is_sorted());
    }
}
