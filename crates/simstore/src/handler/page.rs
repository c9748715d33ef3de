//! One page of a listing: which entries, and where it goes on.

use std::ops::Bound;

use registry::Timestamp;

use crate::S3Error;
use crate::objects::{Listed, Objects, Walk, after_all};
use crate::percent::{Style, decode_path, encode};
use crate::request::Ask;
use crate::storage_class::StorageClass;

/// The most entries of a page.
const PAGE_LIMIT: usize = 1000;

/// Where a page starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Position {
    /// Before everything.
    Beginning,
    /// After this key.
    After(String),
    /// After all keys that start so: a folder that has been listed.
    AfterAll(String),
}

impl Position {
    /// The token that leads here; with another salt it is another token.
    pub(super) fn token(&self, salt: usize) -> String {
        let (sort, text) = match self {
            Self::Beginning => ('b', ""),
            Self::After(key) => ('k', key.as_str()),
            Self::AfterAll(folder) => ('f', folder.as_str()),
        };
        format!("{sort}{salt}:{}", encode(text, Style::Slashes))
    }

    /// Where the objects below a prefix begin that are left to list; `None` where there can be none.
    fn bound(&self, prefix: &str) -> Option<Bound<String>> {
        match self {
            Self::Beginning => Some(Bound::Included(prefix.to_owned())),
            Self::After(key) if key.as_str() < prefix => Some(Bound::Included(prefix.to_owned())),
            Self::After(key) => Some(Bound::Excluded(key.clone())),
            Self::AfterAll(folder) => after_all(folder).map(Bound::Included),
        }
    }

    /// The position, and the salt of its token.
    fn of_token(token: &str) -> Option<(Self, usize)> {
        let (head, text) = token.split_once(':')?;
        let text = decode_path(text)?;
        let (sort, salt) = head.split_at_checked(1)?;
        let position = match sort {
            "b" => Self::Beginning,
            "k" => Self::After(text),
            "f" => Self::AfterAll(text),
            _ => return None,
        };
        Some((position, salt.parse().ok()?))
    }
}

/// What a listing asks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Query<'a> {
    pub(super) bucket: &'a str,
    pub(super) prefix: &'a str,
    pub(super) delimiter: Option<&'a str>,
    pub(super) start_after: Option<&'a str>,
    pub(super) token: Option<&'a str>,
    pub(super) max_keys: usize,
    pub(super) is_url: bool,
}

impl<'a> Query<'a> {
    pub(super) fn of(ask: &'a Ask) -> Result<Self, S3Error> {
        Ok(Self {
            bucket: &ask.bucket,
            prefix: ask.query("prefix").unwrap_or_default(),
            delimiter: ask.query("delimiter").filter(|delimiter| !delimiter.is_empty()),
            start_after: ask.query("start-after"),
            token: ask.query("continuation-token"),
            max_keys: ask.limit("max-keys", PAGE_LIMIT)?,
            is_url: ask.is_url_encoding_asked()?,
        })
    }

    /// Where the page starts: at the token, where there is one, otherwise after `start-after`. With it the number of
    /// pages before it.
    pub(super) fn position(&self) -> Result<(Position, usize), S3Error> {
        match (self.token, self.start_after) {
            (Some(token), _) => Position::of_token(token).ok_or(S3Error::INVALID_ARGUMENT),
            (None, Some(key)) => Ok((Position::After(key.to_owned()), 0)),
            (None, None) => Ok((Position::Beginning, 0)),
        }
    }

    /// The folder in which `key` is hidden, where there is a delimiter.
    fn folder_of<'k>(&self, key: &'k str) -> Option<&'k str> {
        let delimiter = self.delimiter?;
        let found = key[self.prefix.len()..].find(delimiter)?;
        Some(&key[..self.prefix.len() + found + delimiter.len()])
    }
}

/// What a page tells of an object beside its key.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub(super) size: u64,
    pub(super) etag: String,
    pub(super) modified: Timestamp,
    pub(super) class: StorageClass,
}

impl Facts {
    pub(super) fn of(listed: &Listed<'_>) -> Self {
        let etag = text(listed.etag);
        Self { size: listed.size, etag, modified: listed.modified, class: listed.class }
    }
}

/// An entry of a page.
#[derive(Clone, Debug)]
pub(super) enum Entry {
    Object(String, Facts),
    Folder(String),
}

/// The first key that may be on the page that was asked for.
pub(super) fn first_key(ask: &Ask) -> Result<String, S3Error> {
    let query = Query::of(ask)?;
    Ok(match query.position()?.0 {
        Position::After(key) | Position::AfterAll(key) if key.as_str() > query.prefix => key,
        _ => query.prefix.to_owned(),
    })
}

/// How far a page goes.
#[derive(Debug)]
pub(super) struct Extent {
    /// Keys and folders.
    pub(super) keys: usize,
    pub(super) is_truncated: bool,
    /// Where the next page starts.
    pub(super) end: Position,
}

/// A page, before it is written down.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) entries: Vec<Entry>,
    pub(super) is_truncated: bool,
    /// Where the next page starts.
    pub(super) end: Position,
}

impl Page {
    /// Reads the page of at most `limit` entries that starts at `start`.
    pub(super) fn read(
        objects: &Objects,
        query: &Query<'_>,
        start: Position,
        limit: usize,
    ) -> Self {
        let mut page = Self { entries: Vec::new(), is_truncated: false, end: start };
        let mut left = rest(objects, query.prefix, &page.end);
        while page.entries.len() < limit {
            let Some(walk) = &mut left else { return page };
            let Some(listed) = walk.peek() else { return page };
            let key = text(listed.key);
            if let Some(folder) = query.folder_of(&key) {
                page.entries.push(Entry::Folder(folder.to_owned()));
                page.end = Position::AfterAll(folder.to_owned());
                left = rest(objects, query.prefix, &page.end);
            } else {
                page.entries.push(Entry::Object(key.clone(), Facts::of(&listed)));
                page.end = Position::After(key);
                walk.advance();
            }
        }
        page.is_truncated = limit > 0 && left.is_some_and(|mut walk| walk.peek().is_some());
        page
    }
}

/// Keys and entity tags are text where they come from.
pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The objects below a prefix that are left to list; `None` where there can be none.
pub(super) fn rest<'o>(
    objects: &'o Objects,
    prefix: &'o str,
    position: &Position,
) -> Option<Walk<'o>> {
    let start = position.bound(prefix)?;
    Some(objects.walk(prefix, start.as_ref().map(String::as_str)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;
    use crate::object::Object;

    /// What a listing ought to give: keys and folders below a prefix, after a key, once each, in order.
    fn expected(keys: &BTreeSet<String>, prefix: &str, after: &str, folds: bool) -> Vec<String> {
        let mut names: Vec<String> = keys
            .iter()
            .filter(|key| key.starts_with(prefix) && key.as_str() > after)
            .map(|key| match key[prefix.len()..].find('/') {
                Some(slash) if folds => key[..=prefix.len() + slash].to_owned(),
                _ => key.clone(),
            })
            .collect();
        names.dedup();
        names
    }

    fn objects(keys: &BTreeSet<String>) -> Objects {
        let mut objects = Objects::default();
        for key in keys {
            objects.put(key.clone(), Object::new(Bytes::new(), Timestamp::default()));
        }
        objects
    }

    fn walk(objects: &Objects, query: &Query<'_>, limit: usize) -> Vec<String> {
        let mut names = Vec::new();
        let mut position = query.position().unwrap().0;
        loop {
            let page = Page::read(objects, query, position, limit);
            names.extend(page.entries.iter().map(|entry| match entry {
                Entry::Object(key, _) => key.clone(),
                Entry::Folder(folder) => folder.clone(),
            }));
            if !page.is_truncated {
                return names;
            }
            // By way of the token, as a client goes on.
            position = Position::of_token(&page.end.token(3)).unwrap().0;
        }
    }

    proptest! {
        #[test]
        fn pages_of_any_size_put_together_are_the_naive_listing(
            keys in prop::collection::btree_set("[ab/\u{10ffff}%]{1,5}", 0..40),
            prefix in "[ab/]{0,2}",
            after in "[ab/]{0,3}",
            folds in any::<bool>(),
            limit in 1..6_usize,
        ) {
            let query = Query {
                bucket: "",
                prefix: &prefix,
                delimiter: folds.then_some("/"),
                start_after: Some(&after),
                token: None,
                max_keys: limit,
                is_url: false,
            };
            let found = walk(&objects(&keys), &query, limit);
            prop_assert_eq!(found, expected(&keys, &prefix, &after, folds));
        }
    }
}
