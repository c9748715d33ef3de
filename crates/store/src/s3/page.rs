//! One page of a listing, read from the server's answer.

use std::borrow::Cow;
use std::ops::Range;

use registry::Timestamp;

use super::config::S3Config;
use super::page_error::PageError;
use super::text::{decoded, etag, key, number, present, read, time, value};
use super::xml::{Reader, Step, XmlError};
use crate::key::PageText;
use crate::{Key, Object};

/// What the server says it was asked: as sent, and decoded.
pub(super) type Echo = (Box<str>, Box<str>);

/// A page as the server sent it, keys decoded; whether it may be believed is for the caller to check.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    /// The bucket that the server says it listed.
    pub(super) name: Option<Box<str>>,
    /// The prefix that the server says it listed.
    pub(super) prefix: Option<Echo>,
    /// The key after which the server says it listed.
    pub(super) start_after: Option<Echo>,
    pub(super) is_truncated: bool,
    pub(super) next_token: Option<Box<str>>,
    /// How many keys and folders the server says it sent.
    pub(super) key_count: Option<usize>,
    pub(super) objects: Vec<Object>,
    pub(super) folders: Vec<String>,
}

#[derive(Default)]
struct Draft<'a> {
    name: Option<Cow<'a, str>>,
    prefix: Option<Cow<'a, str>>,
    start_after: Option<Cow<'a, str>>,
    is_truncated: Option<Cow<'a, str>>,
    next_token: Option<Cow<'a, str>>,
    encoding: Option<Cow<'a, str>>,
    key_count: Option<Cow<'a, str>>,
    contents: Vec<Contents<'a>>,
    folders: Vec<Cow<'a, str>>,
}

/// An entry, its texts as they were sent: how keys are encoded may be said only after them.
#[derive(Default)]
struct Contents<'a> {
    key: Option<&'a str>,
    size: Option<&'a str>,
    modified: Option<&'a str>,
    etag: Option<&'a str>,
}

impl Page {
    /// Reads an answer to `ListObjectsV2`.
    pub(super) fn parse(body: &[u8]) -> Result<Self, PageError> {
        let text = std::str::from_utf8(body).map_err(|_| PageError::NotUtf8)?;
        let (root, mut reader) = Reader::new(text)?;
        match root {
            "ListBucketResult" => {}
            "Error" => return Err(refusal(&mut reader)?),
            _ => return Err(PageError::UnknownRoot(root.into())),
        }
        let contents = Vec::with_capacity(S3Config::MOST_KEYS_PER_PAGE.into());
        let mut draft = Draft { contents, ..Draft::default() };
        while let Step::Open(name) = reader.step()? {
            draft.take(name, &mut reader)?;
        }
        reader.finish()?;
        draft.finish()
    }
}

/// How many keys a page has, and `None` where it is none; for benches.
#[cfg(feature = "benches")]
#[must_use]
pub fn keys_of_page(body: &[u8]) -> Option<usize> {
    Page::parse(body).ok().map(|page| std::hint::black_box(page).objects.len())
}

/// Code and message of an error document.
pub(super) fn error_document(body: &[u8]) -> Result<(Box<str>, Box<str>), PageError> {
    let text = std::str::from_utf8(body).map_err(|_| PageError::NotUtf8)?;
    let (root, mut reader) = Reader::new(text)?;
    if root != "Error" {
        return Err(PageError::UnknownRoot(root.into()));
    }
    let said = code_and_message(&mut reader)?;
    reader.finish()?;
    Ok(said)
}

/// Reads what follows `<Error>`; a server that finds trouble after it sent its status can say so only there.
pub(super) fn refusal(reader: &mut Reader<'_>) -> Result<PageError, XmlError> {
    let (code, message) = code_and_message(reader)?;
    Ok(PageError::Refused { code, message })
}

fn code_and_message(reader: &mut Reader<'_>) -> Result<(Box<str>, Box<str>), XmlError> {
    let (mut code, mut message) = (Cow::Borrowed(""), Cow::Borrowed(""));
    while let Step::Open(name) = reader.step()? {
        match name {
            "Code" => code = reader.text()?,
            "Message" => message = reader.text()?,
            _ => reader.skip()?,
        }
    }
    Ok((code.into(), message.into()))
}

fn once<T>(slot: &mut Option<T>, name: &'static str, text: T) -> Result<(), PageError> {
    match slot.replace(text) {
        None => Ok(()),
        Some(_) => Err(PageError::Twice(name)),
    }
}

impl<'a> Draft<'a> {
    fn take(&mut self, name: &str, reader: &mut Reader<'a>) -> Result<(), PageError> {
        match name {
            "Contents" => self.contents.push(Contents::read(reader)?),
            "CommonPrefixes" => self.folders.push(folder(reader)?),
            "Name" => once(&mut self.name, "Name", reader.text()?)?,
            "Prefix" => once(&mut self.prefix, "Prefix", reader.text()?)?,
            "StartAfter" => once(&mut self.start_after, "StartAfter", reader.text()?)?,
            "IsTruncated" => once(&mut self.is_truncated, "IsTruncated", reader.text()?)?,
            "NextContinuationToken" => {
                once(&mut self.next_token, "NextContinuationToken", reader.text()?)?;
            }
            "EncodingType" => once(&mut self.encoding, "EncodingType", reader.text()?)?,
            "KeyCount" => once(&mut self.key_count, "KeyCount", reader.text()?)?,
            _ => reader.skip()?,
        }
        Ok(())
    }

    fn finish(self) -> Result<Page, PageError> {
        let is_encoded = match self.encoding.as_deref() {
            None | Some("") => false,
            Some("url") => true,
            Some(other) => return Err(value("EncodingType", other)),
        };
        let truncated = self.is_truncated.ok_or(PageError::Missing("IsTruncated"))?;
        let is_truncated = match &*truncated {
            "true" => true,
            "false" => false,
            other => return Err(value("IsTruncated", other)),
        };
        Ok(Page {
            name: self.name.map(Into::into),
            prefix: echo(self.prefix, is_encoded)?,
            start_after: echo(self.start_after, is_encoded)?,
            is_truncated,
            next_token: self.next_token.filter(|token| !token.is_empty()).map(Into::into),
            key_count: self.key_count.map(|text| number("KeyCount", &text)).transpose()?,
            objects: objects(self.contents, is_encoded)?,
            folders: self
                .folders
                .into_iter()
                .map(|sent| decoded(sent, is_encoded).map(String::from))
                .collect::<Result<_, _>>()?,
        })
    }
}

fn echo(sent: Option<Cow<'_, str>>, is_encoded: bool) -> Result<Option<Echo>, PageError> {
    let Some(sent) = sent else { return Ok(None) };
    Ok(Some((sent.clone().into(), decoded(sent, is_encoded)?)))
}

fn folder<'a>(reader: &mut Reader<'a>) -> Result<Cow<'a, str>, PageError> {
    let mut prefix = None;
    while let Step::Open(name) = reader.step()? {
        match name {
            "Prefix" => once(&mut prefix, "CommonPrefixes/Prefix", reader.text()?)?,
            _ => reader.skip()?,
        }
    }
    prefix.ok_or(PageError::Missing("CommonPrefixes/Prefix"))
}

impl<'a> Contents<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, PageError> {
        let mut entry = Self::default();
        loop {
            if let Some((name, raw)) = reader.leaf() {
                if let Some((slot, name)) = entry.slot(name) {
                    once(slot, name, raw)?;
                }
                continue;
            }
            match reader.step()? {
                Step::Close => return Ok(entry),
                Step::Open(name) => match entry.slot(name) {
                    Some((slot, name)) => once(slot, name, reader.raw_text()?)?,
                    None => reader.skip()?,
                },
            }
        }
    }

    /// Where the text of an element belongs, and its full name; `None` for elements that nobody reads.
    fn slot(&mut self, name: &str) -> Option<(&mut Option<&'a str>, &'static str)> {
        match name {
            "Key" => Some((&mut self.key, "Contents/Key")),
            "Size" => Some((&mut self.size, "Contents/Size")),
            "LastModified" => Some((&mut self.modified, "Contents/LastModified")),
            "ETag" => Some((&mut self.etag, "Contents/ETag")),
            _ => None,
        }
    }

    /// So much text, at most, is left of it: decoding makes nothing longer.
    fn text_length(&self) -> usize {
        self.key.map_or(0, str::len) + self.etag.map_or(0, str::len)
    }

    fn finish(self, is_encoded: bool, text: &mut PageText) -> Result<Described, PageError> {
        Ok(Described {
            size: read(self.size, "Contents/Size", |text| text.parse().ok())?,
            modified: read(self.modified, "Contents/LastModified", time)?,
            key: text.push(&key(present(self.key, "Contents/Key")?, is_encoded)?),
            etag: self.etag.map(etag).transpose()?.map(|etag| text.push(&etag)),
        })
    }
}

/// An object whose texts stand in the text of the page.
struct Described {
    key: Range<usize>,
    size: u64,
    modified: Timestamp,
    etag: Option<Range<usize>>,
}

fn objects(contents: Vec<Contents<'_>>, is_encoded: bool) -> Result<Vec<Object>, PageError> {
    let mut text = PageText::with_capacity(contents.iter().map(Contents::text_length).sum());
    let described = contents.into_iter().map(|entry| entry.finish(is_encoded, &mut text));
    let described = described.collect::<Result<Vec<_>, _>>()?;
    let page = text.into_page();
    let object = |Described { key, size, modified, etag }: Described| Object {
        key: Key::new(&page, key),
        size,
        modified,
        etag: etag.map(|etag| Key::new(&page, etag)),
    };
    Ok(described.into_iter().map(object).collect())
}

#[cfg(test)]
mod tests;
