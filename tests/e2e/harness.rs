//! Puts a world into a store, collects it, and compares what is left with what the model says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cache::{Limits, ManifestCache};
use marker::Beside;
use monitor::{Monitor, Stop};
use planner::{Breaker, Limits as PlanLimits, Plan, Policy, allows_sweep};
use proptest::test_runner::Config as ProptestConfig;
use registry::{Digest, Layout};
use regsweep::collect::{Ask, make_plan};
use regsweep::{Failure, KeepList, Retaining};
use store::{DeleteBatch, DeleteStore, MemoryStore, MultipartStore, WriteStore};
use sweeper::{Journal, Settings, SweepReport, sweep};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use world::{Mode, Pull, Retention, World};

/// So many cases, or as many as `PROPTEST_CASES` asks for.
pub(crate) fn cases(usual: u32) -> ProptestConfig {
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => ProptestConfig::default(),
        None => ProptestConfig::with_cases(usual),
    }
}

/// One thread, so that what failed fails again.
pub(crate) fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// A directory for plans that goes with the value. In memory where the system has such a place: plans and journals
/// wait for the disk at every step.
pub(crate) fn scratch() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// How a collection goes about it. Whatever the way, the result is the same.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ways {
    /// Ranges listed, manifests read and batches deleted at once.
    pub(crate) width: usize,
    /// Keys in a page of a listing.
    pub(crate) page: usize,
    /// Objects in a delete request.
    pub(crate) batch: usize,
    /// Whether the store tells the MD5 of its objects.
    pub(crate) has_etags: bool,
    /// Whether listings presume what the layout lets them, and leave tags closed, as those of files do.
    pub(crate) presumes: bool,
    /// How many bytes of marks are held in memory.
    pub(crate) memory: usize,
}

/// The keys that a listing of files presumes.
fn is_presumed(key: &str) -> bool {
    let is_link = key.ends_with("/link");
    (key.contains("/blobs/") && key.ends_with("/data"))
        || (key.contains("/_layers/sha256/") && is_link)
        || (key.contains("/_manifests/tags/") && !key.contains("/index/sha512/") && is_link)
}

/// The folders that a listing of files leaves closed where nothing is said of tags.
fn closed(key: &str) -> Option<&str> {
    const TAGS: &str = "/_manifests/tags/";
    key.find(TAGS).map(|at| &key[..at + TAGS.len()])
}

impl Default for Ways {
    fn default() -> Self {
        Self {
            width: 4,
            page: 1000,
            batch: DeleteBatch::LIMIT,
            has_etags: true,
            presumes: false,
            memory: 1 << 30,
        }
    }
}

impl Ways {
    /// A store with the objects of `world` that tells its time.
    pub(crate) fn store(&self, world: &World) -> MemoryStore {
        let store = MemoryStore::new().with_page(self.page);
        let store = if self.has_etags { store.with_md5_etags() } else { store };
        let store = if self.presumes {
            store.with_presumed(is_presumed).with_closed(closed)
        } else {
            store
        };
        put_changes(&store, None, world);
        // What was deleted through a registry left its folder, beside what is there.
        for key in store.keys().iter().filter(|key| is_presumed(key)).step_by(2) {
            if let Some((before, after)) = key.split_once("/sha256/") {
                let digest = Digest::sha256(key.as_bytes()).hex();
                let shard = if before.ends_with("/blobs") { &digest[..3] } else { "" };
                let shard = shard.get(..2).map_or_else(String::new, |shard| format!("{shard}/"));
                let name = after.rsplit('/').next().unwrap_or_default();
                store.hollow(&format!("{before}/sha256/{shard}{digest}/{name}"));
            }
        }
        store
    }
}

/// Writes and removes in `store` what differs between two worlds, and sets its clock.
pub(crate) fn put_changes(store: &MemoryStore, before: Option<&World>, after: &World) {
    let none = BTreeMap::new();
    let before = before.map_or(&none, World::objects);
    for key in before.keys().filter(|key| !after.objects().contains_key(*key)) {
        store.hollow(key);
    }
    for (key, stored) in after.objects() {
        if before.get(key) != Some(stored) {
            store.put(key, stored.bytes.clone(), stored.modified);
        }
    }
    store.set_now(after.now());
}

/// A collection of one store: a plan in a directory of its own, and its sweep.
pub(crate) struct Collection<S> {
    pub(crate) store: Arc<S>,
    pub(crate) layout: Layout,
    pub(crate) mode: Mode,
    pub(crate) ways: Ways,
    pub(crate) monitor: Arc<Monitor>,
    /// What earlier collections read; none unless a test says so.
    cache: Option<Arc<ManifestCache>>,
    /// None unless a test says so.
    retention: Option<Retaining>,
    /// None unless a test says so.
    keep_list: Option<KeepList>,
    scratch: Arc<TempDir>,
}

impl<S> Collection<S> {
    /// A collection of `store`, which holds the objects of `world`.
    pub(crate) fn of(world: &World, store: S, mode: &Mode, ways: &Ways) -> Self {
        Self {
            store: Arc::new(store),
            layout: Layout::new(world.rootdirectory()),
            mode: *mode,
            ways: *ways,
            monitor: Arc::new(Monitor::new()),
            cache: None,
            retention: None,
            keep_list: None,
            scratch: Arc::new(scratch()),
        }
    }

    /// The same collection with the manifest cache in `path`, opened as by a program that was just started.
    pub(crate) fn remembering(self, path: &Path) -> Self {
        let cache = ManifestCache::open(path, Limits::of(1 << 20)).unwrap();
        Self { cache: Some(Arc::new(cache)), ..self }
    }

    /// The same collection under a retention policy.
    pub(crate) fn retaining(self, policy: &str) -> Self {
        let retaining = Retaining::of("policy.yml", policy.as_bytes()).unwrap();
        Self { retention: Some(retaining), ..self }
    }

    /// The same collection by a list of what a database knows, which was just written.
    pub(crate) fn listed(self, list: &Path) -> Self {
        let now = std::fs::metadata(list).unwrap().modified().unwrap();
        Self { keep_list: Some(KeepList::read(list, now.into()).unwrap()), ..self }
    }

    /// The same collection over another store, with the same directory: the program, started again.
    pub(crate) fn again<T>(&self, store: T) -> Collection<T> {
        Collection {
            store: Arc::new(store),
            layout: self.layout.clone(),
            mode: self.mode,
            ways: self.ways,
            monitor: Arc::new(Monitor::new()),
            cache: self.cache.clone(),
            retention: self.retention.clone(),
            keep_list: self.keep_list.clone(),
            scratch: Arc::clone(&self.scratch),
        }
    }

    /// The directory of the plan.
    pub(crate) fn dir(&self) -> PathBuf {
        self.scratch.path().join("plan")
    }
}

impl<S: MultipartStore> Collection<S> {
    /// Makes the plan.
    pub(crate) async fn plan(&self) -> Result<Plan, Failure> {
        self.plan_unless(&Arc::new(Stop::new())).await
    }

    /// Makes the plan, unless it is stopped.
    pub(crate) async fn plan_unless(&self, stop: &Arc<Stop>) -> Result<Plan, Failure> {
        let Mode { untagged, grace, uploads_older_than } = self.mode;
        // Breakers have tests of their own; most worlds here would trip them.
        let accepted = Breaker::ALL.into();
        let ask = Ask {
            source: "a test",
            options: BTreeMap::new(),
            layout: &self.layout,
            policy: Policy { untagged, grace, uploads_older_than },
            retention: self.retention.clone(),
            keep_list: self.keep_list.clone(),
            beside: Beside::Nothing,
            held: &[],
            multipart: true,
            limits: &PlanLimits { max_delete_share_percent: Some(100), accepted },
            width: self.ways.width,
            out: &self.dir(),
            is_scratch: false,
            listener: None,
            memory: self.ways.memory,
            cache: self.cache.clone(),
        };
        let plan = make_plan(&self.store, &ask, &self.monitor, stop).await?;
        assert!(allows_sweep(&plan.header().notes), "everything is accepted");
        Ok(plan)
    }
}

impl<S: DeleteStore + WriteStore + MultipartStore> Collection<S> {
    /// Carries out the plan in `dir`, or what is left of it.
    pub(crate) async fn sweep_in(&self, dir: &Path) -> Result<SweepReport, Failure> {
        let plan = Plan::open(dir)?;
        let journal = Journal::open(dir, plan.id()).map_err(Failure::Journal)?;
        let settings = Settings {
            concurrency: self.ways.width,
            batch: self.ways.batch,
            ..Settings::default()
        };
        let (store, stop) = (Arc::clone(&self.store), Stop::new());
        Ok(sweep(store, plan, journal, settings, &(), &self.monitor, &stop).await?)
    }

    /// Carries out the plan.
    pub(crate) async fn sweep(&self) -> Result<SweepReport, Failure> {
        self.sweep_in(&self.dir()).await
    }

    /// Plans and sweeps.
    pub(crate) async fn run(&self) -> Result<SweepReport, Failure> {
        drop(self.plan().await?);
        self.sweep().await
    }
}

/// What the model expects of a collection of a world.
pub(crate) struct Expected {
    world: World,
    mode: Mode,
    pub(crate) live: BTreeSet<String>,
    pub(crate) garbage: BTreeSet<String>,
    pulls: Vec<Pull>,
}

impl Expected {
    pub(crate) fn of(world: &World, mode: &Mode) -> Self {
        Self::under(world, mode, &Retention::default())
    }

    /// The same of a collection under a retention policy.
    pub(crate) fn under(world: &World, mode: &Mode, retention: &Retention) -> Self {
        Self {
            world: world.clone(),
            mode: *mode,
            live: world.expected_live_under(mode, retention),
            garbage: world.garbage_under(mode, retention),
            pulls: world.pulls_under(mode, retention),
        }
    }

    /// What holds after any collection, disturbed or not: all that pulled pulls, nothing young is gone (G1), nothing is
    /// there that was not there before. Besides, nothing that must stay is gone.
    pub(crate) fn check_nothing_is_lost(&self, store: &MemoryStore) {
        let left = keys(store);
        let lost: Vec<_> = self.live.difference(&left).collect();
        assert!(lost.is_empty(), "live, and gone: {lost:#?}");
        self.check_pulls(store);
    }

    /// That, but for what must stay and is no part of any pull.
    pub(crate) fn check_pulls(&self, store: &MemoryStore) {
        let gone = self.gone(&keys(store));
        let cutoff = self.world.now().before(self.mode.grace);
        let is_young = |key: &&String| self.world.objects()[*key].modified >= cutoff;
        let young: Vec<_> = gone.iter().filter(is_young).collect();
        assert!(young.is_empty(), "young, and gone: {young:#?}");
        let mut after = self.world.clone();
        after.note_deleted(gone.iter().map(String::as_str));
        let broken = after.broken_pulls(&self.pulls);
        assert!(broken.is_empty(), "{broken:#?}");
        for (key, bytes) in store.snapshot() {
            let stored = self.world.objects().get(&key);
            assert!(stored.is_some_and(|stored| stored.bytes == bytes), "{key}");
        }
    }

    /// What holds after a collection in which everything went well: besides, nothing that must go is left.
    pub(crate) fn check_it_is_collected(&self, store: &MemoryStore, report: &SweepReport) {
        self.check_nothing_is_lost(store);
        let left = keys(store);
        let stayed: Vec<_> = self.garbage.intersection(&left).collect();
        assert!(stayed.is_empty(), "dead, and there: {stayed:#?}");
        assert!(report.is_clean(), "{report:?}");
        report.check().unwrap();
    }

    /// The keys that may stay or go.
    pub(crate) fn open(&self) -> BTreeSet<String> {
        let is_open = |key: &&String| !self.live.contains(*key) && !self.garbage.contains(*key);
        self.world.objects().keys().filter(is_open).cloned().collect()
    }

    /// The keys that are gone.
    pub(crate) fn gone(&self, left: &BTreeSet<String>) -> BTreeSet<String> {
        self.world.objects().keys().filter(|key| !left.contains(*key)).cloned().collect()
    }
}

/// Every key in a store.
pub(crate) fn keys(store: &MemoryStore) -> BTreeSet<String> {
    store.keys().into_iter().collect()
}
