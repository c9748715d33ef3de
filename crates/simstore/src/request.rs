//! What is asked, taken apart.

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_ENCODING, HOST};
use hyper::{HeaderMap, Method};

use crate::S3Error;
use crate::checksum::{crc32_base64, md5_base64};
use crate::percent::{decode_path, decode_query};
use crate::storage_class::StorageClass;
use crate::xml::{self, DeleteAsk};

/// The largest body that the server takes, in bytes.
const BODY_LIMIT: usize = 64 << 20;

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `ListObjectsV2`.
    List,
    /// `GetObject`.
    Get,
    /// `HeadObject`.
    Head,
    /// `PutObject`.
    Put,
    /// `CopyObject`, `UploadPartCopy`.
    Copy,
    /// `DeleteObjects`.
    Delete,
    /// `DeleteObject`.
    DeleteOne,
    /// `ListObjectVersions`.
    ListVersions,
    /// `CreateMultipartUpload`, `UploadPart`, `CompleteMultipartUpload`, `AbortMultipartUpload`.
    Upload,
    /// `ListMultipartUploads`.
    ListUploads,
    /// `ListParts`.
    ListParts,
    /// `HeadBucket`, `GetBucketLocation`, `GetBucketVersioning`.
    Bucket,
    /// Anything else; answered with an error.
    Unknown,
}

impl Kind {
    /// Every kind, in order.
    pub const ALL: [Self; 13] = [
        Self::List,
        Self::Get,
        Self::Head,
        Self::Put,
        Self::Copy,
        Self::Delete,
        Self::DeleteOne,
        Self::ListVersions,
        Self::Upload,
        Self::ListUploads,
        Self::ListParts,
        Self::Bucket,
        Self::Unknown,
    ];

    /// The kind as users write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Get => "get",
            Self::Head => "head",
            Self::Put => "put",
            Self::Copy => "copy",
            Self::Delete => "delete",
            Self::DeleteOne => "delete-one",
            Self::ListVersions => "list-versions",
            Self::Upload => "upload",
            Self::ListUploads => "list-uploads",
            Self::ListParts => "list-parts",
            Self::Bucket => "bucket",
            Self::Unknown => "unknown",
        }
    }
}

/// A request, read whole.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) kind: Kind,
    pub(crate) method: Method,
    pub(crate) bucket: String,
    /// Empty where the bucket itself is meant.
    pub(crate) key: String,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    pub(crate) body: Bytes,
    /// What a `DeleteObjects` names; `None` where it is none, or malformed.
    pub(crate) deletion: Option<DeleteAsk>,
}

/// Queries that turn a request for an object into one that this server does not know.
const SUBRESOURCES: [&str; 7] =
    ["acl", "attributes", "legal-hold", "restore", "retention", "tagging", "torrent"];

impl Ask {
    pub(crate) async fn read(request: hyper::Request<Incoming>) -> Result<Self, S3Error> {
        let (head, body) = request.into_parts();
        let (bucket, key) = address(&head.headers, head.uri.path())?;
        let query = queries(head.uri.query().unwrap_or_default())?;
        let body = Limited::new(body, BODY_LIMIT).collect().await;
        let body = body.map_err(|_| S3Error::ENTITY_TOO_LARGE)?.to_bytes();
        let body = if is_chunked(&head.headers) { unchunk(&body)? } else { body };
        let kind = Kind::Unknown;
        let (method, headers) = (head.method, head.headers);
        let ask = Self { kind, method, bucket, key, query, headers, body, deletion: None };
        let kind = ask.find_kind();
        let deletion = (kind == Kind::Delete).then(|| xml::parse_delete(&ask.body)).flatten();
        Ok(Self { kind, deletion, ..ask })
    }

    fn find_kind(&self) -> Kind {
        let asks = |name| self.query(name).is_some();
        match (self.method.as_str(), self.key.is_empty()) {
            ("GET", true) if self.query("list-type") == Some("2") => Kind::List,
            ("GET", true) if asks("versions") => Kind::ListVersions,
            ("GET", true) if asks("uploads") => Kind::ListUploads,
            ("GET", true) if asks("location") || asks("versioning") => Kind::Bucket,
            ("HEAD", true) => Kind::Bucket,
            ("POST", true) if asks("delete") => Kind::Delete,
            (_, true) => Kind::Unknown,
            _ if SUBRESOURCES.into_iter().any(asks) => Kind::Unknown,
            ("PUT", _) if self.header("x-amz-copy-source").is_some() => Kind::Copy,
            ("GET", _) if asks("uploadId") && !asks("partNumber") => Kind::ListParts,
            ("GET" | "HEAD", _) if asks("partNumber") || asks("uploadId") => Kind::Unknown,
            ("POST", _) if asks("uploads") || asks("uploadId") => Kind::Upload,
            ("PUT" | "DELETE", _) if asks("uploadId") => Kind::Upload,
            ("GET", _) => Kind::Get,
            ("HEAD", _) => Kind::Head,
            ("PUT", _) => Kind::Put,
            ("DELETE", _) => Kind::DeleteOne,
            _ => Kind::Unknown,
        }
    }

    /// The key of an object, the prefix of a listing, empty for the bucket.
    pub(crate) fn subject(&self) -> String {
        match self.kind {
            Kind::List | Kind::ListVersions | Kind::ListUploads => {
                self.query("prefix").unwrap_or_default().to_owned()
            }
            _ => self.key.clone(),
        }
    }

    /// How many keys a deletion names, right or wrong.
    pub(crate) fn keys_to_delete(&self) -> usize {
        self.deletion.as_ref().map_or(0, |ask| ask.objects.len())
    }

    /// How many entries a page may have.
    pub(crate) fn limit(&self, name: &str, most: usize) -> Result<usize, S3Error> {
        let Some(text) = self.query(name) else { return Ok(most) };
        text.parse::<usize>().map(|limit| limit.min(most)).map_err(|_| S3Error::INVALID_ARGUMENT)
    }

    pub(crate) fn is_url_encoding_asked(&self) -> Result<bool, S3Error> {
        match self.query("encoding-type") {
            None => Ok(false),
            Some("url") => Ok(true),
            Some(_) => Err(S3Error::INVALID_ARGUMENT),
        }
    }

    /// Whether a checksum was sent; an error where one that is looked at does not match the body.
    pub(crate) fn check_sums(&self) -> Result<bool, S3Error> {
        let md5 = self.header("content-md5");
        let checks = [
            (md5, md5_base64 as fn(&[u8]) -> String),
            (self.header("x-amz-checksum-crc32"), crc32_base64),
        ];
        for (sent, sum) in checks {
            if sent.is_some_and(|sent| sent != sum(&self.body)) {
                return Err(S3Error::BAD_DIGEST);
            }
        }
        Ok(md5.is_some() || self.has_header_like("x-amz-checksum-"))
    }

    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The storage class that is asked for.
    pub(crate) fn class(&self) -> Result<StorageClass, S3Error> {
        StorageClass::named(self.header("x-amz-storage-class"))
    }

    /// A header that is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether any header starts with `prefix`.
    fn has_header_like(&self, prefix: &str) -> bool {
        self.headers.keys().any(|name| name.as_str().starts_with(prefix))
    }

    /// Who signed, as far as the signature says.
    ///
    /// Source: AWS Signature Version 4, `Credential=<access key>/<date>/<region>/s3/aws4_request`.
    pub(crate) fn access_key(&self) -> Option<&str> {
        self.credential()?.next()
    }

    /// The region for which the request was signed.
    pub(crate) fn region(&self) -> Option<&str> {
        self.credential()?.nth(2)
    }

    fn credential(&self) -> Option<impl Iterator<Item = &str>> {
        let header = self.headers.get(AUTHORIZATION)?.to_str().ok()?;
        let (_, credential) = header.split_once("Credential=")?;
        Some(credential.split(',').next()?.split('/'))
    }
}

/// Bucket and key: the bucket from the host where that names one, otherwise from the path.
fn address(headers: &HeaderMap, path: &str) -> Result<(String, String), S3Error> {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let path = path.strip_prefix('/').unwrap_or(path);
    let (bucket, key) = match bucket_of_host(host) {
        Some(bucket) => (bucket, path),
        None => path.split_once('/').unwrap_or((path, "")),
    };
    let decoded = |text| decode_path(text).ok_or(S3Error::INVALID_ARGUMENT);
    Ok((decoded(bucket)?, decoded(key)?))
}

/// The bucket that a host such as `bucket.localhost:9000` names.
fn bucket_of_host(host: &str) -> Option<&str> {
    let name = host.split(':').next()?;
    [".localhost", ".127.0.0.1"].into_iter().find_map(|suffix| name.strip_suffix(suffix))
}

fn queries(text: &str) -> Result<Vec<(String, String)>, S3Error> {
    let decoded = |text| decode_query(text).ok_or(S3Error::INVALID_ARGUMENT);
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decoded(name)?, decoded(value)?))
        })
        .collect()
}

fn is_chunked(headers: &HeaderMap) -> bool {
    let encoding = headers.get(CONTENT_ENCODING).and_then(|encoding| encoding.to_str().ok());
    encoding.is_some_and(|encoding| encoding.contains("aws-chunked"))
}

/// Takes the content out of an `aws-chunked` body: `<hex size>[;signature]\r\n<bytes>\r\n`, until a size of 0.
///
/// Source: AWS Signature Version 4, "Signature calculations: transferring a payload in multiple chunks".
fn unchunk(body: &[u8]) -> Result<Bytes, S3Error> {
    let mut content = Vec::new();
    let mut rest = body;
    loop {
        let (chunk, after) = next_chunk(rest).ok_or(S3Error::INVALID_ARGUMENT)?;
        if chunk.is_empty() {
            return Ok(content.into());
        }
        content.extend_from_slice(chunk);
        rest = after;
    }
}

fn next_chunk(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let line = body.windows(2).position(|pair| pair == b"\r\n")?;
    let size = std::str::from_utf8(&body[..line]).ok()?.split(';').next()?;
    let size = usize::from_str_radix(size, 16).ok()?;
    let (chunk, rest) = body[line + 2..].split_at_checked(size)?;
    match size {
        0 => Some((chunk, rest)),
        _ => Some((chunk, rest.strip_prefix(b"\r\n")?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address_of(host: &'static str, path: &str) -> (String, String) {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, hyper::header::HeaderValue::from_static(host));
        address(&headers, path).unwrap()
    }

    #[test]
    fn buckets_are_in_the_host_or_in_the_path() {
        let expected = |bucket: &str, key: &str| (bucket.to_owned(), key.to_owned());
        for (host, path, bucket, key) in [
            ("127.0.0.1:9", "/b/k", "b", "k"),
            ("localhost", "/b/a/k%2F%25+", "b", "a/k/%+"),
            ("127.0.0.1:9", "/b", "b", ""),
            ("127.0.0.1:9", "/b/", "b", ""),
            ("127.0.0.1:9", "/b//k", "b", "/k"),
            ("b.localhost:9", "/a/k", "b", "a/k"),
            ("b.127.0.0.1:9", "/", "b", ""),
            ("b.c.localhost:9", "//k", "b.c", "/k"),
            ("127.0.0.1:9", "/", "", ""),
        ] {
            assert_eq!(address_of(host, path), expected(bucket, key), "{host}{path}");
        }
    }

    #[test]
    fn chunks_are_put_together() {
        let body =
            b"3;chunk-signature=x\r\nabc\r\n2\r\nde\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n";
        assert_eq!(unchunk(body).unwrap(), "abcde");
        for cut in 0..body.len() - b"\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n".len() {
            assert!(unchunk(&body[..cut]).is_err(), "{cut}");
        }
    }
}
