//! Which digests a segment does not hold, told without reading it. Part of the format of segments.
//!
//! A digest sets four bits in one of the words: with 12 bits for each record, about 3 of 100 digests that are not there
//! seem to be. Digests are even, so their own bytes serve as hashes.
//!
//! Source: Putze, Sanders, Singler, "Cache-, Hash- and Space-Efficient Bloom Filters", blocked by words.

use registry::Digest;

use crate::record::word;

/// Bits for each record.
const BITS: usize = 12;

/// A filter over the digests of a segment.
#[derive(Debug)]
pub(crate) struct Filter {
    words: Vec<u64>,
}

/// What a filter needs to know of a digest: which word, in proportion to all, and which bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Print {
    word: u64,
    bits: u64,
}

impl Print {
    /// From bytes that do not order the records: those are not even within one segment of many.
    pub(crate) fn of(digest: &Digest) -> Self {
        let seed = word(digest, 16);
        let bits = (0..4).fold(0, |bits, at| bits | 1 << (seed >> (at * 6) & 63));
        Self { word: word(digest, 8), bits }
    }
}

impl Filter {
    pub(crate) fn of(prints: &[Print]) -> Self {
        let mut filter = Self { words: vec![0; (prints.len() * BITS).div_ceil(64)] };
        for print in prints {
            if let Some(word) = filter.place(*print) {
                filter.words[word] |= print.bits;
            }
        }
        filter
    }

    /// Words as they were written.
    pub(crate) fn from_words(words: Vec<u64>) -> Self {
        Self { words }
    }

    pub(crate) fn words(&self) -> &[u64] {
        &self.words
    }

    /// Whether the digest may be there.
    pub(crate) fn may_hold(&self, digest: &Digest) -> bool {
        let print = Print::of(digest);
        self.place(print).is_some_and(|word| self.words[word] & print.bits == print.bits)
    }

    /// The word of a print; none where there are no words.
    fn place(&self, print: Print) -> Option<usize> {
        let scaled = (u128::from(print.word) * self.words.len() as u128) >> 64;
        usize::try_from(scaled).ok().filter(|word| *word < self.words.len())
    }
}
