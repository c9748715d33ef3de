//! Deleting, the one place (G9): objects, and delete markers, which takes deletions back.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use aws_sdk_s3::error::{BuildError, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::delete_objects::DeleteObjectsError;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::base64;
use bytes::Bytes;
use md5::{Digest, Md5};
use monitor::{Counter, RequestKind};

use super::classify::{asks_for_md5, key_failure, store_error, unreadable};
use super::config::DeleteChecksum;
use super::delete_answer::{self, Told};
use super::exchange::{Asked, in_time};
use super::tap::Tap;
use super::{Bucket, body, request};
use crate::{DeleteBatch, ErrorKind, Kept, KeyFailure, KeyOutcome, Marker, Operation, StoreError};

/// The answer to a delete request, yet to be read.
type Sent = Result<Tap, SdkError<DeleteObjectsError, HttpResponse>>;

/// Why an answer to a delete request cannot be believed (G10).
#[derive(Debug, thiserror::Error)]
enum Oddity {
    #[error("the answer speaks of key `{0}`, which was not to be deleted")]
    Unknown(Box<str>),
    #[error("the answer speaks of key `{0}` twice")]
    Twice(Box<str>),
    #[error("the answer speaks of no key")]
    Keyless,
}

/// Deletes a batch in one request, or in two where the server turns out to want the older checksum.
pub(super) async fn delete(
    bucket: &Bucket,
    batch: &DeleteBatch,
) -> Result<Vec<KeyOutcome>, StoreError> {
    let keys: Vec<_> = batch.objects().iter().map(|object| (&*object.key, None)).collect();
    ask(bucket, Operation::Delete, &keys).await
}

/// Removes delete markers in one request; nobody hands over anything but what a listing called a delete marker.
pub(super) async fn unmark(
    bucket: &Bucket,
    markers: &[Marker],
) -> Result<Vec<Result<(), KeyFailure>>, StoreError> {
    if markers.is_empty() {
        return Ok(Vec::new());
    }
    let keys: Vec<_> = markers.iter().map(|marker| (marker.key(), Some(marker.id()))).collect();
    let outcomes = ask(bucket, Operation::Restore, &keys).await?;
    let outcome = |outcome| match outcome {
        KeyOutcome::Failed(failure) => Err(failure),
        KeyOutcome::Deleted(_) | KeyOutcome::Gone | KeyOutcome::Spared | KeyOutcome::Rewritten => {
            Ok(())
        }
    };
    Ok(outcomes.into_iter().map(outcome).collect())
}

/// A key, and which version of it; the current one is hidden or deleted, another one removed.
type Wanted<'a> = (&'a str, Option<&'a str>);

async fn ask(
    bucket: &Bucket,
    operation: Operation,
    wanted: &[Wanted<'_>],
) -> Result<Vec<KeyOutcome>, StoreError> {
    let subject = &*bucket.config.bucket;
    let failed = |kind| StoreError::new(operation, subject, kind);
    let asked = Asked { kind: RequestKind::Delete, operation, subject };
    in_time(&bucket.monitor, bucket.config.timeouts.delete, asked, async {
        let keys = keys(wanted).map_err(|error| failed(ErrorKind::Fatal).because(error))?;
        let tap = negotiated(bucket, keys)
            .await
            .map_err(|error| store_error(operation, subject, error))?;
        let answer = whole(&tap, operation, subject).await?;
        let answer =
            delete_answer::parse(&answer).map_err(|error| unreadable(operation, subject, error))?;
        outcomes(wanted, answer).map_err(|oddity| failed(ErrorKind::Malformed).because(oddity))
    })
    .await
}

async fn whole(tap: &Tap, operation: Operation, subject: &str) -> Result<Bytes, StoreError> {
    let body = tap.take().ok_or_else(|| {
        StoreError::new(operation, subject, ErrorKind::Malformed).because("no body came")
    })?;
    let body = body::read(body, request::PAGE_LIMIT, None).await;
    body.map_err(|error| error.at(operation, subject))
}

/// Not quiet: every key is to be answered, so that an answer cut short shows (G10).
fn keys(wanted: &[Wanted<'_>]) -> Result<Delete, BuildError> {
    let identifier = |(key, version): &Wanted<'_>| {
        let version = version.map(str::to_owned);
        ObjectIdentifier::builder().key(*key).set_version_id(version).build()
    };
    let identifiers = wanted.iter().map(identifier).collect::<Result<Vec<_>, _>>()?;
    Delete::builder().set_objects(Some(identifiers)).quiet(false).build()
}

/// Sends with the checksum that the server is known to take; finds it out once where that is left open.
async fn negotiated(bucket: &Bucket, keys: Delete) -> Sent {
    let md5 = match bucket.config.delete_checksum {
        DeleteChecksum::Crc32 => false,
        DeleteChecksum::Md5 => true,
        DeleteChecksum::Auto if bucket.wants_md5.load(Ordering::Relaxed) => true,
        DeleteChecksum::Auto => return find_out(bucket, keys).await,
    };
    send(bucket, keys, md5).await
}

async fn find_out(bucket: &Bucket, keys: Delete) -> Sent {
    let first = send(bucket, keys.clone(), false).await;
    let asks = first.as_ref().is_err_and(|error| {
        asks_for_md5(error.code().unwrap_or_default(), error.message().unwrap_or_default())
    });
    if !asks {
        return first;
    }
    let second = send(bucket, keys, true).await;
    if second.is_ok() {
        bucket.wants_md5.store(true, Ordering::Relaxed);
    }
    second
}

#[expect(clippy::disallowed_methods, reason = "G9: the one place")]
async fn send(bucket: &Bucket, keys: Delete, md5: bool) -> Sent {
    bucket.monitor.count(Counter::DeleteRequests, 1);
    let tap = Tap::leaving("<DeleteResult/>");
    let request = bucket.client.delete_objects().bucket(&bucket.config.bucket).delete(keys);
    let request = request.customize().interceptor(tap.clone());
    let request = if md5 { request.mutate_request(use_md5) } else { request };
    request.send().await.map(|_empty| tap)
}

/// Puts `Content-MD5` in the place of the newer checksum headers, before the request is signed.
fn use_md5(request: &mut HttpRequest) {
    let Some(body) = request.body().bytes() else { return };
    let md5 = base64::encode(Md5::digest(body));
    let headers = request.headers_mut();
    let newer: Vec<String> = headers
        .iter()
        .map(|(name, _)| name)
        .filter(|name| {
            name.starts_with("x-amz-checksum-") || *name == "x-amz-sdk-checksum-algorithm"
        })
        .map(str::to_owned)
        .collect();
    for name in newer {
        headers.remove(name);
    }
    headers.insert("content-md5", md5);
}

/// One outcome for each key, in the order of the batch. A key that the answer leaves out may or may not be deleted.
fn outcomes(wanted: &[Wanted<'_>], answer: Vec<Told>) -> Result<Vec<KeyOutcome>, Oddity> {
    let mut outcomes: HashMap<&str, Option<KeyOutcome>> =
        wanted.iter().map(|(key, _)| (*key, None)).collect();
    for Told { key, refused: refusal, marker } in answer {
        let key = key.ok_or(Oddity::Keyless)?;
        let kept = marker.map_or(Kept::Nothing, |id| Kept::Marker(id.into()));
        let outcome = refusal.map_or(KeyOutcome::Deleted(kept), |(code, message)| {
            refused(key_failure(&code, &message))
        });
        let slot = outcomes.get_mut(&*key).ok_or_else(|| Oddity::Unknown(key.as_str().into()))?;
        if slot.replace(outcome).is_some() {
            return Err(Oddity::Twice(key.into()));
        }
    }
    let outcome = |key: &str| outcomes.remove(key).flatten().unwrap_or_else(unanswered);
    Ok(wanted.iter().map(|(key, _)| *key).map(outcome).collect())
}

fn refused(failure: KeyFailure) -> KeyOutcome {
    match failure.kind {
        ErrorKind::NotFound => KeyOutcome::Gone,
        _ => KeyOutcome::Failed(failure),
    }
}

fn unanswered() -> KeyOutcome {
    let message = "the answer leaves this key out".into();
    KeyOutcome::Failed(KeyFailure { kind: ErrorKind::Malformed, message })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch<'k>(keys: &[&'k str]) -> Vec<Wanted<'k>> {
        keys.iter().map(|key| (*key, None)).collect()
    }

    fn deleted(key: &str) -> Told {
        Told { key: Some(key.into()), ..Told::default() }
    }

    fn error(key: &str, code: &str) -> Told {
        Told { refused: Some((code.into(), "m".into())), ..deleted(key) }
    }

    #[test]
    fn g10_every_key_has_its_outcome_in_the_order_of_the_batch() {
        let answer = vec![
            error("b", "SlowDown"),
            deleted("c"),
            Told { marker: Some("id".into()), ..deleted("a") },
            error("d", "AccessDenied"),
            error("e", "NoSuchKey"),
        ];
        let failed =
            |kind, message: &str| KeyOutcome::Failed(KeyFailure { kind, message: message.into() });
        assert_eq!(
            outcomes(&batch(&["a", "b", "c", "d", "e", "f"]), answer).unwrap(),
            [
                KeyOutcome::Deleted(Kept::Marker("id".into())),
                failed(ErrorKind::Throttled, "SlowDown: m"),
                KeyOutcome::DELETED,
                failed(ErrorKind::Denied, "AccessDenied: m"),
                KeyOutcome::Gone,
                failed(ErrorKind::Malformed, "the answer leaves this key out"),
            ]
        );
    }

    #[test]
    fn g10_an_answer_about_other_keys_is_refused() {
        let answers =
            [vec![deleted("b")], vec![deleted("a"), error("a", "SlowDown")], vec![Told::default()]];
        let shown: Vec<String> = answers
            .into_iter()
            .map(|answer| outcomes(&batch(&["a"]), answer).unwrap_err().to_string())
            .collect();
        assert_eq!(
            shown,
            [
                "the answer speaks of key `b`, which was not to be deleted",
                "the answer speaks of key `a` twice",
                "the answer speaks of no key",
            ]
        );
    }
}
