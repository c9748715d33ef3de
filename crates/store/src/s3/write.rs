//! Writing small objects, on condition.
//!
//! Source: Amazon S3 API, `PutObject`: `If-None-Match: *` and `If-Match`; 412 where the condition does not hold, 409
//! `ConditionalRequestConflict` where another request came in between, 404 for `If-Match` where there is no object.

use std::sync::Arc;

use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use monitor::{Counter, RequestKind};

use super::classify::store_error;
use super::exchange::{Asked, in_time};
use super::wire::Get;
use super::{Bucket, S3Store, request};
use crate::{Condition, ErrorKind, Operation, StoreError, Token, Versioned, WriteStore};

#[deny(clippy::missing_trait_methods)]
impl WriteStore for S3Store {
    async fn read(&self, key: &str, at_most: u64) -> Result<Versioned, StoreError> {
        read(&self.bucket, key, at_most).await
    }

    async fn write(
        &self,
        key: &str,
        content: Bytes,
        condition: &Condition,
    ) -> Result<Token, StoreError> {
        let limit = self.bucket.config.timeouts.read;
        // The SDK's requests are large.
        let send = Box::pin(put(Arc::clone(&self.bucket), key, content, condition));
        let (kind, operation) = (RequestKind::Put, Operation::Write);
        let asked = Asked { kind, operation, subject: key };
        in_time(&self.bucket.monitor, limit, asked, send).await
    }

    /// Servers that do not know the headers put the object all the same.
    fn conditional_puts(&self) -> Option<bool> {
        None
    }
}

async fn read(bucket: &Bucket, key: &str, at_most: u64) -> Result<Versioned, StoreError> {
    let kind = RequestKind::Get;
    let get = Get { operation: Operation::Get, subject: key, key, query: "", range: None, kind };
    if key.is_empty() {
        // The address without a key is the bucket's own, which answers with a listing.
        return Err(StoreError::new(Operation::Get, key, ErrorKind::Fatal));
    }
    in_time(&bucket.monitor, bucket.config.timeouts.read, get.asked(), async {
        let answer = bucket.wire.get(get).await?;
        let token = token(Operation::Get, key, answer.headers().get("etag"))?;
        let content = request::whole(answer, get, at_most).await?;
        Ok(Versioned { content, token })
    })
    .await
}

async fn put(
    bucket: Arc<Bucket>,
    key: &str,
    content: Bytes,
    condition: &Condition,
) -> Result<Token, StoreError> {
    bucket.monitor.count(Counter::PutRequests, 1);
    let put = bucket.client.put_object().bucket(&bucket.config.bucket).key(key);
    let put = match condition {
        Condition::None | Condition::Once => put,
        Condition::Absent => put.if_none_match("*"),
        Condition::Unchanged(token) => put.if_match(token.as_str()),
    };
    let sent = put.body(ByteStream::from(content)).send().await;
    let answer = sent.map_err(|error| refused(key, condition, error))?;
    token(Operation::Write, key, answer.e_tag())
}

/// That there is no object is a condition that does not hold, where one was to be unchanged.
fn refused<E>(
    key: &str,
    condition: &Condition,
    error: aws_sdk_s3::error::SdkError<
        E,
        aws_smithy_runtime_api::client::orchestrator::HttpResponse,
    >,
) -> StoreError
where
    E: aws_sdk_s3::error::ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let error = store_error(Operation::Write, key, error);
    match (condition, error.kind) {
        (Condition::Unchanged(_), ErrorKind::NotFound) => {
            StoreError { kind: ErrorKind::Precondition, ..error }
        }
        _ => error,
    }
}

/// The entity tag byte for byte, quotes included, for that is how a condition names it.
fn token(operation: Operation, key: &str, etag: Option<&str>) -> Result<Token, StoreError> {
    etag.map(Token::new).ok_or_else(|| {
        StoreError::new(operation, key, ErrorKind::Malformed).because("there is no entity tag")
    })
}
