//! The verdict over blobs: a merge of the listing with the sealed marks.

use std::sync::Arc;
use std::time::Duration;

use marker::{DigestReader, DigestSet, MarkSet, SpillError};
use registry::{Digest, KeyKind, Layout, Timestamp};
use store::{Listed, Object};

use crate::{Cutoffs, Facts, Reason, Row, RowKind};

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

/// Why nothing can be decided over blobs: the run cannot be completed.
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    /// The registry changed.
    #[error(transparent)]
    Reappeared(#[from] Reappeared),
    /// The marks do not tell (G4).
    #[error(transparent)]
    Marks(#[from] SpillError),
}

/// Decides over blobs. Holds the marks, sealed (G5).
#[derive(Debug)]
pub struct BlobJudge {
    /// Where blobs lie.
    pub layout: Layout,
    /// What must be kept.
    pub marks: MarkSet,
    /// What a database still knows, where the operator says so: kept as what is marked.
    pub keep_list: Option<KnownBlobs>,
    /// Digests that some unneeded link names: their blobs are garbage, not orphans.
    pub unlinked: DigestSet,
    /// Blobs that were condemned before, whose links are taken: they go or stay, and say nothing of the registry.
    pub held: DigestSet,
    /// What is too young.
    pub cutoffs: Cutoffs,
    /// When the newest link was written.
    pub newest_link: Option<Timestamp>,
}

/// What a database knew of.
#[derive(Clone, Debug)]
pub struct KnownBlobs {
    /// The digests.
    pub digests: Arc<DigestSet>,
    /// When, by the store's clock.
    pub at: Timestamp,
}

/// A link is written right after its blob; an hour is more than any registry takes.
const LINK_DELAY: Duration = Duration::from_hours(1);

/// What was decided over a page of blobs.
#[derive(Debug, Default)]
pub struct JudgedBlobs {
    /// What goes, in the order of the listing.
    pub rows: Vec<Row>,
    /// What was seen.
    pub facts: Facts,
    /// Keys over which nothing can be decided, and nothing is counted, before somebody looked at them.
    pub unlooked: Vec<Box<str>>,
}

/// Asks the sets about the blobs of a page, which are neighbours.
struct Readers<'j> {
    marks: DigestReader<'j>,
    keep_list: Option<DigestReader<'j>>,
    unlinked: DigestReader<'j>,
    held: DigestReader<'j>,
}

impl Readers<'_> {
    /// Whether the keep list names the digest.
    fn vouch_for(&mut self, digest: &Digest) -> Result<bool, SpillError> {
        self.keep_list.as_mut().map_or(Ok(false), |list| list.contains(digest))
    }
}

/// What is known of the links to an unneeded blob.
#[derive(Clone, Copy)]
struct Links {
    /// There are some, and nobody needs them.
    are_unneeded: bool,
    /// There were some, and they were taken before.
    are_taken: bool,
}

impl BlobJudge {
    /// Decides over a page of the listing below `blobs/`.
    ///
    /// # Errors
    /// [`JudgeError`]: the run cannot be completed.
    pub fn judge(&self, page: Vec<Listed>) -> Result<JudgedBlobs, JudgeError> {
        let mut judged = JudgedBlobs::default();
        let mut readers = Readers {
            marks: self.marks.reader(),
            keep_list: self.keep_list.as_ref().map(|known| known.digests.reader()),
            unlinked: self.unlinked.reader(),
            held: self.held.reader(),
        };
        for listed in page {
            match self.layout.classify(listed.key()) {
                KeyKind::Blob(digest) => {
                    self.judge_blob(digest, listed, &mut readers, &mut judged)?;
                }
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
        listed: Listed,
        readers: &mut Readers<'_>,
        judged: &mut JudgedBlobs,
    ) -> Result<(), JudgeError> {
        let was_missing = self.marks.was_missing(&digest);
        let is_vouched_for = readers.vouch_for(&digest)?;
        let is_kept = is_vouched_for || readers.marks.contains(&digest)?;
        match listed {
            // Nothing below `blobs/` is left closed; if it were, nobody would know what to delete of it (G4).
            Listed::Closed(_) => judged.facts.foreign_keys += 1,
            Listed::Presumed(key) if was_missing || !is_kept => judged.unlooked.push(key.into()),
            Listed::Object(_) if was_missing => return Err(Reappeared { digest }.into()),
            Listed::Presumed(_) => {
                judged.facts.blobs.count += 1;
                judged.facts.unweighed_blobs += 1;
                judged.facts.keep_list_blobs += u64::from(is_vouched_for);
            }
            Listed::Object(object) => {
                self.count(&object, &mut judged.facts);
                judged.facts.keep_list_blobs += u64::from(is_vouched_for);
                if !is_kept {
                    let links = Links {
                        are_unneeded: readers.unlinked.contains(&digest)?,
                        are_taken: readers.held.contains(&digest)?,
                    };
                    self.judge_unmarked(digest, object, links, judged);
                }
            }
        }
        Ok(())
    }

    fn judge_unmarked(
        &self,
        digest: Digest,
        object: Object,
        links: Links,
        judged: &mut JudgedBlobs,
    ) {
        let modified = object.modified;
        if !links.are_taken {
            self.note_unmarked(&object, links, &mut judged.facts);
        }
        if modified >= self.cutoffs.objects {
            return;
        }
        judged.rows.push(Row {
            kind: RowKind::Blob,
            repository: None,
            digest: Some(digest),
            key: object.key.into(),
            bytes: object.size,
            modified,
            reason: Reason::Unreferenced,
            rule: None,
            upload: None,
            etag: object.etag.map(Into::into),
        });
    }

    fn note_unmarked(&self, object: &Object, links: Links, facts: &mut Facts) {
        let modified = object.modified;
        let is_late = self.newest_link.is_none_or(|link| modified > link.after(LINK_DELAY));
        facts.late_blobs += u64::from(is_late && modified < self.cutoffs.t0);
        if modified < self.cutoffs.objects {
            facts.deleted_blobs.add(object.size);
            facts.young_orphans +=
                u64::from(self.cutoffs.is_recent(object.modified) && !links.are_unneeded);
        }
    }

    fn count(&self, object: &Object, facts: &mut Facts) {
        facts.blobs.add(object.size);
        facts.newest_blob = facts.newest_blob.max(Some(object.modified));
        let is_late = self.keep_list.as_ref().is_some_and(|known| object.modified > known.at);
        facts.keep_list_late_blobs += u64::from(is_late);
        facts.young_blobs += u64::from(self.cutoffs.is_recent(object.modified));
    }
}

#[cfg(test)]
mod tests;
