//! Who has to know of every deletion knows of it, wherever a sweep was cut off.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex};

use monitor::{Monitor, Stop};
use planner::Row;
use store::KeyOutcome;

use super::world::{World, everything};
use crate::sweep::{Around, Settings};
use crate::{Observer, Witness};

/// What was told, and what of it no loss of power takes away.
#[derive(Debug, Default)]
struct Diary {
    pages: Mutex<Pages>,
    /// It says that it is durable, and is not.
    lies: bool,
    /// It cannot be written.
    is_full: bool,
}

#[derive(Debug, Default)]
struct Pages {
    told: Vec<Box<str>>,
    durable: BTreeSet<Box<str>>,
}

impl Observer for Diary {
    fn outcome(&self, row: &Row, outcome: &KeyOutcome) {
        assert!(outcome.is_deleted() || *outcome == KeyOutcome::Gone, "{outcome:?}");
        self.pages.lock().unwrap().told.push(row.key.clone());
    }
}

impl Witness for Diary {
    fn make_durable(&self) -> io::Result<()> {
        if self.is_full {
            return Err(io::Error::other("no room in the diary"));
        }
        let mut pages = self.pages.lock().unwrap();
        if !self.lies {
            let told = std::mem::take(&mut pages.told);
            pages.durable.extend(told);
        }
        Ok(())
    }
}

impl Diary {
    fn lose_power(&self) {
        self.pages.lock().unwrap().told.clear();
    }

    fn durable(&self) -> Vec<Box<str>> {
        self.pages.lock().unwrap().durable.iter().cloned().collect()
    }
}

fn world() -> World {
    let mut world = World::of(everything(4));
    world.settings = Settings { concurrency: 3, batch: 3, ..Settings::default() };
    world
}

async fn sweep(world: &World, diary: &Arc<Diary>) -> bool {
    let Ok(journal) = world.journal() else { return false };
    let journal = journal.witnessed(Arc::clone(diary) as Arc<dyn Witness>);
    let (monitor, stop) = (Monitor::new(), Stop::new());
    let around = Around { observer: &**diary, monitor: &monitor, stop: &stop, trash: None };
    world.sweep_on(journal, around).await.is_ok()
}

/// Cuts a sweep off after so many bytes of its journal, of which all or none reach the disk, and takes it up.
async fn cut_off(bytes: usize, kept: usize, diary: &Arc<Diary>) -> World {
    let world = world();
    world.disk.break_after_bytes(bytes);
    sweep(&world, diary).await;
    diary.lose_power();
    world.disk.restart(kept);
    sweep(&world, diary).await;
    world
}

async fn length() -> usize {
    let whole = world();
    assert!(sweep(&whole, &Arc::default()).await);
    whole.disk.bytes().len()
}

#[tokio::test]
async fn g11_every_deletion_is_on_record_after_a_crash_at_any_byte() {
    for bytes in 0..=length().await {
        for kept in [0, usize::MAX] {
            let diary = Arc::new(Diary::default());
            let world = cut_off(bytes, kept, &diary).await;
            assert_eq!(diary.durable(), world.keys(), "cut off after {bytes} bytes");
        }
    }
}

#[tokio::test]
async fn a_record_that_is_not_durable_before_the_journal_is_would_lose_some() {
    let mut lost = 0;
    for bytes in 0..=length().await {
        let diary = Arc::new(Diary { lies: true, ..Diary::default() });
        let world = cut_off(bytes, usize::MAX, &diary).await;
        let told = diary.pages.lock().unwrap().told.iter().cloned().collect::<BTreeSet<_>>();
        lost += usize::from(told.len() < world.keys().len());
    }
    assert!(lost > 0, "the test cannot fail");
}

#[tokio::test]
async fn nothing_is_deleted_where_nothing_can_be_recorded() {
    let world = world();
    let diary = Arc::new(Diary { is_full: true, ..Diary::default() });
    assert!(!sweep(&world, &diary).await);
    assert_eq!(world.store.requests().len(), 0);
}
