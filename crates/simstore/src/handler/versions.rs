//! `ListObjectVersions`.

use std::cmp::Ordering;
use std::ops::Bound;

use registry::Timestamp;

use super::page::{Facts, text};
use crate::S3Error;
use crate::clock::iso;
use crate::objects::{Listed, Objects};
use crate::percent::{Style, encode};
use crate::reply::Reply;
use crate::request::Ask;
use crate::versions::Version;
use crate::xml::Document;

/// The most versions of a page.
const PAGE_LIMIT: usize = 1000;

/// One version of a page.
struct Entry {
    key: String,
    id: String,
    is_latest: bool,
    modified: Timestamp,
    /// `None` where it is a delete marker.
    facts: Option<Facts>,
}

/// The versions below a prefix, newest of a key first; objects without versions are the version `null`. Without folders.
pub(super) fn list(objects: &Objects, ask: &Ask) -> Result<Reply, S3Error> {
    let is_url = ask.is_url_encoding_asked()?;
    if ask.query("delimiter").is_some_and(|delimiter| !delimiter.is_empty()) {
        return Err(S3Error::NOT_IMPLEMENTED);
    }
    let limit = ask.limit("max-keys", PAGE_LIMIT)?;
    let mut entries = read(objects, ask, limit + 1);
    let is_truncated = limit > 0 && entries.len() > limit;
    entries.truncate(limit);
    let encoded = |key: &str| if is_url { encode(key, Style::Form) } else { key.to_owned() };
    let asked = |name| ask.query(name).unwrap_or_default();
    let mut answer = Document::new("ListVersionsResult");
    answer.leaf("Name", &ask.bucket);
    answer.leaf("Prefix", &encoded(asked("prefix")));
    answer.leaf("KeyMarker", &encoded(asked("key-marker")));
    answer.leaf("VersionIdMarker", asked("version-id-marker"));
    if let Some(last) = entries.last().filter(|_| is_truncated) {
        answer.leaf("NextKeyMarker", &encoded(&last.key));
        answer.leaf("NextVersionIdMarker", &last.id);
    }
    answer.leaf("MaxKeys", &limit.to_string());
    if is_url {
        answer.leaf("EncodingType", "url");
    }
    answer.leaf("IsTruncated", if is_truncated { "true" } else { "false" });
    for entry in &entries {
        write(&mut answer, entry, &encoded(&entry.key));
    }
    Ok(Reply { keys: entries.len(), ..Reply::xml(200, answer.finish()) })
}

fn write(answer: &mut Document, entry: &Entry, key: &str) {
    let is_latest = if entry.is_latest { "true" } else { "false" };
    let mut leaves = vec![
        ("Key", key.into()),
        ("VersionId", entry.id.as_str().into()),
        ("IsLatest", is_latest.into()),
        ("LastModified", iso(entry.modified).into()),
    ];
    let Some(facts) = &entry.facts else { return answer.group("DeleteMarker", &leaves) };
    leaves.push(("ETag", format!("\"{}\"", facts.etag).into()));
    leaves.push(("Size", facts.size.to_string().into()));
    leaves.push(("StorageClass", facts.class.name().into()));
    answer.group("Version", &leaves);
}

/// At most `limit` entries behind the markers: objects and versions are walked side by side.
fn read(objects: &Objects, ask: &Ask, limit: usize) -> Vec<Entry> {
    let prefix = ask.query("prefix").unwrap_or_default();
    let (marker, id_marker) = markers(ask);
    let start = match marker {
        Some(key) if key >= prefix && id_marker.is_some() => Bound::Included(key),
        Some(key) if key >= prefix => Bound::Excluded(key),
        _ => Bound::Included(prefix),
    };
    let mut walk = objects.walk(prefix, start);
    let kept = objects.versions().into_iter().flat_map(|all| all.from(start));
    let mut kept = kept.take_while(|(key, _)| key.starts_with(prefix)).peekable();
    let mut entries = Vec::new();
    while entries.len() < limit {
        let listed = walk.peek();
        let order = match (&listed, kept.peek()) {
            (None, _) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(listed), Some((key, _))) => listed.key.cmp(key.as_bytes()),
        };
        let of_key = match (kept.next_if(|_| order.is_ge()), listed) {
            (Some((key, versions)), _) => entries_of(key, versions),
            (None, Some(listed)) => vec![without_versions(&listed)],
            (None, None) => break,
        };
        if order.is_le() {
            walk.advance();
        }
        entries.extend(behind(of_key, marker, id_marker));
    }
    entries.truncate(limit);
    entries
}

/// The key and the version behind which a page begins.
fn markers(ask: &Ask) -> (Option<&str>, Option<&str>) {
    let marker = |name| ask.query(name).filter(|marker: &&str| !marker.is_empty());
    (marker("key-marker"), marker("version-id-marker"))
}

/// What of a key's versions lies behind the markers.
fn behind(mut of_key: Vec<Entry>, key: Option<&str>, id: Option<&str>) -> Vec<Entry> {
    let is_marked = |entry: &Entry| Some(&*entry.key) == key && Some(&*entry.id) == id;
    if let Some(place) = of_key.iter().position(is_marked) {
        of_key.drain(..=place);
    }
    of_key
}

fn without_versions(listed: &Listed<'_>) -> Entry {
    Entry {
        key: text(listed.key),
        id: Version::NULL.to_owned(),
        is_latest: true,
        modified: listed.modified,
        facts: Some(Facts::of(listed)),
    }
}

fn entries_of(key: &str, versions: &[Version]) -> Vec<Entry> {
    let newest_first = versions.iter().rev().enumerate();
    newest_first
        .map(|(place, version)| Entry {
            key: key.to_owned(),
            id: version.id.clone(),
            is_latest: place == 0,
            modified: version.modified,
            facts: version.object.as_ref().map(|object| Facts {
                size: object.content.len(),
                etag: object.etag.clone(),
                modified: object.modified,
                class: object.class,
            }),
        })
        .collect()
}
