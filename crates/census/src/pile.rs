//! Records by shard, sorted in the end, on disk where they are too many.

mod merge;

use std::sync::{Mutex, MutexGuard, PoisonError};

use marker::{MemoryLimit, SpillError, SpillFile, SpilledRun};
use rayon::prelude::*;
use registry::Shard;

use crate::claim::Record;

pub(crate) use self::merge::Merge;

/// Records that are written, and read back, at once: 24 KiB.
const BLOCK: usize = 1024;
/// Sorted runs that are merged at once; each holds one block in memory.
const FAN_IN: usize = 64;

/// A sorted run on disk, by blocks.
type Run = Vec<SpilledRun>;

/// Records under collection; any thread may add.
#[derive(Debug)]
pub(crate) struct Pile {
    shards: Vec<Mutex<Heap>>,
    file: SpillFile,
    /// So many records of one shard are held in memory at most. A power of two, as the capacities of lists are.
    most: usize,
}

/// The records of a shard.
#[derive(Debug, Default)]
struct Heap {
    records: Vec<Record>,
    runs: Vec<Run>,
}

impl Pile {
    pub(crate) fn limited(limit: &MemoryLimit) -> Result<Self, SpillError> {
        let share = limit.bytes / size_of::<Record>() / Shard::COUNT;
        let most = (share / 2 + 1).next_power_of_two();
        let shards = Shard::all().map(|_| Mutex::default()).collect();
        Ok(Self { shards, file: SpillFile::create(&limit.folder)?, most })
    }

    /// Adds records, one lock for each run of the same shard.
    ///
    /// # Errors
    /// [`SpillError`] where some are lost: the pile must not be used any more.
    pub(crate) fn add(
        &self,
        records: impl IntoIterator<Item = (Shard, Record)>,
    ) -> Result<(), SpillError> {
        let mut sorted: Vec<(Shard, Record)> = records.into_iter().collect();
        sorted.sort_unstable();
        for run in sorted.chunk_by(|a, b| a.0 == b.0) {
            let mut heap = lock(&self.shards[run[0].0.index()]);
            for part in run.chunks(self.most) {
                self.make_room(&mut heap, part.len())?;
                heap.extend(part.iter().map(|(_, record)| *record));
            }
        }
        Ok(())
    }

    /// Sees to it that a shard does not outgrow its share of the memory by `more` (G12).
    fn make_room(&self, heap: &mut Heap, more: usize) -> Result<(), SpillError> {
        if heap.records.len() + more <= self.most {
            return Ok(());
        }
        heap.sort();
        // Where duplicates gave little room, it would soon be full again.
        if heap.records.len() + more > self.most / 2 && !heap.records.is_empty() {
            let run = write(&self.file, heap.records.iter().copied().map(Ok))?;
            heap.runs.push(run);
            heap.records.clear();
        }
        Ok(())
    }

    /// Sorts every shard, in parallel.
    ///
    /// # Errors
    /// [`SpillError`] where what was written cannot be read, or not be written again.
    pub(crate) fn finish(self) -> Result<Sorted, SpillError> {
        let file = self.file;
        let finish = |shard: Mutex<Heap>| {
            let mut heap = shard.into_inner().unwrap_or_else(PoisonError::into_inner);
            heap.sort();
            heap.narrow(&file)?;
            Ok(heap)
        };
        let shards: Result<Vec<Heap>, SpillError> =
            self.shards.into_par_iter().map(finish).collect();
        Ok(Sorted { shards: shards?, file })
    }
}

/// A list that a panic elsewhere left behind holds what was added before: nothing is changed in steps.
fn lock(shard: &Mutex<Heap>) -> MutexGuard<'_, Heap> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Heap {
    fn sort(&mut self) {
        self.records.sort_unstable();
        self.records.dedup();
    }

    /// Appends; the capacity stays a power of two.
    fn extend(&mut self, more: impl ExactSizeIterator<Item = Record>) {
        let length = self.records.len();
        self.records.reserve_exact((length + more.len()).next_power_of_two() - length);
        self.records.extend(more);
    }

    /// Merges runs until they are few enough to be read at once.
    fn narrow(&mut self, file: &SpillFile) -> Result<(), SpillError> {
        while self.runs.len() > FAN_IN {
            let merged = |runs: &[Run]| write(file, Merge::of(runs, &[], file)?);
            let wider: Result<Vec<Run>, SpillError> =
                self.runs.chunks(FAN_IN).map(merged).collect();
            self.runs = wider?;
        }
        Ok(())
    }
}

/// Writes sorted records.
fn write(
    file: &SpillFile,
    mut records: impl Iterator<Item = Result<Record, SpillError>>,
) -> Result<Run, SpillError> {
    let mut run = Run::new();
    loop {
        let block: Result<Vec<Record>, SpillError> = records.by_ref().take(BLOCK).collect();
        let block = block?;
        if block.is_empty() {
            return Ok(run);
        }
        run.push(file.append(block.as_flattened())?);
    }
}

/// Records, sorted.
#[derive(Debug)]
pub(crate) struct Sorted {
    shards: Vec<Heap>,
    file: SpillFile,
}

impl Sorted {
    /// The distinct records of a shard, ascending.
    ///
    /// # Errors
    /// [`SpillError`], here and from the iterator: nothing is known of the shard then.
    pub(crate) fn of(&self, shard: Shard) -> Result<Merge<'_>, SpillError> {
        let heap = &self.shards[shard.index()];
        Merge::of(&heap.runs, &heap.records, &self.file)
    }
}

#[cfg(test)]
pub(crate) mod tests;
