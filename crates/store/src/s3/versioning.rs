//! Whether the bucket keeps versions, which matters to who deletes.

use aws_sdk_s3::types::BucketVersioningStatus;
use monitor::{Counter, RequestKind};

use super::Bucket;
use super::classify::{answered, store_error};
use super::exchange::{Asked, in_time};
use crate::{ErrorKind, Operation, StoreError};

/// Whether a delete makes a delete marker; no where the server has no such thing.
pub(super) async fn keeps_versions(bucket: &Bucket) -> Result<bool, StoreError> {
    let (operation, name) = (Operation::Look, &*bucket.config.bucket);
    let ask = async {
        bucket.monitor.count(Counter::GetRequests, 1);
        let asked = bucket.client.get_bucket_versioning().bucket(name).send().await;
        asked.map(|answer| answer.status).map_err(|error| store_error(operation, name, error))
    };
    let asked = Asked { kind: RequestKind::Get, operation, subject: name };
    match in_time(&bucket.monitor, bucket.config.timeouts.read, asked, Box::pin(ask)).await {
        Ok(Some(BucketVersioningStatus::Enabled)) => Ok(true),
        Ok(None | Some(BucketVersioningStatus::Suspended)) => Ok(false),
        Ok(Some(other)) => {
            let said = format!("its versioning is `{other}`");
            Err(StoreError::new(operation, name, ErrorKind::Malformed).because(said))
        }
        Err(error) if is_not_implemented(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether the server says that it knows no such request: nothing of versions, or of uploads in parts.
pub(super) fn is_not_implemented(error: &StoreError) -> bool {
    answered(error).is_some_and(|(status, code)| status == 501 || code == "NotImplemented")
}
