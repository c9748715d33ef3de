//! The largest blobs that go.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use planner::Row;
use registry::{Digest, Timestamp};

use super::Figures;
use super::places::Places;

/// A blob that goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LargeBlob {
    /// Its digest.
    pub digest: Digest,
    /// Its size.
    pub bytes: u64,
    /// When it was written.
    pub modified: Timestamp,
    /// One of the repositories whose links to it go; none where there is none.
    pub repository: Option<String>,
    /// How many other repositories have such links.
    pub others: usize,
}

/// Ordered by size, then by digest, so that the same plan names the same blobs.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Held {
    bytes: u64,
    digest: Digest,
    modified: Timestamp,
    first: Option<u32>,
    holders: usize,
}

/// The largest so far, the least of them on top.
#[derive(Debug, Default)]
pub(crate) struct Largest(BinaryHeap<Reverse<Held>>);

impl Largest {
    pub(crate) fn add(&mut self, row: &Row, holders: &[u32], places: &Places) {
        let Some(digest) = row.digest else { return };
        let is_full = self.0.len() == Figures::LARGEST;
        if is_full && self.0.peek().is_some_and(|Reverse(least)| row.bytes < least.bytes) {
            return;
        }
        let (bytes, modified) = (row.bytes, row.modified);
        let (first, holders) = (places.first(holders), holders.len());
        self.0.push(Reverse(Held { bytes, digest, modified, first, holders }));
        if is_full {
            self.0.pop();
        }
    }

    /// The largest first, with the names of repositories.
    pub(crate) fn named(self, places: &Places) -> Vec<LargeBlob> {
        let named = |Reverse(held): Reverse<Held>| LargeBlob {
            digest: held.digest,
            bytes: held.bytes,
            modified: held.modified,
            repository: held.first.map(|first| places.name(first).to_owned()),
            others: held.holders.saturating_sub(1),
        };
        self.0.into_sorted_vec().into_iter().map(named).collect()
    }
}
