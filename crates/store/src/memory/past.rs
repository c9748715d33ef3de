//! What a store in memory keeps of the past of its keys, as a versioned bucket does.

use std::collections::BTreeMap;

use registry::Timestamp;

use super::Stored;
use crate::{Kept, Marker, Version};

/// What lies below the objects that are there; of a key without one, the newest entry is a delete marker.
#[derive(Clone, Debug, Default)]
pub(super) struct Past {
    by_key: BTreeMap<String, Vec<Entry>>,
    made: u64,
}

#[derive(Clone, Debug)]
enum Entry {
    Object(Stored),
    Marker(Marker),
}

impl Past {
    /// Puts an object below whatever comes.
    pub(super) fn bury(&mut self, key: &str, stored: Stored) {
        self.by_key.entry(key.to_owned()).or_default().push(Entry::Object(stored));
    }

    /// Hides a key.
    pub(super) fn mark(&mut self, key: &str, now: Timestamp) -> Kept {
        self.made += 1;
        let id = format!("m{}", self.made);
        let marker = Marker::new(key, &id, now).map(Entry::Marker);
        self.by_key.entry(key.to_owned()).or_default().extend(marker);
        Kept::Marker(id.into())
    }

    /// Takes a marker away; the object that is there again, where nothing else hides it and `is_free`.
    pub(super) fn unmark(&mut self, marker: &Marker, is_free: bool) -> Option<Stored> {
        let kept = self.by_key.get_mut(marker.key())?;
        kept.retain(|entry| !matches!(entry, Entry::Marker(found) if found.id() == marker.id()));
        if !is_free || !matches!(kept.last(), Some(Entry::Object(_))) {
            return None;
        }
        match kept.pop() {
            Some(Entry::Object(stored)) => Some(stored),
            Some(Entry::Marker(_)) | None => None,
        }
    }

    /// Forgets the objects of a key, and leaves the markers, as the rules of a bucket may do.
    pub(super) fn forget(&mut self, key: &str) {
        if let Some(kept) = self.by_key.get_mut(key) {
            kept.retain(|entry| matches!(entry, Entry::Marker(_)));
        }
    }

    /// Newest first.
    pub(super) fn of(&self, key: &str) -> impl Iterator<Item = Version> {
        self.by_key.get(key).into_iter().flatten().rev().map(|entry| match entry {
            Entry::Object(stored) => stored.version(),
            Entry::Marker(marker) => Version::Marker(marker.clone()),
        })
    }
}
