//! Broken links are written anew: those, once, and only where they are as the plan saw them.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use monitor::{Monitor, Stop};
use planner::{Part, Reason, Row, RowKind};
use proptest::prelude::*;
use registry::{Digest, Timestamp, link_text};
use store::{Crash, Fault, FaultPlan, Faulty, MemoryStore, RestoreStore};
use tokio::runtime::Builder;

use super::disk::TestDisk;
use super::world::{PLAN, TestPlan, row};
use crate::journal::{Journal, JournalError};
use crate::sweep::{Around, Settings, sweep_source};
use crate::{Cause, Count, SweepError, SweepReport};

const WRITTEN: Timestamp = Timestamp::from_seconds(1);
const LEFT: [&str; 3] = ["", "sha256:", "\n"];

/// A plan of broken links and of links that go, over a store, and a disk.
struct Mending {
    memory: MemoryStore,
    disk: TestDisk,
    source: Arc<TestPlan>,
    rows: Vec<Row>,
}

fn broken(number: u32) -> Row {
    let bytes = LEFT[number as usize % LEFT.len()].len() as u64;
    Row { bytes, reason: Reason::BrokenLink, ..row(RowKind::BrokenLink, number) }
}

impl Mending {
    fn new(by_shard: bool) -> Self {
        let going = (0..5).map(|number| row(RowKind::LayerLink, number));
        let rows: Vec<Row> = (0..40).map(broken).chain(going).collect();
        let memory = MemoryStore::new();
        for (row, number) in rows.iter().zip(0..) {
            let left: &str = LEFT[number % LEFT.len()];
            let content = if row.kind == RowKind::BrokenLink { left } else { "a link" };
            memory.put(&row.key, content, WRITTEN);
        }
        memory.put("kept", "", WRITTEN);
        memory.set_now(Timestamp::from_seconds(1000));
        let part: fn(&Row) -> Part =
            if by_shard { |row| Part::Shard(row.shard()) } else { |_| Part::All };
        let source = Arc::new(TestPlan::of(rows.clone(), part));
        Self { memory, disk: TestDisk::default(), source, rows }
    }

    /// What is there when all went well.
    fn end(&self) -> BTreeMap<String, Bytes> {
        let mended = self.rows.iter().filter(|row| row.kind == RowKind::BrokenLink);
        let text = |row: &Row| Bytes::from(link_text(&row.digest.unwrap()));
        let links = mended.map(|row| (row.key.to_string(), text(row)));
        links.chain([("kept".to_owned(), Bytes::new())]).collect()
    }

    fn journal(&self) -> Result<Journal, JournalError> {
        let (bytes, disk) = (self.disk.bytes(), Box::new(self.disk.clone()));
        Journal::over(disk, &mut Cursor::new(bytes), PathBuf::from("journal"), PLAN)
    }

    async fn sweep_on<S: RestoreStore>(&self, store: S) -> Result<SweepReport, SweepError> {
        let (monitor, stop) = (Monitor::new(), Stop::new());
        let around = Around { observer: &(), monitor: &monitor, stop: &stop, trash: None };
        let settings = Settings { concurrency: 3, batch: 4, ..Settings::default() };
        let (source, journal) = (Arc::clone(&self.source), self.journal().unwrap());
        sweep_source(Arc::new(store), source, journal, settings, around).await
    }

    async fn sweep(&self) -> Result<SweepReport, SweepError> {
        self.sweep_on(self.memory.clone()).await
    }

    async fn sweep_failing(
        &self,
        faults: FaultPlan,
        crash: Crash,
    ) -> Result<SweepReport, SweepError> {
        self.sweep_on(Faulty::crashing(self.memory.clone(), faults, crash)).await
    }

    /// Sweeps what is left, and checks that it is the one end there is.
    async fn sweep_to_the_end(&self) {
        let report = match self.sweep().await {
            Ok(report) => report,
            Err(error) if matches!(error.cause, Cause::AlreadyApplied) => *error.report,
            Err(error) => panic!("{error:?}"),
        };
        assert!(report.is_clean(), "{report:?}");
        assert_eq!(self.memory.snapshot(), self.end());
    }
}

fn count(rows: &[Row], kind: RowKind) -> Count {
    rows.iter().filter(|row| row.kind == kind).map(|row| Count::one(row.bytes)).sum()
}

fn block_on<F: Future>(future: F) -> F::Output {
    Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

#[tokio::test]
async fn broken_links_say_what_they_have_to_and_what_goes_is_gone() {
    for by_shard in [false, true] {
        let mending = Mending::new(by_shard);
        let fates = mending.sweep().await.unwrap().total.fates;
        assert_eq!(mending.memory.snapshot(), mending.end());
        assert_eq!(fates.rewritten, count(&mending.rows, RowKind::BrokenLink));
        assert_eq!(fates.deleted, count(&mending.rows, RowKind::LayerLink));
        assert!(matches!(mending.sweep().await.unwrap_err().cause, Cause::AlreadyApplied));
    }
}

#[tokio::test]
async fn g6_what_was_written_since_is_left_and_what_is_gone_is_not_made() {
    let mending = Mending::new(false);
    let other = link_text(&Digest::sha256(b"pushed"));
    let right = link_text(&broken(4).digest.unwrap());
    let key = |number| broken(number).key;
    mending.memory.put(&key(0), "", Timestamp::from_seconds(2));
    mending.memory.put(&key(1), "sha256:a", WRITTEN);
    mending.memory.put(&key(2), other.clone(), WRITTEN);
    mending.memory.put(&key(3), vec![0; 4000], WRITTEN);
    mending.memory.put(&key(4), right.clone(), Timestamp::from_seconds(2));
    mending.memory.remove(&key(5));
    let mut end = mending.end();
    for (number, text) in [(0, ""), (1, "sha256:a"), (2, &*other), (4, &*right)] {
        end.insert(key(number).into(), Bytes::copy_from_slice(text.as_bytes()));
    }
    end.insert(key(3).into(), vec![0; 4000].into());
    end.remove(&*key(5));
    let report = mending.sweep().await.unwrap();
    let fates = report.total.fates;
    assert_eq!((fates.rewritten.objects, fates.already_gone.objects), (34, 2));
    // Somebody pushed: of these repositories nothing else is touched.
    assert!(report.needs_new_plan() && !report.is_clean());
    let left = mending.memory.snapshot();
    assert!(end.iter().all(|(key, text)| left.get(key) == Some(text)));
    assert!(!left.contains_key(&*key(5)));
}

#[test]
fn what_may_not_be_written_is_told_and_tried_again() {
    block_on(async {
        let mending = Mending::new(false);
        let faults = FaultPlan { seed: 3, rate_per_1000: 200, kinds: vec![Fault::Denied] };
        let report = match mending.sweep_failing(faults, Crash::never()).await {
            Ok(report) => report,
            // A deletion that is denied as a whole ends it.
            Err(error) => *error.report,
        };
        assert!(report.total.fates.failed.objects > 0, "{report:?}");
        assert!(report.failures.iter().any(|failed| failed.key.starts_with("broken_link/")));
        mending.sweep_to_the_end().await;
    });
}

#[test]
fn g11_a_crash_at_every_call_ends_in_the_same_objects() {
    block_on(async {
        for by_shard in [false, true] {
            let mut has_ended = false;
            for calls in 0..200 {
                let mending = Mending::new(by_shard);
                has_ended =
                    mending.sweep_failing(FaultPlan::none(), Crash::after(calls)).await.is_ok();
                mending.sweep_to_the_end().await;
            }
            assert!(has_ended, "200 calls are too few");
        }
    });
}

#[test]
fn g11_a_crash_at_every_byte_of_the_journal_ends_in_the_same_objects() {
    block_on(async {
        let whole = Mending::new(false);
        whole.sweep_to_the_end().await;
        for bytes in 0..=whole.disk.bytes().len() {
            for kept in [0, usize::MAX] {
                let mending = Mending::new(false);
                mending.disk.break_after_bytes(bytes);
                if mending.journal().is_ok() {
                    drop(mending.sweep().await);
                }
                mending.disk.restart(kept);
                mending.sweep_to_the_end().await;
            }
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn g11_any_row_of_crashes_and_faults_ends_in_the_same_objects(
        by_shard in any::<bool>(),
        tries in prop::collection::vec((any::<u64>(), 0..200u64, 0..400u16), 0..6),
    ) {
        block_on(async {
            let mending = Mending::new(by_shard);
            for (seed, calls, rate) in tries {
                let faults = FaultPlan::passing(seed, rate);
                drop(mending.sweep_failing(faults, Crash::after(calls)).await);
            }
            mending.sweep_to_the_end().await;
        });
    }
}
