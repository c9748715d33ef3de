//! Multipart uploads.

use super::put;
use crate::S3Error;
use crate::checksum::md5_hex;
use crate::clock::iso;
use crate::percent::{Style, encode};
use crate::reply::Reply;
use crate::request::Ask;
use crate::shared::Shared;
use crate::storage_class::StorageClass;
use crate::uploads::{Upload, Uploads};
use crate::xml::{self, Document};

/// The most uploads of a page, and the most parts.
const PAGE_LIMIT: usize = 1000;

/// `CreateMultipartUpload`, `UploadPart`, `CompleteMultipartUpload`, `AbortMultipartUpload`.
pub(super) fn answer(shared: &Shared, ask: &Ask) -> Result<Reply, S3Error> {
    let id = ask.query("uploadId");
    match (ask.method.as_str(), id, ask.query("partNumber")) {
        ("POST", None, None) => create(shared, ask),
        ("PUT", Some(id), Some(number)) => put_part(shared, ask, id, number),
        ("POST", Some(id), None) => complete(shared, ask, id),
        ("DELETE", Some(id), None) => {
            uploads(shared, |uploads| uploads.close(&ask.key, id)).map(|()| Reply::empty(204))
        }
        _ => Err(S3Error::NOT_IMPLEMENTED),
    }
}

pub(super) fn uploads<T>(shared: &Shared, act: impl FnOnce(&mut Uploads) -> T) -> T {
    act(&mut shared.uploads())
}

fn create(shared: &Shared, ask: &Ask) -> Result<Reply, S3Error> {
    let class = ask.class()?;
    let id = uploads(shared, |uploads| uploads.create(&ask.key, shared.now(), class));
    let mut answer = Document::new("InitiateMultipartUploadResult");
    answer.leaf("Bucket", &ask.bucket);
    answer.leaf("Key", &ask.key);
    answer.leaf("UploadId", &id);
    Ok(Reply::xml(200, answer.finish()))
}

fn put_part(shared: &Shared, ask: &Ask, id: &str, number: &str) -> Result<Reply, S3Error> {
    ask.check_sums()?;
    let number = number.parse().map_err(|_| S3Error::INVALID_ARGUMENT)?;
    let now = shared.now();
    let put = |uploads: &mut Uploads| uploads.put(&ask.key, id, number, ask.body.clone(), now);
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

/// What a listing of uploads asks.
struct Query<'a> {
    bucket: &'a str,
    prefix: &'a str,
    key_marker: &'a str,
    id_marker: Option<&'a str>,
    limit: usize,
    is_url: bool,
}

impl<'a> Query<'a> {
    /// Listings without folders.
    fn of(ask: &'a Ask) -> Result<Self, S3Error> {
        if ask.query("delimiter").is_some_and(|delimiter| !delimiter.is_empty()) {
            return Err(S3Error::NOT_IMPLEMENTED);
        }
        let key_marker = ask.query("key-marker").unwrap_or_default();
        Ok(Self {
            bucket: &ask.bucket,
            prefix: ask.query("prefix").unwrap_or_default(),
            key_marker,
            // Without a key the id means nothing.
            id_marker: ask.query("upload-id-marker").filter(|_| !key_marker.is_empty()),
            limit: ask.limit("max-uploads", PAGE_LIMIT)?,
            is_url: ask.is_url_encoding_asked()?,
        })
    }

    fn encoded(&self, key: &str) -> String {
        if self.is_url { encode(key, Style::Form) } else { key.to_owned() }
    }

    fn echoes(&self) -> Document {
        let mut answer = Document::new("ListMultipartUploadsResult");
        answer.leaf("Bucket", self.bucket);
        answer.leaf("Prefix", &self.encoded(self.prefix));
        answer.leaf("KeyMarker", &self.encoded(self.key_marker));
        answer.leaf("UploadIdMarker", self.id_marker.unwrap_or_default());
        if self.is_url {
            answer.leaf("EncodingType", "url");
        }
        answer.leaf("MaxUploads", &self.limit.to_string());
        answer
    }

    /// One more than a page holds, to see whether there is more.
    fn page<'u>(&'u self, uploads: &'u Uploads) -> Vec<(&'u str, &'u str, &'u Upload)> {
        // Without an id the key is passed over whole.
        let whole = if self.key_marker.is_empty() { "" } else { "\u{10ffff}" };
        let behind = uploads.after(self.key_marker, self.id_marker.unwrap_or(whole));
        behind.filter(|(key, ..)| key.starts_with(self.prefix)).take(self.limit + 1).collect()
    }
}

/// `ListMultipartUploads`.
pub(super) fn list(shared: &Shared, ask: &Ask) -> Result<Reply, S3Error> {
    let query = Query::of(ask)?;
    let mut answer = query.echoes();
    let keys = uploads(shared, |uploads| {
        let mut page = query.page(uploads);
        let is_truncated = query.limit > 0 && page.len() > query.limit;
        page.truncate(query.limit);
        answer.leaf("IsTruncated", if is_truncated { "true" } else { "false" });
        if let Some((key, id, _)) = page.last().filter(|_| is_truncated) {
            answer.leaf("NextKeyMarker", &query.encoded(key));
            answer.leaf("NextUploadIdMarker", id);
        }
        for (key, id, upload) in &page {
            let key = ("Key", query.encoded(key).into());
            let initiated = ("Initiated", iso(upload.initiated).into());
            let class = ("StorageClass", upload.class.name().into());
            answer.group("Upload", &[key, ("UploadId", (*id).into()), class, initiated]);
        }
        page.len()
    });
    Ok(Reply { keys, ..Reply::xml(200, answer.finish()) })
}

/// `ListParts`, by number.
///
/// Source: Amazon S3 API, `ListParts`: there is no encoding of keys, and the marker is that of the last part of a page.
pub(super) fn list_parts(shared: &Shared, ask: &Ask) -> Result<Reply, S3Error> {
    let id = ask.query("uploadId").unwrap_or_default();
    let limit = ask.limit("max-parts", PAGE_LIMIT)?;
    let marker = ask.query("part-number-marker").filter(|marker| !marker.is_empty());
    let after = marker.map_or(Ok(0), str::parse).map_err(|_| S3Error::INVALID_ARGUMENT)?;
    let mut answer = Document::new("ListPartsResult");
    answer.leaf("Bucket", &ask.bucket);
    answer.leaf("Key", &ask.key);
    answer.leaf("UploadId", id);
    answer.leaf("PartNumberMarker", &after.to_string());
    let keys = uploads(shared, |uploads| {
        let class = uploads.class(&ask.key, id).map(StorageClass::name);
        let mut page: Vec<_> = uploads.parts(&ask.key, id, after)?.take(limit + 1).collect();
        let is_truncated = limit > 0 && page.len() > limit;
        page.truncate(limit);
        if let Some((last, _)) = page.last() {
            answer.leaf("NextPartNumberMarker", &last.to_string());
        }
        answer.leaf("MaxParts", &limit.to_string());
        answer.leaf("IsTruncated", if is_truncated { "true" } else { "false" });
        for (number, part) in &page {
            let number = ("PartNumber", number.to_string().into());
            let modified = ("LastModified", iso(part.modified).into());
            let etag = ("ETag", format!("\"{}\"", md5_hex(&part.content)).into());
            let size = ("Size", part.content.len().to_string().into());
            answer.group("Part", &[number, modified, etag, size]);
        }
        answer.leaf("StorageClass", class.unwrap_or_default());
        Ok::<_, S3Error>(page.len())
    })?;
    Ok(Reply { keys, ..Reply::xml(200, answer.finish()) })
}
