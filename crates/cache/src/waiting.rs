//! Records that are not on disk yet.

use std::ops::Range;
use std::path::PathBuf;

use registry::{Digest, Manifest};

use crate::CacheError;
use crate::directory::Directory;
use crate::record::{self, Place, place_of};
use crate::write::SegmentWriter;

/// Records in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    bytes: Vec<u8>,
    records: Vec<(Place, Range<usize>)>,
}

impl Waiting {
    /// Adds a record; gives its size.
    pub(crate) fn add(&mut self, digest: &Digest, manifest: &Manifest) -> usize {
        let start = self.bytes.len();
        record::write(digest, manifest, &mut self.bytes);
        self.records.push((place_of(digest), start..self.bytes.len()));
        self.bytes.len() - start
    }

    /// The size of all records.
    pub(crate) const fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Makes them a segment; none where there are none.
    ///
    /// # Errors
    /// [`CacheError::Io`] where it cannot be written.
    pub(crate) fn write(mut self, directory: &Directory) -> Result<Option<PathBuf>, CacheError> {
        if self.records.is_empty() {
            return Ok(None);
        }
        self.records.sort_unstable_by_key(|(place, _)| *place);
        self.records.dedup_by_key(|(place, _)| *place);
        let mut writer = SegmentWriter::create(directory)?;
        for ((_, digest), range) in self.records {
            writer.add(&digest, &self.bytes[range])?;
        }
        writer.finish(directory).map(Some)
    }
}
