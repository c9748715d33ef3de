//! One object of a bucket.

use bytes::Bytes;
use registry::Timestamp;

use crate::checksum::md5_hex;
use crate::storage_class::StorageClass;

/// What an object, or an answer, consists of.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    Held(Bytes),
    /// So many zeros, held nowhere.
    Zeros(u64),
}

impl Content {
    /// In bytes.
    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::Held(content) => content.len() as u64,
            Self::Zeros(len) => *len,
        }
    }

    /// The bytes from `start` on, before `end`; both are inside.
    #[expect(clippy::cast_possible_truncation, reason = "inside of what is in memory")]
    pub(crate) fn slice(&self, start: u64, end: u64) -> Self {
        match self {
            Self::Held(content) => Self::Held(content.slice(start as usize..end as usize)),
            Self::Zeros(_) => Self::Zeros(end - start),
        }
    }
}

/// An object.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) content: Content,
    /// Without quotes.
    pub(crate) etag: String,
    pub(crate) modified: Timestamp,
    pub(crate) class: StorageClass,
}

impl Object {
    /// An object that was put whole: its entity tag is the MD5 of its content.
    pub(crate) fn new(content: Bytes, modified: Timestamp) -> Self {
        let (etag, class) = (md5_hex(&content), StorageClass::default());
        Self { content: Content::Held(content), etag, modified, class }
    }
}
