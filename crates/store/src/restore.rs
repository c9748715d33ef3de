//! What a store holds of a key beside its object, and what is taken back.

use registry::Timestamp;

/// One entry of the history of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Version {
    /// An object; the current one where nothing is newer.
    Object {
        /// Its size in bytes.
        size: u64,
        /// When it was written.
        modified: Timestamp,
    },
    /// A delete marker, which hides what is older.
    Marker(Marker),
}

impl Version {
    /// The most entries that a store tells of one key; the newest ones.
    pub const MOST: usize = 1000;
}

/// An object in the trash, and where it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trashed {
    /// Where it was, and goes back to.
    pub key: Box<str>,
    /// Where it is.
    pub trash: Box<str>,
}

/// What became of an object that was to come back from the trash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutBack {
    /// It is back.
    Restored,
    /// Another object is under its key, and was left as it is.
    Present,
    /// It is in neither place.
    Absent,
}

/// A delete marker that a store told of. Only a store can make one, so that nothing but a delete marker can ever be
/// handed to [`RestoreStore::unmark`](crate::RestoreStore::unmark): removing any other version would destroy it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    key: Box<str>,
    id: Box<str>,
    modified: Timestamp,
}

impl Marker {
    /// The id of what is written where no versions are kept, or no longer: nobody else's is the same twice.
    const NULL: &str = "null";

    /// A marker, but for one without an id of its own. Where versioning is suspended, what is pushed takes the place
    /// and the id of such a marker: to remove it could remove that.
    pub(crate) fn new(key: &str, id: &str, modified: Timestamp) -> Option<Self> {
        let is_removable = Self::is_removable(id);
        is_removable.then(|| Self { key: key.into(), id: id.into(), modified })
    }

    pub(crate) fn is_removable(id: &str) -> bool {
        !id.is_empty() && id != Self::NULL
    }

    /// The key that it hides.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Its version id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// When it was made, by the store's clock.
    #[must_use]
    pub const fn modified(&self) -> Timestamp {
        self.modified
    }
}
