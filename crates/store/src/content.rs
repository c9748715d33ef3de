//! What lies under a digest.

use bytes::Bytes;
use registry::Digest;

/// Bytes that were read, and what they hash to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// All of them.
    pub bytes: Bytes,
    /// Their digest, by the algorithm of the one that was asked for: another one where something else lies there.
    pub actual: Digest,
}

impl Content {
    /// These bytes, under a digest that they may have.
    pub(crate) fn under(digest: &Digest, bytes: Bytes) -> Self {
        let actual = Digest::of(digest.algorithm(), &bytes);
        Self { bytes, actual }
    }
}
