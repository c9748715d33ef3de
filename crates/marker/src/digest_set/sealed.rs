//! Finished sets.

use std::sync::Arc;

use registry::Digest;

use super::spill::{Run, SpillError, SpillFile};

/// A finished set of digests: sorted fingerprints by shard.
///
/// It never denies a digest that was added. It may confirm one that was not, with probability 2⁻⁶⁴ for each pair in a
/// shard: then garbage is kept.
#[derive(Debug)]
pub struct DigestSet {
    shards: Vec<SealedShard>,
}

/// The sorted fingerprints of a shard.
#[derive(Debug)]
pub(super) enum SealedShard {
    Memory(Box<[u64]>),
    Disk { blocks: Box<[Block]>, file: Arc<SpillFile> },
}

/// Neighbours of a shard that are read together.
#[derive(Debug)]
pub(super) struct Block {
    /// The least of them.
    first: u64,
    run: Run,
}

/// So many neighbours are looked at one by one.
const STEPS: usize = 8;

/// Fingerprints of a block: 4 KiB.
const BLOCK: usize = 512;

impl SealedShard {
    pub(super) fn in_memory(sorted: Vec<u64>) -> Self {
        Self::Memory(sorted.into_boxed_slice())
    }

    pub(super) fn on_disk(sorted: &[u64], file: &Arc<SpillFile>) -> Result<Self, SpillError> {
        let blocks = sorted.chunks(BLOCK).map(|block| {
            let run = file.append(block)?;
            Ok(Block { first: block[0], run })
        });
        let blocks = blocks.collect::<Result<_, SpillError>>()?;
        Ok(Self::Disk { blocks, file: Arc::clone(file) })
    }

    fn len(&self) -> usize {
        match self {
            Self::Memory(sorted) => sorted.len(),
            Self::Disk { blocks, .. } => blocks.iter().map(|block| block.run.length()).sum(),
        }
    }
}

impl DigestSet {
    pub(super) fn new(shards: Vec<SealedShard>) -> Self {
        Self { shards }
    }

    /// Who asks for neighbours, asks one reader.
    #[must_use]
    pub fn reader(&self) -> DigestReader<'_> {
        DigestReader { set: self, near: (0, 0), block: None, fingerprints: Vec::new() }
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

    #[cfg(test)]
    pub(super) fn file(&self) -> Option<&SpillFile> {
        self.shards.iter().find_map(|shard| match shard {
            SealedShard::Disk { file, .. } => Some(&**file),
            SealedShard::Memory(_) => None,
        })
    }
}

/// Asks a set about digests; of what is on disk it holds the block that it read last.
#[derive(Debug)]
pub struct DigestReader<'s> {
    set: &'s DigestSet,
    /// The shard that was asked last, and where in it the answer was found.
    near: (usize, usize),
    /// The shard and the block that were read last.
    block: Option<(usize, usize)>,
    fingerprints: Vec<u64>,
}

impl DigestReader<'_> {
    /// Whether the digest was added.
    ///
    /// # Errors
    /// [`SpillError`] where the disk does not tell: nothing may be concluded then (G4).
    pub fn contains(&mut self, digest: &Digest) -> Result<bool, SpillError> {
        let (shard, fingerprint) = (digest.shard().index(), digest.fingerprint());
        match &self.set.shards[shard] {
            SealedShard::Memory(sorted) => Ok(self.finds(shard, sorted, fingerprint)),
            SealedShard::Disk { blocks, file } => {
                let behind = blocks.partition_point(|block| block.first <= fingerprint);
                let Some(at) = behind.checked_sub(1) else { return Ok(false) };
                self.load((shard, at), &blocks[at].run, file)?;
                Ok(self.fingerprints.binary_search(&fingerprint).is_ok())
            }
        }
    }

    /// Whether a shard has a fingerprint. Blobs come in the order of their digests: the next answer is a few steps behind
    /// the last.
    fn finds(&mut self, shard: usize, sorted: &[u64], fingerprint: u64) -> bool {
        let (last, at) = self.near;
        let is_ahead = last == shard && sorted.get(at).is_some_and(|near| *near <= fingerprint);
        let from = if is_ahead { at } else { 0 };
        let ahead = &sorted[from..];
        let is_before = |other: &u64| *other < fingerprint;
        let steps = match ahead.iter().take(STEPS).position(|other| !is_before(other)) {
            Some(steps) => steps,
            None => ahead.partition_point(is_before),
        };
        self.near = (shard, from + steps);
        ahead.get(steps) == Some(&fingerprint)
    }

    fn load(
        &mut self,
        block: (usize, usize),
        run: &Run,
        file: &SpillFile,
    ) -> Result<(), SpillError> {
        if self.block == Some(block) {
            return Ok(());
        }
        self.block = None;
        self.fingerprints.clear();
        file.read(run, &mut self.fingerprints)?;
        self.block = Some(block);
        Ok(())
    }
}
