//! Requests that read: one page of a listing as it came over the wire, and one object or a part of it.

use std::ops::Range;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use bytes::Bytes;
use monitor::RequestKind;
use registry::Timestamp;

use super::classify::answered;
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
    let get =
        Get { operation, subject, key: "", query: &query, range: None, kind: RequestKind::List };
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
    let get = of_object(key, None)?;
    in_time(&bucket.monitor, bucket.config.timeouts.read, get.asked(), async {
        whole(bucket.wire.get(get).await?, get, at_most).await
    })
    .await
}

/// Reads a part of an object: the bytes that are there, none where the object ends before.
pub(super) async fn get_part(
    bucket: &Bucket,
    key: &str,
    part: Range<u64>,
) -> Result<Bytes, StoreError> {
    let Some(last) = part.end.checked_sub(1).filter(|last| part.start <= *last) else {
        return Ok(Bytes::new());
    };
    let range = format!("bytes={}-{last}", part.start);
    let get = of_object(key, Some(&range))?;
    let answer = in_time(&bucket.monitor, bucket.config.timeouts.read, get.asked(), async {
        let answer = bucket.wire.get(get).await?;
        let told = answer.headers().get("content-range").unwrap_or_default().to_owned();
        let body = whole(answer, get, part.end - part.start).await?;
        let is_asked = told_length(&told, &part) == Some(body.len() as u64);
        is_asked.then_some(body).ok_or_else(|| another_part(key, &range, &told))
    });
    match answer.await {
        Err(error) if answered(&error).is_some_and(|(status, _)| status == 416) => Ok(Bytes::new()),
        answer => answer,
    }
}

fn of_object<'a>(key: &'a str, range: Option<&'a str>) -> Result<Get<'a>, StoreError> {
    if key.is_empty() {
        // The address without a key is the bucket's own, which answers with a listing.
        return Err(StoreError::new(Operation::Get, key, ErrorKind::Fatal));
    }
    let kind = RequestKind::Get;
    Ok(Get { operation: Operation::Get, subject: key, key, query: "", range, kind })
}

/// How many bytes a `Content-Range` promises; `None` where they are not those that were asked for, or end before the
/// object does.
///
/// Source: RFC 9110, 14.4.
fn told_length(told: &str, asked: &Range<u64>) -> Option<u64> {
    let (first, rest) = told.strip_prefix("bytes ")?.split_once('-')?;
    let (last, size) = rest.split_once('/')?;
    let (first, end) = (first.parse::<u64>().ok()?, last.parse::<u64>().ok()?.checked_add(1)?);
    let is_whole = end == asked.end || (end < asked.end && size.parse() == Ok(end));
    (first == asked.start && first < end && is_whole).then(|| end - first)
}

fn another_part(key: &str, asked: &str, told: &str) -> StoreError {
    let cause = format!("`{asked}` was asked for, and the answer is of `{told}`");
    StoreError::new(Operation::Get, key, ErrorKind::Malformed).because(cause)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_the_one_that_was_asked_for_and_ends_early_only_with_the_object() {
        let asked = 4..10;
        for (told, length) in [
            ("bytes 4-9/10", Some(6)),
            ("bytes 4-9/99", Some(6)),
            ("bytes 4-9/*", Some(6)),
            ("bytes 4-7/8", Some(4)),
            ("bytes 4-7/99", None),
            ("bytes 4-7/*", None),
            ("bytes 3-9/10", None),
            ("bytes 4-10/99", None),
            ("bytes 9-4/10", None),
            ("bytes 4-18446744073709551615/10", None),
            ("bytes */10", None),
            ("bytes=4-9", None),
            ("", None),
        ] {
            assert_eq!(told_length(told, &asked), length, "{told}");
        }
    }
}
