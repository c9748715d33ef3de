//! Aborting incomplete multipart uploads: the other half of the one function that deletes (G9).

use std::sync::Arc;

use monitor::{Counter, RequestKind};

use super::Bucket;
use super::classify::store_error;
use super::each::each;
use super::exchange::{Asked, in_time};
use super::uploads::{is_no_upload, parts};
use crate::{DeleteBatch, Doomed, KeyOutcome, Operation, StoreError};

/// Aborts the uploads of a batch, some at a time. One that got a part since it was listed is in use, and spared.
pub(super) async fn abort(bucket: &Arc<Bucket>, batch: &DeleteBatch) -> Vec<KeyOutcome> {
    let (shared, permitting) = (Arc::clone(bucket), Arc::new(batch.clone()));
    let abort = move |doomed: Doomed| {
        let (bucket, batch) = (Arc::clone(&shared), Arc::clone(&permitting));
        async move { abort_one(&bucket, &doomed, &batch).await }
    };
    let outcomes = each(batch.objects().to_vec(), abort).await.into_iter();
    outcomes
        .map(|outcome| outcome.unwrap_or_else(|error| KeyOutcome::Failed((&error).into())))
        .collect()
}

async fn abort_one(
    bucket: &Bucket,
    doomed: &Doomed,
    batch: &DeleteBatch,
) -> Result<KeyOutcome, StoreError> {
    // G6: with an empty id a server could take the request for one about the object.
    let Some(id) = doomed.upload.as_deref().filter(|id| !id.is_empty()) else {
        return Ok(KeyOutcome::Spared);
    };
    match parts(bucket, &doomed.key, id).await? {
        None => return Ok(KeyOutcome::Gone),
        Some(parts) if parts.newest > Some(doomed.modified) => return Ok(KeyOutcome::Spared),
        Some(_) => {}
    }
    batch.check_permit()?;
    match Box::pin(send(bucket, &doomed.key, id)).await {
        Ok(()) => Ok(KeyOutcome::DELETED),
        Err(error) if is_no_upload(&error) => Ok(KeyOutcome::Gone),
        Err(error) => Err(error),
    }
}

/// One `AbortMultipartUpload`.
#[expect(clippy::disallowed_methods, reason = "G9: the one place")]
async fn send(bucket: &Bucket, key: &str, id: &str) -> Result<(), StoreError> {
    bucket.monitor.count(Counter::DeleteRequests, 1);
    let request = bucket.client.abort_multipart_upload().bucket(&bucket.config.bucket);
    let sent = async {
        let sent = request.key(key).upload_id(id).send().await;
        sent.map(drop).map_err(|error| store_error(Operation::Delete, key, error))
    };
    let (kind, operation) = (RequestKind::Delete, Operation::Delete);
    let asked = Asked { kind, operation, subject: key };
    in_time(&bucket.monitor, bucket.config.timeouts.delete, asked, sent).await
}
