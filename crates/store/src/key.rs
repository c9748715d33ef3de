//! Keys that share the memory of the page they came with.

use std::fmt;
use std::ops::{Deref, Range};
use std::sync::Arc;

/// A key of a listing, cheap to clone. Holds the text of its page for as long as it lives.
#[derive(Clone)]
pub struct Key {
    page: Arc<str>,
    range: Range<usize>,
}

impl Key {
    /// The key that stands at `range` of `page`.
    pub(crate) fn new(page: &Arc<str>, range: Range<usize>) -> Self {
        Self { page: Arc::clone(page), range }
    }
}

impl Deref for Key {
    type Target = str;

    fn deref(&self) -> &str {
        &self.page[self.range.clone()]
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        Self { page: text.into(), range: 0..text.len() }
    }
}

impl From<Key> for Box<str> {
    fn from(key: Key) -> Self {
        (*key).into()
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Key {}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}
