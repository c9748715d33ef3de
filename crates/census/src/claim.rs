//! Claims and blobs as records of three words: two of the digest, and what is said of it.

use registry::{Digest, Shard};

use crate::CensusError;

/// Three words; records of one shard are in the order of their digests.
pub(crate) type Record = [u64; 3];

/// The part of a record that tells its digest: bytes 1 to 16, big-endian. Byte 0 is the shard.
pub(crate) type Fingerprint = [u64; 2];

/// Why a repository names a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// It links it, and nothing of it needs it.
    Link,
    /// It keeps it for another reason than a tag.
    Root,
    /// The tag of this number keeps it.
    Tag(u32),
}

/// What a repository says of a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) repository: u32,
    pub(crate) why: Why,
    /// Whether the digest is another name of a blob, and none need be there under it.
    pub(crate) is_alias: bool,
}

/// Tags of one repository have smaller numbers than this.
const TAGS: u32 = (1 << 31) - 2;

/// The number of the tag at a place.
pub(crate) fn tag_number(at: usize) -> Result<u32, CensusError> {
    let number = u32::try_from(at).ok().filter(|number| *number < TAGS);
    number.ok_or(CensusError::TooMany { what: "tags in a repository" })
}

impl Claim {
    pub(crate) fn on(self, digest: &Digest) -> (Shard, Record) {
        let slot = match self.why {
            Why::Link => 0,
            Why::Root => 1,
            Why::Tag(number) => number + 2,
        };
        let word =
            u64::from(self.repository) << 32 | u64::from(slot) << 1 | u64::from(self.is_alias);
        record(digest, word)
    }

    pub(crate) fn of(record: &Record) -> Self {
        let word = record[2].to_be_bytes();
        let (halves, _) = word.as_chunks();
        let [repository, slot] = [halves[0], halves[1]].map(u32::from_be_bytes);
        let why = match slot >> 1 {
            0 => Why::Link,
            1 => Why::Root,
            number => Why::Tag(number - 2),
        };
        Self { repository, why, is_alias: slot & 1 == 1 }
    }
}

/// The record of a blob. A size that leaves no room for another bit is no size of anything.
pub(crate) fn blob(digest: &Digest, bytes: u64, is_young: bool) -> (Shard, Record) {
    record(digest, bytes.min(u64::MAX >> 1) << 1 | u64::from(is_young))
}

/// The size of a blob, and whether it is too young to judge.
pub(crate) fn size_of(record: &Record) -> (u64, bool) {
    (record[2] >> 1, record[2] & 1 == 1)
}

pub(crate) fn fingerprint_of(record: &Record) -> Fingerprint {
    [record[0], record[1]]
}

fn record(digest: &Digest, word: u64) -> (Shard, Record) {
    let mut second = [0; 8];
    second.copy_from_slice(&digest.as_bytes()[9..17]);
    (digest.shard(), [digest.fingerprint(), u64::from_be_bytes(second), word])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_says_what_the_claim_says() {
        let digest = Digest::sha256(b"x");
        for repository in [0, 1, u32::MAX] {
            for why in [Why::Link, Why::Root, Why::Tag(0), Why::Tag(TAGS - 1)] {
                for is_alias in [false, true] {
                    let claim = Claim { repository, why, is_alias };
                    let (shard, record) = claim.on(&digest);
                    assert_eq!((shard, Claim::of(&record)), (digest.shard(), claim));
                }
            }
        }
    }

    #[test]
    fn a_record_says_what_the_blob_is() {
        let digest = Digest::sha256(b"x");
        for (bytes, told) in
            [(0, 0), (7, 7), (u64::MAX >> 1, u64::MAX >> 1), (u64::MAX, u64::MAX >> 1)]
        {
            for is_young in [false, true] {
                let (_, record) = blob(&digest, bytes, is_young);
                assert_eq!(size_of(&record), (told, is_young));
                assert_eq!(fingerprint_of(&record)[0], digest.fingerprint());
            }
        }
    }

    #[test]
    fn the_second_word_tells_digests_apart_that_begin_alike() {
        let mut bytes = [7; 32];
        let digest = |bytes: &[u8]| Digest::from_bytes(registry::Algorithm::Sha256, bytes).unwrap();
        let one = blob(&digest(&bytes), 1, false);
        bytes[16] = 8;
        let other = blob(&digest(&bytes), 1, false);
        assert_eq!((one.0, one.1[0]), (other.0, other.1[0]));
        assert_ne!(one.1[1], other.1[1]);
    }

    #[test]
    fn tags_that_cannot_be_told_apart_are_an_error() {
        assert_eq!(tag_number(7).unwrap(), 7);
        assert!(matches!(tag_number(1 << 31), Err(CensusError::TooMany { .. })));
    }
}
