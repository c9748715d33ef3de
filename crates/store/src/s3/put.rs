//! Writing: the program's own small objects. And whether the bucket keeps versions, which matters to who deletes.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::BucketVersioningStatus;
use bytes::Bytes;
use monitor::Counter;

use super::classify::store_error;
use super::{Bucket, request};
use crate::{Operation, StoreError};

/// Writes a small object.
pub(super) async fn put(bucket: &Bucket, key: &str, body: Bytes) -> Result<(), StoreError> {
    let send = async {
        bucket.monitor.count(Counter::PutRequests, 1);
        let put = bucket.client.put_object().bucket(&bucket.config.bucket).key(key);
        let sent = put.body(ByteStream::from(body)).send().await;
        sent.map(drop).map_err(|error| store_error(Operation::Restore, key, error))
    };
    // The SDK's requests are large.
    request::in_time(bucket.config.timeouts.read, Operation::Restore, key, Box::pin(send)).await
}

/// Whether a delete makes a delete marker; no where the server does not say.
pub(super) async fn keeps_versions(bucket: &Bucket) -> bool {
    bucket.monitor.count(Counter::GetRequests, 1);
    let asked = bucket.client.get_bucket_versioning().bucket(&bucket.config.bucket).send();
    match Box::pin(tokio::time::timeout(bucket.config.timeouts.read, asked)).await {
        Ok(Ok(answer)) => answer.status == Some(BucketVersioningStatus::Enabled),
        Ok(Err(error)) => {
            tracing::debug!(%error, "the bucket does not say whether it keeps versions");
            false
        }
        Err(_elapsed) => false,
    }
}
