//! Writing: the program's own small objects.

use aws_sdk_s3::primitives::ByteStream;
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
