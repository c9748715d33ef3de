//! `ListObjectsV2`.

use std::borrow::Cow;

use super::fast;
use super::page::{Entry, Extent, Facts, Page, Position, Query};
use crate::clock::iso;
use crate::faults::Struck;
use crate::objects::Objects;
use crate::percent::{Style, encode};
use crate::reply::Reply;
use crate::request::Ask;
use crate::xml::Document;
use crate::{Fault, S3Error};

pub(super) fn list(objects: &Objects, ask: &Ask, struck: &Struck) -> Result<Reply, S3Error> {
    let query = Query::of(ask)?;
    let (asked, pages_before) = query.position()?;
    let ignored = if query.token.is_some() { Fault::IgnoreToken } else { Fault::IgnoreStartAfter };
    let writing = Writing { query: &query, struck, pages_before };
    if struck.is_nothing() && query.delimiter.is_none() {
        let (extent, document) = fast::page(objects, &query, &asked, |extent| writing.head(extent));
        return Ok(Reply { keys: extent.keys, ..Reply::xml(200, document) });
    }
    let start = if struck.has(&ignored) { Position::Beginning } else { asked.clone() };
    let mut page = Page::read(objects, &query, start, limit(&query, struck));
    if struck.has(&Fault::EmptyPage) || struck.has(&Fault::StuckPage) {
        page = Page { entries: Vec::new(), is_truncated: true, end: asked };
    }
    spoil(&mut page, objects, &query, struck);
    let keys = page.entries.len();
    Ok(Reply { keys, ..Reply::xml(200, writing.document(page)) })
}

fn limit(query: &Query<'_>, struck: &Struck) -> usize {
    let short = struck.find(|fault| match fault {
        Fault::ShortPage(limit) => Some(*limit),
        _ => None,
    });
    short.unwrap_or(usize::MAX).min(query.max_keys)
}

/// Breaks the promises of a page.
fn spoil(page: &mut Page, objects: &Objects, query: &Query<'_>, struck: &Struck) {
    if struck.has(&Fault::InclusiveStartAfter)
        && let Some((key, object)) =
            query.start_after.and_then(|key| Some((key, objects.get(key)?)))
    {
        let (etag, modified) = (object.etag.clone(), object.modified);
        let facts = Facts { size: object.content.len(), etag, modified, class: object.class };
        page.entries.insert(0, Entry::Object(key.to_owned(), facts));
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
        key.insert(0, '\u{1}');
    }
}

/// Writes a page down.
struct Writing<'a> {
    query: &'a Query<'a>,
    struck: &'a Struck,
    pages_before: usize,
}

impl Writing<'_> {
    fn document(&self, page: Page) -> String {
        let Page { entries, is_truncated, end } = page;
        let mut document = self.head(&Extent { keys: entries.len(), is_truncated, end });
        for (place, entry) in entries.iter().enumerate() {
            match entry {
                Entry::Object(key, facts) => self.object(&mut document, key, facts, place),
                Entry::Folder(folder) => {
                    document.group("CommonPrefixes", &[("Prefix", self.encoded(folder))]);
                }
            }
        }
        document.finish()
    }

    /// All that comes before the entries.
    fn head(&self, extent: &Extent) -> Document {
        let mut document = Document::new("ListBucketResult");
        document.leaf("Name", self.query.bucket);
        self.echoes(&mut document);
        self.counts(&mut document, extent);
        document
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

    fn counts(&self, document: &mut Document, extent: &Extent) {
        let surplus = usize::from(self.struck.has(&Fault::WrongKeyCount));
        document.leaf("MaxKeys", &self.query.max_keys.to_string());
        document.leaf("KeyCount", &(extent.keys + surplus).to_string());
        if self.struck.has(&Fault::OddIsTruncated) {
            document.leaf("IsTruncated", "perhaps");
        } else if !self.struck.has(&Fault::NoIsTruncated) {
            document.leaf("IsTruncated", if extent.is_truncated { "true" } else { "false" });
        }
        if extent.is_truncated && !self.struck.has(&Fault::NoToken) {
            document.leaf("NextContinuationToken", &self.token(&extent.end));
        }
    }

    fn token(&self, end: &Position) -> String {
        let sent = self.query.token;
        if self.struck.has(&Fault::StuckPage) {
            return sent.map_or_else(|| end.token(0), str::to_owned);
        }
        // Empty pages do not move on, yet their tokens differ.
        end.token(self.pages_before + 1)
    }

    fn object(&self, document: &mut Document, key: &str, facts: &Facts, place: usize) {
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
        add("LastModified", Fault::NoTimes, Fault::OddTimes, iso(facts.modified));
        add("ETag", Fault::NoEtags, Fault::NoEtags, format!("\"{}\"", facts.etag));
        add("Size", Fault::NoSizes, Fault::OddSizes, facts.size.to_string());
        leaves.push(("StorageClass", facts.class.name().into()));
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use registry::Timestamp;

    use super::*;
    use crate::faults::Injector;
    use crate::object::Object;
    use crate::procedural::Procedural;
    use crate::storage_class::StorageClass;
    use crate::{Kind, Shape};

    /// A bucket of odd keys, and of computed ones between them.
    fn objects(keys: &BTreeSet<String>) -> Objects {
        let shape = Shape { blobs: 8, repositories: 1, images: 2, layers: 2, seed: 0 };
        let computed = Procedural::new(shape, Timestamp::from_seconds(1_787_000_000));
        let mut objects = Objects::new(Some(computed), false);
        for (n, key) in (0_i64..).zip(keys) {
            let modified = Timestamp::from_millis(n * 86_412_345_678);
            let etag = format!("{key}<");
            let content = crate::object::Content::Zeros(n.unsigned_abs().pow(9));
            let class = StorageClass::named((n % 2 == 0).then_some("STANDARD_IA")).unwrap();
            objects.put(key.clone(), Object { content, etag, modified, class });
        }
        objects
    }

    proptest! {
        #[test]
        fn the_fast_way_writes_what_the_slow_way_writes(
            keys in prop::collection::btree_set("[a-f/\u{1}\u{10ffff}% &*]{1,5}", 0..20),
            prefix in "[d]?",
            after in prop::option::of("[a-f/]{0,3}"),
            max_keys in 0..40_usize,
            is_url in any::<bool>(),
        ) {
            let objects = objects(&keys);
            let struck = Injector::default().next(Kind::List, "");
            let query = Query {
                bucket: "b", prefix: &prefix, delimiter: None, start_after: after.as_deref(), token: None, max_keys, is_url,
            };
            let writing = Writing { query: &query, struck: &struck, pages_before: 0 };
            let start = query.position().unwrap().0;
            let (extent, fast) = fast::page(&objects, &query, &start, |extent| writing.head(extent));
            let page = Page::read(&objects, &query, start, max_keys);
            prop_assert_eq!(extent.keys, page.entries.len());
            prop_assert_eq!(std::str::from_utf8(&fast).unwrap(), writing.document(page));
        }
    }
}
