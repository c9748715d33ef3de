//! The command line.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use clap::Parser;
use simstore::{Kind, Latencies, Latency, Limits, Options, Refusal, Shape, Split};

/// Serves a simulated S3 bucket to anybody, until interrupted
#[derive(Debug, Parser)]
#[command(name = "regsweep-simstore", version)]
pub(crate) struct Arguments {
    /// Address to listen on
    #[arg(long, value_name = "IP", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,

    /// Port to listen on; 0 takes a free one
    #[arg(long, default_value_t = 9000)]
    port: u16,

    /// Name of the bucket
    #[arg(long, value_name = "NAME", default_value = "registry")]
    bucket: String,

    /// Threads that answer
    #[arg(long, value_name = "N", default_value_t = 1)]
    threads: usize,

    /// Keep versions of objects
    #[arg(long)]
    versioned: bool,

    /// Hold so many objects of a small registry
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) fill: usize,

    /// Compute a registry of so many blobs, up to 10^9 and more; what no image uses is garbage
    #[arg(long, value_name = "N", conflicts_with = "fill")]
    blobs: Option<u64>,

    /// Its repositories
    #[arg(long, value_name = "N", default_value_t = Shape::default().repositories, requires = "blobs")]
    repositories: u32,

    /// Images of each repository; each has a manifest, which is held
    #[arg(long, value_name = "N", default_value_t = Shape::default().images, requires = "blobs")]
    images: u32,

    /// Layers of each image
    #[arg(long, value_name = "N", default_value_t = Shape::default().layers, requires = "blobs")]
    layers: u32,

    /// Another seed makes other digests
    #[arg(long, value_name = "N", default_value_t = 0, requires = "blobs")]
    seed: u64,

    /// How long answers take, as `80`, `80+40` (80 to 120) or, for one kind, `list=80+40`; may be given again.
    /// Kinds: list get head put delete delete-one list-versions upload list-uploads bucket
    #[arg(long, value_name = "MS")]
    latency: Vec<LatencyRule>,

    /// Answer 503 to more requests per second and partition than these, 5500/3500 unless told; each key of a deletion
    /// is a write
    #[arg(
        long,
        value_name = "READS/WRITES",
        num_args = 0..=1,
        default_missing_value = "5500/3500"
    )]
    limits: Option<Rates>,

    /// Partitions of the digests at first
    #[arg(long, value_name = "N", default_value_t = 1, requires = "limits")]
    partitions: u32,

    /// A key at which a partition begins, instead; may be given again
    #[arg(long, value_name = "KEY", requires = "limits", conflicts_with = "partitions")]
    boundary: Vec<String>,

    /// Split a partition after so many seconds of load
    #[arg(long, value_name = "SECONDS", requires = "limits")]
    split_after: Option<u64>,

    /// A split takes so long, and refuses all meanwhile
    #[arg(long, value_name = "SECONDS", default_value_t = 10, requires = "split_after")]
    split_lasts: u64,

    /// Refuse single keys of a deletion inside a 200, not all of it
    #[arg(long, requires = "limits")]
    refuse_keys: bool,
}

impl Arguments {
    pub(crate) fn options(&self) -> Options {
        Options {
            address: SocketAddr::new(self.host, self.port),
            bucket: self.bucket.clone(),
            procedural: self.shape(),
            versioned: self.versioned,
            limits: self.limits(),
            latency: self.latencies(),
            threads: self.threads,
            ..Options::default()
        }
    }

    pub(crate) fn has_limits(&self) -> bool {
        self.limits.is_some()
    }

    /// The registry to compute.
    pub(crate) fn shape(&self) -> Option<Shape> {
        let Self { repositories, images, layers, seed, .. } = *self;
        self.blobs.map(|blobs| Shape { blobs, repositories, images, layers, seed })
    }

    fn latencies(&self) -> Latencies {
        let rules = self.latency.iter();
        rules.fold(Latencies::default(), |latencies, rule| match rule.kind {
            Some(kind) => latencies.on(kind, rule.latency),
            None => Latencies::all(rule.latency),
        })
    }

    fn limits(&self) -> Option<Limits> {
        let Rates { reads, writes } = self.limits?;
        let lasts = Duration::from_secs(self.split_lasts);
        let limits = Limits {
            reads,
            writes,
            boundaries: self.boundary.clone(),
            split: self.split_after.map(|after| Split { after: Duration::from_secs(after), lasts }),
            refusal: if self.refuse_keys { Refusal::Keys } else { Refusal::Request },
        };
        Some(if self.boundary.is_empty() { limits.partitions(self.partitions) } else { limits })
    }
}

/// Reads and writes per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rates {
    reads: u32,
    writes: u32,
}

impl FromStr for Rates {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |text: &str| text.parse().ok().filter(|number| *number > 0);
        let rates = text.split_once('/').and_then(|(reads, writes)| {
            Some(Self { reads: number(reads)?, writes: number(writes)? })
        });
        rates.ok_or("two numbers per second are needed, such as `5500/3500`")
    }
}

/// A latency, of all kinds or of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct LatencyRule {
    kind: Option<Kind>,
    latency: Latency,
}

impl FromStr for LatencyRule {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, times) = match text.split_once('=') {
            None => (None, text),
            Some((name, times)) => {
                let kind = Kind::ALL.into_iter().find(|kind| kind.name() == name);
                (Some(kind.ok_or("there is no such kind of request")?), times)
            }
        };
        let millis = |text: &str| {
            let millis = text.parse().map(Duration::from_millis);
            millis.map_err(|_| "milliseconds are needed, such as `80` or `80+40`")
        };
        let (fixed, spread) = times.split_once('+').unwrap_or((times, "0"));
        Ok(Self { kind, latency: Latency { fixed: millis(fixed)?, spread: millis(spread)? } })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn arguments(line: &str) -> Arguments {
        Arguments::try_parse_from(std::iter::once("simstore").chain(line.split(' '))).unwrap()
    }

    #[test]
    fn a_later_latency_of_one_kind_is_an_exception_to_an_earlier_one_of_all() {
        let (ms, none) = (Duration::from_millis, Duration::ZERO);
        let latency = arguments("--latency 30 --latency list=80+40").options().latency;
        let all = Latencies::all(Latency { fixed: ms(30), spread: none });
        assert_eq!(latency, all.on(Kind::List, Latency { fixed: ms(80), spread: ms(40) }));
        for wrong in ["", "x", "8+", "lost=8", "list"] {
            assert!(wrong.parse::<LatencyRule>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn limits_are_s3_s_unless_told() {
        let limits = |line: &str| arguments(line).options().limits;
        assert_eq!(limits("--port 0"), None);
        assert_eq!(limits("--limits"), Some(Limits::default()));
        let expected = Limits { reads: 55, writes: 35, ..Limits::default() };
        assert_eq!(limits("--limits 55/35"), Some(expected.clone()));
        assert_eq!(limits("--limits 55/35 --partitions 4"), Some(expected.clone().partitions(4)));
        let boundaries = vec!["a".to_owned(), "b".to_owned()];
        let expected = Limits { boundaries, refusal: Refusal::Keys, ..expected };
        let line = "--limits 55/35 --boundary a --boundary b --refuse-keys";
        assert_eq!(limits(line), Some(expected));
        for wrong in ["", "5", "0/5", "5/0", "5/x"] {
            assert!(wrong.parse::<Rates>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn knobs_that_would_do_nothing_are_refused() {
        for line in ["--refuse-keys", "--layers 3", "--partitions 4", "--limits --split-lasts 3"] {
            let line = std::iter::once("simstore").chain(line.split(' '));
            assert!(Arguments::try_parse_from(line).is_err());
        }
    }
}
