//! What has to be looked at once more, and what that gave.

use std::collections::{BTreeSet, HashMap};

use bytes::Bytes;
use store::Object;

/// Keys that have to be looked at, or read, before a repository can be judged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suspects {
    /// Whether they are there, and of which size.
    pub looks: BTreeSet<Box<str>>,
    /// Links: what they say.
    pub reads: BTreeSet<Box<str>>,
}

impl Suspects {
    /// Whether nothing is suspected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.looks.is_empty() && self.reads.is_empty()
    }
}

/// What a second look saw.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// What is there; `None` for what is not.
    pub looked: HashMap<Box<str>, Option<Object>>,
    /// What links say.
    pub read: HashMap<Box<str>, LinkText>,
}

/// What a link says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkText {
    /// This.
    Text(Bytes),
    /// It is gone.
    Gone,
    /// The store does not let us read it, or it is too long to be one.
    Unreadable,
}
