//! Runs of the collector, one a night, with people at work between its requests.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use collector::{
    CollectError, Collector, Look, Purpose, Remembered, Report, Settings, Surroundings,
};
use ledger::{GenerationId, LocalClock, LocalLease};
use marker::Beside;
use monitor::{Monitor, Stop};
use planner::{Breaker, Limits, Policy};
use protocol::Waits;
use registry::Digest;
use regsweep::Failure;
use regsweep::collect::{self, Ask};
use store::{StoreError, Trash};
use tempfile::TempDir;

use super::client::{Image, Push};
use super::served::Registry;
use crate::hand::{Call, Hand, Handled};
use crate::harness::{runtime, scratch};

/// No push takes longer.
pub(crate) const LONGEST_PUSH: Duration = Duration::from_secs(10);

/// A night, and a day.
const DAY: Duration = Duration::from_mins(1);

/// Somebody at work: takes so many steps before a request.
pub(crate) type Deed = Box<dyn FnMut(&Registry, u64) + Send>;

/// People who work between requests.
pub(crate) struct People {
    registry: Registry,
    requests: AtomicU64,
    deed: Mutex<Deed>,
}

impl Hand for People {
    async fn before(&self, _: Call<'_>) -> Result<(), StoreError> {
        let request = self.requests.fetch_add(1, Ordering::SeqCst);
        self.registry.pass(Duration::from_millis(1));
        (self.deed.lock().unwrap())(&self.registry, request);
        Ok(())
    }
}

/// A registry that is collected night by night.
pub(crate) struct Nights {
    pub(crate) registry: Registry,
    people: Arc<People>,
    uses_trash: bool,
    /// Nobody else collects.
    lease: LocalLease,
    _folder: TempDir,
    pub(crate) reports: Vec<Report>,
}

impl Nights {
    /// `uses_trash` where the store keeps no versions.
    pub(crate) fn new(registry: &Registry, uses_trash: bool, deed: Deed) -> Self {
        let people = People {
            registry: registry.clone(),
            requests: AtomicU64::new(0),
            deed: Mutex::new(deed),
        };
        let folder = scratch();
        let lock = folder.path().join("lock");
        let (lease, _) = LocalLease::acquire(&lock, "a test", LocalClock::system()).unwrap();
        Self {
            registry: registry.clone(),
            people: Arc::new(people),
            uses_trash,
            lease,
            _folder: folder,
            reports: Vec::new(),
        }
    }

    /// How many requests were sent so far.
    pub(crate) fn requests(&self) -> u64 {
        self.people.requests.load(Ordering::SeqCst)
    }

    /// Nobody works any more.
    pub(crate) fn rest(&self) {
        *self.people.deed.lock().unwrap() = Box::new(|_, _| {});
    }

    /// Runs the collector once; a day passes then.
    pub(crate) fn night(&mut self) -> Result<(), CollectError<Failure>> {
        let (report, outcome) = runtime().block_on(self.collector().run());
        self.reports.push(report);
        self.registry.pass(DAY);
        outcome
    }

    /// So many nights, each of which must go well.
    pub(crate) fn nights(&mut self, count: usize) {
        for _ in 0..count {
            self.night().unwrap();
        }
    }

    fn collector(&self) -> Collector<Handled<People>, Witness> {
        let store = Arc::new(Handled::new(&self.registry.store, &self.people));
        let around = Witness {
            registry: self.registry.clone(),
            store: Arc::clone(&store),
            uses_trash: self.uses_trash,
            scratch: None,
        };
        let settings = Settings {
            waits: Waits::new(LONGEST_PUSH, LONGEST_PUSH, Duration::ZERO).unwrap(),
            width: 2,
            conditional: true,
            deletes: true,
        };
        let (monitor, stop) = (Arc::new(Monitor::new()), Arc::new(Stop::new()));
        let layout = self.registry.layout.clone();
        Collector::new(store, layout, self.lease.guard(), around, settings, monitor, stop)
    }

    /// What was condemned, rescued, deleted and restored, over all nights.
    pub(crate) fn sums(&self) -> [u64; 4] {
        let sum = |of: fn(&Report) -> u64| self.reports.iter().map(of).sum();
        [
            sum(|report| report.condemned.count),
            sum(|report| report.rescued),
            sum(|report| report.deleted.count),
            sum(|report| report.restored),
        ]
    }

    /// Every image of these pulls, and nothing that was needed was gone for good.
    #[track_caller]
    pub(crate) fn assert_pulls(&self, repository: &str, images: &[&Image], when: &str) {
        let registry = &self.registry;
        for image in images {
            assert!(registry.has_revision(repository, image.manifest), "{when}: no revision");
            assert!(registry.has_data(image.manifest), "{when}: the manifest is lost");
            for blob in &image.blobs {
                assert!(registry.has_data(*blob), "{when}: {blob} is lost");
                assert!(
                    registry.has_layer(repository, *blob),
                    "{when}: the link to {blob} is lost"
                );
            }
        }
        assert!(self.reports.iter().all(|report| report.lost.is_empty()), "{when}: lost");
    }

    /// Nothing but these images is left.
    #[track_caller]
    pub(crate) fn assert_left(&self, images: &[&Image], when: &str) {
        let needed: BTreeSet<Digest> = images
            .iter()
            .flat_map(|image| image.blobs.iter().chain([&image.manifest]))
            .copied()
            .collect();
        let keys = self.registry.store.keys();
        let blobs = keys.iter().filter(|key| key.starts_with(&self.registry.layout.blobs()));
        let needed: BTreeSet<String> =
            needed.iter().map(|digest| self.registry.layout.blob(digest)).collect();
        let left: BTreeSet<String> = blobs.cloned().collect();
        assert_eq!(left, needed, "{when}");
    }
}

/// Pushes an image to its end.
pub(crate) fn pushed(registry: &Registry, repository: &'static str, image: &Image) {
    Push::blind(repository, image, None).finish(registry);
}

/// What surrounds the collector: looks by the program's own code, and the registry's cache.
struct Witness {
    registry: Registry,
    store: Arc<Handled<People>>,
    uses_trash: bool,
    scratch: Option<TempDir>,
}

impl Witness {
    async fn call_cache(&self) -> Result<(), Failure> {
        let location = || "a test".to_owned();
        let called = self.store.call_out(Call::Cache).await;
        called.map_err(|source| Failure::Store { location: location(), source })
    }
}

impl Surroundings for Witness {
    type Error = Failure;

    async fn look(&mut self, purpose: Purpose) -> Result<Look<Failure>, Failure> {
        let folder = scratch();
        let limits = Limits { max_delete_share_percent: Some(100), accepted: Breaker::ALL.into() };
        let ask = Ask {
            source: "a test",
            options: <_>::default(),
            layout: &self.registry.layout,
            policy: Policy { untagged: false, grace: LONGEST_PUSH, uploads_older_than: DAY },
            beside: match purpose {
                Purpose::Condemn => Beside::InUse,
                Purpose::Again => Beside::Linked,
            },
            limits: &limits,
            width: 2,
            out: &folder.path().join("plan"),
            is_scratch: true,
            listener: None,
            cache: None,
            memory: 1 << 20,
        };
        let (monitor, stop) = (Arc::new(Monitor::new()), Arc::new(Stop::new()));
        let seen = collect::look(&self.store, &ask, &monitor, &stop).await?;
        self.scratch = Some(folder);
        Ok(Look { plan: seen.plan, marks: seen.marks, objection: None })
    }

    async fn purge(&mut self, remembered: &[Remembered]) -> Result<(), Failure> {
        self.call_cache().await?;
        for one in remembered {
            self.registry.forget(one);
        }
        Ok(())
    }

    async fn believes(&mut self, digests: &[Digest]) -> Result<Vec<bool>, Failure> {
        self.call_cache().await?;
        Ok(digests.iter().map(|digest| self.registry.believes(*digest)).collect())
    }

    async fn trash(&mut self, generation: &GenerationId) -> Result<Option<Trash>, Failure> {
        Ok(self.uses_trash.then(|| self.trash_of(generation)))
    }

    fn trash_of(&self, generation: &GenerationId) -> Trash {
        Trash::new("", &format!("regsweep/trash/{generation}/"))
    }

    async fn closed(&mut self, _: &GenerationId) -> Result<(), Failure> {
        Ok(())
    }
}
