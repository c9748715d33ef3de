//! The verdict over blobs: a merge of the listing with the sealed marks.

use std::time::Duration;

use marker::{DigestSet, MarkSet};
use registry::{Digest, KeyKind, Layout, Timestamp};
use store::Object;

use crate::{Cutoffs, Facts, Judged, Reason, Row, RowKind};

/// A blob is listed that was not there when a link to it was followed: the registry changed since, and what this
/// manifest refers to is not marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "manifest {digest} was missing when it was read and is listed now: the registry changed meanwhile"
)]
pub struct Reappeared {
    /// The manifest.
    pub digest: Digest,
}

/// Decides over blobs. Holds the marks, sealed (G5).
#[derive(Debug)]
pub struct BlobJudge {
    /// Where blobs lie.
    pub layout: Layout,
    /// What must be kept.
    pub marks: MarkSet,
    /// Digests that some planned link names: their blobs are garbage, not orphans.
    pub unlinked: DigestSet,
    /// What is too young.
    pub cutoffs: Cutoffs,
    /// When the run began, by the store's clock.
    pub t0: Timestamp,
    /// When the newest link was written.
    pub newest_link: Option<Timestamp>,
}

/// A link is written right after its blob; an hour is more than any registry takes.
const LINK_DELAY: Duration = Duration::from_hours(1);
/// Blobs younger than this were pushed under the rules of today's registry.
const RECENT: Duration = Duration::from_hours(30 * 24);

impl BlobJudge {
    /// Decides over a page of the listing below `blobs/`; rows come in the order of the listing.
    ///
    /// # Errors
    /// [`Reappeared`]: the run cannot be completed.
    pub fn judge(&self, objects: Vec<Object>) -> Result<Judged, Reappeared> {
        let mut judged = Judged::default();
        for object in objects {
            match self.layout.classify(&object.key) {
                KeyKind::Blob(digest) => self.judge_blob(digest, object, &mut judged)?,
                KeyKind::Marker { .. } => {}
                // Below `blobs/` nothing else is of the layout; what it is not is never deleted (G4).
                _ => judged.facts.foreign_keys += 1,
            }
        }
        Ok(judged)
    }

    fn judge_blob(
        &self,
        digest: Digest,
        object: Object,
        judged: &mut Judged,
    ) -> Result<(), Reappeared> {
        if self.marks.was_missing(&digest) {
            return Err(Reappeared { digest });
        }
        self.count(&object, &mut judged.facts);
        if self.marks.contains(&digest) || object.modified >= self.cutoffs.objects {
            return Ok(());
        }
        judged.facts.deleted_blobs.add(object.size);
        if self.is_recent(&object) && !self.unlinked.contains(&digest) {
            judged.facts.young_orphans += 1;
        }
        judged.rows.push(Row {
            kind: RowKind::Blob,
            repository: None,
            digest: Some(digest),
            key: object.key,
            bytes: object.size,
            modified: object.modified,
            reason: Reason::Unreferenced,
        });
        Ok(())
    }

    fn count(&self, object: &Object, facts: &mut Facts) {
        let modified = object.modified;
        facts.blobs.add(object.size);
        facts.newest_blob = facts.newest_blob.max(Some(modified));
        facts.young_blobs += u64::from(self.is_recent(object));
        let is_late = self.newest_link.is_none_or(|link| modified > link.after(LINK_DELAY));
        facts.late_blobs += u64::from(is_late && modified < self.t0);
    }

    /// Old enough to be judged, young enough to tell how the registry works now.
    fn is_recent(&self, object: &Object) -> bool {
        object.modified < self.cutoffs.objects && object.modified >= self.t0.before(RECENT)
    }
}

#[cfg(test)]
mod tests;
