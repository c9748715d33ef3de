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
//! [`round`], then [`people`].

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a soak that cannot go on fails there"
)]
#![expect(clippy::similar_names, reason = "a shelf is not a self")]
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
#[expect(dead_code, reason = "the tests beside it use the rest")]
mod redis;
#[path = "../real/registry.rs"]
#[expect(dead_code, reason = "the tests beside it use the rest")]
mod registry;
#[path = "../real/regsweep.rs"]
#[expect(dead_code, reason = "the tests beside it use the rest")]
mod regsweep;
#[path = "../real/s3.rs"]
#[expect(dead_code, reason = "the tests beside it use the rest")]
mod s3;

mod catalogue;
mod collector;
mod people;
mod pusher;
mod random;
mod report;
mod round;
mod server;
mod tally;
mod verifier;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use clap::{Parser, ValueEnum};

use crate::collector::Kind;
use crate::report::Report;
use crate::round::{Length, round};
use crate::tally::Tally;

/// A soak: people use a registry without pause while it is collected again and again.
#[derive(Clone, Debug, Parser)]
#[command(name = "soak")]
pub(crate) struct Options {
    /// How long people push, all rounds together; 2 where no events are asked for either.
    #[arg(long)]
    minutes: Option<f64>,
    /// How many events there are at least, all rounds together.
    #[arg(long)]
    events: Option<u64>,
    /// How many people there are.
    #[arg(long, default_value_t = 8)]
    clients: u64,
    /// What all choices are made from; what threads make of each other's time is not repeated.
    #[arg(long, default_value_t = seed())]
    seed: u64,
    /// What the registry remembers its blobs in: from round to round another, unless told.
    #[arg(long, value_enum, default_value_t = Cache::Both)]
    cache: Cache,
    /// Which collector runs. With `unsafe`, something must break.
    #[arg(long, value_enum, default_value_t = Kind::Online)]
    collector: Kind,
    /// Have images collected that no tag leads to.
    #[arg(long)]
    untagged: bool,
    /// A further flag for the collector: with `--flag=--registry-cache=none` and redis, something must break.
    #[arg(long, allow_hyphen_values = true)]
    flag: Vec<String>,
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

/// How long a round is at most: what was deleted and replaced stays in the server's memory until it ends.
const ROUND: Length = Length { time: Duration::from_mins(6), events: 10_000 };

impl Options {
    /// The rounds, each with redis or without.
    fn rounds(&self) -> Vec<bool> {
        let kinds: &[bool] = match self.cache {
            Cache::Redis => &[true],
            Cache::None => &[false],
            Cache::Both => &[true, false],
        };
        let fit = |share: u64| share.div_ceil(kinds.len() as u64).max(1);
        let by_time = self.time().map(|time| fit(time.as_secs().div_ceil(ROUND.time.as_secs())));
        let by_events = self.events.map(|events| fit(events.div_ceil(ROUND.events)));
        let times = by_time.max(by_events).unwrap_or(1);
        (0..times).flat_map(|_| kinds.iter().copied()).collect()
    }

    /// How long people push.
    fn time(&self) -> Option<Duration> {
        let unasked = self.events.is_none().then_some(2.0);
        self.minutes.or(unasked).map(|minutes| Duration::from_secs_f64(minutes.max(0.0) * 60.0))
    }

    /// How long each of so many rounds is; in no case longer than a day.
    fn length(&self, rounds: u32) -> Length {
        Length {
            time: self.time().map_or(Duration::from_hours(24), |time| time / rounds),
            events: self.events.map_or(u64::MAX, |events| events.div_ceil(rounds.into())),
        }
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    let began = Instant::now();
    eprintln!("seed {}", options.seed);
    let rounds = play(&options);
    let report = Report { rounds, options: &options, took: began.elapsed() };
    if options.json {
        println!("{}", report.json());
    } else {
        println!("{}", report.line());
    }
    match report.verdict() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// All rounds, or those up to the first in which something was wrong.
fn play(options: &Options) -> Vec<(bool, Tally)> {
    let rounds = options.rounds();
    let length = options.length(u32::try_from(rounds.len()).expect("there are few rounds"));
    let mut played = Vec::new();
    for (number, redis) in rounds.into_iter().enumerate() {
        let tally = round(options, number, redis, length);
        let wrong = !(tally.broken.is_empty() && tally.failures.is_empty());
        played.push((redis, tally));
        if wrong && options.collector != Kind::Unsafe {
            break;
        }
    }
    played
}

/// Another one each time.
fn seed() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.map_or(0, |since| u64::from(since.subsec_nanos()))
}
