//! Copies inside the bucket, believed only where they are proven.

use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use monitor::{Counter, RequestKind};

use super::classify::{answered, store_error};
use super::exchange::{Asked, in_time};
use super::list::{Original, look_closely};
use super::{Bucket, percent};
use crate::{ErrorKind, Object, Operation, StoreError};

/// The most parts of a multipart upload.
///
/// Source: Amazon S3 User Guide, "Amazon S3 multipart upload limits".
const MOST_PARTS: u64 = 10_000;

/// The most bytes that one `CopyObject` copies.
///
/// Source: Amazon S3 API, `CopyObject`: "up to 5 GB".
const MOST_AT_ONCE: u64 = 5 << 30;

/// Why a copy cannot be believed.
#[derive(Debug, thiserror::Error)]
enum Unproven {
    #[error("its copy is not there")]
    Missing,
    #[error("its copy has {copy} bytes, and it has {original}")]
    Size { original: u64, copy: u64 },
    #[error("its copy has another entity tag than the store said")]
    Tag,
}

/// Where a copy goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target<'k> {
    pub(super) key: &'k str,
    /// Whether anything may have this key, and is overwritten then.
    pub(super) is_ours: bool,
}

impl Target<'_> {
    /// The condition under which the store writes.
    fn if_none_match(self) -> Option<String> {
        (!self.is_ours).then(|| "*".to_owned())
    }
}

/// What became of a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Copied {
    /// All of it is there.
    Proven,
    /// Somebody wrote something else under its key, which stays.
    Taken,
}

/// Copies `original`, and looks whether all of it arrived.
///
/// # Errors
/// Where the store does not copy it, or the copy is not proven; the original is as it was.
pub(super) async fn copy(
    bucket: &Bucket,
    original: &Original,
    to: Target<'_>,
) -> Result<Copied, StoreError> {
    let tag = match send(bucket, original, to).await {
        // The original may be another one as well.
        Err(error)
            if is_refused(&error, 412, "PreconditionFailed")
                && !to.is_ours
                && look_closely(bucket, to.key).await?.is_some() =>
        {
            return Ok(Copied::Taken);
        }
        // A store that knows no such condition: that nothing was there a moment ago is all that can be known.
        Err(error) if is_refused(&error, 501, "NotImplemented") && !to.is_ours => {
            tracing::debug!(key = to.key, %error, "the store copies under no condition");
            send(bucket, original, Target { is_ours: true, ..to }).await?
        }
        sent => sent?,
    };
    let copied = look_closely(bucket, to.key).await?;
    let original = &original.object;
    let unproven = prove(original, copied.as_ref().map(|copied| &copied.object), &tag).err();
    unproven.map_or(Ok(Copied::Proven), |unproven| {
        let failed = StoreError::new(Operation::Restore, &original.key, ErrorKind::Fatal);
        Err(failed.because(unproven))
    })
}

/// Whether the store answered so: with 412 where a condition does not hold, with 501 where it knows none; or with the
/// code of that behind a status 200.
fn is_refused(error: &StoreError, status: u16, code: &str) -> bool {
    answered(error).is_some_and(|(found, said)| found == status || said == code)
}

/// The entity tag of the copy. A store that takes no storage class, or not this one, has one of its own.
async fn send(bucket: &Bucket, original: &Original, to: Target<'_>) -> Result<String, StoreError> {
    match send_in_class(bucket, original, to).await {
        Err(error) if original.class.is_some() && has_no_such_class(&error) => {
            tracing::debug!(key = to.key, %error, "the store does not take its own storage class");
            let original = Original { class: None, ..original.clone() };
            send_in_class(bucket, &original, to).await
        }
        sent => sent,
    }
}

fn has_no_such_class(error: &StoreError) -> bool {
    answered(error).is_some_and(|(_, code)| code == "InvalidStorageClass")
}

async fn send_in_class(
    bucket: &Bucket,
    original: &Original,
    to: Target<'_>,
) -> Result<String, StoreError> {
    let size = original.object.size;
    if size <= bucket.config.copy_limit {
        return Box::pin(copy_at_once(bucket, original, to)).await;
    }
    match Box::pin(copy_in_parts(bucket, original, to)).await {
        Err(error) if size <= MOST_AT_ONCE && is_refused(&error, 501, "NotImplemented") => {
            tracing::debug!(key = to.key, %error, "the store does not copy in parts");
            Box::pin(copy_at_once(bucket, original, to)).await
        }
        copied => copied,
    }
}

/// The size must be the same. Entity tags differ under some encryptions, and after an upload in parts; that of the copy
/// is the one that the store told.
fn prove(original: &Object, copied: Option<&Object>, told: &str) -> Result<(), Unproven> {
    let copy = copied.ok_or(Unproven::Missing)?;
    if copy.size != original.size {
        return Err(Unproven::Size { original: original.size, copy: copy.size });
    }
    let is_another = |found: &str| found != told.trim_matches('"');
    if copy.etag.as_deref().is_some_and(is_another) { Err(Unproven::Tag) } else { Ok(()) }
}

/// The entity tag that the store told of a copy. One that tells none may have failed behind a status 200; what it did
/// shows when it is asked again.
fn told(key: &str, tag: Option<String>) -> Result<String, StoreError> {
    tag.filter(|tag| !tag.is_empty()).ok_or_else(|| {
        let failed = StoreError::new(Operation::Restore, key, ErrorKind::Transient);
        failed.because("the store copied, and told no entity tag")
    })
}

fn source(bucket: &Bucket, key: &str) -> String {
    format!("{}/{}", bucket.config.bucket, percent::path(key))
}

fn quoted(original: &Object) -> Option<String> {
    original.etag.as_deref().map(|etag| format!("\"{etag}\""))
}

/// Counts a request and gives it its time. The SDK's requests are large, so they come boxed.
async fn timed<T>(
    bucket: &Bucket,
    key: &str,
    send: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    bucket.monitor.count(Counter::PutRequests, 1);
    let (kind, operation) = (RequestKind::Put, Operation::Restore);
    let asked = Asked { kind, operation, subject: key };
    in_time(&bucket.monitor, bucket.config.timeouts.delete, asked, send).await
}

/// One `CopyObject`; the entity tag of the copy.
async fn copy_at_once(
    bucket: &Bucket,
    original: &Original,
    to: Target<'_>,
) -> Result<String, StoreError> {
    let Original { object: original, class } = original;
    let copy = bucket.client.copy_object().bucket(&bucket.config.bucket).key(to.key);
    let copy = copy.copy_source(source(bucket, &original.key));
    let copy = copy.set_if_none_match(to.if_none_match());
    let copy = copy.set_copy_source_if_match(quoted(original)).set_storage_class(class.clone());
    let sent = timed(
        bucket,
        &original.key,
        Box::pin(async {
            let sent = copy.send().await;
            sent.map_err(|error| store_error(Operation::Restore, &original.key, error))
        }),
    );
    told(&original.key, sent.await?.copy_object_result.and_then(|result| result.e_tag))
}

/// As many `UploadPartCopy` as are needed; an upload that fails is given up.
async fn copy_in_parts(
    bucket: &Bucket,
    original: &Original,
    to: Target<'_>,
) -> Result<String, StoreError> {
    let Original { object: original, class } = original;
    let (name, key) = (&bucket.config.bucket, &original.key);
    let failed = |kind| StoreError::new(Operation::Restore, key, kind);
    let begun = timed(
        bucket,
        key,
        Box::pin(async {
            let begun = bucket.client.create_multipart_upload().bucket(name).key(to.key);
            let begun = begun.set_storage_class(class.clone());
            let begun = begun.content_type("application/octet-stream").send().await;
            begun.map_err(|error| store_error(Operation::Restore, key, error))
        }),
    );
    let id = begun.await?.upload_id.ok_or_else(|| failed(ErrorKind::Malformed))?;
    let copied = Box::pin(copy_parts(bucket, original, to, &id)).await;
    if copied.is_err() {
        give_up(bucket, to.key, &id).await;
    }
    copied
}

/// Ends an upload that failed, so that its parts take no room. Where the store does not answer, or this process ends
/// before, it stays until a rule of the bucket for incomplete uploads ends it; it is no object, and nobody reads it.
#[expect(clippy::disallowed_methods, reason = "G9: an upload of our own that failed, by its id")]
async fn give_up(bucket: &Bucket, key: &str, id: &str) {
    let name = &bucket.config.bucket;
    let given_up = timed(
        bucket,
        key,
        Box::pin(async {
            let gone = bucket.client.abort_multipart_upload().bucket(name).key(key).upload_id(id);
            let gone = gone.send().await;
            gone.map(drop).map_err(|error| store_error(Operation::Restore, key, error))
        }),
    );
    match given_up.await {
        // It was completed after all, and only the answer did not come.
        Err(error) if is_refused(&error, 404, "NoSuchUpload") => {}
        Err(error) => tracing::warn!(key, %error, "an upload that failed stays"),
        Ok(()) => {}
    }
}

async fn copy_parts(
    bucket: &Bucket,
    original: &Object,
    to: Target<'_>,
    id: &str,
) -> Result<String, StoreError> {
    let key = &original.key;
    let mut parts = Vec::new();
    for (number, range) in (1..).zip(ranges(original.size, bucket.config.copy_limit)) {
        let copy = bucket.client.upload_part_copy().bucket(&bucket.config.bucket).key(to.key);
        let copy = copy.upload_id(id).part_number(number).copy_source(source(bucket, key));
        let copy = copy.set_copy_source_if_match(quoted(original)).copy_source_range(range);
        let sent = timed(
            bucket,
            key,
            Box::pin(async {
                let sent = copy.send().await;
                sent.map_err(|error| store_error(Operation::Restore, key, error))
            }),
        );
        let tag = told(key, sent.await?.copy_part_result.and_then(|result| result.e_tag))?;
        parts.push(CompletedPart::builder().part_number(number).e_tag(tag).build());
    }
    let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
    let complete = bucket.client.complete_multipart_upload().bucket(&bucket.config.bucket);
    let complete = complete.key(to.key).upload_id(id).multipart_upload(parts);
    let complete = complete.set_if_none_match(to.if_none_match());
    let sent = timed(
        bucket,
        key,
        Box::pin(async {
            let sent = complete.send().await;
            sent.map_err(|error| store_error(Operation::Restore, key, error))
        }),
    );
    told(key, sent.await?.e_tag)
}

/// The bytes of each part, as a header names them.
fn ranges(size: u64, limit: u64) -> impl Iterator<Item = String> {
    let part = limit.max(size.div_ceil(MOST_PARTS)).max(1);
    let starts = (0..size.div_ceil(part)).map(move |number| number * part);
    starts.map(move |start| format!("bytes={start}-{}", (start + part).min(size) - 1))
}

#[cfg(test)]
mod tests {
    use registry::Timestamp;

    use super::*;

    fn object(size: u64, etag: &str) -> Object {
        let modified = Timestamp::default();
        Object { key: "k".into(), size, modified, etag: Some(etag.into()) }
    }

    #[test]
    fn parts_cover_every_byte_once() {
        let all = |size, limit| ranges(size, limit).collect::<Vec<_>>();
        assert_eq!(all(10, 4), ["bytes=0-3", "bytes=4-7", "bytes=8-9"]);
        assert_eq!(all(8, 4), ["bytes=0-3", "bytes=4-7"]);
        assert_eq!(all(1, 4), ["bytes=0-0"]);
        let large = all(50 << 40, 5 << 30);
        assert!(large.len() <= 10_000, "{}", large.len());
        assert_eq!(
            large.last().unwrap().split('-').nth(1).unwrap(),
            ((50_u64 << 40) - 1).to_string()
        );
    }

    #[test]
    fn a_copy_is_proven_by_its_size_and_by_the_tag_that_was_told() {
        let original = object(7, "a");
        assert!(prove(&original, Some(&object(7, "b")), "\"b\"").is_ok());
        assert!(prove(&original, Some(&object(6, "b")), "b").is_err());
        assert!(prove(&original, Some(&object(7, "b")), "a").is_err());
        assert!(prove(&original, None, "a").is_err());
    }

    #[test]
    fn a_copy_of_which_no_tag_is_told_is_asked_for_again() {
        for tag in [None, Some(String::new())] {
            assert_eq!(told("k", tag).unwrap_err().kind, ErrorKind::Transient);
        }
        assert_eq!(told("k", Some("t".into())).unwrap(), "t");
    }
}
