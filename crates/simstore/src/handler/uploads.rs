//! Multipart uploads.

use std::sync::PoisonError;

use super::put;
use crate::S3Error;
use crate::clock::iso;
use crate::percent::{Style, encode};
use crate::reply::Reply;
use crate::request::Ask;
use crate::server::Shared;
use crate::uploads::Uploads;
use crate::xml::{self, Document};

/// The most uploads of a page.
const PAGE_LIMIT: usize = 1000;

/// `CreateMultipartUpload`, `UploadPart`, `CompleteMultipartUpload`, `AbortMultipartUpload`.
pub(super) fn answer(shared: &Shared, ask: &Ask) -> Result<Reply, S3Error> {
    let id = ask.query("uploadId");
    match (ask.method.as_str(), id, ask.query("partNumber")) {
        ("POST", None, None) => Ok(create(shared, ask)),
        ("PUT", Some(id), Some(number)) => put_part(shared, ask, id, number),
        ("POST", Some(id), None) => complete(shared, ask, id),
        ("DELETE", Some(id), None) => {
            uploads(shared, |uploads| uploads.close(&ask.key, id)).map(|()| Reply::empty(204))
        }
        _ => Err(S3Error::NOT_IMPLEMENTED),
    }
}

fn uploads<T>(shared: &Shared, act: impl FnOnce(&mut Uploads) -> T) -> T {
    act(&mut shared.uploads.lock().unwrap_or_else(PoisonError::into_inner))
}

fn create(shared: &Shared, ask: &Ask) -> Reply {
    let id = uploads(shared, |uploads| uploads.create(&ask.key, shared.now()));
    let mut answer = Document::new("InitiateMultipartUploadResult");
    answer.leaf("Bucket", &ask.bucket);
    answer.leaf("Key", &ask.key);
    answer.leaf("UploadId", &id);
    Reply::xml(200, answer.finish())
}

fn put_part(shared: &Shared, ask: &Ask, id: &str, number: &str) -> Result<Reply, S3Error> {
    ask.check_sums()?;
    let number = number.parse().map_err(|_| S3Error::INVALID_ARGUMENT)?;
    let put = |uploads: &mut Uploads| uploads.put(&ask.key, id, number, ask.body.clone());
    let etag = uploads(shared, put)?;
    Ok(Reply::empty(200).with("etag", format!("\"{etag}\"")))
}

fn complete(shared: &Shared, ask: &Ask, id: &str) -> Result<Reply, S3Error> {
    let parts = xml::parse_parts(&ask.body).filter(|parts| !parts.is_empty());
    let parts = parts.ok_or(S3Error::MALFORMED_XML)?;
    let smallest = shared.options.smallest_part;
    let object =
        uploads(shared, |uploads| uploads.assemble(&ask.key, id, &parts, smallest, shared.now()))?;
    let etag = format!("\"{}\"", object.etag);
    let stored = put::store(shared, ask, object)?;
    uploads(shared, |uploads| uploads.close(&ask.key, id))?;
    let mut answer = Document::new("CompleteMultipartUploadResult");
    answer.leaf("Bucket", &ask.bucket);
    answer.leaf("Key", &ask.key);
    answer.leaf("ETag", &etag);
    let headers = stored.headers;
    Ok(headers.into_iter().fold(Reply::xml(200, answer.finish()), |reply, (name, value)| {
        if name == "etag" { reply } else { reply.with(name, value) }
    }))
}

/// `ListMultipartUploads`, without folders.
pub(super) fn list(shared: &Shared, ask: &Ask) -> Result<Reply, S3Error> {
    let is_url = ask.is_url_encoding_asked()?;
    if ask.query("delimiter").is_some_and(|delimiter| !delimiter.is_empty()) {
        return Err(S3Error::NOT_IMPLEMENTED);
    }
    let limit = ask.limit("max-uploads", PAGE_LIMIT)?;
    let encoded = |key: &str| if is_url { encode(key, Style::Form) } else { key.to_owned() };
    let text = |name| ask.query(name).unwrap_or_default();
    let (marker, prefix) = (text("key-marker"), text("prefix"));
    // Without an id the key is passed over whole.
    let id_marker = ask.query("upload-id-marker").filter(|_| !marker.is_empty());
    let after_id = id_marker.unwrap_or(if marker.is_empty() { "" } else { "\u{10ffff}" });
    let mut answer = Document::new("ListMultipartUploadsResult");
    answer.leaf("Bucket", &ask.bucket);
    answer.leaf("Prefix", &encoded(prefix));
    answer.leaf("KeyMarker", &encoded(marker));
    answer.leaf("UploadIdMarker", id_marker.unwrap_or_default());
    if is_url {
        answer.leaf("EncodingType", "url");
    }
    answer.leaf("MaxUploads", &limit.to_string());
    let keys = uploads(shared, |uploads| {
        let below = uploads.after(marker, after_id).filter(|(key, ..)| key.starts_with(prefix));
        let mut page: Vec<_> = below.take(limit + 1).collect();
        let is_truncated = limit > 0 && page.len() > limit;
        page.truncate(limit);
        answer.leaf("IsTruncated", if is_truncated { "true" } else { "false" });
        if let Some((key, id, _)) = page.last().filter(|_| is_truncated) {
            answer.leaf("NextKeyMarker", &encoded(key));
            answer.leaf("NextUploadIdMarker", id);
        }
        for (key, id, upload) in &page {
            let key = ("Key", encoded(key).into());
            let initiated = ("Initiated", iso(upload.initiated).into());
            let class = ("StorageClass", "STANDARD".into());
            answer.group("Upload", &[key, ("UploadId", (*id).into()), class, initiated]);
        }
        page.len()
    });
    Ok(Reply { keys, ..Reply::xml(200, answer.finish()) })
}
