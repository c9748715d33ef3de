//! How many keys a second a bucket is listed with where each answer takes 80 ms and 100 requests are in flight:
//! `cargo bench -p regsweep-lister --features s3 --bench listing`; a number as an argument is for how many million blobs.
//!
//! A simulated server answers from another process over the loopback and computes what it lists. Both share the
//! processors, so beside the keys it says what held the listing back: 100 requests of 80 ms bring at most 1.25 million
//! keys a second, and where the processors are busy with something else even fewer come.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench")]
#![expect(clippy::disallowed_methods, reason = "it measures")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use lister::{BlobSeeder, ListError, Part, Walk, list_repositories, walk};
use monitor::{Counter, Monitor, Stop};
use registry::Layout;
use simstore::{Kind, Latencies, Latency, Options, Server, Shape};
use store::{
    GuardSettings, Guarded, Listed, PaceSettings, S3Config, S3Store, StaticCredentials, guarded,
};
use tokio::sync::mpsc;

/// Tells the second process, which is this program again, to be the server of so many million blobs.
const SERVE: &str = "LISTING_BENCH_SERVE";

const MILLION_BLOBS: u64 = 20;
const IN_FLIGHT: usize = 100;
const LATENCY: Duration = Duration::from_millis(80);

/// The server must keep up with the client.
const SERVER_THREADS: usize = 2;

fn main() {
    if let Ok(millions) = std::env::var(SERVE) {
        return serve(millions.parse().unwrap());
    }
    let millions = std::env::args().find_map(|argument| argument.parse().ok());
    let bucket = Bucket::start(millions.unwrap_or(MILLION_BLOBS));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let bench = runtime.block_on(Bench::open(&bucket));
    let repositories = runtime.block_on(bench.measure("repositories", bench.list_repositories()));
    let blobs = runtime.block_on(bench.measure("blobs", bench.list_blobs()));
    repositories.and(blobs).report("both");
}

/// A quarter as many links as blobs, or nearly so.
fn shape(millions: u64) -> Shape {
    let repositories = u32::try_from(millions * 1_000_000 / 4 / 150).unwrap().max(1);
    Shape { blobs: millions * 1_000_000, repositories, ..Shape::default() }
}

fn serve(millions: u64) {
    let latency = Latency { fixed: LATENCY, spread: Duration::ZERO };
    let server = Server::start(Options {
        procedural: Some(shape(millions)),
        latency: Latencies::default().on(Kind::List, latency),
        threads: SERVER_THREADS,
        ..Options::default()
    });
    let server = server.unwrap();
    println!("{}", server.endpoint());
    std::io::stdout().flush().unwrap();
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

/// A server in another process.
struct Bucket {
    server: Child,
    endpoint: String,
    shape: Shape,
}

impl Bucket {
    fn start(millions: u64) -> Self {
        let mut server = Command::new(std::env::current_exe().unwrap())
            .env(SERVE, millions.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut endpoint = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut endpoint).unwrap();
        Self { server, endpoint: endpoint.trim().to_owned(), shape: shape(millions) }
    }
}

impl Drop for Bucket {
    /// The server ends with its input.
    fn drop(&mut self) {
        drop(self.server.stdin.take());
        self.server.wait().unwrap();
    }
}

/// What the program opens, too.
struct Bench<'a> {
    store: Arc<Guarded<S3Store>>,
    monitor: Arc<Monitor>,
    stop: Arc<Stop>,
    layout: Layout,
    bucket: &'a Bucket,
}

impl<'a> Bench<'a> {
    async fn open(bucket: &'a Bucket) -> Self {
        let (monitor, stop) = (Arc::new(Monitor::new()), Arc::new(Stop::new()));
        let mut config = S3Config::new("registry");
        config.endpoint_url = Some(bucket.endpoint.clone());
        config.path_style = true;
        config.credentials = Some(StaticCredentials {
            access_key: "access".into(),
            secret_key: "secret".into(),
            session_token: None,
        });
        let store = S3Store::connect(config, &monitor).await.unwrap();
        let pace = PaceSettings { lists_in_flight: IN_FLIGHT, ..PaceSettings::default() };
        let settings = GuardSettings { pace, ..GuardSettings::default() };
        let store = Arc::new(guarded(store, settings, &monitor, &stop));
        Self { store, monitor, stop, layout: Layout::new(""), bucket }
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
        assert_eq!(listed, self.bucket.shape.blobs + self.bucket.shape.manifests());
        listed
    }

    async fn list_repositories(&self) -> u64 {
        let (trees, mut listed) = mpsc::channel(16);
        let (store, monitor, stop) =
            (Arc::clone(&self.store), Arc::clone(&self.monitor), Arc::clone(&self.stop));
        let listing = list_repositories(store, &self.layout, IN_FLIGHT, trees, monitor, stop);
        let (complete, ()) =
            tokio::join!(listing, async { while listed.recv().await.is_some() {} });
        assert_eq!(complete.unwrap().repositories, u64::from(self.bucket.shape.repositories));
        assert_eq!(self.monitor.get(Counter::RepositoryKeys), self.bucket.shape.links());
        self.bucket.shape.links()
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
        let server = processor_time(&self.bucket.server.id().to_string());
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

/// What a process has used of the processors, user and system; Linux counts in hundredths.
///
/// Source: proc(5), `/proc/pid/stat`: fields 14 and 15.
fn processor_time(process: &str) -> f64 {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let (_, fields) = text.rsplit_once(") ").unwrap();
    fields.split(' ').skip(11).take(2).map(hundredths).sum()
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

fn hundredths(field: &str) -> f64 {
    field.parse::<f64>().unwrap() / 100.0
}
