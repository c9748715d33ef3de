//! How close a sweep comes to the limit of a bucket of 1, 4 and 16 partitions, as S3 limits them.
//!
//! Then a sweep keeps to half of the limit of 4 partitions, and after five seconds somebody else deletes with the other
//! half: how many of those requests are refused.
//!
//! A partition saves up a second's worth of deletes, and the limit has to be found first, so the share that counts is
//! that from the fifth second on.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use monitor::{Counter, Monitor, Stop};
use planner::{
    Doubts, Facts, Header, Location, Plan, PlanWriter, Policy, Reason, Requests, Row, RowKind,
    Sealed,
};
use registry::{Digest, KeyKind, Layout};
use simstore::{Limits, Options, Shape};
use store::{
    Cursor as _, DeleteBatch, DeleteStore as _, Doomed, ErrorKind, GuardSettings, Guarded, Listed,
    PaceSettings, ReadStore as _, S3Store, Share, guarded,
};
use sweeper::{Journal, Settings, sweep};
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::bucket::{self, Bucket, processor_time};

const SECONDS: u64 = 15;
const STARTED: Duration = Duration::from_secs(5);

/// Stands for a sealed mark set: everything goes.
struct Everything;

impl Sealed for Everything {}

pub(crate) fn measure(seconds: Option<u64>) {
    let seconds = seconds.unwrap_or(SECONDS);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    for partitions in [1, 4, 16] {
        let limited = Limited::start(partitions, seconds);
        runtime.block_on(alone(&limited));
    }
    runtime.block_on(beside_somebody(&Limited::start(4, seconds / 2)));
}

/// A bucket, and what it takes.
struct Limited {
    bucket: Bucket,
    partitions: u32,
    /// Keys a second.
    limit: f64,
}

impl Limited {
    /// With as many blobs as its limit allows to delete in so many seconds.
    fn start(partitions: u32, seconds: u64) -> Self {
        let limit = u64::from(partitions) * u64::from(Limits::default().writes);
        let bucket = Bucket::start(&format!("deleting {partitions} {}", limit * seconds));
        Self { bucket, partitions, limit: limit as f64 }
    }
}

pub(crate) fn serve(what: &str) {
    let (partitions, blobs) = what.split_once(' ').unwrap();
    let blobs = blobs.parse().unwrap();
    let limits = Limits::default().partitions(partitions.parse().unwrap());
    let options = Options {
        procedural: Some(Shape { blobs, repositories: 1, ..Shape::default() }),
        limits: Some(limits),
        ..Options::default()
    };
    bucket::serve(options, |_| ());
}

type Store = Guarded<S3Store>;

/// A sweep to be: its store, and what it deletes.
struct Sweep {
    store: Arc<Store>,
    plan: Plan,
    monitor: Arc<Monitor>,
    _folder: TempDir,
}

impl Sweep {
    async fn prepare(limited: &Limited, delete_share: Share) -> Self {
        let monitor = Arc::new(Monitor::new());
        let pace = PaceSettings { delete_share, ..PaceSettings::default() };
        let settings = GuardSettings { pace, ..GuardSettings::default() };
        let store = limited.bucket.open(&monitor).await;
        let store = guarded(store, settings, &monitor, &Arc::new(Stop::new()));
        let folder = tempfile::tempdir().unwrap();
        let plan = plan(&store, &folder.path().join("plan")).await;
        Self { store: Arc::new(store), plan, monitor, _folder: folder }
    }

    fn planned(&self) -> u64 {
        self.plan.totals().all().count
    }

    /// Deletes everything, and makes sure of it. Returns when it was deleted.
    async fn carry_out(self) -> Instant {
        let (planned, store) = (self.planned(), Arc::clone(&self.store));
        let journal = Journal::open(self.plan.dir(), self.plan.id()).unwrap();
        let settings = Settings { concurrency: 64, ..Settings::default() };
        let (monitor, stop) = (&self.monitor, Stop::new());
        let report = sweep(self.store, self.plan, journal, settings, &(), monitor, &stop).await;
        let (report, end) = (report.unwrap(), Instant::now());
        assert!(report.is_clean() && report.total.fates.deleted.objects == planned, "{report:?}");
        assert!(store.list(&Layout::new("").blobs(), "").next().await.unwrap().is_none());
        end
    }
}

/// How many keys were deleted after the start, and when it ended.
async fn started(monitor: Arc<Monitor>) -> (u64, Instant) {
    tokio::time::sleep(STARTED).await;
    (monitor.get(Counter::DeletedObjects), Instant::now())
}

async fn alone(limited: &Limited) {
    let sweep = Sweep::prepare(limited, Share::ALL).await;
    let (planned, monitor) = (sweep.planned() as f64, Arc::clone(&sweep.monitor));
    let throttled = monitor.get(Counter::ThrottledAnswers);
    let (client, server) = (processor_time("self"), limited.bucket.processor_time());
    let begun = Instant::now();
    let start = tokio::spawn(started(Arc::clone(&monitor)));
    let end = sweep.carry_out().await;
    let elapsed = end.duration_since(begun).as_secs_f64();
    let (early, since) = start.await.unwrap();
    let later = (planned - early as f64) / end.duration_since(since).as_secs_f64();
    println!(
        "partitions {:2}  share {:.3}  with the start {:.3}  requests {}  throttled {}  seconds {elapsed:.1}, of processor: client {:.2} server {:.2}",
        limited.partitions,
        later / limited.limit,
        planned / elapsed / limited.limit,
        monitor.get(Counter::DeleteRequests),
        monitor.get(Counter::ThrottledAnswers) - throttled,
        processor_time("self") - client,
        limited.bucket.processor_time() - server,
    );
}

async fn beside_somebody(limited: &Limited) {
    let sweep = Sweep::prepare(limited, Share::percent(50).unwrap()).await;
    let (planned, monitor) = (sweep.planned() as f64, Arc::clone(&sweep.monitor));
    let somebody = limited.bucket.open(&Arc::new(Monitor::new())).await;
    let start = tokio::spawn(started(Arc::clone(&monitor)));
    let somebody =
        Arc::new(Somebody { store: somebody, asked: <_>::default(), refused: <_>::default() });
    let other = tokio::spawn(Arc::clone(&somebody).delete(limited.limit / 2.0));
    let end = sweep.carry_out().await;
    other.abort();
    let (early, since) = start.await.unwrap();
    let later = (planned - early as f64) / end.duration_since(since).as_secs_f64();
    println!(
        "beside somebody  share {:.3}  requests {}  throttled {}",
        later / limited.limit,
        somebody.asked.load(Ordering::Relaxed),
        somebody.refused.load(Ordering::Relaxed),
    );
}

/// Deletes from the same bucket at a rate of its own.
struct Somebody {
    store: S3Store,
    asked: AtomicU64,
    refused: AtomicU64,
}

impl Somebody {
    const BATCH: u64 = 100;

    async fn delete(self: Arc<Self>, keys_per_second: f64) {
        tokio::time::sleep(STARTED).await;
        let period = Duration::from_secs_f64(Self::BATCH as f64 / keys_per_second);
        let mut ticks = tokio::time::interval(period);
        let mut requests = JoinSet::new();
        loop {
            ticks.tick().await;
            requests.spawn(Arc::clone(&self).ask());
            while requests.try_join_next().is_some() {}
        }
    }

    /// Asks for keys that are not there, which costs the store as much.
    async fn ask(self: Arc<Self>) {
        let first = self.asked.fetch_add(1, Ordering::Relaxed) * Self::BATCH;
        let layout = Layout::new("");
        let doomed = |number: u64| {
            let digest = Digest::sha256(&number.to_be_bytes());
            Doomed { key: layout.blob(&digest).into(), modified: <_>::default(), upload: None }
        };
        let batch = (first..first + Self::BATCH).map(doomed).collect();
        let answer = self.store.delete(&DeleteBatch::new(batch).unwrap()).await;
        let is_refused = answer.is_err_and(|error| error.kind == ErrorKind::Throttled);
        self.refused.fetch_add(u64::from(is_refused), Ordering::Relaxed);
    }
}

/// A plan to delete every blob.
async fn plan(store: &Store, folder: &Path) -> Plan {
    let writer = PlanWriter::create(folder).unwrap().with_etags();
    let layout = Layout::new("");
    let mut blobs = store.list(&layout.blobs(), "");
    while let Some(page) = blobs.next().await.unwrap() {
        writer.add(page.into_iter().map(|listed| row(&layout, listed)).collect()).unwrap();
    }
    writer.finish(&header(store), &Everything).unwrap()
}

fn row(layout: &Layout, listed: Listed) -> Row {
    let Listed::Object(object) = listed else { unreachable!("a bucket presumes nothing") };
    let KeyKind::Blob(digest) = layout.classify(&object.key) else { unreachable!("blobs only") };
    Row {
        kind: RowKind::Blob,
        repository: None,
        digest: Some(digest),
        key: object.key.into(),
        bytes: object.size,
        modified: object.modified,
        reason: Reason::Unreferenced,
        rule: None,
        upload: None,
        etag: object.etag.map(Into::into),
    }
}

fn header(store: &Store) -> Header {
    let day = Duration::from_hours(24);
    Header {
        created_by: "the bench".into(),
        location: Location {
            identity: store.identity().into(),
            source: store.identity().into(),
            base: String::new(),
            options: <_>::default(),
        },
        purpose: planner::Purpose::Collection,
        policy: Policy { untagged: false, grace: day, uploads_older_than: day },
        t0: <_>::default(),
        doubts: Doubts::default(),
        notes: Vec::new(),
        retention: None,
        keep_list: None,
        facts: Facts::default(),
        requests: Requests::default(),
        multipart: None,
    }
}
