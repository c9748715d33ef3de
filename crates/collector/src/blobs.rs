//! A generation's blobs, read from its record a segment at a time.

use std::collections::HashSet;

use ledger::{Entry, Generation, Ledger, LedgerError};
use registry::{Digest, Timestamp};
use store::WriteStore;

/// A condemned blob, with the links to it that were taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Blob {
    pub(crate) digest: Digest,
    pub(crate) key: Box<str>,
    pub(crate) size: u64,
    pub(crate) modified: Timestamp,
    pub(crate) etag: Option<Box<str>>,
    pub(crate) links: Vec<TakenLink>,
}

/// A link that is about to be taken, or was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TakenLink {
    pub(crate) key: Box<str>,
    pub(crate) text: Box<str>,
    pub(crate) listed: Timestamp,
    pub(crate) etag: Option<Box<str>>,
}

impl Blob {
    /// What to put on record of it: itself, then its links.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        let Self { digest, key, size, modified, etag, links } = self;
        let blob = Entry::Condemned {
            digest: *digest,
            key: key.clone(),
            size: *size,
            modified: *modified,
            etag: etag.clone(),
        };
        let taken = |link: &TakenLink| Entry::Taken {
            key: link.key.clone(),
            text: link.text.clone(),
            listed: link.listed,
            removed: None,
            version: None,
            etag: link.etag.clone(),
        };
        std::iter::once(blob).chain(links.iter().map(taken))
    }
}

/// Reads blobs in the order in which they were condemned; those that came back are left out.
#[derive(Debug)]
pub(crate) struct Blobs {
    /// The next segment.
    place: usize,
    /// Those that came back.
    given_back: HashSet<Digest>,
    /// Fingerprints of those that are on record as deleted.
    deleted: HashSet<u64>,
    /// The last blob of the segments read: links to it may follow.
    open: Option<Blob>,
}

impl Blobs {
    /// Reads what came back, and what was deleted; no blob yet.
    pub(crate) async fn of<S: WriteStore>(
        ledger: &Ledger<S>,
        generation: &Generation,
    ) -> Result<Self, LedgerError> {
        let (mut given_back, mut deleted) = (HashSet::new(), HashSet::new());
        for place in 0..generation.segments() {
            for entry in ledger.segment(generation, place).await? {
                if let Entry::GivenBack { digest } = entry {
                    given_back.insert(digest);
                } else if let Entry::Deleted { digest, .. } = entry {
                    deleted.insert(digest.fingerprint());
                }
            }
        }
        Ok(Self { place: 0, given_back, deleted, open: None })
    }

    /// Whether the data of a blob was on record as deleted when this was made; wrongly so by a chance of 2⁻⁶⁴.
    pub(crate) fn is_deleted(&self, digest: &Digest) -> bool {
        self.deleted.contains(&digest.fingerprint())
    }

    /// The next blobs; empty at the end and only there.
    pub(crate) async fn next<S: WriteStore>(
        &mut self,
        ledger: &Ledger<S>,
        generation: &Generation,
    ) -> Result<Vec<Blob>, LedgerError> {
        let mut blobs = Vec::new();
        while blobs.is_empty() && self.place < generation.segments() {
            for entry in ledger.segment(generation, self.place).await? {
                self.take(entry, &mut blobs);
            }
            self.place += 1;
            if self.place == generation.segments() {
                blobs.extend(self.open.take());
            }
            blobs.retain(|blob| !self.given_back.contains(&blob.digest));
        }
        Ok(blobs)
    }

    fn take(&mut self, entry: Entry, blobs: &mut Vec<Blob>) {
        match entry {
            Entry::Condemned { digest, key, size, modified, etag } => {
                let blob = Blob { digest, key, size, modified, etag, links: Vec::new() };
                blobs.extend(self.open.replace(blob));
            }
            Entry::Taken { key, text, listed, etag, .. } => {
                // Links follow their blob; one that follows none cannot be of this format.
                if let Some(blob) = &mut self.open {
                    blob.links.push(TakenLink { key, text, listed, etag });
                }
            }
            Entry::Deleted { .. } | Entry::GivenBack { .. } => blobs.extend(self.open.take()),
        }
    }
}
