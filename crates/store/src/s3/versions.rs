//! What a bucket keeps of one key: its object, older versions, delete markers.

use monitor::Counter;
use registry::Timestamp;

use super::classify::unreadable;
use super::page::{PageError, refusal};
use super::request::{self, whole};
use super::text::{key as decoded, present, read, time};
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
    let (operation, counter) = (Operation::Look, Counter::ListRequests);
    let get = Get { operation, subject: key, key: "", query: &query, counter };
    request::in_time(bucket.config.timeouts.read, operation, key, async {
        let body = whole(bucket.wire.get(get).await?, get, request::PAGE_LIMIT).await?;
        let page = parse(&body).map_err(|error| unreadable(operation, key, error))?;
        of_key(page, key).map_err(|found| {
            let said = format!("the answer is of prefix `{found}`");
            StoreError::new(operation, key, ErrorKind::Malformed).because(said)
        })
    })
    .await
}

/// A page of versions as the server sent it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Page {
    prefix: Option<String>,
    /// `None` is a delete marker that cannot be removed.
    entries: Vec<(String, Option<Version>)>,
}

/// The entries of `key`; the other prefix where the server listed one.
fn of_key(page: Page, key: &str) -> Result<Vec<Version>, String> {
    match page.prefix {
        Some(prefix) if prefix != key => Err(prefix),
        _ => Ok(page
            .entries
            .into_iter()
            .take_while(|(found, _)| found == key)
            .map_while(|(_, version)| version)
            .collect()),
    }
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
                "LastModified" => draft.modified = Some(reader.raw_text()?),
                "Size" => draft.size = Some(reader.raw_text()?),
                _ => reader.skip()?,
            }
        }
        Ok(draft)
    }

    fn finish(self, is_encoded: bool) -> Result<(String, Option<Version>), PageError> {
        let key = decoded(present(self.key, "Key")?, is_encoded)?.into_owned();
        let modified: Timestamp = read(self.modified, "LastModified", time)?;
        if !self.is_marker {
            let size = read(self.size, "Size", |text| text.parse().ok())?;
            return Ok((key, Some(Version::Object { size, modified })));
        }
        let id = self.id.filter(|id| !id.is_empty()).ok_or(PageError::Missing("VersionId"))?;
        let marker = Marker::new(&key, &id, modified).map(Version::Marker);
        Ok((key, marker))
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
        assert_eq!(of_key(parse(ANSWER.as_bytes()).unwrap(), "a"), Err("a b".to_owned()));
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
