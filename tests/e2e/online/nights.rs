//! Runs of the collector, one a night, with people at work between its requests.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use collector::{
    CollectError, Collector, Look, Noted, Purpose, Remembered, Report, Settings, Surroundings,
};
use ledger::{GenerationId, LocalClock, LocalLease};
use marker::Beside;
use monitor::{Monitor, Stop};
use planner::{Amount, Breaker, Limits, Policy, Row, allows_sweep};
use protocol::Waits;
use registry::Digest;
use regsweep::collect::{self, Ask};
use regsweep::{Failure, Refusal};
use store::{ErrorKind, KeyOutcome, MemoryStore, Operation, StoreError, Trash};
use tempfile::TempDir;

use super::bucket::Bucket;
use super::client::{Image, Push};
use super::opened::Opened;
use super::served::Registry;
use crate::hand::{Call, Hand, Handled};
use crate::harness::{runtime, scratch};

/// No push takes longer.
pub(crate) const LONGEST_PUSH: Duration = Duration::from_secs(10);

/// A night, and a day.
const DAY: Duration = Duration::from_mins(1);

/// Somebody at work: takes so many steps before a request.
pub(crate) type Deed = Box<dyn FnMut(&Registry, u64) + Send>;

/// People who work between requests: what counts as one is what the store is asked for, and on a server each request over
/// HTTP.
pub(crate) struct People {
    registry: Registry,
    requests: AtomicU64,
    /// At which request the process dies.
    dies_at: AtomicU64,
    /// Whether answers to deletions leave out the first key.
    leaves_out: AtomicBool,
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
struct NotedSums {
    condemned: Amount,
    deleted: Amount,
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

/// What surrounds the collector: looks by the program's own code, and the registry's cache.
struct Witness {
    registry: Registry,
    store: Arc<Handled<People, Opened>>,
    uses_trash: bool,
    untagged: bool,
    is_strict: bool,
    grace: Duration,
    flaw: Option<Flaw>,
    /// What the first look saw.
    old: Arc<Mutex<Option<MemoryStore>>>,
    scratch: Option<TempDir>,
    width: usize,
    noted: Arc<Mutex<NotedSums>>,
}

impl Witness {
    /// What is looked at instead, where looks are old.
    fn in_place_of_store(&self, purpose: Purpose) -> Option<MemoryStore> {
        let mut old = self.old.lock().unwrap();
        if purpose == Purpose::Condemn {
            *old = old.take().or_else(|| self.registry.bucket.fork());
        }
        old.clone().filter(|_| self.flaw == Some(Flaw::AgeAlone) && purpose == Purpose::Again)
    }

    async fn call_cache(&self) -> Result<(), Failure> {
        let location = || "a test".to_owned();
        let called = self.store.call_out(Call::Cache).await;
        called.map_err(|source| Failure::Store { location: location(), source })
    }
}

impl Surroundings for Witness {
    type Error = Failure;

    async fn look(&mut self, purpose: Purpose, held: &[Digest]) -> Result<Look<Failure>, Failure> {
        let folder = scratch();
        let accepted = if self.is_strict { <_>::default() } else { Breaker::ALL.into() };
        let limits = Limits { max_delete_share_percent: None, accepted };
        let ask = Ask {
            source: "a test",
            options: <_>::default(),
            layout: &self.registry.layout,
            policy: Policy {
                untagged: self.untagged && purpose == Purpose::Condemn,
                grace: self.grace,
                uploads_older_than: DAY,
            },
            retention: None,
            multipart: false,
            keep_list: None,
            beside: match purpose {
                Purpose::Condemn => Beside::InUse,
                Purpose::Again if self.flaw == Some(Flaw::AgeAlone) => Beside::Nothing,
                Purpose::Again => Beside::Linked,
            },
            held,
            limits: &limits,
            width: self.width,
            out: &folder.path().join("plan"),
            is_scratch: true,
            listener: None,
            cache: None,
            memory: 1 << 20,
        };
        let (monitor, stop) = (Arc::new(Monitor::new()), Arc::new(Stop::new()));
        let store = self.in_place_of_store(purpose).map(Arc::new);
        let look = async || match &store {
            Some(old) => collect::look(old, &ask, &monitor, &stop).await,
            None => collect::look(&self.store, &ask, &monitor, &stop).await,
        };
        let mut seen = look().await;
        // A manifest came and went while it was looked at.
        if let Err(Failure::Changed(_)) = seen {
            seen = look().await;
        }
        let seen = seen?;
        self.scratch = Some(folder);
        let collect::Look { plan, marks, pinned } = seen;
        let is_sound = !self.is_strict || allows_sweep(&plan.header().notes);
        let notes = plan.header().notes.clone();
        let objection = (!is_sound).then(|| Refusal::Audit { notes, plan: None }.into());
        Ok(Look { plan, marks, pinned, objection })
    }

    async fn purge(&mut self, remembered: &[Remembered]) -> Result<(), Failure> {
        self.call_cache().await?;
        let is_left = matches!(self.flaw, Some(Flaw::NoPurge | Flaw::NeitherPurgedNorAsked));
        for one in remembered.iter().filter(|_| !is_left) {
            self.registry.forget(one);
        }
        Ok(())
    }

    async fn believes(&mut self, digests: &[Digest]) -> Result<Vec<bool>, Failure> {
        self.call_cache().await?;
        let is_asked = self.flaw != Some(Flaw::NeitherPurgedNorAsked);
        let believes = |digest: &Digest| is_asked && self.registry.believes(*digest);
        Ok(digests.iter().map(believes).collect())
    }

    async fn trash(&mut self, generation: &GenerationId) -> Result<Option<Trash>, Failure> {
        Ok(self.uses_trash.then(|| self.trash_of(generation)))
    }

    fn trash_of(&self, generation: &GenerationId) -> Trash {
        Trash::new("", &format!("regsweep/trash/{generation}/"))
    }

    fn hears(&self) -> bool {
        true
    }

    async fn witness(
        &mut self,
        _: &GenerationId,
        _: Vec<(Row, KeyOutcome)>,
    ) -> Result<(), Failure> {
        Ok(())
    }

    fn notes(&self, _: Noted) -> bool {
        true
    }

    fn note(&mut self, what: Noted, blob: &Row, _: &[Row]) {
        let mut noted = self.noted.lock().unwrap();
        match what {
            Noted::Condemned => noted.condemned.add(blob.bytes),
            Noted::Deleted => noted.deleted.add(blob.bytes),
        }
    }

    async fn closed(&mut self, _: &GenerationId) -> Result<(), Failure> {
        Ok(())
    }
}
