//! Records that are not on disk yet.

use std::ops::Range;
use std::path::PathBuf;

use registry::{Digest, Manifest};

use crate::CacheError;
use crate::directory::Directory;
use crate::record::{self, Place, place_of};
use crate::write::SegmentWriter;

/// So many bytes of records lie together. A list that grows as a whole would be copied each time it doubles, and held
/// twice meanwhile.
const PIECE: usize = 256 * 1024;
/// A piece with less room than most records take is full.
const ROOM: usize = 4 * 1024;

/// Records in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    pieces: Vec<Vec<u8>>,
    /// Where each lies: in which piece, and where in that.
    records: Vec<(Place, usize, Range<usize>)>,
    size: usize,
}

impl Waiting {
    /// Adds a record; gives its size.
    pub(crate) fn add(&mut self, digest: &Digest, manifest: &Manifest) -> usize {
        let piece = self.pieces.pop_if(|piece| piece.len() + ROOM <= PIECE);
        let mut piece = piece.unwrap_or_else(|| Vec::with_capacity(PIECE));
        let start = piece.len();
        record::write(digest, manifest, &mut piece);
        let place = start..piece.len();
        let size = place.len();
        self.records.push((place_of(digest), self.pieces.len(), place));
        self.pieces.push(piece);
        self.size += size;
        size
    }

    /// The size of all records.
    pub(crate) const fn size(&self) -> usize {
        self.size
    }

    /// Makes them a segment; none where there are none.
    ///
    /// # Errors
    /// [`CacheError::Io`] where it cannot be written.
    pub(crate) fn write(mut self, directory: &Directory) -> Result<Option<PathBuf>, CacheError> {
        if self.records.is_empty() {
            return Ok(None);
        }
        self.records.sort_unstable_by_key(|(place, ..)| *place);
        self.records.dedup_by_key(|(place, ..)| *place);
        let mut writer = SegmentWriter::create(directory)?;
        for ((_, digest), piece, range) in self.records {
            writer.add(&digest, &self.pieces[piece][range])?;
        }
        writer.finish(directory).map(Some)
    }
}
