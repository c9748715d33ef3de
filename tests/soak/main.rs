//! A soak: people push, push again what was collected, mount, retag, delete and pull without pause, against a real
//! registry on a real S3 server, while it is collected again and again and the collector is killed now and then.
//!
//! It is run by `scripts/soak`, which starts what it needs. An image that was acknowledged and not deleted since always
//! pulls, or pulls again in time; otherwise it is broken, and the soak fails.
//!
//! # Shape
//! ```text
//! catalogue ▶ world ◀─ people ▶ pusher ─┐
//!               ▲                       ├─▶ registry ▶ bucket ◀─ collector ▶ regsweep gc
//!               └───── verifier ────────┘                                      │
//!                          └──────────────▶ tally ◀────────────────────────────┘
//! ```
//! The servers, the client and the images are those of the tests beside it.
//!
//! # Start reading at
//! [`half`], then [`people`].

#![expect(clippy::expect_used, reason = "a soak that cannot go on fails there")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it tells how far it is")]
#![expect(clippy::disallowed_methods, reason = "it is about the real time")]

#[path = "../real/client.rs"]
#[expect(dead_code, reason = "the tests beside it use the rest")]
mod client;
#[path = "../real/http.rs"]
mod http;
#[path = "../real/images.rs"]
#[expect(dead_code, reason = "the tests beside it use the rest")]
mod images;
#[path = "../real/redis.rs"]
#[expect(dead_code, clippy::unwrap_used, reason = "the tests beside it use the rest")]
mod redis;
#[path = "../real/registry.rs"]
#[expect(dead_code, clippy::unwrap_used, reason = "the tests beside it use the rest")]
mod registry;
#[path = "../real/regsweep.rs"]
#[expect(dead_code, clippy::unwrap_used, reason = "the tests beside it use the rest")]
mod regsweep;
#[path = "../real/s3.rs"]
#[expect(dead_code, clippy::unwrap_used, reason = "the tests beside it use the rest")]
mod s3;

mod catalogue;
mod collector;
mod half;
mod people;
mod pusher;
mod random;
mod report;
mod tally;
mod verifier;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use clap::{Parser, ValueEnum};

use crate::collector::Kind;
use crate::half::{Length, half};
use crate::report::Report;

/// A soak: people use a registry without pause while it is collected again and again.
#[derive(Clone, Debug, Parser)]
#[command(name = "soak")]
pub(crate) struct Options {
    /// How long people push, both halves together; 2 where no events are asked for either.
    #[arg(long)]
    minutes: Option<f64>,
    /// How many events there are at least, both halves together.
    #[arg(long)]
    events: Option<u64>,
    /// How many people there are.
    #[arg(long, default_value_t = 8)]
    clients: u64,
    /// What all choices are made from; what threads make of each other's time is not repeated.
    #[arg(long, default_value_t = seed())]
    seed: u64,
    /// What the registry remembers its blobs in: two halves, one after the other, unless told.
    #[arg(long, value_enum, default_value_t = Cache::Both)]
    cache: Cache,
    /// Which collector runs. With `unsafe`, something must break.
    #[arg(long, value_enum, default_value_t = Kind::Online)]
    collector: Kind,
    /// A file to write each run of the collector to, with its summary.
    #[arg(long)]
    log: Option<PathBuf>,
    /// The summary as one object in one line.
    #[arg(long)]
    json: bool,
}

/// What a registry remembers its blobs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Cache {
    Redis,
    None,
    Both,
}

impl Options {
    /// Whether each half is with redis.
    fn halves(&self) -> &[bool] {
        match self.cache {
            Cache::Redis => &[true],
            Cache::None => &[false],
            Cache::Both => &[true, false],
        }
    }

    /// How long each half is, in no more than a day.
    fn length(&self) -> Length {
        let count = self.halves().len();
        let unasked = if self.events.is_some() { 24.0 * 60.0 } else { 2.0 };
        let minutes = self.minutes.unwrap_or(unasked).max(0.0);
        Length {
            time: Duration::from_secs_f64(minutes * 60.0 / count as f64),
            events: self.events.map_or(u64::MAX, |events| events.div_ceil(count as u64)),
        }
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    let began = Instant::now();
    eprintln!("seed {}", options.seed);
    let halves =
        options.halves().iter().map(|&redis| (redis, half(&options, redis, options.length())));
    let report = Report { halves: halves.collect(), options: &options, took: began.elapsed() };
    let verdict = report.verdict();
    if options.json {
        println!("{}", report.json());
    } else {
        println!("{:#}", report.json());
    }
    if let Err(why) = verdict {
        eprintln!("{why}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Another one each time.
fn seed() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.map_or(0, |since| u64::from(since.subsec_nanos()))
}
