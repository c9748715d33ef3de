//! The trash of a bucket without versions: copies are made and proven before anything is deleted.

use std::sync::Arc;

use super::copy::{self, Copied, Target};
use super::each::each;
use super::list::look_closely;
use super::{Bucket, delete};
use crate::{
    DeleteBatch, Doomed, ErrorKind, Kept, KeyFailure, KeyOutcome, Operation, PutBack, StoreError,
    Trash, Trashed,
};

/// What became of the copy of one object.
enum Aside {
    /// It is proven; the object may go.
    Copied,
    /// Nothing is to be deleted any more.
    Told(KeyOutcome),
}

/// Copies each object of a batch to the trash, and deletes those whose copies are proven.
pub(super) async fn delete(
    bucket: &Arc<Bucket>,
    batch: &DeleteBatch,
    trash: &Trash,
) -> Result<Vec<KeyOutcome>, StoreError> {
    let doomed = batch.objects().to_vec();
    let (shared, place) = (Arc::clone(bucket), trash.clone());
    let set_aside = move |doomed: Doomed| {
        let (bucket, trash) = (Arc::clone(&shared), place.clone());
        async move { set_aside(&bucket, &doomed, &trash).await }
    };
    let asides = each(doomed, set_aside).await;
    let mut outcomes = Vec::with_capacity(asides.len());
    let mut copied = Vec::new();
    for (place, aside) in asides.into_iter().enumerate() {
        outcomes.push(match aside {
            Ok(Aside::Told(outcome)) => outcome,
            Ok(Aside::Copied) => {
                copied.push(place);
                KeyOutcome::Deleted(Kept::Trash)
            }
            Err(error) => KeyOutcome::Failed((&error).into()),
        });
    }
    let objects = copied.iter().map(|place| batch.objects()[*place].clone()).collect();
    // Copying may have taken long.
    batch.check_permit()?;
    // No batch is empty.
    let Ok(batch) = DeleteBatch::new(objects) else { return Ok(outcomes) };
    for (place, outcome) in copied.into_iter().zip(delete::delete(bucket, &batch).await?) {
        if !outcome.is_deleted() {
            outcomes[place] = outcome;
        }
    }
    Ok(outcomes)
}

async fn set_aside(
    bucket: &Arc<Bucket>,
    doomed: &Doomed,
    trash: &Trash,
) -> Result<Aside, StoreError> {
    let to = trash.key_of(&doomed.key).ok_or_else(|| {
        let error = StoreError::new(Operation::Delete, &doomed.key, ErrorKind::Fatal);
        error.because("it does not lie where the trash is for")
    })?;
    match look_closely(bucket, &doomed.key).await? {
        // An earlier request may have been answered to nobody.
        None if look_closely(bucket, &to).await?.is_some() => {
            Ok(Aside::Told(KeyOutcome::Deleted(Kept::Trash)))
        }
        None => Ok(Aside::Told(KeyOutcome::Gone)),
        Some(original) if original.object.modified > doomed.modified => {
            Ok(Aside::Told(KeyOutcome::Spared))
        }
        Some(original) => {
            let to = Target { key: &to, is_ours: true };
            // Whatever is there is overwritten.
            copy::copy(bucket, &original, to).await.map(|_proven| Aside::Copied)
        }
    }
}

/// Copies objects back where nothing is in their place; the copies in the trash stay until it is emptied.
pub(super) async fn put_back(
    bucket: &Arc<Bucket>,
    objects: &[Trashed],
) -> Vec<Result<PutBack, KeyFailure>> {
    let shared = Arc::clone(bucket);
    let put_back = move |object: Trashed| {
        let bucket = Arc::clone(&shared);
        async move { put_back_one(&bucket, &object).await }
    };
    let all = each(objects.to_vec(), put_back).await;
    all.into_iter().map(|back| back.map_err(|error| (&error).into())).collect()
}

async fn put_back_one(bucket: &Arc<Bucket>, object: &Trashed) -> Result<PutBack, StoreError> {
    if look_closely(bucket, &object.key).await?.is_some() {
        return Ok(PutBack::Present);
    }
    let Some(found) = look_closely(bucket, &object.trash).await? else {
        return Ok(PutBack::Absent);
    };
    match copy::copy(bucket, &found, Target { key: &object.key, is_ours: false }).await? {
        Copied::Proven => Ok(PutBack::Restored),
        Copied::Taken => Ok(PutBack::Present),
    }
}
