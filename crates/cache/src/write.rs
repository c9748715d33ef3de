//! Writing segments.

use std::io::{self, BufWriter, Write as _};
use std::path::PathBuf;

use registry::Digest;
use tempfile::NamedTempFile;
use xxhash_rust::xxh3::Xxh3Default;

use crate::CacheError;
use crate::directory::Directory;
use crate::filter::{Filter, Print};
use crate::record::key_of;
use crate::segment::{END_MAGIC, checksum_of, segment_header};

/// A block is closed where it has so many bytes: three records of ten layers, of which a look goes through half. The index
/// takes 16 bytes for each.
const BLOCK: u64 = 1024;

/// A segment under construction, in a temporary file that goes with the value.
///
/// Nothing waits for the disk: what a crash of the machine leaves of a segment does not have its checksums.
pub(crate) struct SegmentWriter {
    file: BufWriter<NamedTempFile>,
    hasher: Xxh3Default,
    written: u64,
    /// Where the block ends that is being filled, at the earliest.
    block_end: u64,
    index: Vec<u8>,
    prints: Vec<Print>,
}

impl SegmentWriter {
    /// # Errors
    /// [`CacheError::Io`] where no file can be written.
    pub(crate) fn create(directory: &Directory) -> Result<Self, CacheError> {
        let file = BufWriter::with_capacity(1 << 18, directory.temporary()?);
        let (hasher, index, prints) = (Xxh3Default::new(), Vec::new(), Vec::new());
        let mut writer = Self { file, hasher, written: 0, block_end: 0, index, prints };
        writer.append(&segment_header())?;
        Ok(writer)
    }

    /// Adds a record; they come in their order, each once.
    ///
    /// # Errors
    /// [`CacheError::Io`] where it cannot be written.
    pub(crate) fn add(&mut self, digest: &Digest, record: &[u8]) -> Result<(), CacheError> {
        if self.written >= self.block_end {
            self.index.extend_from_slice(&key_of(digest).to_le_bytes());
            self.index.extend_from_slice(&self.written.to_le_bytes());
            self.block_end = self.written + BLOCK;
        }
        self.prints.push(Print::of(digest));
        self.append(record)
    }

    /// How large it is so far.
    pub(crate) const fn written(&self) -> u64 {
        self.written
    }

    /// Ends the segment and gives it its name, under which nobody ever sees half of it.
    ///
    /// # Errors
    /// [`CacheError::Io`] where it cannot be written.
    pub(crate) fn finish(mut self, directory: &Directory) -> Result<PathBuf, CacheError> {
        let (index_at, blocks) = (self.written, self.index.len() as u64 / 16);
        let filter = Filter::of(&self.prints);
        let mut index = std::mem::take(&mut self.index);
        filter.words().iter().for_each(|word| index.extend_from_slice(&word.to_le_bytes()));
        let numbers = [index_at, blocks, filter.words().len() as u64];
        let mut end: Vec<u8> = numbers.into_iter().flat_map(u64::to_le_bytes).collect();
        let checksum = checksum_of(&segment_header(), &index, &end);
        end.extend_from_slice(&checksum.to_le_bytes());
        end.extend_from_slice(END_MAGIC);
        self.append(&index)?;
        self.append(&end)?;
        let name = self.hasher.digest();
        let path = self.file.get_ref().path().to_owned();
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error);
        directory.publish(file.map_err(CacheError::io("write", &path))?, name)
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), CacheError> {
        self.hasher.update(bytes);
        self.written += bytes.len() as u64;
        let written = self.file.write_all(bytes);
        written.map_err(|error| CacheError::io("write", self.file.get_ref().path())(error))
    }
}
