//! Sets of digests, 8 bytes each, one part for each shard.
//!
//! Past a limit of memory a shard writes away what it holds, sorted, and begins anew; at the end its runs become one
//! sorted run on disk, of which an index stays in memory.

mod inbox;
mod sealed;
mod sort;
mod spill;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rayon::prelude::*;
use registry::{Digest, Shard};

use self::inbox::{ByShard, Inbox, Place, place_of};
use self::sealed::SealedShard;

pub use self::sealed::{DigestReader, DigestSet};
pub use self::spill::{MemoryLimit, Run, SpillError, SpillFile};

/// A set of digests under construction; any thread may add.
#[derive(Debug)]
pub struct DigestSetBuilder {
    inbox: Inbox,
    shards: Vec<Mutex<Growing>>,
    /// Where shards go that grow too large; none where they may grow.
    spill: Option<Spill>,
}

#[derive(Debug)]
struct Spill {
    file: Arc<SpillFile>,
    /// So many fingerprints of one shard are held in memory at most. A power of two, as the capacities of lists are.
    most: usize,
}

#[derive(Debug, Default)]
struct Growing {
    fingerprints: Vec<u64>,
    /// Length after duplicates were last removed.
    compacted: usize,
    /// What was written away.
    runs: Vec<Run>,
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
        sort::sort(&mut self.fingerprints);
        self.fingerprints.dedup();
        self.compacted = self.fingerprints.len();
    }

    /// Appends; the capacity stays a power of two.
    fn extend(&mut self, more: &[u64]) {
        let length = self.fingerprints.len();
        self.fingerprints.reserve_exact((length + more.len()).next_power_of_two() - length);
        self.fingerprints.extend_from_slice(more);
    }

    /// Sees to it that the list does not outgrow its share of the memory by `more` (G12).
    fn make_room(&mut self, more: usize, spill: &Spill) -> Result<(), SpillError> {
        if self.fingerprints.len() + more <= spill.most {
            return Ok(());
        }
        self.compact();
        // Where duplicates gave little room, it would soon be full again.
        if self.fingerprints.len() + more > spill.most / 2 && !self.fingerprints.is_empty() {
            self.runs.push(spill.file.append(&self.fingerprints)?);
            self.fingerprints.clear();
            self.compacted = 0;
        }
        Ok(())
    }

    /// Everything that was added, sorted.
    fn finish(mut self, spill: Option<&Spill>) -> Result<SealedShard, SpillError> {
        let Some(spill) = spill.filter(|_| !self.runs.is_empty()) else {
            self.compact();
            return Ok(SealedShard::in_memory(self.fingerprints));
        };
        for run in std::mem::take(&mut self.runs) {
            spill.file.read(&run, &mut self.fingerprints)?;
        }
        self.compact();
        SealedShard::on_disk(&self.fingerprints, &spill.file)
    }
}

impl Default for DigestSetBuilder {
    fn default() -> Self {
        let shards = Shard::all().map(|_| Mutex::default()).collect();
        Self { inbox: Inbox::default(), shards, spill: None }
    }
}

impl DigestSetBuilder {
    /// An empty set that stays in memory.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty set that goes to disk where it would outgrow `limit`.
    ///
    /// # Errors
    /// [`SpillError`] where nothing can be written there.
    pub fn limited(limit: &MemoryLimit) -> Result<Self, SpillError> {
        let share = (limit.bytes / size_of::<u64>() / Shard::COUNT).max(1);
        let most = (share / 2 + 1).next_power_of_two();
        let spill = Spill { file: Arc::new(SpillFile::create(&limit.folder)?), most };
        let inbox = Inbox::within(limit.bytes);
        Ok(Self { inbox, spill: Some(spill), ..Self::default() })
    }

    /// Adds digests.
    ///
    /// # Errors
    /// [`SpillError`] where the set had to go to disk and could not. Some digests are missing then, also of those that
    /// were added before: the set must not be used (G5).
    pub fn add(&self, digests: impl IntoIterator<Item = Digest>) -> Result<(), SpillError> {
        let places = digests.into_iter().map(|digest| place_of(&digest)).collect();
        self.inbox.put(places).map_or(Ok(()), |places| self.distribute(&places))
    }

    /// Brings digests to their shards, one lock for those of each.
    fn distribute(&self, places: &[Place]) -> Result<(), SpillError> {
        for (shard, run) in ByShard::of(places).runs() {
            let mut growing = lock(&self.shards[shard.index()]);
            if let Some(spill) = &self.spill {
                growing.make_room(run.len(), spill)?;
            }
            growing.extend(run);
            growing.compact_if_doubled();
        }
        Ok(())
    }

    /// Sorts every shard, in parallel. Each processor holds one whole shard in memory meanwhile, twice.
    ///
    /// # Errors
    /// [`SpillError`] where what was written away cannot be read, or not be written again.
    pub fn finish(mut self) -> Result<DigestSet, SpillError> {
        let rest = std::mem::take(&mut self.inbox).into_rest();
        self.distribute(&rest)?;
        let spill = self.spill.as_ref();
        let sealed = |shard: Mutex<Growing>| {
            shard.into_inner().unwrap_or_else(PoisonError::into_inner).finish(spill)
        };
        let shards: Result<Vec<SealedShard>, SpillError> =
            self.shards.into_par_iter().map(sealed).collect();
        Ok(DigestSet::new(shards?))
    }
}

/// A list that a panic elsewhere left behind holds what was added before: nothing is changed in steps.
fn lock(shard: &Mutex<Growing>) -> MutexGuard<'_, Growing> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
