//! Contents out of numbers.

use registry::{Algorithm, Digest};

/// A sequence of numbers that its seed decides: splitmix64.
///
/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The sequence of `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number less than `end`; zero where `end` is zero.
    pub fn below(&mut self, end: u64) -> u64 {
        self.number() % end.max(1)
    }

    /// An index into `length` things; zero where there are none.
    pub fn index(&mut self, length: usize) -> usize {
        let end = u64::try_from(length).unwrap_or(u64::MAX);
        usize::try_from(self.below(end)).unwrap_or(0)
    }

    /// True in `percent` of a hundred cases.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        self.number().to_le_bytes()[0]
    }
}

/// The content of a layer or a configuration: what its seed decides, as long as it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Content {
    /// Different seeds give different contents, from a length of eight bytes on.
    pub seed: u64,
    /// Length in bytes.
    pub size: usize,
}

impl Content {
    /// No bytes at all; the configuration that many old images share.
    pub const EMPTY: Self = Self { seed: 0, size: 0 };

    /// A content of `size` bytes.
    #[must_use]
    pub const fn new(seed: u64, size: usize) -> Self {
        Self { seed, size }
    }

    /// The bytes: the seed in its first eight, then noise.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut random = Random::new(self.seed);
        let mut bytes = self.seed.to_be_bytes().to_vec();
        while bytes.len() < self.size {
            bytes.extend(random.number().to_be_bytes());
        }
        bytes.truncate(self.size);
        bytes
    }

    /// The digest by which registries store it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::sha256(&self.bytes())
    }

    /// The digest by which some clients name it.
    #[must_use]
    pub fn sha512(&self) -> Digest {
        Digest::of(Algorithm::Sha512, &self.bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_is_the_published_one() {
        let mut random = Random::new(1_234_567);
        assert_eq!(random.number(), 6_457_827_717_110_365_317);
        assert_eq!(random.number(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn contents_are_as_long_as_they_say_and_differ_by_seed() {
        for size in [0, 1, 8, 9, 100] {
            assert_eq!(Content::new(1, size).bytes().len(), size);
        }
        assert_ne!(Content::new(1, 8).digest(), Content::new(2, 8).digest());
        assert_eq!(Content::EMPTY.digest(), Digest::sha256(b""));
    }
}
