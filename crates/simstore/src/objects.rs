//! What the bucket holds.

use std::collections::BTreeMap;
use std::ops::Bound;

use bytes::Bytes;
use registry::Timestamp;

use crate::checksum::md5_hex;

/// An object.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) content: Bytes,
    /// Without quotes.
    pub(crate) etag: String,
    pub(crate) modified: Timestamp,
}

impl Object {
    /// An object that was put whole: its entity tag is the MD5 of its content.
    pub(crate) fn new(content: Bytes, modified: Timestamp) -> Self {
        Self { etag: md5_hex(&content), content, modified }
    }
}

/// Objects in the byte order of their keys.
#[derive(Debug, Default)]
pub(crate) struct Objects(BTreeMap<String, Object>);

impl Objects {
    pub(crate) fn get(&self, key: &str) -> Option<&Object> {
        self.0.get(key)
    }

    pub(crate) fn put(&mut self, key: String, object: Object) {
        self.0.insert(key, object);
    }

    pub(crate) fn remove(&mut self, key: &str) {
        self.0.remove(key);
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &String> {
        self.0.keys()
    }

    /// The objects from `start` on, ascending.
    pub(crate) fn from<'o>(
        &'o self,
        start: Bound<&str>,
    ) -> impl Iterator<Item = (&'o str, &'o Object)> + use<'o> {
        self.0.range::<str, _>((start, Bound::Unbounded)).map(|(key, object)| (&**key, object))
    }
}

/// The least text that is greater than everything that starts with `prefix`; `None` where there is none.
pub(crate) fn after_all(prefix: &str) -> Option<String> {
    let mut text = prefix.to_owned();
    while let Some(last) = text.pop() {
        // A range of characters knows that there are none between U+D7FF and U+E000.
        if let Some(next) = (last..=char::MAX).nth(1) {
            text.push(next);
            return Some(text);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_after_a_prefix_is_the_next_one() {
        assert_eq!(after_all("a/").as_deref(), Some("a0"));
        assert_eq!(after_all("a\u{d7ff}").as_deref(), Some("a\u{e000}"));
        assert_eq!(after_all("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(after_all("\u{10ffff}"), None);
        assert_eq!(after_all(""), None);
    }
}
