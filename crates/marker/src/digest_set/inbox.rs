//! Digests on their way to their shards, so many together that it pays to visit each shard.

use std::sync::{Mutex, PoisonError};

use registry::{Digest, Shard};

/// So many go on together: some for each shard. They take 128 KiB.
const TOGETHER: usize = 1 << 13;
/// Of the memory that a set may take, they take this part at most.
const PART: usize = 16;

/// The shard of a digest, and its fingerprint.
pub(super) type Place = (Shard, u64);

pub(super) fn place_of(digest: &Digest) -> Place {
    (digest.shard(), digest.fingerprint())
}

/// What waits to go on.
#[derive(Debug)]
pub(super) struct Inbox {
    waiting: Mutex<Vec<Place>>,
    /// So many are enough.
    together: usize,
}

impl Default for Inbox {
    fn default() -> Self {
        Self { waiting: Mutex::default(), together: TOGETHER }
    }
}

impl Inbox {
    /// The inbox of a set that may take so many bytes (G12).
    pub(super) fn within(bytes: usize) -> Self {
        let together = (bytes / PART / size_of::<Place>()).min(TOGETHER);
        Self { together, ..Self::default() }
    }

    /// Takes what was added; gives back what is enough to go on, where there is so much.
    pub(super) fn put(&self, added: Vec<Place>) -> Option<Vec<Place>> {
        if added.len() >= self.together {
            return Some(added);
        }
        // What a panic elsewhere left behind is whole: nothing is changed in steps.
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = waiting.len() + added.len() > self.together;
        let full = is_full.then(|| std::mem::take(&mut *waiting));
        let room = self.together - waiting.len();
        waiting.reserve_exact(room);
        waiting.extend(added);
        full
    }

    /// All that waits.
    pub(super) fn into_rest(self) -> Vec<Place> {
        self.waiting.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Fingerprints, those of each shard together.
pub(super) struct ByShard {
    fingerprints: Vec<u64>,
    /// Where those of each shard end.
    ends: [usize; Shard::COUNT],
}

impl ByShard {
    pub(super) fn of(places: &[Place]) -> Self {
        let mut ends = [0; Shard::COUNT];
        for (shard, _) in places {
            ends[shard.index()] += 1;
        }
        // Where those of each shard begin, and after the next loop end.
        let mut before = 0;
        for end in &mut ends {
            before += std::mem::replace(end, before);
        }
        let mut fingerprints = vec![0; places.len()];
        for (shard, fingerprint) in places {
            let end = &mut ends[shard.index()];
            fingerprints[*end] = *fingerprint;
            *end += 1;
        }
        Self { fingerprints, ends }
    }

    /// The shards that have any, with theirs.
    pub(super) fn runs(&self) -> impl Iterator<Item = (Shard, &[u64])> {
        let mut start = 0;
        Shard::all().zip(self.ends).filter_map(move |(shard, end)| {
            let run = &self.fingerprints[std::mem::replace(&mut start, end)..end];
            (!run.is_empty()).then_some((shard, run))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn g5_each_fingerprint_comes_to_its_shard_as_often_as_it_was_put_in(
            chunks in prop::collection::vec(prop::collection::vec((any::<u8>(), 0..5u64), 0..3000), 0..12),
            bytes in prop::option::of(0..1_000_000usize),
        ) {
            let (inbox, mut came) = (bytes.map_or_else(Inbox::default, Inbox::within), Vec::new());
            for chunk in &chunks {
                let places = chunk.iter().map(|(shard, n)| (Shard(*shard), *n)).collect();
                came.extend(inbox.put(places));
            }
            came.push(inbox.into_rest());
            let mut seen: BTreeMap<(u8, u64), usize> = BTreeMap::new();
            for by_shard in came.iter().map(|places| ByShard::of(places)) {
                for (shard, run) in by_shard.runs() {
                    for n in run {
                        *seen.entry((shard.0, *n)).or_default() += 1;
                    }
                }
            }
            let mut expected: BTreeMap<(u8, u64), usize> = BTreeMap::new();
            chunks.iter().flatten().for_each(|place| *expected.entry(*place).or_default() += 1);
            prop_assert_eq!(seen, expected);
        }
    }
}
