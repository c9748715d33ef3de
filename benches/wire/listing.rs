//! How many keys a second a bucket is listed with where each answer takes 80 ms and 100 requests are in flight.
//!
//! The server computes what it lists. Both share the processors, so beside the keys it says what held the listing back:
//! 100 requests of 80 ms bring at most 1.25 million keys a second, and where the processors are busy with something else
//! even fewer come.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lister::{BlobSeeder, ListError, Part, Walk, list_repositories, walk};
use monitor::{Counter, Monitor, Stop};
use registry::Layout;
use simstore::{Kind, Latencies, Latency, Options, Shape};
use store::{GuardSettings, Guarded, Listed, PaceSettings, S3Store, guarded};
use tokio::sync::mpsc;

use super::bucket::{self, Bucket, hundredths, processor_time};

const MILLION_BLOBS: u64 = 20;
const IN_FLIGHT: usize = 100;
const LATENCY: Duration = Duration::from_millis(80);

/// The server must keep up with the client.
const SERVER_THREADS: usize = 2;

pub(crate) fn measure(millions: Option<u64>) {
    let millions = millions.unwrap_or(MILLION_BLOBS);
    let bucket = Bucket::start(&format!("listing {millions}"));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let bench = runtime.block_on(Bench::open(&bucket, shape(millions)));
    let repositories = runtime.block_on(bench.measure("repositories", bench.list_repositories()));
    let blobs = runtime.block_on(bench.measure("blobs", bench.list_blobs()));
    repositories.and(blobs).report("both");
}

/// A quarter as many links as blobs, or nearly so.
fn shape(millions: u64) -> Shape {
    let repositories = u32::try_from(millions * 1_000_000 / 4 / 150).unwrap().max(1);
    Shape { blobs: millions * 1_000_000, repositories, ..Shape::default() }
}

pub(crate) fn serve(millions: &str) {
    let latency = Latency { fixed: LATENCY, spread: Duration::ZERO };
    let options = Options {
        procedural: Some(shape(millions.parse().unwrap())),
        latency: Latencies::default().on(Kind::List, latency),
        threads: SERVER_THREADS,
        ..Options::default()
    };
    bucket::serve(options, |_| ());
}

/// What the program opens, too.
struct Bench<'a> {
    store: Arc<Guarded<S3Store>>,
    monitor: Arc<Monitor>,
    stop: Arc<Stop>,
    layout: Layout,
    bucket: &'a Bucket,
    shape: Shape,
}

impl<'a> Bench<'a> {
    async fn open(bucket: &'a Bucket, shape: Shape) -> Self {
        let (monitor, stop) = (Arc::new(Monitor::new()), Arc::new(Stop::new()));
        let store = bucket.open(&monitor).await;
        let pace = PaceSettings { lists_in_flight: IN_FLIGHT, ..PaceSettings::default() };
        let settings = GuardSettings { pace, ..GuardSettings::default() };
        let store = Arc::new(guarded(store, settings, &monitor, &stop));
        Self { store, monitor, stop, layout: Layout::new(""), bucket, shape }
    }

    async fn list_blobs(&self) -> u64 {
        let ask = Walk {
            store: Arc::clone(&self.store),
            within: self.layout.blobs(),
            seeder: BlobSeeder::new(&self.layout),
            workers: IN_FLIGHT,
            keys: Counter::BlobKeys,
            monitor: Arc::clone(&self.monitor),
            stop: Arc::clone(&self.stop),
        };
        let listed: u64 = walk(ask, Count::default).await.unwrap().iter().map(|part| part.0).sum();
        assert_eq!(listed, self.shape.blobs + self.shape.manifests());
        listed
    }

    async fn list_repositories(&self) -> u64 {
        let (trees, mut listed) = mpsc::channel(16);
        let (store, monitor, stop) =
            (Arc::clone(&self.store), Arc::clone(&self.monitor), Arc::clone(&self.stop));
        let listing = list_repositories(store, &self.layout, IN_FLIGHT, trees, monitor, stop);
        let (complete, ()) =
            tokio::join!(listing, async { while listed.recv().await.is_some() {} });
        assert_eq!(complete.unwrap().repositories, u64::from(self.shape.repositories));
        assert_eq!(self.monitor.get(Counter::RepositoryKeys), self.shape.links());
        self.shape.links()
    }

    async fn measure(&self, name: &str, listing: impl Future<Output = u64>) -> Used {
        let (requests, used) = (self.monitor.get(Counter::ListRequests), self.used());
        let (begun, keys) = (Instant::now(), listing.await);
        let now = self.used();
        let mut used = Used {
            keys: keys as f64,
            requests: (self.monitor.get(Counter::ListRequests) - requests) as f64,
            seconds: begun.elapsed().as_secs_f64(),
            client: now.client - used.client,
            server: now.server - used.server,
            busy: now.busy - used.busy,
            all: now.all - used.all,
        };
        // The kernel counts both accounts in ticks, and not at the same moment.
        used.busy = used.busy.max(used.client + used.server).min(used.all);
        used.report(name);
        used
    }

    fn used(&self) -> Used {
        let (busy, all) = processors();
        let client = processor_time("self");
        let server = self.bucket.processor_time();
        Used { client, server, busy, all, ..Used::default() }
    }
}

/// Counts the keys of a range.
#[derive(Default)]
struct Count(u64);

impl Part for Count {
    async fn take(&mut self, entries: Vec<Listed>) -> Result<(), ListError> {
        self.0 += entries.len() as u64;
        Ok(())
    }
}

/// What a listing took; times in seconds.
#[derive(Clone, Copy, Default)]
struct Used {
    keys: f64,
    requests: f64,
    seconds: f64,
    /// Processor time of this process, of the server, of everybody, and how much there was.
    client: f64,
    server: f64,
    busy: f64,
    all: f64,
}

impl Used {
    fn and(self, other: Self) -> Self {
        Self {
            keys: self.keys + other.keys,
            requests: self.requests + other.requests,
            seconds: self.seconds + other.seconds,
            client: self.client + other.client,
            server: self.server + other.server,
            busy: self.busy + other.busy,
            all: self.all + other.all,
        }
    }

    fn report(&self, name: &str) {
        let Self { keys, requests, seconds, .. } = self;
        let (per_million, percent) = (1e6 / keys, 100.0 / self.all);
        let round = seconds / requests * IN_FLIGHT as f64 * 1000.0;
        println!(
            "{name:12}  {:8.0} keys/s; {keys:.0} keys, {:.0} for each of {requests:.0} requests, in {seconds:.1} s",
            keys / seconds,
            keys / requests
        );
        println!(
            "              {round:.0} ms for a page, waits included; a million keys took {:.3} s of the client and {:.3} s of the server",
            self.client * per_million,
            self.server * per_million
        );
        println!(
            "              processors {:.0} % busy: client {:.0} %, server {:.0} %, others {:.0} %",
            self.busy * percent,
            self.client * percent,
            self.server * percent,
            (self.busy - self.client - self.server) * percent
        );
    }
}

/// How long all processors were busy, and how long there were any.
///
/// Source: proc(5), `/proc/stat`: user, nice, system, idle, iowait, irq, softirq, steal.
fn processors() -> (f64, f64) {
    let text = fs::read_to_string("/proc/stat").unwrap();
    let fields = text.lines().next().unwrap().split_whitespace().skip(1).take(8);
    let times: Vec<f64> = fields.map(hundredths).collect();
    let all = times.iter().sum::<f64>();
    (all - times[3] - times[4], all)
}
