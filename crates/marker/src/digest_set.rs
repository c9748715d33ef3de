//! Sets of digests, 8 bytes each, one part for each shard.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rayon::prelude::*;
use registry::{Digest, Shard};

/// A set of digests under construction; any thread may add.
#[derive(Debug)]
pub struct DigestSetBuilder {
    shards: Vec<Mutex<Growing>>,
}

#[derive(Debug, Default)]
struct Growing {
    fingerprints: Vec<u64>,
    /// Length after duplicates were last removed.
    compacted: usize,
}

/// Below this length duplicates are not worth removing.
const SMALL: usize = 1024;

impl Growing {
    /// Sorts and removes duplicates once the list has doubled: base layers are named by most manifests.
    fn compact_if_doubled(&mut self) {
        if self.fingerprints.len() > SMALL.max(self.compacted * 2) {
            self.compact();
        }
    }

    fn compact(&mut self) {
        self.fingerprints.sort_unstable();
        self.fingerprints.dedup();
        self.compacted = self.fingerprints.len();
    }
}

impl Default for DigestSetBuilder {
    fn default() -> Self {
        Self { shards: Shard::all().map(|_| Mutex::default()).collect() }
    }
}

impl DigestSetBuilder {
    /// An empty set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds digests, one lock for each run of the same shard.
    pub fn add(&self, digests: impl IntoIterator<Item = Digest>) {
        let mut sorted: Vec<(Shard, u64)> =
            digests.into_iter().map(|digest| (digest.shard(), digest.fingerprint())).collect();
        sorted.sort_unstable();
        for run in sorted.chunk_by(|a, b| a.0 == b.0) {
            let mut growing = lock(&self.shards[run[0].0.index()]);
            growing.fingerprints.extend(run.iter().map(|(_, fingerprint)| fingerprint));
            growing.compact_if_doubled();
        }
    }

    /// Sorts every shard, in parallel.
    #[must_use]
    pub fn finish(self) -> DigestSet {
        let sorted = |shard: Mutex<Growing>| {
            let mut growing = shard.into_inner().unwrap_or_else(PoisonError::into_inner);
            growing.compact();
            growing.fingerprints.into_boxed_slice()
        };
        DigestSet { shards: self.shards.into_par_iter().map(sorted).collect() }
    }
}

/// Appending to a list is all that happens under the lock, so a panic elsewhere leaves it whole.
fn lock(shard: &Mutex<Growing>) -> MutexGuard<'_, Growing> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A finished set of digests: sorted fingerprints by shard.
///
/// It never denies a digest that was added. It may confirm one that was not, with probability 2⁻⁶⁴ for each pair in a
/// shard: then garbage is kept.
#[derive(Debug)]
pub struct DigestSet {
    shards: Vec<Box<[u64]>>,
}

impl DigestSet {
    /// Whether the digest was added.
    #[must_use]
    pub fn contains(&self, digest: &Digest) -> bool {
        self.shards[digest.shard().index()].binary_search(&digest.fingerprint()).is_ok()
    }

    /// How many distinct fingerprints there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.shards.iter().map(|shard| shard.len() as u64).sum()
    }

    /// Whether nothing was added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_added_is_never_denied(added in prop::collection::vec(0u32..5000, 0..4000), asked in 0u32..10_000) {
            let builder = DigestSetBuilder::new();
            let digest = |n: u32| Digest::sha256(&n.to_be_bytes());
            for chunk in added.chunks(100) {
                builder.add(chunk.iter().map(|n| digest(*n)));
            }
            let set = builder.finish();
            prop_assert!(added.iter().all(|n| set.contains(&digest(*n))));
            prop_assert_eq!(set.contains(&digest(asked)), added.contains(&asked));
            let distinct: std::collections::HashSet<_> = added.iter().collect();
            prop_assert_eq!(set.len(), distinct.len() as u64);
        }
    }
}
