//! A plan, a store and a disk, all in memory and all with a will of their own.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::{self, Cursor as Bytes};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use monitor::{Monitor, Stop};
use planner::{PlanError, Reason, Row, RowKind, Segment};
use registry::{Digest, RepositoryName, Shard, Timestamp};
use store::{
    Abilities, Cursor, DeleteBatch, DeleteStore, ErrorKind, Folders, KeyFailure, KeyOutcome,
    Object, Operation, ReadStore, StoreError,
};

use crate::journal::{Disk, Journal, JournalError, parse_journal};
use crate::source::{Rows, Source};
use crate::sweep::{Around, Settings, sweep_source};
use crate::{Count, SweepError, SweepReport};

pub(super) const PLAN: &str = "a plan";

/// The `number`th row of a kind, in one of three repositories.
pub(super) fn row(kind: RowKind, number: u32) -> Row {
    let digest = Digest::sha256(format!("{} {number}", kind.name()).as_bytes());
    let repository = RepositoryName::new(&format!("repository{}", number % 3)).unwrap();
    Row {
        kind,
        repository: (kind != RowKind::Blob).then_some(repository),
        digest: (kind != RowKind::Upload).then_some(digest),
        key: format!("{}/{number}", kind.name()).into(),
        bytes: u64::from(number) + 1,
        modified: Timestamp::from_seconds(1),
        reason: Reason::Unreferenced,
    }
}

/// `count` rows of each kind.
pub(super) fn everything(count: u32) -> Vec<Row> {
    RowKind::ALL.into_iter().flat_map(|kind| (0..count).map(move |n| row(kind, n))).collect()
}

pub(super) fn denied() -> KeyOutcome {
    KeyOutcome::Failed(KeyFailure { kind: ErrorKind::Denied, message: "no".into() })
}

/// Everything a sweep needs.
pub(super) struct World {
    pub(super) source: Arc<TestPlan>,
    pub(super) store: Arc<TestStore>,
    pub(super) disk: TestDisk,
    pub(super) settings: Settings,
}

#[derive(Clone)]
pub(super) struct TestPlan {
    segments: Vec<Segment>,
    rows: Vec<Vec<Row>>,
}

impl World {
    /// A plan of these rows over a store that holds them, and others.
    pub(super) fn of(rows: Vec<Row>) -> Self {
        let store = Arc::new(TestStore::default());
        let keys = rows.iter().map(|row| row.key.clone());
        store.0.lock().unwrap().objects = keys.chain(bystanders()).collect();
        let settings = Settings { concurrency: 3, batch: 4 };
        Self { source: Arc::new(TestPlan::of(rows)), store, disk: TestDisk::default(), settings }
    }

    /// The plan then claims rows that it does not yield.
    pub(super) fn with_phantom_rows(mut self, rows: u64) -> Self {
        let mut plan = TestPlan::clone(&self.source);
        plan.segments[0].rows += rows;
        self.source = Arc::new(plan);
        self
    }

    pub(super) async fn sweep(&self) -> Result<SweepReport, SweepError> {
        self.sweep_until(&Stop::new()).await
    }

    pub(super) async fn sweep_until(&self, stop: &Stop) -> Result<SweepReport, SweepError> {
        let monitor = Monitor::new();
        self.sweep_with(Around { observer: &(), monitor: &monitor, stop }).await
    }

    pub(super) async fn sweep_with(&self, around: Around<'_>) -> Result<SweepReport, SweepError> {
        let journal = self.journal().unwrap();
        self.sweep_on(journal, around).await
    }

    pub(super) async fn sweep_on(
        &self,
        journal: Journal,
        around: Around<'_>,
    ) -> Result<SweepReport, SweepError> {
        let (store, source) = (Arc::clone(&self.store), Arc::clone(&self.source));
        let result = sweep_source(store, source, journal, self.settings, around).await;
        let report = result.as_ref().unwrap_or_else(|error| &error.report);
        if !matches!(&result, Err(error) if matches!(error.cause, crate::Cause::Unaccounted(_))) {
            assert_eq!(report.check(), Ok(()));
        }
        result
    }

    pub(super) fn journal(&self) -> Result<Journal, JournalError> {
        let bytes = self.disk.bytes();
        let disk = Box::new(self.disk.clone());
        Journal::over(disk, &mut Bytes::new(bytes), PathBuf::from("journal"), PLAN)
    }

    pub(super) fn planned(&self) -> Count {
        self.source.rows.iter().flatten().map(|row| Count::one(row.bytes)).sum()
    }

    /// The keys of the plan, ascending.
    pub(super) fn keys(&self) -> Vec<Box<str>> {
        let keys: BTreeSet<_> =
            self.source.rows.iter().flatten().map(|row| row.key.clone()).collect();
        keys.into_iter().collect()
    }

    pub(super) fn shard_of(&self, key: &str) -> Shard {
        self.source.rows.iter().flatten().find(|row| &*row.key == key).unwrap().shard()
    }

    pub(super) fn bystanders(&self) -> BTreeSet<Box<str>> {
        bystanders().collect()
    }
}

fn bystanders() -> impl Iterator<Item = Box<str>> {
    ["blob/kept", "tag_link/kept", "zzz"].into_iter().map(Box::from)
}

impl TestPlan {
    fn of(rows: Vec<Row>) -> Self {
        let mut groups = BTreeMap::<_, Vec<Row>>::new();
        for row in rows {
            groups.entry((row.kind.stage(), row.shard())).or_default().push(row);
        }
        let segment = |((stage, shard), rows): (&(_, _), &Vec<Row>)| Segment {
            stage: *stage,
            shard: *shard,
            rows: rows.len() as u64,
            bytes: rows.iter().map(|row| row.bytes).sum(),
            file_bytes: 0,
            xxh3: 0,
        };
        Self {
            segments: groups.iter().map(segment).collect(),
            rows: groups.into_values().collect(),
        }
    }
}

impl Source for TestPlan {
    fn segments(&self) -> &[Segment] {
        &self.segments
    }

    fn rows<'a>(&'a self, segment: &'a Segment) -> Result<Rows<'a>, PlanError> {
        let number = self.segments.iter().position(|other| other == segment).unwrap();
        Ok(Box::new(self.rows[number].iter().cloned().map(Ok)))
    }
}

/// What goes wrong with a request as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing is deleted, and an error comes back.
    Refused(ErrorKind),
    /// Everything is deleted, and an error comes back.
    AnswerLost,
    /// Everything is deleted, and the answer lacks a key.
    AnswerShort,
    Panic,
    /// No answer ever.
    Hangs,
}

#[derive(Default)]
pub(super) struct TestStore(Mutex<Inside>);

#[derive(Default)]
struct Inside {
    objects: BTreeSet<Box<str>>,
    requests: Vec<Vec<Box<str>>>,
    answers: HashMap<Box<str>, KeyOutcome>,
    faults: HashMap<usize, Fault>,
    watched: Option<TestDisk>,
    delete_batch: Option<usize>,
}

impl TestStore {
    pub(super) fn objects(&self) -> BTreeSet<Box<str>> {
        self.0.lock().unwrap().objects.clone()
    }

    /// The keys of each request so far.
    pub(super) fn requests(&self) -> Vec<Vec<Box<str>>> {
        self.0.lock().unwrap().requests.clone()
    }

    /// Whatever becomes of this key from now on, the answer is this; it is not deleted.
    pub(super) fn answer(&self, key: &str, outcome: KeyOutcome) {
        self.0.lock().unwrap().answers.insert(key.into(), outcome);
    }

    /// From now on it answers truthfully and without faults.
    pub(super) fn heal(&self) {
        let mut inside = self.0.lock().unwrap();
        inside.answers.clear();
        inside.faults.clear();
    }

    /// What goes wrong with the request of this number, from 0.
    pub(super) fn fail(&self, request: usize, fault: Fault) {
        self.0.lock().unwrap().faults.insert(request, fault);
    }

    /// Checks at each request that the intents of as many rows are durable.
    pub(super) fn watch(&self, disk: &TestDisk) {
        self.0.lock().unwrap().watched = Some(disk.clone());
    }

    pub(super) fn set_delete_batch(&self, limit: usize) {
        self.0.lock().unwrap().delete_batch = Some(limit);
    }

    fn begin(&self, batch: &DeleteBatch) -> Option<Fault> {
        let mut inside = self.0.lock().unwrap();
        let number = inside.requests.len();
        let keys = batch.objects().iter().map(|object| object.key.clone()).collect();
        inside.requests.push(keys);
        if let Some(disk) = &inside.watched {
            let state = parse_journal(&disk.durable_bytes()).unwrap().state;
            assert!(state.uncertain_rows() >= batch.objects().len() as u64);
        }
        inside.faults.get(&number).copied()
    }

    fn delete_all(&self, batch: &DeleteBatch) -> Vec<KeyOutcome> {
        let mut inside = self.0.lock().unwrap();
        let Inside { answers, objects, .. } = &mut *inside;
        let delete = |object: &store::Doomed| match answers.get(&object.key) {
            Some(outcome) => outcome.clone(),
            None if objects.remove(&object.key) => KeyOutcome::Deleted,
            None => KeyOutcome::Gone,
        };
        batch.objects().iter().map(delete).collect()
    }
}

impl DeleteStore for TestStore {
    async fn delete(&self, batch: &DeleteBatch) -> Result<Vec<KeyOutcome>, StoreError> {
        let fault = self.begin(batch);
        tokio::task::yield_now().await;
        let error = |kind| Err(StoreError::new(Operation::Delete, "here", kind));
        match fault {
            None => Ok(self.delete_all(batch)),
            Some(Fault::Refused(kind)) => error(kind),
            Some(Fault::AnswerLost) => {
                self.delete_all(batch);
                error(ErrorKind::Transient)
            }
            Some(Fault::AnswerShort) => Ok(self.delete_all(batch).split_off(1)),
            Some(Fault::Panic) => panic!("the store panics"),
            Some(Fault::Hangs) => std::future::pending().await,
        }
    }
}

pub(super) struct NoCursor;

impl Cursor for NoCursor {
    async fn next(&mut self) -> Result<Option<Vec<Object>>, StoreError> {
        panic!("a sweep lists nothing")
    }
}

impl ReadStore for TestStore {
    type Cursor = NoCursor;

    fn list(&self, _: &str, _: &str) -> NoCursor {
        panic!("a sweep lists nothing")
    }

    async fn folders(&self, _: &str) -> Result<Folders, StoreError> {
        panic!("a sweep lists nothing")
    }

    async fn get(&self, _: &str, _: u64) -> Result<bytes::Bytes, StoreError> {
        panic!("a sweep reads nothing")
    }

    async fn now(&self) -> Result<Timestamp, StoreError> {
        panic!("a sweep has no clock")
    }

    fn identity(&self) -> &'static str {
        "here"
    }

    fn abilities(&self) -> Abilities {
        let delete_batch = self.0.lock().unwrap().delete_batch.unwrap_or(1000);
        Abilities { lists_in_byte_order: true, etag_is_md5: false, delete_batch }
    }
}

/// A disk that can break in the middle of a write.
#[derive(Clone, Debug, Default)]
pub(super) struct TestDisk(Arc<Mutex<Platter>>);

#[derive(Debug, Default)]
struct Platter {
    bytes: Vec<u8>,
    durable: usize,
    /// Bytes and syncs that still work.
    bytes_left: Option<usize>,
    syncs_left: Option<usize>,
    writes: HashSet<usize>,
}

impl TestDisk {
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().bytes.clone()
    }

    pub(super) fn durable_bytes(&self) -> Vec<u8> {
        let platter = self.0.lock().unwrap();
        platter.bytes[..platter.durable].to_vec()
    }

    /// Whether a journal still writes to it.
    pub(super) fn is_held(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    /// Lengths of the file after each write.
    pub(super) fn ends_of_writes(&self) -> HashSet<usize> {
        self.0.lock().unwrap().writes.clone()
    }

    pub(super) fn break_after_bytes(&self, bytes: usize) {
        self.0.lock().unwrap().bytes_left = Some(bytes);
    }

    pub(super) fn break_after_syncs(&self, syncs: usize) {
        self.0.lock().unwrap().syncs_left = Some(syncs);
    }

    /// Works again. What was not durable is lost but for its first `kept` bytes.
    pub(super) fn restart(&self, kept: usize) {
        let mut platter = self.0.lock().unwrap();
        (platter.bytes_left, platter.syncs_left) = (None, None);
        let length = platter.durable.saturating_add(kept).min(platter.bytes.len());
        platter.bytes.truncate(length);
        platter.durable = length;
    }
}

fn broken() -> io::Error {
    io::Error::other("the disk is broken")
}

impl Platter {
    fn sync(&mut self) -> io::Result<()> {
        if let Some(left) = &mut self.syncs_left {
            *left = left.checked_sub(1).ok_or_else(broken)?;
        }
        self.durable = self.bytes.len();
        Ok(())
    }
}

impl Disk for TestDisk {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut platter = self.0.lock().unwrap();
        let works = platter.bytes_left.map_or(bytes.len(), |left| left.min(bytes.len()));
        platter.bytes.extend_from_slice(&bytes[..works]);
        if let Some(left) = &mut platter.bytes_left {
            *left -= works;
        }
        let length = platter.bytes.len();
        platter.writes.insert(length);
        if works == bytes.len() { Ok(()) } else { Err(broken()) }
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.lock().unwrap().sync()
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        let mut platter = self.0.lock().unwrap();
        platter.bytes.truncate(usize::try_from(length).unwrap());
        platter.sync()
    }
}
