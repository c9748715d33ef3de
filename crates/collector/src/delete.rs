//! Deleting: the one place of this crate that does (G9).

use std::sync::Arc;

use ledger::{Entry, Generation, GenerationId};
use monitor::{Counter, Phase as Progress};
use store::{DeleteBatch, Doomed, Kept, KeyOutcome, RestoreStore, Trash, WriteStore};

use crate::blobs::{Blob, Blobs};
use crate::collector::Done;
use crate::error::Unsent;
use crate::seen::Seen;
use crate::{CollectError, Collector, Surroundings, told};

/// An object, and what became of it.
pub(crate) type Fate = (Doomed, KeyOutcome);

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
            let unseen = next.extract_if(.., |blob| !seen.is_as_condemned(blob)).collect();
            self.tell_gone(generation.id(), unseen).await?;
            // One at a time, until it was seen what is left of one.
            while self.needs_proof(trash.as_ref()) && !next.is_empty() {
                let rest = next.split_off(1);
                left += self.delete_blobs(generation, next, trash.as_ref()).await?;
                next = rest;
            }
            left += self.delete_blobs(generation, next, trash.as_ref()).await?;
        }
    }

    /// Whether it is only promised that what is deleted can come back.
    fn needs_proof(&self, trash: Option<&Trash>) -> bool {
        self.settings.keeps_versions && trash.is_none() && !self.has_proof
    }

    async fn delete_blobs(
        &mut self,
        generation: &mut Generation,
        blobs: Vec<Blob>,
        trash: Option<&Trash>,
    ) -> Done<u64, R> {
        let fates = self.delete_objects(blobs.iter().map(doomed).collect(), trash).await?;
        let sizes = blobs.iter().map(|blob| blob.size);
        self.tell(generation.id(), fates.iter().zip(sizes)).await?;
        let (mut entries, mut spared, mut failed) = (Vec::new(), Vec::new(), 0);
        for (blob, (doomed, outcome)) in blobs.into_iter().zip(fates) {
            debug_assert_eq!(blob.key, doomed.key);
            match outcome {
                KeyOutcome::Deleted(kept) => {
                    self.report.deleted.add(blob.size);
                    self.monitor.count(Counter::DeletedObjects, 1);
                    self.monitor.count(Counter::FreedBytes, blob.size);
                    let was_promised = self.settings.keeps_versions && trash.is_none();
                    if kept == Kept::Nothing && was_promised {
                        return Err(CollectError::NothingKept { key: blob.key });
                    }
                    self.has_proof = true;
                    let version = if let Kept::Marker(id) = kept { Some(id) } else { None };
                    entries.push(Entry::Deleted { digest: blob.digest, key: blob.key, version });
                }
                KeyOutcome::Gone => {}
                KeyOutcome::Spared | KeyOutcome::Rewritten => spared.push(blob),
                KeyOutcome::Failed(failure) => {
                    self.report.fail(&doomed.key, &failure);
                    failed += 1;
                }
            }
        }
        // Somebody wrote these since they were seen.
        self.rescue(generation, spared).await?;
        if !entries.is_empty() {
            self.name_deleting(generation);
            self.ledger.append(&self.held, generation, &entries).await?;
        }
        self.monitor.count(Counter::FailedObjects, failed);
        Ok(failed)
    }

    /// Tells of blobs that are not there any more: the answer to an earlier request may not have come.
    async fn tell_gone(&mut self, generation: &GenerationId, blobs: Vec<Blob>) -> Done<(), R> {
        let keys = blobs.iter().map(|blob| blob.key.clone()).collect();
        let looked = self.store.look(keys).await?;
        let gone = blobs.iter().zip(looked).filter(|(_, object)| object.is_none());
        let fates: Vec<(Fate, u64)> =
            gone.map(|(blob, _)| ((doomed(blob), KeyOutcome::Gone), blob.size)).collect();
        self.tell(generation, fates.iter().map(|(fate, size)| (fate, *size))).await
    }

    /// Tells what became of objects, with their sizes.
    pub(crate) async fn tell<'f>(
        &mut self,
        generation: &GenerationId,
        fates: impl Iterator<Item = (&'f Fate, u64)>,
    ) -> Done<(), R> {
        let told = fates.filter_map(|((doomed, outcome), size)| {
            Some((told::row(&self.layout, doomed, size)?, outcome.clone()))
        });
        let told = told.collect();
        self.around.witness(generation, told).await.map_err(CollectError::Around)
    }

    /// Tells who deleted, so that it can be taken back.
    fn name_deleting(&mut self, generation: &Generation) {
        let (names, name) = (&mut self.report.deleted_by, generation.id().as_str());
        if names.last().is_none_or(|last| **last != *name) {
            names.push(name.into());
        }
    }

    /// Deletes objects, or moves them to the trash, and tells what became of each, in their order.
    pub(crate) async fn delete_objects(
        &self,
        objects: Vec<Doomed>,
        trash: Option<&Trash>,
    ) -> Done<Vec<Fate>, R> {
        let size = self.store.abilities().delete_batch.clamp(1, DeleteBatch::LIMIT);
        let (store, trash) = (Arc::clone(&self.store), trash.cloned());
        let delete = move |objects: Vec<Doomed>| {
            let (store, trash) = (Arc::clone(&store), trash.clone());
            async move { delete_batch(store.as_ref(), objects, trash).await }
        };
        let batches = objects.chunks(size).map(<[Doomed]>::to_vec).collect();
        let fates = crew::each(batches, self.settings.width, delete, Unsent::Lost).await?;
        Ok(fates.into_iter().flatten().collect())
    }
}

fn doomed(blob: &Blob) -> Doomed {
    Doomed { key: blob.key.clone(), modified: blob.modified, upload: None }
}

async fn delete_batch<S: RestoreStore>(
    store: &S,
    objects: Vec<Doomed>,
    trash: Option<Trash>,
) -> Result<Vec<Fate>, Unsent> {
    // The keys of a generation are distinct, so only an empty batch is none.
    let Ok(batch) = DeleteBatch::new(objects.clone()) else { return Ok(Vec::new()) };
    let batch = match trash {
        Some(trash) => batch.into_trash(trash),
        None => batch,
    };
    let outcomes = store.delete(&batch).await.map_err(Unsent::Store)?;
    Ok(objects.into_iter().zip(outcomes).collect())
}
