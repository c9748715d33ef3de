//! A plan, a store and a disk, all in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::path::PathBuf;
use std::sync::Arc;

use monitor::{Monitor, Stop};
use planner::{Part, PlanError, Reason, Row, RowKind, Segment};
use registry::{Digest, RepositoryName, Shard, Timestamp};
use store::{ErrorKind, KeyFailure, KeyOutcome};

use super::disk::TestDisk;
use super::store_double::TestStore;
use crate::journal::{Journal, JournalError};
use crate::source::{Rows, Source};
use crate::sweep::{Around, Settings, sweep_source};
use crate::{Count, SweepError, SweepReport};

pub(super) const PLAN: &str = "a plan";

/// A digest in one of four shards, so that segments have many rows.
fn digest(kind: RowKind, number: u32) -> Digest {
    let hex = Digest::sha256(format!("{} {number}", kind.name()).as_bytes()).hex();
    let shard = ["00", "3f", "80", "ff"][number as usize % 4];
    Digest::from_parts("sha256", &format!("{shard}{}", &hex[2..])).unwrap()
}

/// A row of a blob in any shard.
pub(super) fn scattered_blob(number: u32) -> Row {
    Row { digest: Some(Digest::sha256(&number.to_be_bytes())), ..row(RowKind::Blob, number) }
}

/// The `number`th row of a kind, in one of three repositories.
pub(super) fn row(kind: RowKind, number: u32) -> Row {
    let repository = RepositoryName::new(&format!("repository{}", number % 3)).unwrap();
    Row {
        kind,
        repository: (kind != RowKind::Blob).then_some(repository),
        digest: kind_names_digest(kind).then(|| digest(kind, number)),
        key: format!("{}/{number}", kind.name()).into(),
        bytes: u64::from(number) + 1,
        modified: Timestamp::from_seconds(1),
        reason: Reason::Unreferenced,
        rule: None,
        upload: (kind == RowKind::MultipartUpload).then(|| format!("id{number}").into()),
        etag: None,
    }
}

/// Whether the keys of a kind name digests.
const fn kind_names_digest(kind: RowKind) -> bool {
    !matches!(kind, RowKind::Upload | RowKind::MultipartUpload)
}

/// Every kind of rows that go, in the order of sweeping.
pub(super) const GOING: [RowKind; 6] = [
    RowKind::TagLink,
    RowKind::RevisionLink,
    RowKind::LayerLink,
    RowKind::Upload,
    RowKind::Blob,
    RowKind::MultipartUpload,
];

/// `count` rows of each kind that goes.
pub(super) fn everything(count: u32) -> Vec<Row> {
    GOING.into_iter().flat_map(|kind| (0..count).map(move |n| row(kind, n))).collect()
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
    /// A plan of these rows, each stage one segment, over a store that holds them, and others.
    pub(super) fn of(rows: Vec<Row>) -> Self {
        Self::with_parts(rows, |_| Part::All)
    }

    /// The same with one segment for each shard of a stage.
    pub(super) fn by_shard(rows: Vec<Row>) -> Self {
        Self::with_parts(rows, |row| Part::Shard(row.shard()))
    }

    /// The same both ways.
    pub(super) fn both(rows: &[Row]) -> [Self; 2] {
        [Self::of(rows.to_vec()), Self::by_shard(rows.to_vec())]
    }

    fn with_parts(rows: Vec<Row>, part: fn(&Row) -> Part) -> Self {
        let keys = rows.iter().map(|row| row.key.clone());
        let store = Arc::new(TestStore::holding(keys.chain(bystanders()).collect()));
        let settings = Settings { concurrency: 3, batch: 4, ..Settings::default() };
        let source = Arc::new(TestPlan::of(rows, part));
        Self { source, store, disk: TestDisk::default(), settings }
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
        self.sweep_with(Around { observer: &(), monitor: &monitor, stop, trash: None }).await
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
        Journal::over(disk, &mut Cursor::new(bytes), PathBuf::from("journal"), PLAN)
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
}

/// Objects that no plan names.
pub(super) fn bystanders() -> BTreeSet<Box<str>> {
    ["blob/kept", "tag_link/kept", "zzz"].into_iter().map(Box::from).collect()
}

impl TestPlan {
    pub(super) fn of(mut rows: Vec<Row>, part: fn(&Row) -> Part) -> Self {
        rows.sort_by_key(Row::shard);
        let mut groups = BTreeMap::<_, Vec<Row>>::new();
        for row in rows {
            groups.entry((row.kind.stage(), part(&row))).or_default().push(row);
        }
        let segment = |((stage, part), rows): (&(_, _), &Vec<Row>)| Segment {
            stage: *stage,
            part: *part,
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
