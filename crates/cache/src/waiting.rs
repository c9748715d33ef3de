//! Manifests that are not on disk yet.

use std::hint::black_box;
use std::path::PathBuf;

use registry::{Digest, Manifest};

use crate::CacheError;
use crate::directory::Directory;
use crate::record::{self, TOGETHER, key_of};
use crate::write::SegmentWriter;

/// So many manifests are in one list. A list of all would be copied each time it doubles, and held twice meanwhile.
const PIECE: usize = 1024;

/// Manifests in the order in which they came. Their edges are not copied before they are written.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    /// Lists of which all but the last are full.
    pieces: Vec<Vec<(Digest, Manifest)>>,
    size: usize,
}

impl Waiting {
    /// Adds a manifest; gives the size of its record.
    pub(crate) fn add(&mut self, digest: &Digest, manifest: &Manifest) -> usize {
        let size = record::size(digest, manifest);
        let room = self.pieces.pop_if(|piece| piece.len() < PIECE);
        let mut piece = room.unwrap_or_else(|| Vec::with_capacity(PIECE));
        piece.push((*digest, manifest.clone()));
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
    pub(crate) fn write(self, directory: &Directory) -> Result<Option<PathBuf>, CacheError> {
        if self.pieces.is_empty() {
            return Ok(None);
        }
        let mut writer = SegmentWriter::create(directory)?;
        let mut record = Vec::new();
        for together in self.order().chunks(TOGETHER) {
            // Who asks for all of them at once does not wait for each.
            for at in together {
                black_box(self.at(*at).1.edges().next());
            }
            for at in together {
                let (digest, manifest) = self.at(*at);
                record.clear();
                record::write(digest, manifest, &mut record);
                writer.add(digest, &record)?;
            }
        }
        writer.finish(directory).map(Some)
    }

    fn at(&self, at: usize) -> &(Digest, Manifest) {
        &self.pieces[at / PIECE][at % PIECE]
    }

    /// Where they stand in the order of records, each once. Numbers are sorted, as manifests take many times as much.
    fn order(&self) -> Vec<usize> {
        let digest = |at: usize| &self.at(at).0;
        let keys = self.pieces.iter().flatten().map(|(digest, _)| key_of(digest));
        let mut order: Vec<(u64, usize)> = keys.zip(0..).collect();
        order.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| digest(a.1).cmp(digest(b.1))));
        order.dedup_by(|a, b| digest(a.1) == digest(b.1));
        order.into_iter().map(|(_, at)| at).collect()
    }
}
