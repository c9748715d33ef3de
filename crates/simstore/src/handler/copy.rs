//! `CopyObject` and `UploadPartCopy`, inside the one bucket.

use bytes::Bytes;

use super::get::bounds;
use super::put;
use super::uploads::uploads;
use crate::S3Error;
use crate::clock::iso;
use crate::object::{Content, Object};
use crate::percent::decode_path;
use crate::reply::Reply;
use crate::request::Ask;
use crate::shared::Shared;
use crate::xml::Document;

/// The most bytes that one `CopyObject` copies.
///
/// Source: Amazon S3 API, `CopyObject`.
const COPY_LIMIT: u64 = 5 << 30;

pub(super) fn copy(shared: &Shared, ask: &Ask) -> Result<Reply, S3Error> {
    let source = source(shared, ask)?;
    match (ask.query("uploadId"), ask.query("partNumber")) {
        (None, None) => copy_object(shared, ask, source),
        (Some(id), Some(number)) => copy_part(shared, ask, &source, id, number),
        _ => Err(S3Error::INVALID_ARGUMENT),
    }
}

/// The object that `x-amz-copy-source` names, or that version of it.
fn source(shared: &Shared, ask: &Ask) -> Result<Object, S3Error> {
    let named = ask.header("x-amz-copy-source").unwrap_or_default();
    let named = named.strip_prefix('/').unwrap_or(named);
    let (path, version) = match named.split_once("?versionId=") {
        Some((path, version)) => (path, Some(version)),
        None => (named, None),
    };
    let path = decode_path(path).ok_or(S3Error::INVALID_ARGUMENT)?;
    let (bucket, key) = path.split_once('/').ok_or(S3Error::INVALID_ARGUMENT)?;
    if bucket != ask.bucket {
        return Err(S3Error::NO_SUCH_BUCKET);
    }
    let objects = shared.objects();
    let object = match version {
        None => objects.get(key).map(std::borrow::Cow::into_owned).ok_or(S3Error::NO_SUCH_KEY)?,
        Some(id) => {
            let version = objects.version(key, id).ok_or(S3Error::NO_SUCH_VERSION)?;
            version.into_owned().object.ok_or(S3Error::METHOD_NOT_ALLOWED)?
        }
    };
    let wanted = ask.header("x-amz-copy-source-if-match");
    if wanted.is_some_and(|etag| etag.trim_matches('"') != object.etag) {
        return Err(S3Error::PRECONDITION_FAILED);
    }
    object.class.check_read()?;
    Ok(object)
}

fn copy_object(shared: &Shared, ask: &Ask, source: Object) -> Result<Reply, S3Error> {
    if source.content.len() > COPY_LIMIT {
        return Err(S3Error::ENTITY_TOO_LARGE);
    }
    let now = shared.now();
    // An object that was put in parts is whole from now on.
    let copied = match source.content {
        Content::Held(content) => Object::new(content, now),
        content @ Content::Zeros(_) => Object { content, modified: now, ..source },
    };
    let copied = Object { class: ask.class()?, ..copied };
    let etag = copied.etag.clone();
    let stored = put::store(shared, ask, copied)?;
    let answer = result("CopyObjectResult", &etag, &iso(now));
    let versions = stored.headers.into_iter().filter(|(name, _)| *name == "x-amz-version-id");
    Ok(versions.fold(answer, |reply, (name, value)| reply.with(name, value)))
}

fn copy_part(
    shared: &Shared,
    ask: &Ask,
    source: &Object,
    id: &str,
    number: &str,
) -> Result<Reply, S3Error> {
    let number = number.parse().map_err(|_| S3Error::INVALID_ARGUMENT)?;
    let len = source.content.len();
    let (start, end) = match ask.header("x-amz-copy-source-range") {
        None => (0, len),
        Some(range) => bounds(range, len).ok_or(S3Error::INVALID_ARGUMENT)?,
    };
    if start >= end {
        return Err(S3Error::INVALID_RANGE);
    }
    let Content::Held(part) = source.content.slice(start, end) else {
        return Err(S3Error::NOT_IMPLEMENTED);
    };
    let part: Bytes = part;
    let etag = uploads(shared, |uploads| uploads.put(&ask.key, id, number, part, shared.now()))?;
    Ok(result("CopyPartResult", &etag, &iso(shared.now())))
}

fn result(name: &'static str, etag: &str, modified: &str) -> Reply {
    let mut answer = Document::new(name);
    answer.leaf("LastModified", modified);
    answer.leaf("ETag", &format!("\"{etag}\""));
    Reply::xml(200, answer.finish())
}
