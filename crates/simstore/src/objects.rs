//! What the bucket holds.

use std::borrow::Cow;
use std::collections::btree_map::{BTreeMap, Range};
use std::iter::Peekable;
use std::ops::Bound;

use registry::Timestamp;

use crate::bitmap::Bitmap;
use crate::object::Object;
use crate::procedural::{Cursor, Procedural};
use crate::storage_class::StorageClass;
use crate::versions::{Deleted, Version, Versions};

/// What a listing tells of an object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listed<'a> {
    pub(crate) key: &'a [u8],
    pub(crate) size: u64,
    pub(crate) etag: &'a [u8],
    pub(crate) modified: Timestamp,
    pub(crate) class: StorageClass,
    /// Whether the key has no byte that XML or URLs write another way.
    pub(crate) is_plain: bool,
}

/// Objects in the byte order of their keys: those that were put, and before them those that are computed.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    put: BTreeMap<String, Object>,
    procedural: Option<Procedural>,
    /// Those of the procedural ones that are deleted or overwritten.
    gone: Bitmap,
    versions: Option<Versions>,
}

impl Objects {
    pub(crate) fn new(procedural: Option<Procedural>, is_versioned: bool) -> Self {
        Self { procedural, versions: is_versioned.then(Versions::default), ..Self::default() }
    }

    /// The current object under a key.
    pub(crate) fn get(&self, key: &str) -> Option<Cow<'_, Object>> {
        if let Some(object) = self.put.get(key) {
            return Some(Cow::Borrowed(object));
        }
        let (procedural, ordinal) = self.computed(key)?;
        Some(Cow::Owned(procedural.object(ordinal)))
    }

    /// The ordinal of a computed object that is still there.
    fn computed(&self, key: &str) -> Option<(&Procedural, u64)> {
        let procedural = self.procedural.as_ref()?;
        let ordinal = procedural.find(key).filter(|ordinal| !self.gone.contains(*ordinal))?;
        Some((procedural, ordinal))
    }

    /// How many objects there are.
    pub(crate) fn len(&self) -> u64 {
        let computed = self.procedural.as_ref().map_or(0, Procedural::len);
        self.put.len() as u64 + computed - self.gone.count()
    }

    pub(crate) fn versions(&self) -> Option<&Versions> {
        self.versions.as_ref()
    }

    /// One version of a key. Where the bucket keeps none, the only version is `null`.
    pub(crate) fn version(&self, key: &str, id: &str) -> Option<Cow<'_, Version>> {
        let kept = self.versions.as_ref().and_then(|versions| versions.of(key));
        match kept {
            Some(kept) => kept.iter().find(|version| version.id == id).map(Cow::Borrowed),
            None if id == Version::NULL => Some(Cow::Owned(Version::null(&*self.get(key)?))),
            None => None,
        }
    }

    /// Puts an object; the id of the version that it is, where the bucket keeps versions.
    pub(crate) fn put(&mut self, key: String, object: Object) -> Option<String> {
        self.keep_old(&key);
        let id = self.versions.as_mut().map(|versions| versions.push(&key, object.clone()));
        self.set(key, object);
        id
    }

    /// Deletes the current object: for good, or by a marker over it where the bucket keeps versions.
    pub(crate) fn delete(&mut self, key: &str, now: Timestamp) -> Deleted {
        self.keep_old(key);
        self.unset(key);
        match &mut self.versions {
            None => Deleted::default(),
            Some(versions) => versions.push_marker(key, now),
        }
    }

    /// Deletes one version; what is not there counts as deleted.
    pub(crate) fn delete_version(&mut self, key: &str, id: &str) -> Deleted {
        self.keep_old(key);
        let Some(versions) = &mut self.versions else {
            if id == Version::NULL {
                self.unset(key);
            }
            return Deleted { version: Some(id.to_owned()), is_marker: false };
        };
        let deleted = versions.remove(key, id);
        let current = versions.of(key).and_then(|kept| kept.last()?.object.clone());
        match current {
            Some(object) => self.set(key.to_owned(), object),
            None => self.unset(key),
        }
        deleted
    }

    pub(crate) fn suspend_versions(&mut self) {
        if let Some(versions) = &mut self.versions {
            versions.suspend();
        }
    }

    /// Forgets every version of a key that is not current.
    pub(crate) fn expire(&mut self, key: &str) {
        if let Some(versions) = &mut self.versions {
            versions.expire(key);
        }
    }

    /// Makes a version of an object that is older than versions.
    fn keep_old(&mut self, key: &str) {
        let is_known = self.versions.as_ref().is_none_or(|versions| versions.of(key).is_some());
        if is_known {
            return;
        }
        let old = self.get(key).map(Cow::into_owned);
        if let (Some(versions), Some(old)) = (&mut self.versions, old) {
            versions.push_null(key, &old);
        }
    }

    fn set(&mut self, key: String, object: Object) {
        self.hide(&key);
        self.put.insert(key, object);
    }

    fn unset(&mut self, key: &str) {
        if self.put.remove(key).is_none() {
            self.hide(key);
        }
    }

    fn hide(&mut self, key: &str) {
        if let Some((_, ordinal)) = self.computed(key) {
            self.gone.insert(ordinal);
        }
    }

    /// Walks over the objects below a prefix from `start` on, ascending.
    pub(crate) fn walk<'o>(&'o self, prefix: &'o str, start: Bound<&str>) -> Walk<'o> {
        let (key, is_excluded) = match start {
            Bound::Included(key) => (key, false),
            Bound::Excluded(key) => (key, true),
            Bound::Unbounded => (prefix, false),
        };
        let put = self.put.range::<str, _>((start, Bound::Unbounded)).peekable();
        let end = after_all(prefix);
        let procedural = self.procedural.as_ref();
        let computed =
            procedural.map(|procedural| Cursor::new(procedural, &self.gone, key, end.as_deref()));
        let mut walk = Walk { prefix, put, computed };
        if is_excluded && walk.peek().is_some_and(|listed| listed.key == key.as_bytes()) {
            walk.advance();
        }
        walk
    }

    /// Every key, ascending.
    pub(crate) fn keys(&self) -> Vec<String> {
        let mut walk = self.walk("", Bound::Unbounded);
        let mut keys = Vec::new();
        while let Some(listed) = walk.peek() {
            keys.push(String::from_utf8_lossy(listed.key).into_owned());
            walk.advance();
        }
        keys
    }
}

/// Walks over objects that were put and objects that are computed, as one; no key is both.
#[derive(Debug)]
pub(crate) struct Walk<'o> {
    prefix: &'o str,
    put: Peekable<Range<'o, String, Object>>,
    computed: Option<Cursor<'o>>,
}

impl Walk<'_> {
    /// The object on which it stands; `None` behind the end.
    pub(crate) fn peek(&mut self) -> Option<Listed<'_>> {
        let computed = self.computed.as_ref().and_then(Cursor::row);
        let is_next = |key: &String| computed.is_none_or(|row| key.as_bytes() < &*row.key);
        let put = self.put.peek().filter(|(key, _)| key.starts_with(self.prefix));
        match put.filter(|(key, _)| is_next(key)) {
            Some((key, object)) => Some(Listed {
                key: key.as_bytes(),
                size: object.content.len(),
                etag: object.etag.as_bytes(),
                modified: object.modified,
                class: object.class,
                is_plain: false,
            }),
            None => computed.map(|row| Listed {
                key: &row.key,
                size: row.size,
                etag: &row.etag,
                modified: row.modified,
                class: StorageClass::default(),
                is_plain: true,
            }),
        }
    }

    /// Behind the end of the one, the other goes on.
    pub(crate) fn advance(&mut self) {
        let computed = self.computed.as_ref().and_then(Cursor::row);
        let is_next = |key: &String| {
            key.starts_with(self.prefix) && computed.is_none_or(|row| key.as_bytes() < &*row.key)
        };
        if self.put.next_if(|(key, _)| is_next(key)).is_none()
            && let Some(computed) = &mut self.computed
        {
            computed.advance();
        }
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
    use bytes::Bytes;

    use super::*;
    use crate::Shape;

    const T: Timestamp = Timestamp::from_seconds(1_787_000_000);

    fn object(text: &'static str) -> Object {
        Object::new(Bytes::from_static(text.as_bytes()), T)
    }

    #[test]
    fn the_text_after_a_prefix_is_the_next_one() {
        assert_eq!(after_all("a/").as_deref(), Some("a0"));
        assert_eq!(after_all("a\u{d7ff}").as_deref(), Some("a\u{e000}"));
        assert_eq!(after_all("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(after_all("\u{10ffff}"), None);
        assert_eq!(after_all(""), None);
    }

    #[test]
    fn what_is_put_lies_over_what_is_computed_and_deletions_reach_both() {
        let shape = Shape { blobs: 20, repositories: 1, images: 2, layers: 2, seed: 0 };
        let mut objects = Objects::new(Some(Procedural::new(shape, T)), false);
        let keys = objects.keys();
        assert_eq!(objects.len(), keys.len() as u64);
        objects.put(keys[3].clone(), object("over"));
        objects.put("docker/registry/v2/other".into(), object("between"));
        objects.put("zzz".into(), object("behind"));
        assert_eq!(objects.len(), keys.len() as u64 + 2);
        assert!(objects.keys().is_sorted_by(|a, b| a < b));
        assert_eq!(objects.get(&keys[3]).unwrap().content.len(), 4);
        for key in [&keys[0], &keys[3], keys.last().unwrap(), "zzz", "not there"] {
            objects.delete(key, T);
            assert!(objects.get(key).is_none(), "{key}");
        }
        let mut left = keys[1..keys.len() - 1].to_vec();
        left.remove(2);
        left.push("docker/registry/v2/other".into());
        left.sort();
        assert_eq!(objects.keys(), left);
        assert_eq!(objects.len(), left.len() as u64);
    }

    #[test]
    fn versions_cover_each_other_and_come_back_when_the_last_is_deleted() {
        let shape = Shape { blobs: 20, repositories: 1, images: 2, layers: 2, seed: 0 };
        let mut objects = Objects::new(Some(Procedural::new(shape, T)), true);
        let key = objects.keys()[0].clone();
        let first = objects.get(&key).unwrap().etag.clone();
        let second = objects.put(key.clone(), object("two")).unwrap();
        let marker = objects.delete(&key, T);
        assert!(objects.get(&key).is_none() && marker.is_marker);
        let marker = marker.version.unwrap();
        assert!(objects.version(&key, &marker).unwrap().object.is_none());
        assert!(objects.delete_version(&key, &marker).is_marker);
        assert_eq!(objects.get(&key).unwrap().content.len(), 3);
        objects.delete_version(&key, &second);
        assert_eq!(objects.get(&key).unwrap().etag, first);
        let third = objects.put(key.clone(), object("three")).unwrap();
        objects.expire(&key);
        assert!(objects.version(&key, Version::NULL).is_none());
        assert_eq!(
            objects.version(&key, &third).unwrap().object.as_ref().unwrap().content.len(),
            5
        );
        objects.delete_version(&key, &third);
        objects.delete_version(&key, Version::NULL);
        assert!(objects.get(&key).is_none() && !objects.keys().contains(&key));
        assert!(objects.version(&key, Version::NULL).is_none());
    }
}
