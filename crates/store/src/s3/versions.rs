//! What a bucket keeps of one key: its object, older versions, delete markers.

use std::cmp::Reverse;

use monitor::RequestKind;
use registry::Timestamp;

use super::classify::unreadable;
use super::exchange::in_time;
use super::page::refusal;
use super::page_error::PageError;
use super::request::{self, whole};
use super::text::{key as decoded, present, read, time};
use super::versioning::is_not_implemented;
use super::wire::Get;
use super::xml::{Reader, Step};
use super::{Bucket, percent};
use crate::{ErrorKind, Marker, Operation, StoreError, Version};

/// The versions of exactly this key, newest first, by one `ListObjectVersions`: the key comes before all that begin
/// with it.
///
/// They end at a delete marker that cannot be removed: nothing below it can come back.
pub(super) async fn versions(bucket: &Bucket, key: &str) -> Result<Vec<Version>, StoreError> {
    let limit = Version::MOST.to_string();
    let pairs = [("encoding-type", "url"), ("max-keys", &limit), ("prefix", key), ("versions", "")];
    let query = percent::query(&pairs);
    let (operation, kind) = (Operation::Look, RequestKind::List);
    let get = Get { operation, subject: key, key: "", query: &query, range: None, kind };
    let versions = in_time(&bucket.monitor, bucket.config.timeouts.read, get.asked(), async {
        let body = whole(bucket.wire.get(get).await?, get, request::PAGE_LIMIT).await?;
        let page = parse(&body).map_err(|error| unreadable(operation, key, error))?;
        of_key(page, key)
            .map_err(|oddity| StoreError::new(operation, key, ErrorKind::Malformed).because(oddity))
    })
    .await;
    match versions {
        // Nothing was ever kept there.
        Err(error) if is_not_implemented(&error) => Ok(Vec::new()),
        versions => versions,
    }
}

/// A page of versions as the server sent it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Page {
    prefix: Option<String>,
    entries: Vec<Entry>,
}

#[derive(Debug, PartialEq, Eq)]
struct Entry {
    key: String,
    is_latest: bool,
    is_marker: bool,
    modified: Timestamp,
    /// `None` is a delete marker that cannot be removed.
    version: Option<Version>,
}

/// Why nobody knows what is on top of a key.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Oddity {
    #[error("the answer is of prefix `{0}`")]
    Prefix(String),
    #[error("the answer calls {0} versions the latest")]
    Latest(usize),
    #[error("the answer does not tell which of two versions is newer")]
    Tie,
}

/// The entries of `key`, newest first.
fn of_key(page: Page, key: &str) -> Result<Vec<Version>, Oddity> {
    if let Some(prefix) = page.prefix.filter(|prefix| prefix != key) {
        return Err(Oddity::Prefix(prefix));
    }
    let mut entries: Vec<Entry> =
        page.entries.into_iter().filter(|entry| entry.key == key).collect();
    put_in_order(&mut entries)?;
    Ok(entries.into_iter().map_while(|entry| entry.version).collect())
}

/// Whoever has the latest first has the others in order. Some servers tell of all objects before all delete markers,
/// each newest first: these are known by their times.
fn put_in_order(entries: &mut [Entry]) -> Result<(), Oddity> {
    let latest = entries.iter().filter(|entry| entry.is_latest).count();
    if latest != usize::from(!entries.is_empty()) {
        return Err(Oddity::Latest(latest));
    }
    if entries.first().is_none_or(|first| first.is_latest) {
        return Ok(());
    }
    entries.sort_by_key(|entry| (Reverse(entry.is_latest), Reverse(entry.modified)));
    let is_tie = |pair: &[Entry]| {
        pair[0].modified == pair[1].modified && pair[0].is_marker != pair[1].is_marker
    };
    if entries[1..].windows(2).any(is_tie) { Err(Oddity::Tie) } else { Ok(()) }
}

fn parse(body: &[u8]) -> Result<Page, PageError> {
    let text = std::str::from_utf8(body).map_err(|_| PageError::NotUtf8)?;
    let (root, mut reader) = Reader::new(text)?;
    match root {
        "ListVersionsResult" => {}
        "Error" => return Err(refusal(&mut reader)?),
        _ => return Err(PageError::UnknownRoot(root.into())),
    }
    let (mut prefix, mut drafts, mut is_encoded) = (None, Vec::new(), false);
    while let Step::Open(name) = reader.step()? {
        match name {
            "Prefix" => prefix = Some(reader.raw_text()?),
            "EncodingType" => is_encoded = reader.text()? == "url",
            "Version" => drafts.push(Draft::read(&mut reader, false)?),
            "DeleteMarker" => drafts.push(Draft::read(&mut reader, true)?),
            _ => reader.skip()?,
        }
    }
    reader.finish()?;
    let prefix = prefix.map(|raw| decoded(raw, is_encoded)).transpose()?;
    let entries = drafts.into_iter().map(|draft| draft.finish(is_encoded));
    Ok(Page { prefix: prefix.map(Into::into), entries: entries.collect::<Result<_, _>>()? })
}

/// An entry, its texts as they were sent.
#[derive(Default)]
struct Draft<'a> {
    is_marker: bool,
    key: Option<&'a str>,
    id: Option<String>,
    is_latest: bool,
    modified: Option<&'a str>,
    size: Option<&'a str>,
}

impl<'a> Draft<'a> {
    fn read(reader: &mut Reader<'a>, is_marker: bool) -> Result<Self, PageError> {
        let mut draft = Self { is_marker, ..Self::default() };
        while let Step::Open(name) = reader.step()? {
            match name {
                "Key" => draft.key = Some(reader.raw_text()?),
                "VersionId" => draft.id = Some(reader.text()?.into_owned()),
                "IsLatest" => draft.is_latest = reader.text()? == "true",
                "LastModified" => draft.modified = Some(reader.raw_text()?),
                "Size" => draft.size = Some(reader.raw_text()?),
                _ => reader.skip()?,
            }
        }
        Ok(draft)
    }

    fn finish(self, is_encoded: bool) -> Result<Entry, PageError> {
        let key = decoded(present(self.key, "Key")?, is_encoded)?.into_owned();
        let modified: Timestamp = read(self.modified, "LastModified", time)?;
        let version = if self.is_marker {
            let id = self.id.filter(|id| !id.is_empty()).ok_or(PageError::Missing("VersionId"))?;
            Marker::new(&key, &id, modified).map(Version::Marker)
        } else {
            let size = read(self.size, "Size", |text| text.parse().ok())?;
            Some(Version::Object { size, modified })
        };
        let Self { is_latest, is_marker, .. } = self;
        Ok(Entry { key, is_latest, is_marker, modified, version })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = "<?xml version=\"1.0\"?><ListVersionsResult><Name>b</Name><Prefix>a%20b</Prefix>\
        <EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>\
        <DeleteMarker><Key>a%20b</Key><VersionId>m</VersionId><IsLatest>true</IsLatest>\
        <LastModified>1970-01-01T00:00:02.000Z</LastModified><Owner><ID>x</ID></Owner></DeleteMarker>\
        <Version><Key>a%20b</Key><VersionId>v</VersionId><LastModified>1970-01-01T00:00:01Z</LastModified>\
        <ETag>&quot;e&quot;</ETag><Size>7</Size></Version>\
        <Version><Key>a%20bc</Key><VersionId>v</VersionId><LastModified>1970-01-01T00:00:01Z</LastModified>\
        <Size>8</Size></Version></ListVersionsResult>";

    #[test]
    fn the_versions_of_one_key_are_told_newest_first_and_no_other_keys() {
        let at = Timestamp::from_seconds;
        let versions = of_key(parse(ANSWER.as_bytes()).unwrap(), "a b").unwrap();
        let marker = Marker::new("a b", "m", at(2)).unwrap();
        assert_eq!(
            versions,
            [Version::Marker(marker), Version::Object { size: 7, modified: at(1) }]
        );
    }

    #[test]
    fn g3_an_answer_cut_anywhere_and_one_about_another_prefix_are_refused() {
        for end in 0..ANSWER.len() {
            assert!(parse(&ANSWER.as_bytes()[..end]).is_err(), "cut at {end}");
        }
        assert_eq!(
            of_key(parse(ANSWER.as_bytes()).unwrap(), "a"),
            Err(Oddity::Prefix("a b".to_owned()))
        );
    }

    /// Objects first, then delete markers: `o` and `m` with their times, a capital is the latest.
    fn told(entries: &str) -> Result<Vec<Version>, Oddity> {
        let entry = |entry: &str| {
            let (kind, second) = entry.split_at(1);
            let (is_marker, is_latest) = ("mM".contains(kind), "OM".contains(kind));
            let modified = Timestamp::from_seconds(second.parse().unwrap());
            let version = if is_marker {
                Marker::new("k", entry, modified).map(Version::Marker)
            } else {
                Some(Version::Object { size: 0, modified })
            };
            Entry { key: "k".into(), is_latest, is_marker, modified, version }
        };
        let other = Entry { key: "k2".into(), ..entry("O9") };
        let (objects, markers): (Vec<_>, Vec<_>) =
            entries.split(' ').map(entry).partition(|entry| !entry.is_marker);
        let entries = objects.into_iter().chain([other]).chain(markers).collect();
        of_key(Page { prefix: None, entries }, "k")
    }

    fn shown(versions: &[Version]) -> String {
        let shown = |version: &Version| match version {
            Version::Object { modified, .. } => format!("o{}", modified.as_millis() / 1000),
            Version::Marker(marker) => marker.id().to_lowercase(),
        };
        versions.iter().map(shown).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn g3_where_all_objects_are_told_before_all_markers_the_latest_comes_first() {
        assert_eq!(shown(&told("o1 o2 M3").unwrap()), "m3 o2 o1");
        assert_eq!(shown(&told("o1 m2 o3 M4").unwrap()), "m4 o3 m2 o1");
        // Time may stand still, as long as it is known what comes first.
        assert_eq!(shown(&told("o3 M3").unwrap()), "m3 o3");
        assert_eq!(shown(&told("O3 m3").unwrap()), "o3 m3");
        assert_eq!(told("o2 m2 M3"), Err(Oddity::Tie));
        assert_eq!(told("o1 m2"), Err(Oddity::Latest(0)));
        assert_eq!(told("O1 M2"), Err(Oddity::Latest(2)));
    }

    #[test]
    fn a_marker_whose_place_a_push_takes_is_never_told_of_nor_what_it_hides() {
        let suspended = ANSWER.replacen("<VersionId>m<", "<VersionId>null<", 1);
        assert_eq!(of_key(parse(suspended.as_bytes()).unwrap(), "a b").unwrap(), []);
    }

    #[test]
    fn a_marker_without_an_id_is_refused() {
        let nameless = ANSWER.replacen("<VersionId>m</VersionId>", "", 1);
        assert_eq!(parse(nameless.as_bytes()), Err(PageError::Missing("VersionId")));
    }
}
