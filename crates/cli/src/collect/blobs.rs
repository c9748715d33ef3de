//! Blobs: listed, compared with the marks, and written where nothing needs them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lister::{BlobSeeder, ListError, Part, Walk, walk};
use monitor::{Counter, Monitor};
use planner::{BlobJudge, Facts, JudgedBlobs, PlanWriter};
use store::{Listed, ReadStore};

use super::Stage;
use crate::Failure;

/// Lists every blob and writes the rows of those that go. Gives back the judge and what was seen.
pub(super) async fn judge_blobs<S: ReadStore>(
    stage: &Stage<'_, S>,
    judge: BlobJudge,
) -> Result<(BlobJudge, Facts), Failure> {
    let judge = Arc::new(judge);
    let ask = Walk {
        store: Arc::clone(stage.store),
        within: stage.ask.layout.blobs(),
        seeder: BlobSeeder::new(stage.ask.layout),
        workers: stage.ask.width,
        keys: Counter::BlobKeys,
        monitor: Arc::clone(stage.monitor),
        stop: Arc::clone(stage.stop),
    };
    let failure = Arc::new(Mutex::new(None));
    let (bench, slot) = (Arc::clone(&judge), Arc::clone(&failure));
    let (writer, monitor) = (Arc::clone(stage.writer), Arc::clone(stage.monitor));
    let store = Arc::clone(stage.store);
    let new_part = move || BlobPart {
        store: Arc::clone(&store),
        judge: Arc::clone(&bench),
        writer: Arc::clone(&writer),
        monitor: Arc::clone(&monitor),
        facts: Facts::default(),
        failure: Arc::clone(&slot),
    };
    let walked = walk(ask, new_part).await;
    // Why a part took nothing more comes before the walk's word that it did not.
    if let Some(failure) = lock(&failure).take() {
        return Err(failure);
    }
    let mut facts = Facts::default();
    walked?.iter().for_each(|part| facts.merge(&part.facts));
    Ok((super::sole(judge, "blobs are still being judged")?, facts))
}

/// Judges the pages of one range.
struct BlobPart<S> {
    store: Arc<S>,
    judge: Arc<BlobJudge>,
    writer: Arc<PlanWriter>,
    monitor: Arc<Monitor>,
    facts: Facts,
    /// The first failure of any range: no plan is made then.
    failure: Arc<Mutex<Option<Failure>>>,
}

fn lock(slot: &Mutex<Option<Failure>>) -> MutexGuard<'_, Option<Failure>> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<S: ReadStore> Part for BlobPart<S> {
    async fn take(&mut self, page: Vec<Listed>) -> Result<(), ListError> {
        let unlooked = self.judge(page)?;
        if unlooked.is_empty() {
            return Ok(());
        }
        let looked = self.store.look(unlooked).await;
        let looked = looked.map_err(|source| ListError::Store { within: self.within(), source })?;
        let left = self.judge(looked.into_iter().flatten().map(Listed::Object).collect())?;
        debug_assert!(left.is_empty(), "{left:?} was looked at");
        Ok(())
    }
}

impl<S> BlobPart<S> {
    fn within(&self) -> Box<str> {
        self.judge.layout.blobs().into()
    }

    /// Judges a page and gives back what has to be looked at first.
    fn judge(&mut self, page: Vec<Listed>) -> Result<Vec<Box<str>>, ListError> {
        self.write(page).map_err(|failure| {
            lock(&self.failure).get_or_insert(failure);
            ListError::Abandoned { within: self.within() }
        })
    }

    fn write(&mut self, page: Vec<Listed>) -> Result<Vec<Box<str>>, Failure> {
        let JudgedBlobs { rows, facts, unlooked } = self.judge.judge(page)?;
        self.monitor.count(Counter::Blobs, facts.blobs.count);
        self.monitor.count(Counter::BlobBytes, facts.blobs.bytes);
        self.monitor.count(Counter::ForeignKeys, facts.foreign_keys);
        self.monitor.count(Counter::PlannedObjects, rows.len() as u64);
        self.monitor.count(Counter::PlannedBytes, rows.iter().map(|row| row.bytes).sum());
        self.facts.merge(&facts);
        self.writer.add(rows)?;
        Ok(unlooked)
    }
}
