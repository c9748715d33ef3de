//! Records: a digest, what its manifest refers to, and a checksum over both. Part of the format of segments.
//!
//! ```text
//! checksum of the rest (8 bytes), algorithm (1), length of what is remembered (4), the bytes of the digest,
//! what is remembered (Manifest::append_to)
//! ```
//! Numbers are little-endian. The checksum is made once, when a record is put in, and goes with it through every merge.

use registry::{Algorithm, Digest, Manifest};
use xxhash_rust::xxh3::xxh3_64;

use crate::Damage;

/// Checksum, algorithm, length.
const HEAD: usize = 8 + 1 + 4;

/// So many records, of half a kilobyte each, fit next to the processor.
pub(crate) const TOGETHER: usize = 32;

/// A record as it lies in a block; its checksum is not yet compared.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'b> {
    /// What it says whose edges they are.
    pub(crate) digest: Digest,
    /// All of it.
    pub(crate) bytes: &'b [u8],
}

/// Where a digest stands in a segment: its first bytes as a number, then all of it.
pub(crate) type Place = (u64, Digest);

/// The first eight bytes of a digest; the order of records and of the block index.
pub(crate) fn key_of(digest: &Digest) -> u64 {
    word(digest, 0)
}

pub(crate) fn place_of(digest: &Digest) -> Place {
    (key_of(digest), *digest)
}

/// Eight bytes of a digest as a number. The shortest has 32 bytes.
pub(crate) fn word(digest: &Digest, at: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&digest.as_bytes()[at..at + 8]);
    u64::from_be_bytes(word)
}

/// How many bytes a record takes.
pub(crate) fn size(digest: &Digest, manifest: &Manifest) -> usize {
    HEAD + digest.as_bytes().len() + manifest.remembered_size()
}

/// Appends a record.
pub(crate) fn write(digest: &Digest, manifest: &Manifest, bytes: &mut Vec<u8>) {
    let start = bytes.len();
    bytes.extend_from_slice(&[0; HEAD]);
    bytes.extend_from_slice(digest.as_bytes());
    let payload = bytes.len();
    manifest.append_to(bytes);
    // A manifest of 4 MiB has fewer edges than would fill 4 GiB.
    let length = u32::try_from(bytes.len() - payload).unwrap_or(u32::MAX);
    bytes[start + 8] = digest.algorithm().number();
    bytes[start + 9..start + HEAD].copy_from_slice(&length.to_le_bytes());
    let checksum = xxh3_64(&bytes[start + 8..]);
    bytes[start..start + 8].copy_from_slice(&checksum.to_le_bytes());
}

impl<'b> Record<'b> {
    /// Cuts the first record off.
    ///
    /// # Errors
    /// [`Damage::Record`] where there is no whole one.
    pub(crate) fn cut(bytes: &'b [u8]) -> Result<(Self, &'b [u8]), Damage> {
        Self::cut_off(bytes).ok_or(Damage::Record)
    }

    fn cut_off(bytes: &'b [u8]) -> Option<(Self, &'b [u8])> {
        let algorithm = Algorithm::of_number(*bytes.get(8)?)?;
        let length = u32::from_le_bytes(bytes.get(9..HEAD)?.try_into().ok()?);
        let digest = Digest::from_bytes(algorithm, bytes.get(HEAD..HEAD + algorithm.length())?)?;
        let length = HEAD + algorithm.length() + usize::try_from(length).ok()?;
        let (bytes, rest) = bytes.split_at_checked(length)?;
        Some((Self { digest, bytes }, rest))
    }

    /// Whether it is as it was put in.
    pub(crate) fn is_whole(&self) -> bool {
        let (checksum, rest) = self.bytes.split_at(8);
        checksum == xxh3_64(rest).to_le_bytes()
    }

    /// What was put in.
    ///
    /// # Errors
    /// [`Damage`] where anything of it changed since (G4).
    pub(crate) fn manifest(&self) -> Result<Manifest, Damage> {
        if !self.is_whole() {
            return Err(Damage::Checksum);
        }
        let remembered = &self.bytes[HEAD + self.digest.as_bytes().len()..];
        Manifest::remembered(remembered).ok_or(Damage::Record)
    }
}
