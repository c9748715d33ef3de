//! What a policy has to allow for a request.

use crate::Kind;
use crate::percent::decode_path;
use crate::request::Ask;

/// An action that a request takes, and what it is on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// As policies name it, such as `s3:GetObject`.
    pub action: &'static str,
    /// The key of an object, the prefix of a listing, empty for the bucket itself.
    pub subject: String,
}

/// All that a request needs.
///
/// Source: Amazon S3 User Guide, "Required permissions for Amazon S3 API operations"; for conditions "How to prevent
/// object overwrites with conditional writes", which asks for `s3:GetObject` where `If-Match` is given.
pub(crate) fn of(ask: &Ask) -> Vec<Need> {
    let need = |action| vec![Need { action, subject: ask.subject() }];
    match ask.kind {
        Kind::List => need("s3:ListBucket"),
        Kind::ListVersions => need("s3:ListBucketVersions"),
        Kind::ListUploads => need("s3:ListBucketMultipartUploads"),
        Kind::ListParts => need("s3:ListMultipartUploadParts"),
        Kind::Get | Kind::Head => need(reading(ask.query("versionId").is_some())),
        Kind::Put if ask.header("if-match").is_some() => {
            [need("s3:PutObject"), need("s3:GetObject")].concat()
        }
        Kind::Copy => [need("s3:PutObject"), source(ask)].concat(),
        Kind::Upload if ask.method == hyper::Method::DELETE => need("s3:AbortMultipartUpload"),
        Kind::Put | Kind::Upload => need("s3:PutObject"),
        Kind::DeleteOne => need(deleting(ask.query("versionId").is_some())),
        Kind::Delete => deletions(ask),
        Kind::Bucket => need(bucket(ask)),
        Kind::Unknown => Vec::new(),
    }
}

const fn reading(names_version: bool) -> &'static str {
    if names_version { "s3:GetObjectVersion" } else { "s3:GetObject" }
}

const fn deleting(names_version: bool) -> &'static str {
    if names_version { "s3:DeleteObjectVersion" } else { "s3:DeleteObject" }
}

fn bucket(ask: &Ask) -> &'static str {
    match () {
        () if ask.query("versioning").is_some() => "s3:GetBucketVersioning",
        () if ask.query("location").is_some() => "s3:GetBucketLocation",
        () => "s3:ListBucket",
    }
}

fn deletions(ask: &Ask) -> Vec<Need> {
    let objects = ask.deletion.iter().flat_map(|deletion| &deletion.objects);
    let need = |object: &crate::xml::ToDelete| Need {
        action: deleting(object.version.is_some()),
        subject: object.key.clone(),
    };
    objects.map(need).collect()
}

/// What is copied.
fn source(ask: &Ask) -> Vec<Need> {
    let named = ask.header("x-amz-copy-source").unwrap_or_default().trim_start_matches('/');
    let (path, version) = named.split_once("?versionId=").unwrap_or((named, ""));
    let path = decode_path(path).unwrap_or_default();
    let (_, key) = path.split_once('/').unwrap_or_default();
    vec![Need { action: reading(!version.is_empty()), subject: key.to_owned() }]
}
