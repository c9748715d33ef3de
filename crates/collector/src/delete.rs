//! Deleting: the one place of this crate that does, uploads too (G9).

use std::sync::Arc;

use ledger::{Entry, Generation, GenerationId};
use monitor::{Counter, Phase as Progress};
use store::{
    DeleteBatch, Doomed, ErrorKind, Kept, KeyOutcome, Operation, RestoreStore, StoreError, Trash,
    WriteStore,
};

use crate::answer::in_full;
use crate::blobs::{Blob, Blobs};
use crate::collector::Done;
use crate::error::Unsent;
use crate::seen::Seen;
use crate::surroundings::Noted;
use crate::told::OnRecord;
use crate::{CollectError, Collector, Surroundings, told};

/// An object, and what became of it.
pub(crate) type Fate = (Doomed, KeyOutcome);

/// What became of objects, in their order; none where no answer came, and then why.
pub(crate) type Fates = (Vec<Option<Fate>>, Result<(), StoreError>);

/// Blobs that were asked for, by what is left to do.
#[derive(Debug, Default)]
struct Settled {
    /// What to put on record.
    entries: Vec<Entry>,
    /// Somebody wrote these since they were seen.
    spared: Vec<Blob>,
    failed: u64,
    /// The first of which nothing was kept, although that was promised.
    unkept: Option<Box<str>>,
}

impl<S, R> Collector<S, R>
where
    S: RestoreStore + WriteStore,
    R: Surroundings,
    R::Error: std::error::Error + 'static,
{
    /// Deletes the data of all that is still condemned and that this process has seen to be needed by nothing.
    ///
    /// Gives how many are left.
    pub(crate) async fn delete(
        &mut self,
        generation: &mut Generation,
        seen: &Seen,
    ) -> Done<u64, R> {
        self.monitor.enter(Progress::SweepingBlobs);
        let trash = self.around.trash(generation.id()).await.map_err(CollectError::Around)?;
        let mut blobs = Blobs::of(&self.ledger, generation).await?;
        let mut left = 0;
        loop {
            self.go_on()?;
            let mut next = blobs.next(&self.ledger, generation).await?;
            if next.is_empty() {
                return Ok(left);
            }
            // What was gone when it was looked for needs no request.
            let unseen = next.extract_if(.., |blob| !seen.is_as_condemned(blob));
            let unseen = unseen.filter(|blob| !blobs.is_deleted(&blob.digest)).collect();
            self.tell_gone(generation, unseen).await?;
            while !next.is_empty() {
                self.go_on()?;
                // One at a time, until it was seen what is left of one.
                let most = if self.needs_proof(trash.as_ref()) { 1 } else { self.at_once() };
                let rest = next.split_off(most.min(next.len()));
                left += self.delete_blobs(generation, next, trash.as_ref()).await?;
                next = rest;
            }
        }
    }

    /// Whether it is only promised that what is deleted can come back.
    fn needs_proof(&self, trash: Option<&Trash>) -> bool {
        self.settings.keeps_versions && trash.is_none() && !self.has_proof
    }

    /// Deletes blobs that may be asked for at once. What is known of them is told, then put on record, whatever failed.
    async fn delete_blobs(
        &mut self,
        generation: &mut Generation,
        blobs: Vec<Blob>,
        trash: Option<&Trash>,
    ) -> Done<u64, R> {
        let (fates, asked) = self.delete_objects(blobs.iter().map(doomed).collect(), trash).await?;
        let known = |(blob, fate): (Blob, Option<Fate>)| Some((blob, fate?));
        let fates: Vec<(Blob, Fate)> = blobs.into_iter().zip(fates).filter_map(known).collect();
        let known = fates.iter().map(|(blob, fate)| (fate, blob.into()));
        let told = self.tell(generation.id(), known).await;
        let was_promised = self.settings.keeps_versions && trash.is_none();
        let Settled { entries, spared, failed, unkept } = self.settle(fates, was_promised);
        if !entries.is_empty() {
            self.name_deleting(generation);
        }
        // What nobody could be told of is not on record, so that it is looked for again (G11).
        told?;
        let rescued = self.rescue(generation, spared).await;
        if !entries.is_empty() {
            self.ledger.append(&self.held, generation, &entries).await?;
        }
        rescued?;
        if let Some(key) = unkept {
            return Err(CollectError::NothingKept { key });
        }
        asked?;
        Ok(failed)
    }

    /// Counts what became of blobs.
    fn settle(&mut self, fates: Vec<(Blob, Fate)>, was_promised: bool) -> Settled {
        let mut settled = Settled::default();
        self.monitor.count(Counter::SweptObjects, fates.len() as u64);
        for (blob, (doomed, outcome)) in fates {
            debug_assert_eq!(blob.key, doomed.key);
            match outcome {
                KeyOutcome::Deleted(kept) => {
                    self.report.deleted.add(blob.size);
                    self.monitor.count(Counter::DeletedObjects, 1);
                    self.monitor.count(Counter::FreedBytes, blob.size);
                    self.note(Noted::Deleted, &blob);
                    if kept == Kept::Nothing && was_promised {
                        settled.unkept.get_or_insert(blob.key);
                        continue;
                    }
                    self.has_proof = true;
                    let version = if let Kept::Marker(id) = kept { Some(id) } else { None };
                    let entry = Entry::Deleted { digest: blob.digest, key: blob.key, version };
                    settled.entries.push(entry);
                }
                KeyOutcome::Gone => {}
                KeyOutcome::Spared | KeyOutcome::Rewritten => settled.spared.push(blob),
                KeyOutcome::Failed(failure) => {
                    self.report.fail(&doomed.key, &failure);
                    settled.failed += 1;
                }
            }
        }
        self.monitor.count(Counter::FailedObjects, settled.failed);
        settled
    }

    /// Tells of blobs that are not there any more, and are not on record as deleted: the answer to an earlier request may
    /// not have come. Then they are on record, and are not told again.
    async fn tell_gone(&mut self, generation: &mut Generation, blobs: Vec<Blob>) -> Done<(), R> {
        if blobs.is_empty() || !self.around.hears() {
            return Ok(());
        }
        let looked = self.look_at(&blobs.iter().collect::<Vec<_>>()).await?;
        let gone = blobs.into_iter().zip(looked).filter(|(_, there)| there.is_none());
        let gone: Vec<(Blob, Fate)> = gone
            .map(|(blob, _)| {
                let fate = (doomed(&blob), KeyOutcome::Gone);
                (blob, fate)
            })
            .collect();
        if gone.is_empty() {
            return Ok(());
        }
        let known = gone.iter().map(|(blob, fate)| (fate, blob.into()));
        self.tell(generation.id(), known).await?;
        let entry = |(Blob { digest, key, .. }, _)| Entry::Deleted { digest, key, version: None };
        let entries: Vec<Entry> = gone.into_iter().map(entry).collect();
        Ok(self.ledger.append(&self.held, generation, &entries).await?)
    }

    /// Tells what became of objects, with what is on record of them.
    pub(crate) async fn tell<'f>(
        &mut self,
        generation: &GenerationId,
        fates: impl Iterator<Item = (&'f Fate, OnRecord)>,
    ) -> Done<(), R> {
        if !self.around.hears() {
            return Ok(());
        }
        let told = fates.filter_map(|((doomed, outcome), on_record)| {
            Some((told::row(&self.layout, doomed, on_record)?, outcome.clone()))
        });
        let told = told.collect();
        self.around.witness(Some(generation), told).await.map_err(CollectError::Around)
    }

    /// Tells who deleted, so that it can be taken back.
    fn name_deleting(&mut self, generation: &Generation) {
        let (names, name) = (&mut self.report.deleted_by, generation.id().as_str());
        if names.last().is_none_or(|last| **last != *name) {
            names.push(name.into());
        }
    }

    /// How many objects are asked for at once, and then settled.
    pub(crate) fn at_once(&self) -> usize {
        self.batch().saturating_mul(self.settings.width.max(1))
    }

    /// How many objects go into one request.
    pub(crate) fn batch(&self) -> usize {
        self.store.abilities().delete_batch.clamp(1, DeleteBatch::LIMIT)
    }

    /// Deletes objects, or moves them to the trash. Where a request fails, what the others did counts all the same.
    pub(crate) async fn delete_objects(
        &self,
        objects: Vec<Doomed>,
        trash: Option<&Trash>,
    ) -> Done<Fates, R> {
        self.delete_in(objects, trash, self.batch(), self.settings.width).await
    }

    /// The same, so many in a request, and so many requests at once.
    pub(crate) async fn delete_in(
        &self,
        objects: Vec<Doomed>,
        trash: Option<&Trash>,
        batch: usize,
        width: usize,
    ) -> Done<Fates, R> {
        let (store, trash) = (Arc::clone(&self.store), trash.cloned());
        let delete = move |objects: Vec<Doomed>| {
            let (store, trash) = (Arc::clone(&store), trash.clone());
            async move { Ok(delete_batch(store.as_ref(), objects, trash).await) }
        };
        let batches = objects.chunks(batch).map(<[Doomed]>::to_vec).collect();
        let answers = crew::each(batches, width, delete, Unsent::Lost).await?;
        let (mut fates, mut asked) = (Vec::with_capacity(objects.len()), Ok(()));
        for (some, answered) in answers {
            fates.extend(some);
            asked = asked.and(answered);
        }
        Ok((fates, asked))
    }
}

fn doomed(blob: &Blob) -> Doomed {
    Doomed { key: blob.key.clone(), modified: blob.modified, upload: None }
}

async fn delete_batch<S: RestoreStore>(
    store: &S,
    objects: Vec<Doomed>,
    trash: Option<Trash>,
) -> Fates {
    match ask_to_delete(store, &objects, trash).await {
        Ok(outcomes) => (objects.into_iter().zip(outcomes).map(Some).collect(), Ok(())),
        Err(error) => (objects.iter().map(|_| None).collect(), Err(error)),
    }
}

/// One outcome for each object, in their order.
async fn ask_to_delete<S: RestoreStore>(
    store: &S,
    objects: &[Doomed],
    trash: Option<Trash>,
) -> Result<Vec<KeyOutcome>, StoreError> {
    // The keys of a generation are distinct.
    let batch = DeleteBatch::new(objects.to_vec()).map_err(|error| {
        StoreError::new(Operation::Delete, store.identity(), ErrorKind::Fatal).because(error)
    })?;
    let batch = match trash {
        Some(trash) => batch.into_trash(trash),
        None => batch,
    };
    let outcomes = store.delete(&batch).await?;
    in_full(outcomes, objects.len(), Operation::Delete, store.identity())
}
