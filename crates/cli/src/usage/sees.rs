//! Visitors that count.

use std::sync::Arc;

use census::{Blob, CensusBuilder};
use marker::{MarkSet, Marked};
use monitor::{Counter, Monitor};
use planner::Reappeared;
use registry::{KeyKind, Layout};
use store::Listed;

use crate::Failure;
use crate::survey::{SeesBlobs, SeesRepositories};

/// Counts repositories.
pub(super) struct Counting {
    pub(super) builder: Arc<CensusBuilder>,
}

impl SeesRepositories for Counting {
    fn see(&mut self, marked: Marked) -> Result<(), Failure> {
        Ok(self.builder.add_repository(&marked)?)
    }
}

/// Counts the blobs of one range.
pub(super) struct Weighing {
    pub(super) layout: Layout,
    pub(super) marks: Arc<MarkSet>,
    pub(super) builder: Arc<CensusBuilder>,
    pub(super) monitor: Arc<Monitor>,
}

impl SeesBlobs for Weighing {
    fn see(&mut self, page: Vec<Listed>) -> Result<Vec<Box<str>>, Failure> {
        let (mut blobs, mut unlooked, mut foreign) =
            (Vec::with_capacity(page.len()), Vec::new(), 0);
        for listed in page {
            match (self.layout.classify(listed.key()), &listed) {
                (KeyKind::Blob(digest), Listed::Object(object)) => {
                    if self.marks.was_missing(&digest) {
                        return Err(Reappeared { digest }.into());
                    }
                    let (bytes, modified) = (object.size, object.modified);
                    blobs.push(Blob { digest, bytes, modified });
                }
                (KeyKind::Blob(_), Listed::Presumed(_)) => unlooked.push(listed.into_key()),
                (KeyKind::Marker { .. }, _) => {}
                // Below `blobs/` nothing else is of the layout.
                _ => foreign += 1,
            }
        }
        self.monitor.count(Counter::Blobs, blobs.len() as u64);
        self.monitor.count(Counter::BlobBytes, blobs.iter().map(|blob| blob.bytes).sum());
        self.monitor.count(Counter::ForeignKeys, foreign);
        self.builder.add_blobs(blobs)?;
        Ok(unlooked)
    }
}
