//! `GetObject` and `HeadObject`.

use std::borrow::Cow;

use super::conditions;
use crate::clock::http_date;
use crate::object::Object;
use crate::objects::Objects;
use crate::reply::Reply;
use crate::request::Ask;
use crate::{Kind, S3Error};

/// The object, or the part of it that was asked for; for HEAD the body is taken off later.
pub(super) fn get(objects: &Objects, ask: &Ask) -> Result<Reply, S3Error> {
    let object = match ask.query("versionId") {
        None => match objects.get(&ask.key) {
            Some(object) => object,
            None => return Ok(nothing(objects, ask)),
        },
        Some(id) => {
            let version = objects.version(&ask.key, id).ok_or(S3Error::NO_SUCH_VERSION)?;
            match version.into_owned().object {
                Some(object) => Cow::Owned(object),
                None => return Ok(marker(&S3Error::METHOD_NOT_ALLOWED, ask, id)),
            }
        }
    };
    conditions::of_get(ask, &object)?;
    if ask.kind == Kind::Get {
        object.class.check_read()?;
    }
    let reply = described(part(&object, ask.header("range"))?, &object);
    Ok(match version_id(objects, ask) {
        Some(id) => reply.with("x-amz-version-id", id),
        None => reply,
    })
}

/// The version that was read, where the bucket keeps versions.
fn version_id(objects: &Objects, ask: &Ask) -> Option<String> {
    let kept = objects.versions()?.of(&ask.key);
    let latest = || Some(kept?.last()?.id.clone());
    ask.query("versionId").map(str::to_owned).or_else(latest)
}

/// The answer where there is no object: it tells whether a delete marker hides one.
fn nothing(objects: &Objects, ask: &Ask) -> Reply {
    let kept = objects.versions().and_then(|versions| versions.of(&ask.key));
    match kept.and_then(<[_]>::last) {
        Some(version) => marker(&S3Error::NO_SUCH_KEY, ask, &version.id),
        None => Reply::error(&S3Error::NO_SUCH_KEY, &ask.key),
    }
}

fn marker(error: &S3Error, ask: &Ask, id: &str) -> Reply {
    Reply::error(error, &ask.key).with("x-amz-delete-marker", "true").with("x-amz-version-id", id)
}

fn described(reply: Reply, object: &Object) -> Reply {
    let reply = match object.class.told() {
        Some(class) => reply.with("x-amz-storage-class", class),
        None => reply,
    };
    reply
        .with("accept-ranges", "bytes")
        .with("content-type", "binary/octet-stream")
        .with("etag", format!("\"{}\"", object.etag))
        .with("last-modified", http_date(object.modified))
}

/// The bytes that a `Range` header asks for; all of them where it cannot be understood, as HTTP says.
fn part(object: &Object, range: Option<&str>) -> Result<Reply, S3Error> {
    let len = object.content.len();
    let Some((start, end)) = range.and_then(|range| bounds(range, len)) else {
        return Ok(Reply { body: object.content.clone(), ..Reply::empty(200) });
    };
    if start >= end {
        return Err(S3Error::INVALID_RANGE);
    }
    let reply = Reply { body: object.content.slice(start, end), ..Reply::empty(206) };
    Ok(reply.with("content-range", format!("bytes {start}-{}/{len}", end - 1)))
}

/// The first byte, and the one behind the last; not ascending where nothing of the object is meant.
///
/// Source: RFC 9110, 14.1.2. Several ranges are one too many for S3.
pub(super) fn bounds(range: &str, len: u64) -> Option<(u64, u64)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    if first.is_empty() {
        let last: u64 = last.parse().ok()?;
        return Some((len - last.min(len), len));
    }
    let first = first.parse().ok()?;
    let last: u64 = if last.is_empty() { u64::MAX } else { last.parse().ok()? };
    (first <= last).then_some((first, last.saturating_add(1).min(len)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_http_says() {
        for (range, expected) in [
            ("bytes=0-0", Some((0, 1))),
            ("bytes=2-5", Some((2, 6))),
            ("bytes=2-", Some((2, 10))),
            ("bytes=9-99", Some((9, 10))),
            ("bytes=-3", Some((7, 10))),
            ("bytes=-99", Some((0, 10))),
            ("bytes=-0", Some((10, 10))),
            ("bytes=10-", Some((10, 10))),
            ("bytes=5-4", None),
            ("bytes=0-1,3-4", None),
            ("lines=0-1", None),
        ] {
            assert_eq!(bounds(range, 10), expected, "{range}");
        }
    }
}
