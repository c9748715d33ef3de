//! A store for the tests: it takes its time, counts what is asked, and breaks the contract where told.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use monitor::{Counter, Monitor, Stop};
use proptest::prelude::*;
use registry::Timestamp;
use store::{Abilities, Cursor, Folders, Listed, MemoryStore, Object, ReadStore, StoreError};
use tokio::runtime::{Builder, Runtime};

use crate::Walk;

/// How a page differs from what the contract of [`Cursor`] promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trick {
    /// It does not.
    None,
    /// The page comes again.
    Repeated,
    /// The page begins with the last key of the one before.
    Overlapping,
    /// The first two keys of a page change places.
    Swapped,
    /// A key of another prefix stands at the end.
    Outside,
}

/// A store in memory that lets others run before it answers.
#[derive(Clone, Debug)]
pub(crate) struct Unhurried {
    inner: MemoryStore,
    reads_in_place: bool,
    /// Before so many pages nobody has to wait for one.
    waits_from: u64,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    pages: AtomicU64,
    folders: AtomicU64,
    /// Folders that are looked into now, and how many it were at most.
    under_way: (AtomicU64, AtomicU64),
    /// Pages that are asked for now, and how many it were at most.
    on_their_way: (AtomicU64, AtomicU64),
    /// From which page on the trick is played.
    trick: (Trick, u64),
    /// What is asked to stop, when so many pages were given.
    stop: (Arc<Stop>, u64),
}

impl Unhurried {
    pub(crate) fn new(page: usize, keys: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let inner = MemoryStore::new().with_page(page);
        for key in keys {
            inner.put(key.as_ref(), "x", Timestamp::from_seconds(1));
        }
        Self::over(inner, (Trick::None, 0), (Arc::new(Stop::new()), u64::MAX))
    }

    fn over(inner: MemoryStore, trick: (Trick, u64), stop: (Arc<Stop>, u64)) -> Self {
        let (pages, folders) = (AtomicU64::new(0), AtomicU64::new(0));
        let under_way = (AtomicU64::new(0), AtomicU64::new(0));
        let on_their_way = (AtomicU64::new(0), AtomicU64::new(0));
        let state = Arc::new(State { pages, folders, under_way, on_their_way, trick, stop });
        Self { inner, reads_in_place: false, waits_from: 0, state }
    }

    /// Says of itself that it answers at once, or does not.
    pub(crate) fn in_place(self, reads_in_place: bool) -> Self {
        Self { reads_in_place, ..self }
    }

    /// Says that who asks has to wait, from page number `page` on.
    pub(crate) fn waiting_from(self, page: u64) -> Self {
        Self { waits_from: page, ..self }
    }

    /// How many pages were on their way at once, at most.
    pub(crate) fn most_pages_at_once(&self) -> u64 {
        self.state.on_their_way.1.load(Ordering::SeqCst)
    }

    /// The same objects; pages from number `from` on break the contract.
    pub(crate) fn playing(&self, trick: Trick, from: u64) -> Self {
        Self::over(self.inner.clone(), (trick, from), (Arc::new(Stop::new()), u64::MAX))
    }

    /// The same objects; the run is asked to stop while page number `page` is on its way.
    pub(crate) fn stopping(&self, stop: &Arc<Stop>, page: u64) -> Self {
        Self::over(self.inner.clone(), (Trick::None, 0), (Arc::clone(stop), page))
    }

    /// Pages asked for, the empty ones at the end of a range included.
    pub(crate) fn pages(&self) -> u64 {
        self.state.pages.load(Ordering::SeqCst)
    }

    /// Folders looked into.
    pub(crate) fn folders_asked(&self) -> u64 {
        self.state.folders.load(Ordering::SeqCst)
    }

    /// Folders looked into at the same time, at most.
    pub(crate) fn folders_at_once(&self) -> u64 {
        self.state.under_way.1.load(Ordering::SeqCst)
    }
}

impl ReadStore for Unhurried {
    type Cursor = UnhurriedCursor;

    fn list(&self, within: &str, after: &str) -> UnhurriedCursor {
        let inner = self.inner.list(within, after);
        UnhurriedCursor { inner, state: Arc::clone(&self.state), last: None }
    }

    async fn folders(&self, within: &str) -> Result<Folders, StoreError> {
        self.state.folders.fetch_add(1, Ordering::SeqCst);
        let (now, most) = &self.state.under_way;
        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        now.fetch_sub(1, Ordering::SeqCst);
        self.inner.folders(within).await
    }

    async fn look(&self, keys: Vec<Box<str>>) -> Result<Vec<Option<Object>>, StoreError> {
        self.inner.look(keys).await
    }

    async fn get(&self, key: &str, at_most: u64) -> Result<Bytes, StoreError> {
        self.inner.get(key, at_most).await
    }

    async fn now(&self) -> Result<Timestamp, StoreError> {
        self.inner.now().await
    }

    fn identity(&self) -> &str {
        self.inner.identity()
    }

    fn abilities(&self) -> Abilities {
        let keeps_waiting = self.pages() >= self.waits_from;
        Abilities { reads_in_place: self.reads_in_place, keeps_waiting, ..self.inner.abilities() }
    }
}

pub(crate) struct UnhurriedCursor {
    inner: <MemoryStore as ReadStore>::Cursor,
    state: Arc<State>,
    last: Option<Vec<Listed>>,
}

impl Cursor for UnhurriedCursor {
    async fn next(&mut self) -> Result<Option<Vec<Listed>>, StoreError> {
        let (now, most) = &self.state.on_their_way;
        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        let number = self.state.pages.fetch_add(1, Ordering::SeqCst);
        for _ in 0..number % 3 {
            tokio::task::yield_now().await;
        }
        let page = self.inner.next().await?;
        if number >= self.state.stop.1 {
            self.state.stop.0.ask(monitor::Asked::Drain);
        }
        let page =
            page.map(|page| if number < self.state.trick.1 { page } else { self.bend(page) });
        self.last.clone_from(&page);
        tokio::task::yield_now().await;
        self.state.on_their_way.0.fetch_sub(1, Ordering::SeqCst);
        Ok(page)
    }

    fn end_at(&mut self, until: &str) {
        self.inner.end_at(until);
    }
}

impl UnhurriedCursor {
    fn bend(&self, mut page: Vec<Listed>) -> Vec<Listed> {
        match (self.state.trick.0, &self.last) {
            (Trick::Repeated, Some(last)) => last.clone(),
            (Trick::Overlapping, Some(last)) => {
                page.splice(0..0, last.last().cloned());
                page
            }
            (Trick::Swapped, _) if page.len() > 1 => {
                page.swap(0, 1);
                page
            }
            (Trick::Outside, _) => {
                page.extend(page.last().cloned().map(|_| Listed::Presumed("zz".into())));
                page
            }
            (Trick::None | Trick::Repeated | Trick::Overlapping | Trick::Swapped, _) => page,
        }
    }
}

/// A walk below `p/` that nobody stops.
pub(crate) fn walk_of<S, D>(store: S, seeder: D, workers: usize) -> (Walk<S, D>, Arc<Monitor>) {
    let monitor = Arc::new(Monitor::new());
    let ask = Walk {
        store: Arc::new(store),
        within: "p/".to_owned(),
        seeder,
        workers,
        keys: Counter::BlobKeys,
        monitor: Arc::clone(&monitor),
        stop: Arc::new(Stop::new()),
    };
    (ask, monitor)
}

/// The runtimes under which a property must hold: one thread, and several.
pub(crate) fn runtimes() -> [Runtime; 2] {
    let several = Builder::new_multi_thread().worker_threads(3).enable_time().build();
    [Builder::new_current_thread().enable_time().build().unwrap(), several.unwrap()]
}

/// Runs `work`, which must end: a worker that sleeps for ever is a failure, not a test that hangs.
pub(crate) fn ends<T>(runtime: &Runtime, work: impl Future<Output = T>) -> T {
    let limit = Duration::from_mins(1);
    runtime.block_on(async { tokio::time::timeout(limit, work).await.unwrap() })
}

/// Texts that stores and cuts trip over: beginnings of one another, percent signs, spaces, other scripts, slashes.
pub(crate) fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop::sample::select(vec![
            "a",
            "b",
            "/",
            "%2F",
            "+",
            " ",
            "é",
            "日本",
            "~",
            "-",
            "_",
            "0",
            "zzz",
            "\u{10ffff}",
        ]),
        0..7,
    )
    .prop_map(|pieces| pieces.concat())
}
