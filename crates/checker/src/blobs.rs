//! Which blobs are there, and in which size, without holding either.

use std::collections::HashMap;

use marker::{DigestSet, DigestSetBuilder, MemoryLimit, SpillError};
use registry::{Digest, Timestamp};

/// Blobs as they are listed; any thread may add.
#[derive(Debug)]
pub struct BlobsBuilder {
    present: DigestSetBuilder,
    sized: DigestSetBuilder,
}

/// Which blobs have data, in which size, and which are known to be wrong.
#[derive(Debug)]
pub struct Blobs {
    pub(crate) present: DigestSet,
    /// Digests hashed together with their sizes.
    pub(crate) sized: DigestSet,
    /// Blobs whose content was compared and is another, or cannot be read.
    pub(crate) rotten: HashMap<Digest, Rot>,
}

/// What is wrong with a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rot {
    Other,
    Unreadable,
}

impl BlobsBuilder {
    /// No blobs; they go to disk where they would outgrow `limit`.
    ///
    /// # Errors
    /// [`SpillError`] where nothing can be written there.
    pub fn new(limit: &MemoryLimit) -> Result<Self, SpillError> {
        let half = || MemoryLimit { bytes: limit.bytes / 2, folder: limit.folder.clone() };
        Ok(Self {
            present: DigestSetBuilder::limited(&half())?,
            sized: DigestSetBuilder::limited(&half())?,
        })
    }

    /// Takes in blobs with their sizes in bytes. One without data counts as missing, unless it is what its digest says.
    ///
    /// # Errors
    /// [`SpillError`]: the blobs must not be used then.
    pub fn add(&self, blobs: &[(Digest, u64)]) -> Result<(), SpillError> {
        let with_data = || blobs.iter().filter(|(digest, size)| has_data(digest, *size));
        self.present.add(with_data().map(|(digest, _)| *digest))?;
        self.sized.add(with_data().map(|(digest, size)| sized(digest, *size)))
    }

    /// All blobs were added.
    ///
    /// # Errors
    /// [`SpillError`].
    pub fn finish(self) -> Result<Blobs, SpillError> {
        let rotten = HashMap::new();
        Ok(Blobs { present: self.present.finish()?, sized: self.sized.finish()?, rotten })
    }
}

impl Blobs {
    /// Notes that the content of a blob is another than its digest says.
    pub fn add_other(&mut self, digest: Digest) {
        self.rotten.insert(digest, Rot::Other);
    }

    /// Notes that the store does not let us read a blob.
    pub fn add_unreadable(&mut self, digest: Digest) {
        self.rotten.insert(digest, Rot::Unreadable);
    }
}

/// Whether a blob of `size` bytes can be what `digest` says.
#[must_use]
pub fn has_data(digest: &Digest, size: u64) -> bool {
    size > 0 || *digest == Digest::of(digest.algorithm(), b"")
}

/// Stands for a digest together with a size.
pub(crate) fn sized(digest: &Digest, size: u64) -> Digest {
    let mut text = [0; 72];
    text[..64].copy_from_slice(&padded(digest));
    text[64..].copy_from_slice(&size.to_be_bytes());
    Digest::sha256(&text)
}

/// The bytes of a digest. Those of the three algorithms are as good as never the beginning of each other.
fn padded(digest: &Digest) -> [u8; 64] {
    let mut bytes = [0; 64];
    bytes[..digest.as_bytes().len()].copy_from_slice(digest.as_bytes());
    bytes
}

/// Into how many parts blobs are divided so that one of them is about `percent` of all.
#[must_use]
pub const fn slices(percent: u8) -> u64 {
    let percent = if percent == 0 { 1 } else { percent };
    100_u64.div_ceil(percent as u64)
}

/// Whether a blob is in the part whose turn it is at `now`: every day it is the next one's, so that as many days as there
/// are parts see all blobs.
#[must_use]
pub fn is_selected(digest: &Digest, percent: u8, now: Timestamp) -> bool {
    const DAY: u64 = 24 * 60 * 60 * 1000;
    let slices = slices(percent);
    let day = u64::try_from(now.as_millis()).unwrap_or(0) / DAY;
    digest.fingerprint() % slices == day % slices
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_days_as_there_are_parts_see_every_blob_once() {
        let digests: Vec<Digest> = (0..200u8).map(|n| Digest::sha256(&[n])).collect();
        for (percent, days) in [(100, 1), (50, 2), (30, 4), (10, 10), (1, 100)] {
            assert_eq!(slices(percent), days);
            for digest in &digests {
                let start = 1_700_000_000;
                let day = |day: u64| {
                    Timestamp::from_seconds(start + i64::try_from(day).unwrap() * 86_400)
                };
                let seen = (0..days).filter(|n| is_selected(digest, percent, day(*n))).count();
                assert_eq!(seen, 1);
            }
        }
    }

    #[test]
    fn no_data_is_right_for_the_digest_of_nothing_only() {
        let (nothing, something) = (Digest::sha256(b""), Digest::sha256(b"x"));
        assert!(has_data(&nothing, 0) && has_data(&something, 1) && !has_data(&something, 0));
        assert_ne!(sized(&something, 1), sized(&something, 2));
    }
}
