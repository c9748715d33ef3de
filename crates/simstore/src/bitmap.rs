//! A set of ordinals that costs a bit each, and nothing where there are none.

/// Words of one chunk.
const WORDS: usize = 1024;
const CHUNK_BITS: u64 = WORDS as u64 * 64;

/// A set of ordinals.
#[derive(Debug, Default)]
pub(crate) struct Bitmap {
    chunks: Vec<Option<Box<[u64; WORDS]>>>,
    count: u64,
}

impl Bitmap {
    /// Adds an ordinal; whether it is new.
    pub(crate) fn insert(&mut self, ordinal: u64) -> bool {
        let (chunk, word, bit) = place(ordinal);
        if self.chunks.len() <= chunk {
            self.chunks.resize_with(chunk + 1, || None);
        }
        let word = &mut self.chunks[chunk].get_or_insert_with(|| Box::new([0; WORDS]))[word];
        let is_new = *word & bit == 0;
        *word |= bit;
        self.count += u64::from(is_new);
        is_new
    }

    pub(crate) fn contains(&self, ordinal: u64) -> bool {
        let (chunk, word, bit) = place(ordinal);
        self.chunk(chunk).is_some_and(|words| words[word] & bit != 0)
    }

    /// How many ordinals are in the set.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// The first ordinal from `ordinal` on that is not in the set.
    pub(crate) fn next_absent(&self, mut ordinal: u64) -> u64 {
        loop {
            let (chunk, word, _) = place(ordinal);
            let Some(words) = self.chunk(chunk) else { return ordinal };
            let absent = !words[word] >> (ordinal % 64);
            if absent != 0 {
                return ordinal + u64::from(absent.trailing_zeros());
            }
            ordinal = (ordinal / 64 + 1) * 64;
        }
    }

    fn chunk(&self, chunk: usize) -> Option<&[u64; WORDS]> {
        self.chunks.get(chunk)?.as_deref()
    }
}

/// Chunk, word of the chunk, and bit of the word.
fn place(ordinal: u64) -> (usize, usize, u64) {
    let word = (ordinal % CHUNK_BITS / 64) as usize;
    ((ordinal / CHUNK_BITS) as usize, word, 1 << (ordinal % 64))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_bitmap_is_a_set(ordinals in prop::collection::btree_set(0..300_u64, 0..300), far in any::<bool>()) {
            let from = if far { 5 * CHUNK_BITS - 150 } else { 0 };
            let set: BTreeSet<u64> = ordinals.iter().map(|ordinal| from + ordinal).collect();
            let mut bitmap = Bitmap::default();
            for ordinal in &set {
                prop_assert!(bitmap.insert(*ordinal));
                prop_assert!(!bitmap.insert(*ordinal));
            }
            prop_assert_eq!(bitmap.count(), set.len() as u64);
            for ordinal in from..from + 310 {
                prop_assert_eq!(bitmap.contains(ordinal), set.contains(&ordinal));
                let next = (ordinal..from + 400).find(|ordinal| !set.contains(ordinal));
                prop_assert_eq!(Some(bitmap.next_absent(ordinal)), next);
            }
        }
    }
}
