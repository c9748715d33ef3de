//! Runs of the collector, one a night, with people at work between its requests.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use collector::{CollectError, Collector, Report, Settings};
use ledger::{LocalClock, LocalLease};
use monitor::{Monitor, Stop};
use planner::Amount;
use protocol::Waits;
use regsweep::Failure;
use store::{ErrorKind, KeyOutcome, MemoryStore, Operation, StoreError};
use tempfile::TempDir;

use super::bucket::Bucket;
use super::client::{Image, Push};
use super::opened::Opened;
use super::served::Registry;
use super::witness::Witness;
use crate::hand::{Call, Hand, Handled};
use crate::harness::{runtime, scratch};

/// No push takes longer.
pub(crate) const LONGEST_PUSH: Duration = Duration::from_secs(10);

/// A night, and a day.
pub(super) const DAY: Duration = Duration::from_mins(1);

/// Somebody at work: takes so many steps before a request.
pub(crate) type Deed = Box<dyn FnMut(&Registry, u64) + Send>;

/// Somebody who hears what the store is asked for.
pub(crate) type Ear = Box<dyn Fn(Call<'_>) + Send>;

/// People who work between requests: what counts as one is what the store is asked for, and on a server each request over
/// HTTP.
pub(crate) struct People {
    registry: Registry,
    requests: AtomicU64,
    /// At which request the process dies.
    dies_at: AtomicU64,
    /// Whether answers to deletions leave out the first key.
    leaves_out: AtomicBool,
    ear: Mutex<Ear>,
    deed: Mutex<Deed>,
}

impl People {
    /// What they do before a request.
    fn work(&self) {
        let request = self.requests.fetch_add(1, Ordering::SeqCst);
        self.registry.pass(Duration::from_millis(1));
        (self.deed.lock().unwrap())(&self.registry, request);
    }

    fn is_on_server(&self) -> bool {
        matches!(self.registry.bucket, Bucket::Server(_))
    }
}

impl Hand for People {
    async fn before(&self, call: Call<'_>) -> Result<(), StoreError> {
        (self.ear.lock().unwrap())(call);
        // A server calls them itself, but knows of no cache.
        if !self.is_on_server() || matches!(call, Call::Cache) {
            self.work();
        }
        if self.requests.load(Ordering::SeqCst) > self.dies_at.load(Ordering::SeqCst) {
            return Err(StoreError::new(Operation::List, "dead", ErrorKind::Fatal));
        }
        Ok(())
    }

    fn deleted(&self, mut outcomes: Vec<KeyOutcome>) -> Vec<KeyOutcome> {
        if self.leaves_out.load(Ordering::SeqCst) {
            outcomes.remove(0);
        }
        outcomes
    }
}

/// A registry that is collected night by night.
#[expect(clippy::struct_excessive_bools, reason = "each says something of its own")]
pub(crate) struct Nights {
    pub(crate) registry: Registry,
    pub(super) people: Arc<People>,
    uses_trash: bool,
    /// Nobody else collects.
    pub(super) lease: LocalLease,
    _folder: TempDir,
    untagged: bool,
    is_strict: bool,
    keeps_versions: bool,
    pub(super) doing: Doing,
    grace: Duration,
    flaw: Option<Flaw>,
    old: Arc<Mutex<Option<MemoryStore>>>,
    noted: Arc<Mutex<NotedSums>>,
    pub(crate) reports: Vec<Report>,
}

impl Nights {
    /// `uses_trash` where the store keeps no versions.
    pub(crate) fn new(registry: &Registry, uses_trash: bool, deed: Deed) -> Self {
        let people = People {
            registry: registry.clone(),
            requests: AtomicU64::new(0),
            dies_at: AtomicU64::new(u64::MAX),
            leaves_out: AtomicBool::new(false),
            ear: Mutex::new(Box::new(|_| {})),
            deed: Mutex::new(deed),
        };
        let people = Arc::new(people);
        if let Bucket::Server(server) = &registry.bucket {
            // They hold the server, so it must not hold them.
            let people = Arc::downgrade(&people);
            server.before_each_request(move || {
                people.upgrade().iter().for_each(|people| people.work());
            });
        }
        let folder = scratch();
        let lock = folder.path().join("lock");
        let (lease, _) = LocalLease::acquire(&lock, "a test", LocalClock::system()).unwrap();
        Self {
            registry: registry.clone(),
            people,
            uses_trash,
            lease,
            _folder: folder,
            untagged: false,
            is_strict: false,
            keeps_versions: false,
            doing: Doing::Everything,
            grace: LONGEST_PUSH,
            flaw: None,
            old: Arc::default(),
            noted: Arc::default(),
            reports: Vec::new(),
        }
    }

    /// The same, with something left out.
    pub(crate) fn with(self, flaw: Option<Flaw>) -> Self {
        Self { flaw, ..self }
    }

    /// The same, where manifests without a tag go.
    pub(crate) fn untagged(self, untagged: bool) -> Self {
        Self { untagged, ..self }
    }

    /// The same on a store that says that it keeps versions.
    pub(crate) fn with_promised_versions(self) -> Self {
        Self { keeps_versions: true, ..self }
    }

    /// The same, where looks that seem wrong object.
    pub(crate) fn strict(self) -> Self {
        Self { is_strict: true, ..self }
    }

    /// The same, where more is young.
    pub(crate) fn grace(self, grace: Duration) -> Self {
        Self { grace, ..self }
    }

    /// How many requests were sent so far.
    pub(crate) fn requests(&self) -> u64 {
        self.people.requests.load(Ordering::SeqCst)
    }

    /// The next process dies before a request; `None` if it lives.
    pub(crate) fn die_after(&self, requests: Option<u64>) {
        let at = requests.map_or(u64::MAX, |requests| self.requests() + requests);
        self.people.dies_at.store(at, Ordering::SeqCst);
    }

    /// Tells what the store is asked for.
    pub(crate) fn hear(&self, ear: Ear) {
        *self.people.ear.lock().unwrap() = ear;
    }

    /// From now on answers to deletions leave out the first key, or do not.
    pub(crate) fn leave_out(&self, leaves_out: bool) {
        self.people.leaves_out.store(leaves_out, Ordering::SeqCst);
    }

    /// Nobody works any more.
    pub(crate) fn rest(&self) {
        *self.people.deed.lock().unwrap() = Box::new(|_, _| {});
    }

    /// Runs the collector once; a day passes then.
    pub(crate) fn night(&mut self) -> Result<(), CollectError<Failure>> {
        self.run_once(DAY)
    }

    /// Runs the collector once, and so soon again that nothing which waits is due.
    pub(crate) fn half_a_wait(&mut self) -> Result<(), CollectError<Failure>> {
        self.run_once(LONGEST_PUSH / 2)
    }

    fn run_once(&mut self, pause: Duration) -> Result<(), CollectError<Failure>> {
        *self.noted.lock().unwrap() = NotedSums::default();
        let (report, outcome) = runtime().block_on(async { self.collector().await.run().await });
        let noted = *self.noted.lock().unwrap();
        assert_eq!(noted.deleted, report.deleted, "what is noted is what was deleted");
        let is_noted = noted.condemned == report.condemned;
        assert!(is_noted || outcome.is_err(), "{noted:?} is noted of {report:?}");
        self.reports.push(report);
        self.registry.pass(pause);
        outcome
    }

    /// So many nights, each of which must go well.
    pub(crate) fn nights(&mut self, count: usize) {
        for _ in 0..count {
            self.night().unwrap();
        }
    }

    /// The store, as a new process sees it.
    pub(super) async fn open(&self) -> Arc<Handled<People, Opened>> {
        let opened = Opened::open(&self.registry.bucket).await;
        Arc::new(Handled::new(&opened, &self.people))
    }

    async fn collector(&self) -> Collector<Handled<People, Opened>, Witness> {
        let store = self.open().await;
        // Over HTTP one request at a time, so that what failed fails again.
        let width = if self.people.is_on_server() { 1 } else { 2 };
        let around = Witness {
            registry: self.registry.clone(),
            store: Arc::clone(&store),
            uses_trash: self.uses_trash && self.flaw != Some(Flaw::NothingKept),
            untagged: self.untagged,
            is_strict: self.is_strict,
            grace: self.grace,
            flaw: self.flaw,
            old: Arc::clone(&self.old),
            scratch: None,
            width,
            noted: Arc::clone(&self.noted),
            uploads: None,
        };
        let settings = Settings {
            waits: Waits::new(LONGEST_PUSH, LONGEST_PUSH, Duration::ZERO).unwrap(),
            width,
            conditional: true,
            keeps_versions: self.keeps_versions,
            remember: 5 * DAY,
            condemns: self.doing != Doing::InWindow,
            deletes: self.doing != Doing::BetweenWindows,
            clock: || tokio::time::Instant::now().into_std(),
        };
        let (monitor, stop) = (Arc::new(Monitor::new()), Arc::new(Stop::new()));
        let layout = self.registry.layout.clone();
        Collector::new(store, layout, self.lease.guard(), around, settings, monitor, stop)
    }

    /// How many blobs were given back before they were deleted, were deleted, and came back, over all nights.
    pub(crate) fn sums(&self) -> Sums {
        let sum = |of: fn(&Report) -> u64| self.reports.iter().map(of).sum();
        Sums {
            rescued: sum(|report| report.rescued),
            deleted: sum(|report| report.deleted.count),
            restored: sum(|report| report.restored),
        }
    }

    /// What is wrong with an image that was acknowledged.
    pub(crate) fn broken(&self, repository: &str, image: &Image) -> Vec<String> {
        let registry = &self.registry;
        let is_linked = registry.has_revision(repository, image.manifest);
        let manifest =
            [(is_linked, "revision link"), (registry.has_data(image.manifest), "manifest")];
        let blobs = image.blobs.iter().flat_map(|blob| {
            [(registry.has_data(*blob), "blob"), (registry.has_layer(repository, *blob), "link")]
        });
        let lost = manifest.into_iter().chain(blobs).filter(|(is_there, _)| !is_there);
        let lost = lost.map(|(_, what)| format!("{repository}: a {what} is lost"));
        let reported = self.reports.iter().flat_map(|report| &report.lost);
        let reported = reported.map(|key| format!("{key} is lost"));
        let children = image.children.iter().flat_map(|child| self.broken(repository, child));
        lost.chain(reported).chain(children).collect()
    }

    /// What is there and nobody needs, beside these images.
    pub(crate) fn too_much(&self, images: &[&Image]) -> Vec<String> {
        let (layout, keys) = (&self.registry.layout, self.registry.bucket.keys());
        let digests = images.iter().flat_map(|image| image.digests());
        let needed: BTreeSet<String> = digests.map(|digest| layout.blob(&digest)).collect();
        let blobs = keys.into_iter().filter(|key| key.starts_with(&layout.blobs()));
        blobs.filter(|key| !needed.contains(key)).collect()
    }
}

/// What a night does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doing {
    Everything,
    /// All but looking again and deleting.
    BetweenWindows,
    /// Nothing is condemned, and nobody pushes.
    InWindow,
}

/// What was noted in one night.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct NotedSums {
    pub(super) condemned: Amount,
    pub(super) deleted: Amount,
}

/// What became of blobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) rescued: u64,
    pub(crate) deleted: u64,
    pub(crate) restored: u64,
}

impl std::ops::AddAssign for Sums {
    fn add_assign(&mut self, more: Self) {
        self.rescued += more.rescued;
        self.deleted += more.deleted;
        self.restored += more.restored;
    }
}

/// A step of the protocol that is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// The registry's cache is not purged.
    NoPurge,
    /// Nor is it asked.
    NeitherPurgedNorAsked,
    /// Later looks see the manifests that the very first one saw, and no links.
    AgeAlone,
    /// Of what is deleted nothing is kept.
    NothingKept,
    /// Pushes take longer than the quarantine.
    SlowPushes,
}

/// Pushes an image to its end.
pub(crate) fn pushed(
    registry: &Registry,
    repository: &'static str,
    image: &Image,
    tag: Option<&'static str>,
) {
    Push::blind(repository, image, tag).finish(registry);
}
