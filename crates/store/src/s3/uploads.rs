//! Incomplete multipart uploads, listed page by page, and their parts; each answer believed only after it was checked.
//!
//! Source: Amazon S3 API, `ListMultipartUploads`: by key, those of one key by the time at which they were begun;
//! `ListParts`: by number.

use bytes::Bytes;
use monitor::RequestKind;
use registry::Timestamp;

use super::classify::{answered, unreadable};
use super::exchange::in_time;
use super::page::{Echo, refusal};
use super::page_error::PageError;
use super::request::{PAGE_LIMIT, subject, whole};
use super::text::{key as decoded, number, present, read, time, value};
use super::versioning::is_not_implemented;
use super::wire::Get;
use super::xml::{Reader, Step};
use super::{Bucket, percent};
use crate::{
    ErrorKind, MultipartPage, MultipartPlace, MultipartUpload, Operation, Parts, StoreError,
};

const LISTING: Operation = Operation::ListUploads;

/// The most parts of an answer.
const MOST_PARTS: &str = "1000";

/// Why an answer cannot be believed (G3).
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Oddity {
    #[error("the page is of bucket `{0}`")]
    OtherBucket(Box<str>),
    #[error("the page is of prefix `{0}`")]
    OtherPrefix(Box<str>),
    #[error("the page is of what comes after `{0}`")]
    OtherStart(Box<str>),
    #[error("{got} uploads came where at most {limit} were asked for")]
    TooMany { got: usize, limit: u16 },
    #[error("the page holds folders, which were not asked for")]
    Folders,
    #[error("the page says that there is more, and not how to go on")]
    NoMarker,
    #[error("the parts are of upload `{0}`")]
    OtherUpload(Box<str>),
    #[error("part {number} does not come after {after}")]
    PartOutOfOrder { after: u32, number: u32 },
    #[error("the answer says that there are more parts, and holds none")]
    NoParts,
}

/// What to list.
#[derive(Clone, Copy, Debug)]
struct Ask<'a> {
    within: &'a str,
    after: Option<&'a MultipartPlace>,
    limit: u16,
}

impl Ask<'_> {
    fn query(&self) -> String {
        let limit = self.limit.to_string();
        let mut pairs = vec![("encoding-type", "url"), ("max-uploads", &*limit), ("uploads", "")];
        if !self.within.is_empty() {
            pairs.push(("prefix", self.within));
        }
        if let Some(place) = self.after {
            pairs.extend([("key-marker", &*place.key), ("upload-id-marker", &*place.id)]);
        }
        percent::query(&pairs)
    }
}

/// One `ListMultipartUploads`; `None` where the server says that it knows no such thing.
pub(super) async fn page(
    bucket: &Bucket,
    within: &str,
    after: Option<&MultipartPlace>,
) -> Result<Option<MultipartPage>, StoreError> {
    let ask = Ask { within, after, limit: bucket.config.keys_per_page };
    let (subject, query) = (subject(bucket, within), ask.query());
    let get = listing(subject, "", &query);
    let read = async {
        let body = ask_for(bucket, get).await?;
        let page = Page::parse(&body).map_err(|error| unreadable(LISTING, subject, error))?;
        page.checked(&bucket.config.bucket, ask).map_err(|oddity| malformed(subject, oddity))
    };
    match in_time(&bucket.monitor, bucket.config.timeouts.read, get.asked(), read).await {
        Err(error) if is_not_known(&error) => Ok(None),
        page => page.map(Some),
    }
}

/// As many `ListParts` as there are pages; `None` where there is no such upload any more.
pub(super) async fn parts(
    bucket: &Bucket,
    key: &str,
    id: &str,
) -> Result<Option<Parts>, StoreError> {
    let (mut sum, mut after) = (Parts::default(), 0);
    loop {
        let marker = after.to_string();
        let pairs = [("max-parts", MOST_PARTS), ("part-number-marker", &marker), ("uploadId", id)];
        let query = percent::query(&pairs);
        let get = listing(key, key, &query);
        let read = async {
            let body = ask_for(bucket, get).await?;
            let page = PartsPage::parse(&body).map_err(|error| unreadable(LISTING, key, error))?;
            page.add_to(&mut sum, id, after).map_err(|oddity| malformed(key, oddity))
        };
        match in_time(&bucket.monitor, bucket.config.timeouts.read, get.asked(), read).await {
            Err(error) if is_no_upload(&error) => return Ok(None),
            // Who lists uploads has to list their parts.
            Err(error) if is_not_known(&error) => {
                return Err(StoreError { kind: ErrorKind::Malformed, ..error });
            }
            Ok(Some(last)) => after = last,
            Ok(None) => return Ok(Some(sum)),
            Err(error) => return Err(error),
        }
    }
}

/// Whether the server answers that it does not do such a thing, in whatever words: with 501, 405, or 400.
fn is_not_known(error: &StoreError) -> bool {
    is_not_implemented(error) || (error.kind == ErrorKind::Fatal && answered(error).is_some())
}

/// Whether the server says that the upload is completed or aborted.
pub(super) fn is_no_upload(error: &StoreError) -> bool {
    answered(error).is_some_and(|(_, code)| code == "NoSuchUpload")
}

const fn listing<'a>(subject: &'a str, key: &'a str, query: &'a str) -> Get<'a> {
    Get { operation: LISTING, subject, key, query, range: None, kind: RequestKind::List }
}

async fn ask_for(bucket: &Bucket, get: Get<'_>) -> Result<Bytes, StoreError> {
    whole(bucket.wire.get(get).await?, get, PAGE_LIMIT).await
}

fn malformed(subject: &str, oddity: Oddity) -> StoreError {
    StoreError::new(LISTING, subject, ErrorKind::Malformed).because(oddity)
}

/// A page as the server sent it, keys decoded.
#[derive(Debug, Default, PartialEq, Eq)]
struct Page {
    bucket: Option<Box<str>>,
    prefix: Option<Echo>,
    key_marker: Option<Echo>,
    id_marker: Option<Box<str>>,
    has_folders: bool,
    is_truncated: bool,
    next_key: Option<Box<str>>,
    next_id: Option<Box<str>>,
    uploads: Vec<MultipartUpload>,
}

/// The texts of a page as they were sent: how keys are encoded may be said only after them.
#[derive(Default)]
struct Draft<'a> {
    page: Page,
    is_encoded: bool,
    is_truncated: Option<&'a str>,
    prefix: Option<&'a str>,
    key_marker: Option<&'a str>,
    next_key: Option<&'a str>,
    uploads: Vec<UploadDraft<'a>>,
}

#[derive(Default)]
struct UploadDraft<'a> {
    key: Option<&'a str>,
    id: Option<Box<str>>,
    initiated: Option<&'a str>,
}

impl Page {
    fn parse(body: &[u8]) -> Result<Self, PageError> {
        let text = std::str::from_utf8(body).map_err(|_| PageError::NotUtf8)?;
        let (root, mut reader) = Reader::new(text)?;
        match root {
            "ListMultipartUploadsResult" => {}
            "Error" => return Err(refusal(&mut reader)?),
            _ => return Err(PageError::UnknownRoot(root.into())),
        }
        let mut draft = Draft::default();
        while let Step::Open(name) = reader.step()? {
            draft.take(name, &mut reader)?;
        }
        reader.finish()?;
        draft.finish()
    }

    /// Where the server says what it listed, it must be what was asked for; see the listing of keys.
    fn checked(self, bucket: &str, ask: Ask<'_>) -> Result<MultipartPage, Oddity> {
        self.check_echoes(bucket, ask)?;
        let got = self.uploads.len();
        if got > usize::from(ask.limit) {
            return Err(Oddity::TooMany { got, limit: ask.limit });
        }
        if self.has_folders {
            return Err(Oddity::Folders);
        }
        let some = |text: Option<Box<str>>| text.filter(|text| !text.is_empty());
        let next = match (self.is_truncated, some(self.next_key), some(self.next_id)) {
            (false, _, _) => None,
            (true, Some(key), Some(id)) => Some(MultipartPlace { key, id }),
            // Without the id other uploads of the same key would be passed over.
            (true, _, _) => return Err(Oddity::NoMarker),
        };
        Ok(MultipartPage { uploads: self.uploads, next })
    }

    fn check_echoes(&self, bucket: &str, ask: Ask<'_>) -> Result<(), Oddity> {
        let is_alias = bucket.starts_with("arn:") || bucket.ends_with("-s3alias");
        if let Some(name) = self.bucket.as_deref()
            && !is_alias
            && bucket.rsplit([':', '/']).next() != Some(name)
        {
            return Err(Oddity::OtherBucket(name.into()));
        }
        let differs = |echo: &&Echo, asked: &str| *echo.0 != *asked && *echo.1 != *asked;
        if let Some(echo) = self.prefix.as_ref().filter(|echo| differs(echo, ask.within)) {
            return Err(Oddity::OtherPrefix(echo.0.clone()));
        }
        let (key, id) = ask.after.map_or(("", ""), |place| (&place.key, &place.id));
        let start = self.key_marker.as_ref().filter(|echo| !echo.0.is_empty());
        if let Some(echo) = start.filter(|echo| differs(echo, key)) {
            return Err(Oddity::OtherStart(echo.0.clone()));
        }
        match self.id_marker.as_deref().filter(|echo| !echo.is_empty() && *echo != id) {
            Some(echo) => Err(Oddity::OtherStart(echo.into())),
            None => Ok(()),
        }
    }
}

impl<'a> Draft<'a> {
    fn take(&mut self, name: &str, reader: &mut Reader<'a>) -> Result<(), PageError> {
        match name {
            "Upload" => self.uploads.push(UploadDraft::read(reader)?),
            "Bucket" => self.page.bucket = Some(reader.text()?.into()),
            "Prefix" => self.prefix = Some(reader.raw_text()?),
            "KeyMarker" => self.key_marker = Some(reader.raw_text()?),
            "UploadIdMarker" => self.page.id_marker = Some(reader.text()?.into()),
            "NextKeyMarker" => self.next_key = Some(reader.raw_text()?),
            "NextUploadIdMarker" => self.page.next_id = Some(reader.text()?.into()),
            "EncodingType" => self.is_encoded = reader.text()? == "url",
            "IsTruncated" => self.is_truncated = Some(reader.raw_text()?),
            "CommonPrefixes" => {
                self.page.has_folders = true;
                reader.skip()?;
            }
            _ => reader.skip()?,
        }
        Ok(())
    }

    fn finish(self) -> Result<Page, PageError> {
        let is_encoded = self.is_encoded;
        let key = |raw: &str| decoded(raw, is_encoded).map(Box::<str>::from);
        let echo = |raw: Option<&str>| {
            raw.map(|raw| Ok::<_, PageError>((raw.into(), key(raw)?))).transpose()
        };
        let upload = |draft: UploadDraft<'_>| draft.finish(is_encoded);
        Ok(Page {
            prefix: echo(self.prefix)?,
            key_marker: echo(self.key_marker)?,
            next_key: self.next_key.map(key).transpose()?,
            is_truncated: truth(self.is_truncated)?,
            uploads: self.uploads.into_iter().map(upload).collect::<Result<_, _>>()?,
            ..self.page
        })
    }
}

impl<'a> UploadDraft<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, PageError> {
        let mut draft = Self::default();
        while let Step::Open(name) = reader.step()? {
            match name {
                "Key" => draft.key = Some(reader.raw_text()?),
                "UploadId" => draft.id = Some(reader.text()?.into()),
                "Initiated" => draft.initiated = Some(reader.raw_text()?),
                _ => reader.skip()?,
            }
        }
        Ok(draft)
    }

    fn finish(self, is_encoded: bool) -> Result<MultipartUpload, PageError> {
        let key = decoded(present(self.key, "Key")?, is_encoded)?.into();
        let id = self.id.filter(|id| !id.is_empty()).ok_or(PageError::Missing("UploadId"))?;
        let initiated = read(self.initiated, "Initiated", time)?;
        Ok(MultipartUpload { key, id, initiated })
    }
}

/// Some parts of an upload.
#[derive(Debug, Default, PartialEq, Eq)]
struct PartsPage {
    id: Option<Box<str>>,
    is_truncated: bool,
    parts: Vec<Part>,
}

#[derive(Debug, PartialEq, Eq)]
struct Part {
    number: u32,
    bytes: u64,
    modified: Timestamp,
}

impl PartsPage {
    fn parse(body: &[u8]) -> Result<Self, PageError> {
        let text = std::str::from_utf8(body).map_err(|_| PageError::NotUtf8)?;
        let (root, mut reader) = Reader::new(text)?;
        match root {
            "ListPartsResult" => {}
            "Error" => return Err(refusal(&mut reader)?),
            _ => return Err(PageError::UnknownRoot(root.into())),
        }
        let (mut page, mut is_truncated) = (Self::default(), None);
        while let Step::Open(name) = reader.step()? {
            match name {
                "UploadId" => page.id = Some(reader.text()?.into()),
                "IsTruncated" => is_truncated = Some(reader.raw_text()?),
                "Part" => page.parts.push(Part::read(&mut reader)?),
                _ => reader.skip()?,
            }
        }
        reader.finish()?;
        Ok(Self { is_truncated: truth(is_truncated)?, ..page })
    }

    /// Adds the parts, which come after number `after`; the number of the last where there are more.
    fn add_to(self, sum: &mut Parts, id: &str, mut after: u32) -> Result<Option<u32>, Oddity> {
        if let Some(other) = self.id.filter(|found| **found != *id) {
            return Err(Oddity::OtherUpload(other));
        }
        if self.is_truncated && self.parts.is_empty() {
            return Err(Oddity::NoParts);
        }
        for Part { number, bytes, modified } in self.parts {
            if number <= after {
                return Err(Oddity::PartOutOfOrder { after, number });
            }
            after = number;
            sum.count += 1;
            sum.bytes = sum.bytes.saturating_add(bytes);
            sum.newest = sum.newest.max(Some(modified));
        }
        Ok(self.is_truncated.then_some(after))
    }
}

impl Part {
    fn read(reader: &mut Reader<'_>) -> Result<Self, PageError> {
        let (mut at, mut size, mut modified) = (None, None, None);
        while let Step::Open(name) = reader.step()? {
            match name {
                "PartNumber" => at = Some(reader.raw_text()?),
                "Size" => size = Some(reader.raw_text()?),
                "LastModified" => modified = Some(reader.raw_text()?),
                _ => reader.skip()?,
            }
        }
        Ok(Self {
            number: number("PartNumber", present(at, "PartNumber")?)?,
            bytes: number("Size", present(size, "Size")?)?,
            modified: read(modified, "LastModified", time)?,
        })
    }
}

/// Whether there is more, which has to be said (G3).
fn truth(raw: Option<&str>) -> Result<bool, PageError> {
    match present(raw, "IsTruncated")? {
        "true" => Ok(true),
        "false" => Ok(false),
        other => Err(value("IsTruncated", other)),
    }
}

#[cfg(test)]
mod tests;
