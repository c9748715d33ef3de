//! What a listing tells of one object.

use registry::Timestamp;

/// An object of a procedural registry, written over by the next: it is what a cursor stands on.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) key: Vec<u8>,
    /// In bytes.
    pub(crate) size: u64,
    /// Without quotes.
    pub(crate) etag: [u8; 32],
    pub(crate) modified: Timestamp,
    /// The content, where it is a link.
    pub(super) text: Vec<u8>,
}

impl Row {
    pub(super) fn new() -> Self {
        Self {
            key: Vec::with_capacity(256),
            size: 0,
            etag: [0; 32],
            modified: Timestamp::default(),
            text: Vec::with_capacity(80),
        }
    }
}
