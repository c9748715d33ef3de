//! Texts of a listing that share the memory of the page they came with.

use std::fmt;
use std::ops::{Deref, Range};
use std::sync::Arc;

/// A key or an entity tag, cheap to clone. Holds the text of its page for as long as it lives.
#[derive(Clone)]
pub struct Key {
    /// Shared as it was written: a page of a hundred kilobytes is not copied for that.
    page: Arc<String>,
    start: u32,
    end: u32,
}

impl Key {
    /// What stands at `place` of `page`.
    pub(crate) fn new(page: &Arc<String>, place: Range<usize>) -> Self {
        match (u32::try_from(place.start), u32::try_from(place.end)) {
            (Ok(start), Ok(end)) => Self { page: Arc::clone(page), start, end },
            // Too far in: a text of its own.
            _ => page[place].into(),
        }
    }
}

impl Deref for Key {
    type Target = str;

    fn deref(&self) -> &str {
        &self.page[self.start as usize..self.end as usize]
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<String> for Key {
    fn from(text: String) -> Self {
        // No key comes near 4 GiB.
        let end = u32::try_from(text.len()).unwrap_or(u32::MAX);
        Self { page: Arc::new(text), start: 0, end }
    }
}

impl From<Box<str>> for Key {
    fn from(text: Box<str>) -> Self {
        text.into_string().into()
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

impl PartialEq<str> for Key {
    fn eq(&self, other: &str) -> bool {
        **self == *other
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

/// Room for the text of a page grows by so many bytes, so that what one page leaves to the allocator fits the next.
const STEP: usize = 64 * 1024;

/// The text of a page under construction.
#[derive(Debug, Default)]
pub(crate) struct PageText(String);

impl PageText {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self(String::with_capacity(bytes))
    }

    /// Appends a text; where it stands.
    pub(crate) fn push(&mut self, text: &str) -> Range<usize> {
        let start = self.0.len();
        self.0.push_str(text);
        start..self.0.len()
    }

    pub(crate) fn at(&self, place: &Range<usize>) -> &str {
        &self.0[place.clone()]
    }

    /// Everything that was appended since the last time; the next page will be about as long. Keys may live long, so room
    /// that this one does not need is given back.
    pub(crate) fn take(&mut self) -> Arc<String> {
        let length = self.0.len();
        let next = String::with_capacity((length + length / 8).next_multiple_of(STEP));
        let mut page = std::mem::replace(&mut self.0, next);
        if length < page.capacity() / 2 {
            page.shrink_to_fit();
        }
        Arc::new(page)
    }

    /// Everything that was appended.
    #[cfg(any(feature = "s3", feature = "benches"))]
    pub(crate) fn into_page(self) -> Arc<String> {
        Arc::new(self.0)
    }
}
