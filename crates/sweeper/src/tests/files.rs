//! Real plans and real journals, in real directories.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use monitor::{Monitor, Stop};
use planner::{
    Doubts, Facts, Header, Location, Plan, PlanId, PlanWriter, Policy, Requests, Row, Sealed,
};
use registry::Timestamp;
use tempfile::TempDir;

use super::store_double::{Fault, TestStore};
use super::world::{World, bystanders, everything};
use crate::{
    Cause, Journal, JournalError, ReplayError, Settings, SweepError, SweepReport, parse_journal,
};

/// Stands for a sealed mark set.
struct Marks;

impl Sealed for Marks {}

fn header() -> Header {
    let location = Location {
        identity: "here".into(),
        source: "here".into(),
        base: String::new(),
        options: <_>::default(),
    };
    let day = Duration::from_hours(24);
    Header {
        created_by: "0".into(),
        location,
        purpose: planner::Purpose::Collection,
        policy: Policy { untagged: true, grace: day, uploads_older_than: day },
        t0: Timestamp::from_seconds(1_700_000_000),
        doubts: Doubts::default(),
        notes: Vec::new(),
        retention: None,
        keep_list: None,
        facts: Facts::default(),
        requests: Requests::default(),
        multipart: None,
    }
}

fn write_plan(directory: &Path, rows: Vec<Row>) {
    let writer = PlanWriter::create(directory).unwrap();
    writer.add(rows).unwrap();
    writer.finish(&header(), &Marks).unwrap();
}

async fn sweep_once(store: &Arc<TestStore>, directory: &Path) -> Result<SweepReport, SweepError> {
    let plan = Plan::open(directory).unwrap();
    let journal = Journal::open(directory, plan.id()).unwrap();
    let settings = Settings { concurrency: 2, batch: 7, ..Settings::default() };
    let (monitor, stop) = (Monitor::new(), Stop::new());
    crate::sweep(Arc::clone(store), plan, journal, settings, &(), &monitor, &stop).await
}

#[tokio::test]
async fn a_plan_on_disk_is_carried_out_cut_off_and_taken_up() {
    let directory = TempDir::new().unwrap();
    let world = World::of(everything(20));
    write_plan(directory.path(), everything(20));
    world.store.fail(9, Fault::AnswerLost);
    let error = sweep_once(&world.store, directory.path()).await.unwrap_err();
    assert!(matches!(error.cause, Cause::Store(_)));
    let report = sweep_once(&world.store, directory.path()).await.unwrap();
    assert!(report.is_clean());
    assert_eq!(world.store.objects(), bystanders());
    let error = sweep_once(&world.store, directory.path()).await.unwrap_err();
    assert!(matches!(error.cause, Cause::AlreadyApplied));
    assert_eq!(*error.report, report);
}

#[tokio::test]
async fn a_segment_that_vanishes_ends_the_sweep_and_what_was_done_stays_known() {
    let directory = TempDir::new().unwrap();
    let world = World::of(everything(20));
    write_plan(directory.path(), everything(20));
    let plan = Plan::open(directory.path()).unwrap();
    let journal = Journal::open(directory.path(), plan.id()).unwrap();
    fs::remove_dir_all(directory.path().join("blobs")).unwrap();
    let (monitor, stop) = (Monitor::new(), Stop::new());
    let settings = Settings::default();
    let store = Arc::clone(&world.store);
    let error =
        crate::sweep(store, plan, journal, settings, &(), &monitor, &stop).await.unwrap_err();
    assert!(matches!(error.cause, Cause::Plan(_)), "{error:?}");
    // Blobs, and the uploads that come after them.
    assert_eq!(error.report.total.left.objects, 40);
    assert_eq!(error.report.total.fates.deleted.objects, 80);
}

fn an_id() -> PlanId {
    "0123456789abcdef".repeat(4).parse().unwrap()
}

#[test]
fn nobody_opens_a_journal_that_is_open() {
    let directory = TempDir::new().unwrap();
    let first = Journal::open(directory.path(), an_id()).unwrap();
    let second = Journal::open(directory.path(), an_id());
    assert!(matches!(second, Err(JournalError::Locked { .. })), "{second:?}");
    drop(first);
    Journal::open(directory.path(), an_id()).unwrap();
}

#[test]
fn a_journal_of_another_plan_is_refused_and_left_as_it_is() {
    let directory = TempDir::new().unwrap();
    drop(Journal::open(directory.path(), an_id()).unwrap());
    let before = fs::read(directory.path().join(Journal::FILE_NAME)).unwrap();
    let other = "f".repeat(64).parse().unwrap();
    let refused = Journal::open(directory.path(), other);
    assert!(matches!(refused, Err(JournalError::OtherPlan { .. })), "{refused:?}");
    assert_eq!(fs::read(directory.path().join(Journal::FILE_NAME)).unwrap(), before);
}

#[test]
fn what_is_no_journal_is_refused_and_left_as_it_is() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join(Journal::FILE_NAME);
    fs::write(&file, "dear diary").unwrap();
    let refused = Journal::open(directory.path(), an_id()).unwrap_err();
    let no_journal = ReplayError::NoJournal;
    assert!(matches!(refused, JournalError::Unusable { source, .. } if source == no_journal));
    assert_eq!(fs::read(file).unwrap(), b"dear diary");
}

#[test]
fn a_journal_needs_the_directory_of_a_plan() {
    let directory = TempDir::new().unwrap();
    let missing = Journal::open(&directory.path().join("nowhere"), an_id());
    assert!(matches!(missing, Err(JournalError::Io { .. })), "{missing:?}");
}

#[tokio::test]
async fn a_journal_torn_at_any_byte_is_cut_to_its_last_whole_record() {
    let directory = TempDir::new().unwrap();
    let world = World::of(everything(3));
    write_plan(directory.path(), everything(3));
    let id = Plan::open(directory.path()).unwrap().id();
    sweep_once(&world.store, directory.path()).await.unwrap();
    let file = directory.path().join(Journal::FILE_NAME);
    let whole = fs::read(&file).unwrap();
    for length in 0..whole.len() {
        fs::write(&file, &whole[..length]).unwrap();
        let torn = Journal::open(directory.path(), id).unwrap().torn();
        let kept = fs::read(&file).unwrap();
        if length as u64 > torn {
            assert_eq!(kept, whole[..length - usize::try_from(torn).unwrap()]);
        }
        assert!(parse_journal(&kept).is_ok_and(|replay| replay.torn == 0));
    }
}
