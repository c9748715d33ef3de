//! The trash of a run: whether it is needed, when it was filled, when it is emptied.

use std::time::Duration;

use bytes::Bytes;
use monitor::Counter;
use planner::Plan;
use store::{
    Cursor as _, DeleteBatch, DeleteStore, Doomed, Listed, Object, RestoreStore, StoreError,
};
use sweeper::{trash_note, trash_prefix};

use crate::args::SweepArgs;
use crate::open::{Open, Watch};
use crate::{Console, Failure};

/// The same wishes, without a trash where the store keeps versions: what is deleted can be taken back all the same.
///
/// # Errors
/// [`Failure::Store`] where the store does not say.
pub(crate) async fn as_needed<S: RestoreStore>(
    open: &Open<S>,
    typed: &SweepArgs,
    console: Console,
) -> Result<SweepArgs, Failure> {
    let mut sweep = typed.clone();
    if sweep.trash && open.store.keeps_versions().await.map_err(failed(open))? {
        console.note("the bucket keeps versions, so nothing is copied to a trash");
        sweep.trash = false;
    }
    Ok(sweep)
}

/// Says that a plan's trash is being filled, before anything goes there: its retention counts from here.
///
/// # Errors
/// [`Failure::Store`] where that cannot be written; nothing was deleted then.
pub(crate) async fn begin<S: RestoreStore>(open: &Open<S>, plan: &Plan) -> Result<(), Failure> {
    let note = trash_note(&open.layout, &plan.id().to_string());
    open.store.put(&note, Bytes::new()).await.map_err(failed(open))
}

/// Empties the trash of every plan that was filled longer ago than `retention`.
///
/// What says when it was filled goes last, and only where all else went: what is left goes the next time.
///
/// # Errors
/// [`Failure::Store`].
pub(crate) async fn empty<S: RestoreStore>(
    open: &Open<S>,
    retention: Duration,
    watch: &Watch,
) -> Result<(), Failure> {
    let now = open.now().await?;
    let prefix = trash_prefix(&open.layout);
    let folders = open.store.folders(&prefix).await.map_err(failed(open))?;
    for folder in folders.prefixes {
        let plan = folder[prefix.len()..].trim_end_matches('/');
        let note = trash_note(&open.layout, plan);
        let looked = open.store.look(vec![note.into()]).await.map_err(failed(open))?;
        // Doubt keeps (G4): nobody knows when the others were filled.
        for note in looked.into_iter().flatten() {
            if now.since(note.modified) > retention && !watch.stop.is_asked() {
                empty_one(open, &folder, note, watch).await.map_err(failed(open))?;
            }
        }
    }
    Ok(())
}

async fn empty_one<S: DeleteStore>(
    open: &Open<S>,
    folder: &str,
    note: Object,
    watch: &Watch,
) -> Result<(), StoreError> {
    let mut is_empty = true;
    let mut pages = open.store.list(folder, "");
    while let Some(page) = pages.next().await? {
        let objects = page.iter().filter_map(Listed::object);
        let objects: Vec<Object> = objects.filter(|found| found.key != note.key).cloned().collect();
        for chunk in
            objects.chunks(open.store.abilities().delete_batch.clamp(1, DeleteBatch::LIMIT))
        {
            is_empty &= delete(open, chunk, watch).await?;
        }
    }
    if is_empty {
        delete(open, &[note], watch).await?;
    }
    Ok(())
}

/// Deletes objects of the trash for good; whether all of them went.
async fn delete<S: DeleteStore>(
    open: &Open<S>,
    objects: &[Object],
    watch: &Watch,
) -> Result<bool, StoreError> {
    let doomed =
        |object: &Object| Doomed { key: object.key.clone().into(), modified: object.modified };
    // The keys of a listing are distinct, so only an empty page makes no batch.
    let Ok(batch) = DeleteBatch::new(objects.iter().map(doomed).collect()) else {
        return Ok(true);
    };
    let outcomes = open.store.delete(&batch).await?;
    let gone = objects.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_deleted());
    let (mut count, mut bytes) = (0, 0);
    for (object, _) in gone {
        count += 1;
        bytes += object.size;
    }
    watch.monitor.count(Counter::PurgedObjects, count);
    watch.monitor.count(Counter::PurgedBytes, bytes);
    Ok(count == objects.len() as u64)
}

fn failed<S: RestoreStore>(open: &Open<S>) -> impl Fn(StoreError) -> Failure + '_ {
    |source| Failure::Store { location: open.store.identity().to_owned(), source }
}
