//! Requests that read: one page of a listing as it came over the wire, and one object.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use bytes::Bytes;
use monitor::RequestKind;
use registry::Timestamp;

use super::clock::date;
use super::exchange::in_time;
use super::wire::Get;
use super::{Bucket, body, percent};
use crate::{ErrorKind, Operation, StoreError};

/// The most bytes a page may have: 1000 keys of 1024 bytes, each encoded as three, and what stands around them.
pub(super) const PAGE_LIMIT: u64 = 16 << 20;

/// What to list.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ask<'a> {
    pub(super) within: &'a str,
    pub(super) after: &'a str,
    pub(super) token: Option<&'a str>,
    pub(super) delimiter: Option<&'a str>,
    pub(super) limit: u16,
}

impl Ask<'_> {
    /// The query of a `ListObjectsV2`.
    fn query(&self) -> String {
        let limit = self.limit.to_string();
        let some = |text| Some(text).filter(|text: &&str| !text.is_empty());
        let pairs = [
            ("continuation-token", self.token),
            ("delimiter", self.delimiter),
            ("encoding-type", Some("url")),
            ("list-type", Some("2")),
            ("max-keys", Some(&*limit)),
            ("prefix", some(self.within)),
            ("start-after", some(self.after).filter(|_| self.token.is_none())),
        ];
        let pairs = pairs.into_iter().filter_map(|(name, value)| Some((name, value?)));
        percent::query(&pairs.collect::<Vec<_>>())
    }
}

/// A page as it came over the wire.
#[derive(Debug)]
pub(super) struct RawPage {
    pub(super) body: Bytes,
    /// The `Date` header.
    pub(super) date: Option<Timestamp>,
}

/// Sends one `ListObjectsV2` and gives its answer unread.
pub(super) async fn list(
    bucket: &Bucket,
    operation: Operation,
    ask: Ask<'_>,
) -> Result<RawPage, StoreError> {
    let subject = subject(bucket, ask.within);
    let query = ask.query();
    let get = Get { operation, subject, key: "", query: &query, kind: RequestKind::List };
    let limit = bucket.config.timeouts.read;
    in_time(&bucket.monitor, limit, get.asked(), async {
        let answer = bucket.wire.get(get).await?;
        let date = date(answer.headers());
        let body = whole(answer, get, PAGE_LIMIT).await?;
        Ok(RawPage { body, date })
    })
    .await
}

/// Reads an object whole, at most `at_most` bytes.
pub(super) async fn get(bucket: &Bucket, key: &str, at_most: u64) -> Result<Bytes, StoreError> {
    let kind = RequestKind::Get;
    let get = Get { operation: Operation::Get, subject: key, key, query: "", kind };
    if key.is_empty() {
        // The address without a key is the bucket's own, which answers with a listing.
        return Err(StoreError::new(Operation::Get, key, ErrorKind::Fatal));
    }
    in_time(&bucket.monitor, bucket.config.timeouts.read, get.asked(), async {
        whole(bucket.wire.get(get).await?, get, at_most).await
    })
    .await
}

/// The body of an answer, as long as its head says.
pub(super) async fn whole(
    answer: HttpResponse,
    get: Get<'_>,
    at_most: u64,
) -> Result<Bytes, StoreError> {
    let size = answer.headers().get("content-length").and_then(|size| size.parse().ok());
    let body = body::read(answer.into_body(), at_most, size).await;
    body.map_err(|error| error.at(get.operation, get.subject))
}

/// What to name in an error: the prefix, or the bucket where there is none.
pub(super) fn subject<'a>(bucket: &'a Bucket, within: &'a str) -> &'a str {
    if within.is_empty() { &bucket.config.bucket } else { within }
}
