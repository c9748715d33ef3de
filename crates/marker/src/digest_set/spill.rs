//! The part of a set that is on disk.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use xxhash_rust::xxh3::xxh3_64;

/// How much memory a set may take, and where the rest goes.
#[derive(Clone, Debug)]
pub struct MemoryLimit {
    /// So many bytes of digests are held in memory.
    pub bytes: usize,
    /// A directory on a disk with room for the others.
    pub folder: PathBuf,
}

/// Why digests could not be kept on disk. The set is not whole then, and nothing may be deleted (G5).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpillError {
    /// Writing failed.
    #[error("write marks that do not fit into memory to `{folder}`")]
    Write {
        /// Where.
        folder: Box<Path>,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Reading failed.
    #[error("read marks back from `{folder}`")]
    Read {
        /// Where.
        folder: Box<Path>,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// What was read is not what was written.
    #[error("marks in `{folder}` are damaged: the disk or the memory is not to be trusted")]
    Damaged {
        /// Where.
        folder: Box<Path>,
    },
}

/// Fingerprints, or other words, that were written one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// In bytes.
    offset: u64,
    /// In words.
    length: usize,
    checksum: u64,
}

impl Run {
    /// In words.
    #[must_use]
    pub fn length(&self) -> usize {
        self.length
    }
}

/// A file without a name, which goes with the process however that ends. What it gives back is what it was given, or
/// an error.
#[derive(Debug)]
pub struct SpillFile {
    file: File,
    folder: Box<Path>,
    end: AtomicU64,
}

impl SpillFile {
    /// An empty file on the disk of `folder`.
    ///
    /// # Errors
    /// [`SpillError::Write`] where nothing can be written there.
    pub fn create(folder: &Path) -> Result<Self, SpillError> {
        let folder: Box<Path> = folder.into();
        let created = tempfile::tempfile_in(&folder);
        let file =
            created.map_err(|source| SpillError::Write { folder: folder.clone(), source })?;
        Ok(Self { file, folder, end: AtomicU64::new(0) })
    }

    /// Writes words behind all others; anybody may at the same time.
    ///
    /// # Errors
    /// [`SpillError::Write`].
    pub fn append(&self, words: &[u64]) -> Result<Run, SpillError> {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let offset = self.end.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        let written = self.file.write_all_at(&bytes, offset);
        written.map_err(|source| SpillError::Write { folder: self.folder.clone(), source })?;
        Ok(Run { offset, length: words.len(), checksum: xxh3_64(&bytes) })
    }

    /// Reads a run behind what is in `words`.
    ///
    /// # Errors
    /// [`SpillError`] where the disk fails, or gives back something else than was written.
    pub fn read(&self, run: &Run, words: &mut Vec<u64>) -> Result<(), SpillError> {
        let mut bytes = vec![0; run.length * size_of::<u64>()];
        let read = self.file.read_exact_at(&mut bytes, run.offset);
        read.map_err(|source| SpillError::Read { folder: self.folder.clone(), source })?;
        if xxh3_64(&bytes) != run.checksum {
            return Err(SpillError::Damaged { folder: self.folder.clone() });
        }
        let (chunks, _) = bytes.as_chunks();
        words.extend(chunks.iter().map(|word| u64::from_le_bytes(*word)));
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn damage(&self, offset: u64) {
        let mut byte = [0];
        self.file.read_exact_at(&mut byte, offset).unwrap();
        self.file.write_all_at(&[byte[0] ^ 1], offset).unwrap();
    }

    #[cfg(test)]
    pub(super) fn cut(&self, length: u64) {
        self.file.set_len(length).unwrap();
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> u64 {
        self.end.load(Ordering::Relaxed)
    }
}
