//! Versions of objects, where the bucket keeps them.

use std::collections::BTreeMap;
use std::ops::Bound;

use registry::Timestamp;

use crate::object::Object;

/// A version of an object.
#[derive(Clone, Debug)]
pub(crate) struct Version {
    pub(crate) id: String,
    pub(crate) modified: Timestamp,
    /// `None` where the version is a delete marker.
    pub(crate) object: Option<Object>,
}

impl Version {
    /// The id of what was put before the bucket kept versions.
    pub(crate) const NULL: &str = "null";

    pub(crate) fn null(object: &Object) -> Self {
        let (id, modified) = (Self::NULL.to_owned(), object.modified);
        Self { id, modified, object: Some(object.clone()) }
    }
}

/// What a deletion did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Deleted {
    /// The version that was deleted, or the marker that was made.
    pub(crate) version: Option<String>,
    /// Whether that is a delete marker.
    pub(crate) is_marker: bool,
}

/// Every version of every key that was written to; the newest of a key is its last.
#[derive(Debug, Default)]
pub(crate) struct Versions {
    by_key: BTreeMap<String, Vec<Version>>,
    made: u64,
    is_suspended: bool,
}

impl Versions {
    /// The versions of a key, oldest first; empty where all were deleted, `None` where it was never written to.
    pub(crate) fn of(&self, key: &str) -> Option<&[Version]> {
        self.by_key.get(key).map(Vec::as_slice)
    }

    /// The keys from `start` on that have versions, and they.
    pub(crate) fn from<'v>(
        &'v self,
        start: Bound<&str>,
    ) -> impl Iterator<Item = (&'v str, &'v [Version])> + use<'v> {
        let kept = self.by_key.range::<str, _>((start, Bound::Unbounded));
        kept.filter(|(_, kept)| !kept.is_empty()).map(|(key, kept)| (key.as_str(), kept.as_slice()))
    }

    /// From now on whatever is written is the version `null`, in place of the one that was.
    ///
    /// Source: Amazon S3 User Guide, "Working with objects in a versioning-suspended bucket".
    pub(crate) fn suspend(&mut self) {
        self.is_suspended = true;
    }

    pub(crate) fn is_suspended(&self) -> bool {
        self.is_suspended
    }

    pub(crate) fn push(&mut self, key: &str, object: Object) -> String {
        self.add(key, object.modified, Some(object))
    }

    pub(crate) fn push_null(&mut self, key: &str, object: &Object) {
        self.by_key.entry(key.to_owned()).or_default().push(Version::null(object));
    }

    pub(crate) fn push_marker(&mut self, key: &str, now: Timestamp) -> Deleted {
        Deleted { version: Some(self.add(key, now, None)), is_marker: true }
    }

    fn add(&mut self, key: &str, modified: Timestamp, object: Option<Object>) -> String {
        let id = self.next_id();
        let version = Version { id: id.clone(), modified, object };
        let kept = self.by_key.entry(key.to_owned()).or_default();
        kept.retain(|version| version.id != id);
        kept.push(version);
        id
    }

    fn next_id(&mut self) -> String {
        if self.is_suspended {
            return Version::NULL.to_owned();
        }
        self.made += 1;
        format!("v{:031}", self.made)
    }

    /// Takes away for good every version that is older than the newest, but not delete markers.
    pub(crate) fn expire(&mut self, key: &str) {
        let Some(kept) = self.by_key.get_mut(key) else { return };
        let Some(newest) = kept.last().map(|version| version.id.clone()) else { return };
        kept.retain(|version| version.id == newest || version.object.is_none());
    }

    /// Takes a version away for good.
    pub(crate) fn remove(&mut self, key: &str, id: &str) -> Deleted {
        let mut deleted = Deleted { version: Some(id.to_owned()), is_marker: false };
        if let Some(kept) = self.by_key.get_mut(key) {
            kept.retain(|version| {
                let is_it = version.id == id;
                deleted.is_marker |= is_it && version.object.is_none();
                !is_it
            });
        }
        deleted
    }
}
