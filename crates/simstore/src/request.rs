//! What is asked, taken apart.

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_ENCODING, HOST};
use hyper::{HeaderMap, Method};

use crate::S3Error;
use crate::percent::{decode_path, decode_query};
use crate::xml;

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
    /// `DeleteObjects`.
    Delete,
    /// `HeadBucket`, `GetBucketLocation`.
    Bucket,
    /// Anything else; answered with an error.
    Unknown,
}

impl Kind {
    /// Every kind, in order.
    pub const ALL: [Self; 7] =
        [Self::List, Self::Get, Self::Head, Self::Put, Self::Delete, Self::Bucket, Self::Unknown];
}

/// A request, read whole.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) method: Method,
    pub(crate) bucket: String,
    /// Empty where the bucket itself is meant.
    pub(crate) key: String,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Queries that turn a request for an object into one that this server does not know.
const SUBRESOURCES: [&str; 8] =
    ["acl", "attributes", "partNumber", "retention", "tagging", "uploadId", "uploads", "versionId"];

impl Ask {
    pub(crate) async fn read(request: hyper::Request<Incoming>) -> Result<Self, S3Error> {
        let (head, body) = request.into_parts();
        let (bucket, key) = address(&head.headers, head.uri.path())?;
        let query = queries(head.uri.query().unwrap_or_default())?;
        let body = Limited::new(body, BODY_LIMIT).collect().await;
        let body = body.map_err(|_| S3Error::ENTITY_TOO_LARGE)?.to_bytes();
        let body = if is_chunked(&head.headers) { unchunk(&body)? } else { body };
        Ok(Self { method: head.method, bucket, key, query, headers: head.headers, body })
    }

    pub(crate) fn kind(&self) -> Kind {
        let is_bucket = self.key.is_empty();
        let asks = |name| self.query(name).is_some();
        if !is_bucket && SUBRESOURCES.into_iter().any(asks) {
            return Kind::Unknown;
        }
        match (self.method.as_str(), is_bucket) {
            ("GET", true) if self.query("list-type") == Some("2") => Kind::List,
            ("GET", true) if asks("location") => Kind::Bucket,
            ("HEAD", true) => Kind::Bucket,
            ("POST", true) if asks("delete") => Kind::Delete,
            ("GET", false) => Kind::Get,
            ("HEAD", false) => Kind::Head,
            ("PUT", false) if self.header("x-amz-copy-source").is_none() => Kind::Put,
            _ => Kind::Unknown,
        }
    }

    /// The key of an object, the prefix of a listing, empty for the bucket.
    pub(crate) fn subject(&self) -> String {
        match self.kind() {
            Kind::List => self.query("prefix").unwrap_or_default().to_owned(),
            _ => self.key.clone(),
        }
    }

    /// How many keys a deletion names, right or wrong.
    pub(crate) fn keys_to_delete(&self) -> usize {
        match self.kind() {
            Kind::Delete => xml::parse_delete(&self.body).map_or(0, |ask| ask.objects.len()),
            _ => 0,
        }
    }

    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// A header that is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether any header starts with `prefix`.
    pub(crate) fn has_header_like(&self, prefix: &str) -> bool {
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
