//! `ListObjectsV2`.

use std::borrow::Cow;

use super::page::{Entry, Page, Position, Query};
use crate::clock::iso;
use crate::faults::Struck;
use crate::objects::{Object, Objects};
use crate::percent::{Style, encode};
use crate::reply::Reply;
use crate::request::Ask;
use crate::xml::Document;
use crate::{Fault, S3Error};

pub(super) fn list(objects: &Objects, ask: &Ask, struck: &Struck) -> Result<Reply, S3Error> {
    let query = Query::of(ask)?;
    let (asked, pages_before) = query.position()?;
    let ignored = if query.token.is_some() { Fault::IgnoreToken } else { Fault::IgnoreStartAfter };
    let start = if struck.has(&ignored) { Position::Beginning } else { asked.clone() };
    let mut page = Page::read(objects, &query, start, limit(&query, struck));
    if struck.has(&Fault::EmptyPage) || struck.has(&Fault::StuckPage) {
        page = Page { entries: Vec::new(), is_truncated: true, end: asked };
    }
    spoil(&mut page, objects, &query, struck);
    let keys = page.entries.len();
    let writing = Writing { query: &query, struck, pages_before };
    Ok(Reply { keys, ..Reply::xml(200, writing.document(&page)) })
}

fn limit(query: &Query<'_>, struck: &Struck) -> usize {
    let short = struck.find(|fault| match fault {
        Fault::ShortPage(limit) => Some(*limit),
        _ => None,
    });
    short.unwrap_or(usize::MAX).min(query.max_keys)
}

/// Breaks the promises of a page.
fn spoil<'o>(page: &mut Page<'o>, objects: &'o Objects, query: &Query<'_>, struck: &Struck) {
    if struck.has(&Fault::InclusiveStartAfter)
        && let Some((key, object)) =
            query.start_after.and_then(|key| Some((key, objects.get(key)?)))
    {
        page.entries.insert(0, Entry::Object(key.to_owned().into(), object));
    }
    if struck.has(&Fault::Unordered) && !page.entries.is_empty() {
        let last = page.entries.len() - 1;
        page.entries.swap(0, last);
    }
    if struck.has(&Fault::Repeated)
        && let Some(last) = page.entries.last().cloned()
    {
        page.entries.push(last);
    }
    if struck.has(&Fault::OutsidePrefix)
        && let Some(Entry::Object(key, _)) = page.entries.first_mut()
    {
        *key = format!("\u{1}{key}").into();
    }
}

/// Writes a page down.
struct Writing<'a> {
    query: &'a Query<'a>,
    struck: &'a Struck,
    pages_before: usize,
}

impl Writing<'_> {
    fn document(&self, page: &Page<'_>) -> String {
        let mut document = Document::new("ListBucketResult");
        document.leaf("Name", self.query.bucket);
        self.echoes(&mut document);
        self.counts(&mut document, page);
        for (place, entry) in page.entries.iter().enumerate() {
            match entry {
                Entry::Object(key, object) => self.object(&mut document, key, object, place),
                Entry::Folder(folder) => {
                    document.group("CommonPrefixes", &[("Prefix", self.encoded(folder))]);
                }
            }
        }
        document.finish()
    }

    fn echoes(&self, document: &mut Document) {
        let Query { prefix, delimiter, start_after, token, is_url, .. } = *self.query;
        let spoilt = |fault, text| if self.struck.has(&fault) { "another/" } else { text };
        document.leaf("Prefix", &self.encoded(spoilt(Fault::WrongPrefixEcho, prefix)));
        if let Some(key) = start_after {
            let key = spoilt(Fault::WrongStartAfterEcho, key);
            document.leaf("StartAfter", &self.encoded(key));
        }
        if let Some(delimiter) = delimiter {
            document.leaf("Delimiter", &self.encoded(delimiter));
        }
        if let Some(token) = token {
            document.leaf("ContinuationToken", token);
        }
        if is_url && !self.struck.has(&Fault::IgnoreEncoding) {
            document.leaf("EncodingType", "url");
        }
    }

    fn counts(&self, document: &mut Document, page: &Page<'_>) {
        let surplus = usize::from(self.struck.has(&Fault::WrongKeyCount));
        document.leaf("MaxKeys", &self.query.max_keys.to_string());
        document.leaf("KeyCount", &(page.entries.len() + surplus).to_string());
        if self.struck.has(&Fault::OddIsTruncated) {
            document.leaf("IsTruncated", "perhaps");
        } else if !self.struck.has(&Fault::NoIsTruncated) {
            document.leaf("IsTruncated", if page.is_truncated { "true" } else { "false" });
        }
        if page.is_truncated && !self.struck.has(&Fault::NoToken) {
            document.leaf("NextContinuationToken", &self.token(page));
        }
    }

    fn token(&self, page: &Page<'_>) -> String {
        let sent = self.query.token;
        if self.struck.has(&Fault::StuckPage) {
            return sent.map_or_else(|| page.end.token(0), str::to_owned);
        }
        // Empty pages do not move on, yet their tokens differ.
        page.end.token(self.pages_before + 1)
    }

    fn object(&self, document: &mut Document, key: &str, object: &Object, place: usize) {
        let mut key = self.encoded(key);
        if place == 0 && self.struck.has(&Fault::BrokenEscape) {
            key.to_mut().push('%');
        }
        let mut leaves = vec![("Key", key)];
        let mut add = |name, missing, odd, text: String| match () {
            () if self.struck.has(&missing) => {}
            () if self.struck.has(&odd) => leaves.push((name, "soon".into())),
            () => leaves.push((name, text.into())),
        };
        add("LastModified", Fault::NoTimes, Fault::OddTimes, iso(object.modified));
        add("Size", Fault::NoSizes, Fault::OddSizes, object.content.len().to_string());
        add("ETag", Fault::NoEtags, Fault::NoEtags, format!("\"{}\"", object.etag));
        leaves.push(("StorageClass", "STANDARD".into()));
        document.group("Contents", &leaves);
    }

    fn encoded<'k>(&self, key: &'k str) -> Cow<'k, str> {
        let has = |fault| self.struck.has(&fault);
        if !self.query.is_url || has(Fault::IgnoreEncoding) || has(Fault::EchoEncodingOnly) {
            return key.into();
        }
        let style = match () {
            () if has(Fault::PercentSlashes) => Style::Slashes,
            () if has(Fault::PercentSpaces) => Style::Percent,
            () => Style::Form,
        };
        encode(key, style).into()
    }
}
