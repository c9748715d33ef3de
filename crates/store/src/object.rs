//! What a listing says of an object.

use registry::Timestamp;

/// An object as it was listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// The exact key, byte for byte (G7). On files: the path below the root, `/` between components.
    pub key: Box<str>,
    /// Size in bytes.
    pub size: u64,
    /// When it was last written, by the store's clock.
    pub modified: Timestamp,
    /// The entity tag without its quotes, where the store has one.
    pub etag: Option<Box<str>>,
}
