//! A plan, a versioned store and a disk, all in memory.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use monitor::{Monitor, Stop};
use planner::{Part, Row, Stage};
use registry::{Layout, Timestamp};
use store::{Crash, FaultPlan, Faulty, MemoryStore, RestoreStore, Trash};

use crate::journal::{Journal, JournalError};
use crate::note::trash_note;
use crate::sweep::{Around, Settings, sweep_source};
use crate::tests::disk::TestDisk;
use crate::tests::world::{PLAN, TestPlan, bystanders};
use crate::undo::{Surroundings, undo_source};
use crate::{Count, Only, SweepError, SweepReport, UndoError, UndoReport, UndoSettings};

/// When sweeps begin.
const NOON: Timestamp = Timestamp::from_seconds(1_000_000);

pub(super) struct Drill {
    pub(super) memory: MemoryStore,
    pub(super) disk: TestDisk,
    pub(super) settings: Settings,
    source: Arc<TestPlan>,
    rows: Vec<Row>,
    trash: Option<Trash>,
}

impl Drill {
    /// A plan of these rows, each stage one segment, over a versioned store that holds them, and others.
    pub(super) fn of(rows: Vec<Row>) -> Self {
        Self::over(MemoryStore::new().with_versions(), rows)
    }

    /// The same over any store.
    pub(super) fn over(memory: MemoryStore, rows: Vec<Row>) -> Self {
        Self::with_parts(memory, rows, |_| Part::All)
    }

    /// The same with each stage one segment, and one for each shard.
    pub(super) fn both(rows: &[Row]) -> [Self; 2] {
        let store = || MemoryStore::new().with_versions();
        let by_shard = Self::with_parts(store(), rows.to_vec(), |row| Part::Shard(row.shard()));
        [Self::of(rows.to_vec()), by_shard]
    }

    fn with_parts(memory: MemoryStore, mut rows: Vec<Row>, part: fn(&Row) -> Part) -> Self {
        let written = Timestamp::from_seconds(1);
        for row in rows.iter_mut().filter(|row| row.upload.is_some()) {
            row.upload = Some(memory.begin_upload(&row.key, written));
        }
        let objects = rows.iter().filter(|row| row.upload.is_none()).map(|row| row.key.clone());
        for key in objects.chain(bystanders()) {
            memory.put(&key, format!("content of {key}"), written);
        }
        memory.set_now(NOON);
        let source = Arc::new(TestPlan::of(rows.clone(), part));
        let settings = Settings { concurrency: 3, batch: 4, ..Settings::default() };
        Self { memory, disk: TestDisk::default(), settings, source, rows, trash: None }
    }

    /// The same over a store that keeps no versions, with a trash.
    pub(super) fn with_trash(rows: Vec<Row>) -> Self {
        let trash = Some(Trash::new("", &format!("regsweep/trash/{PLAN}/")));
        Self { trash, ..Self::over(MemoryStore::new(), rows) }
    }

    /// One over versions, one with a trash.
    pub(super) fn either(rows: &[Row]) -> [Self; 2] {
        [Self::of(rows.to_vec()), Self::with_trash(rows.to_vec())]
    }

    pub(super) async fn sweep(&self) -> Result<SweepReport, SweepError> {
        self.sweep_on(self.memory.clone()).await
    }

    /// Sweeps a store that fails by plan, until the process dies.
    pub(super) async fn sweep_failing(
        &self,
        faults: FaultPlan,
        crash: Crash,
    ) -> Result<SweepReport, SweepError> {
        self.sweep_on(Faulty::crashing(self.memory.clone(), faults, crash)).await
    }

    async fn sweep_on<S: RestoreStore>(&self, store: S) -> Result<SweepReport, SweepError> {
        let (monitor, stop) = (Monitor::new(), Stop::new());
        let around =
            Around { observer: &(), monitor: &monitor, stop: &stop, trash: self.trash.clone() };
        let (source, journal) = (Arc::clone(&self.source), self.journal().unwrap());
        sweep_source(Arc::new(store), source, journal, self.settings, around).await
    }

    pub(super) async fn undo(&self) -> Result<UndoReport, UndoError> {
        self.undo_with(Only::default(), false).await
    }

    pub(super) async fn undo_with(
        &self,
        only: Only,
        is_dry_run: bool,
    ) -> Result<UndoReport, UndoError> {
        self.undo_on(self.memory.clone(), only, is_dry_run).await
    }

    pub(super) async fn undo_failing(
        &self,
        faults: FaultPlan,
        crash: Crash,
    ) -> Result<UndoReport, UndoError> {
        let store = Faulty::crashing(self.memory.clone(), faults, crash);
        self.undo_on(store, Only::default(), false).await
    }

    async fn undo_on<S: RestoreStore>(
        &self,
        store: S,
        only: Only,
        is_dry_run: bool,
    ) -> Result<UndoReport, UndoError> {
        let (monitor, stop) = (Monitor::new(), Stop::new());
        let note = format!("regsweep/undone/{PLAN}");
        let trash = self.trash.clone().unwrap_or_else(|| Trash::new("", "nowhere/"));
        let layout = Layout::new("");
        let filled = trash_note(&layout, PLAN);
        let around = Surroundings { layout, trash, note, filled, monitor: &monitor, stop: &stop };
        let settings = UndoSettings { only, is_dry_run, concurrency: 3 };
        let (source, journal) = (Arc::clone(&self.source), self.journal().unwrap());
        undo_source(Arc::new(store), source, journal, settings, around).await
    }

    pub(super) fn journal(&self) -> Result<Journal, JournalError> {
        let bytes = self.disk.bytes();
        let disk = Box::new(self.disk.clone());
        Journal::over(disk, &mut Cursor::new(bytes), PathBuf::from("journal"), PLAN)
    }

    /// Every object but the program's own.
    pub(super) fn objects(&self) -> BTreeMap<String, Bytes> {
        let mut objects = self.memory.snapshot();
        objects.retain(|key, _| !key.starts_with("regsweep/"));
        objects
    }

    pub(super) fn all_keys(&self) -> Vec<String> {
        self.memory.keys()
    }

    pub(super) fn read(&self, key: &str) -> Option<String> {
        let content = self.memory.snapshot().remove(key)?;
        Some(String::from_utf8(content.to_vec()).unwrap())
    }

    /// Writes as a registry would, now.
    pub(super) fn write(&self, key: &str, content: &str) {
        self.memory.put(key, content.to_owned(), NOON.after(Duration::from_secs(1)));
    }

    /// Sets the store's clock so many seconds past the sweep.
    pub(super) fn pass(&self, seconds: u64) {
        self.memory.set_now(NOON.after(Duration::from_secs(seconds)));
    }

    /// All that may come back.
    pub(super) fn planned(&self) -> Count {
        let objects = self.rows.iter().filter(|row| row.upload.is_none());
        objects.map(|row| Count::one(row.bytes)).sum()
    }

    pub(super) fn planned_keys_that_are_there(&self) -> Vec<String> {
        let is_planned = |key: &String| self.rows.iter().any(|row| *row.key == **key);
        self.memory.keys().into_iter().filter(is_planned).collect()
    }

    /// Undoes by dying after every call, and gives after each which planned keys are there.
    pub(super) async fn steps_of_undo(&self) -> Vec<Vec<String>> {
        let mut steps = Vec::new();
        for calls in 0.. {
            let crash = Crash::after(calls);
            let undone = self.undo_failing(FaultPlan::none(), crash).await;
            steps.push(self.planned_keys_that_are_there());
            if undone.is_ok() {
                return steps;
            }
        }
        steps
    }

    /// The planned keys of a stage.
    pub(super) fn keys_of(&self, stage: Stage) -> Vec<&str> {
        let of_stage = self.rows.iter().filter(|row| row.kind.stage() == stage);
        of_stage.map(|row| &*row.key).collect()
    }
}
