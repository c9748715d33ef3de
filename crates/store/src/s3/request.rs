//! Requests that read: one page of a listing as it came over the wire, and one object.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::EncodingType;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextMut;
use aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint;
use aws_smithy_types::body::SdkBody;
use bytes::{Bytes, BytesMut};
use monitor::Counter;

use super::Bucket;
use super::classify::store_error;
use crate::{ErrorKind, Operation, StoreError};

/// The most bytes a page may have: 1000 keys of 1024 bytes, each encoded as three, and what stands around them.
const PAGE_LIMIT: u64 = 16 << 20;

/// What to list.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ask<'a> {
    pub(super) within: &'a str,
    pub(super) after: &'a str,
    pub(super) token: Option<&'a str>,
    pub(super) delimiter: Option<&'a str>,
    pub(super) limit: u16,
}

/// A page as it came over the wire.
#[derive(Debug)]
pub(super) struct RawPage {
    pub(super) body: Bytes,
    /// The `Date` header.
    pub(super) date: Option<String>,
}

/// Sends one `ListObjectsV2` and gives its answer unread.
pub(super) async fn list(
    bucket: &Bucket,
    operation: Operation,
    ask: Ask<'_>,
) -> Result<RawPage, StoreError> {
    let subject = subject(bucket, ask.within);
    in_time(bucket.config.timeouts.read, operation, subject, async {
        bucket.monitor.count(Counter::ListRequests, 1);
        let tap = Tap::leaving("<ListBucketResult/>");
        let some = |text: &str| Some(text).filter(|text| !text.is_empty()).map(str::to_owned);
        bucket
            .client
            .list_objects_v2()
            .bucket(&bucket.config.bucket)
            .set_prefix(some(ask.within))
            .set_start_after(if ask.token.is_none() { some(ask.after) } else { None })
            .set_continuation_token(ask.token.map(str::to_owned))
            .set_delimiter(ask.delimiter.map(str::to_owned))
            .encoding_type(EncodingType::Url)
            .max_keys(ask.limit.into())
            .customize()
            .interceptor(tap.clone())
            .send()
            .await
            .map_err(|error| store_error(operation, subject, error))?;
        tap.read(operation, subject).await
    })
    .await
}

/// Reads an object whole, at most `at_most` bytes.
pub(super) async fn get(bucket: &Bucket, key: &str, at_most: u64) -> Result<Bytes, StoreError> {
    in_time(bucket.config.timeouts.read, Operation::Get, key, async {
        bucket.monitor.count(Counter::GetRequests, 1);
        let answer = bucket
            .client
            .get_object()
            .bucket(&bucket.config.bucket)
            .key(key)
            .send()
            .await
            .map_err(|error| store_error(Operation::Get, key, error))?;
        let size = answer.content_length.and_then(|size| u64::try_from(size).ok());
        read(answer.body, at_most, size).await.map_err(|error| error.at(Operation::Get, key))
    })
    .await
}

/// What to name in an error: the prefix, or the bucket where there is none.
pub(super) fn subject<'a>(bucket: &'a Bucket, within: &'a str) -> &'a str {
    if within.is_empty() { &bucket.config.bucket } else { within }
}

/// Gives a request its time, body included.
pub(super) async fn in_time<T>(
    limit: Duration,
    operation: Operation,
    subject: &str,
    request: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(limit, request).await {
        Ok(answer) => answer,
        Err(elapsed) => {
            Err(StoreError::new(operation, subject, ErrorKind::Transient).because(elapsed))
        }
    }
}

/// Why a body could not be taken.
enum BodyError {
    TooLarge,
    Broken(Box<dyn std::error::Error + Send + Sync>),
}

impl BodyError {
    fn at(self, operation: Operation, subject: &str) -> StoreError {
        let error = |kind| StoreError::new(operation, subject, kind);
        match self {
            Self::TooLarge => error(ErrorKind::TooLarge),
            Self::Broken(cause) => error(ErrorKind::Transient).because(cause),
        }
    }
}

/// Collects a body; one that is shorter or longer than it was said to be did not arrive whole.
async fn read(mut body: ByteStream, at_most: u64, size: Option<u64>) -> Result<Bytes, BodyError> {
    if size.is_some_and(|size| size > at_most) {
        return Err(BodyError::TooLarge);
    }
    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
    while let Some(chunk) =
        body.try_next().await.map_err(|error| BodyError::Broken(error.into()))?
    {
        if (first.len() + whole.len() + chunk.len()) as u64 > at_most {
            return Err(BodyError::TooLarge);
        }
        // Small objects come in one chunk, which need not be copied.
        match (first.is_empty(), whole.is_empty()) {
            (true, true) => first = chunk,
            (_, true) => whole.extend([std::mem::take(&mut first), chunk]),
            (_, false) => whole.extend_from_slice(&chunk),
        }
    }
    let body = if whole.is_empty() { first } else { whole.freeze() };
    match size {
        Some(size) if size != body.len() as u64 => {
            Err(BodyError::Broken(format!("{} bytes of {size} came", body.len()).into()))
        }
        _ => Ok(body),
    }
}

/// Takes the body of a successful answer away from the SDK, whose reader is neither strict nor quick, and leaves an
/// empty answer in its place.
#[derive(Clone, Debug)]
pub(super) struct Tap {
    taken: Arc<Mutex<Option<Tapped>>>,
    empty: &'static str,
}

/// A body, and the `Date` header that came before it.
type Tapped = (SdkBody, Option<String>);

impl Tap {
    /// A tap that leaves this document to the SDK.
    pub(super) fn leaving(empty: &'static str) -> Self {
        Self { taken: Arc::default(), empty }
    }

    fn take(&self) -> Option<Tapped> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Reads the answer that was taken to its end.
    pub(super) async fn read(
        &self,
        operation: Operation,
        subject: &str,
    ) -> Result<RawPage, StoreError> {
        let (body, date) = self.take().ok_or_else(|| {
            StoreError::new(operation, subject, ErrorKind::Malformed).because("no body came")
        })?;
        let body = read(ByteStream::new(body), PAGE_LIMIT, None)
            .await
            .map_err(|error| error.at(operation, subject))?;
        Ok(RawPage { body, date })
    }
}

#[dyn_dispatch_hint]
impl Intercept for Tap {
    fn name(&self) -> &'static str {
        "Tap"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response_mut();
        if response.status().is_success() {
            let date = response.headers().get("date").map(str::to_owned);
            let empty = SdkBody::from(self.empty);
            let body = std::mem::replace(response.body_mut(), empty);
            *self.taken.lock().unwrap_or_else(PoisonError::into_inner) = Some((body, date));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_is_bounded_and_whole() {
        let body = || ByteStream::from_static(b"1234");
        assert_eq!(read(body(), 4, Some(4)).await.ok().unwrap(), "1234");
        assert_eq!(read(body(), 4, None).await.ok().unwrap(), "1234");
        assert!(matches!(read(body(), 3, Some(4)).await, Err(BodyError::TooLarge)));
        assert!(matches!(read(body(), 3, None).await, Err(BodyError::TooLarge)));
        assert!(matches!(read(body(), 9, Some(5)).await, Err(BodyError::Broken(_))));
    }
}
