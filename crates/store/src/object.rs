//! What a listing says of an object.

use registry::Timestamp;

use crate::Key;

/// An object as it was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// The exact key, byte for byte (G7). On files: the path below the root, `/` between components.
    pub key: Key,
    /// Size in bytes.
    pub size: u64,
    /// When it was last written, by the store's clock.
    pub modified: Timestamp,
    /// The entity tag without its quotes, where the store has one.
    pub etag: Option<Key>,
}

/// An entry of a listing.
///
/// A bucket's listing describes every object. To describe a file, it has to be looked at, which takes longer than
/// listing it; so a store of files may presume the only file of a folder where the layout says that it is there.
/// What is presumed may be missing, and is never deleted without [`ReadStore::look`](crate::ReadStore::look) (G7). It may
/// also leave a folder closed whose keys matter only where something else could go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listed {
    /// It is there.
    Object(Object),
    /// Its key; nobody looked.
    Presumed(Key),
    /// The key of a folder, which ends in `/` and may be missing. Nobody entered it: whoever needs what is in it lists it.
    Closed(Key),
}

impl Listed {
    /// The key.
    #[must_use]
    pub fn key(&self) -> &str {
        match self {
            Self::Object(object) => &object.key,
            Self::Presumed(key) | Self::Closed(key) => key,
        }
    }

    /// The key, alone.
    #[must_use]
    pub fn into_key(self) -> Box<str> {
        match self {
            Self::Object(object) => object.key.into(),
            Self::Presumed(key) | Self::Closed(key) => key.into(),
        }
    }

    /// The object, where it was looked at.
    #[must_use]
    pub fn object(&self) -> Option<&Object> {
        match self {
            Self::Object(object) => Some(object),
            Self::Presumed(_) | Self::Closed(_) => None,
        }
    }
}

impl From<Object> for Listed {
    fn from(object: Object) -> Self {
        Self::Object(object)
    }
}
