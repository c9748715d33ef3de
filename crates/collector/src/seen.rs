//! What a look says about condemned blobs.

use std::collections::HashSet;

use marker::MarkSet;
use planner::{Plan, PlanError, RowKind};
use protocol::Evidence;
use registry::{Digest, Layout, Timestamp};
use tokio::task::spawn_blocking;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::blobs::{Blob, TakenLink};
use crate::{CollectError, Look};

/// What a look says about condemned blobs.
#[derive(Debug)]
pub(crate) struct Seen {
    marks: MarkSet,
    layout: Layout,
    /// Repositories in which something could not be read or understood.
    pinned: HashSet<String>,
    /// What the registry's cache believed when the look began.
    believed: HashSet<Digest>,
    /// Hashes of blobs that nothing needs, as they were listed.
    listed: HashSet<u64>,
}

impl Seen {
    /// Reads what a look listed; gives back its objection.
    pub(crate) async fn new<E: std::error::Error + 'static>(
        look: Look<E>,
        layout: Layout,
        believed: HashSet<Digest>,
    ) -> Result<(Self, Option<E>), CollectError<E>> {
        let Look { plan, marks, pinned, objection } = look;
        let pinned = pinned.iter().map(ToString::to_string).collect();
        let listed = spawn_blocking(move || listed(&plan)).await??;
        Ok((Self { marks, layout, pinned, believed, listed }, objection))
    }

    /// What is known of a blob.
    pub(crate) fn evidence<E: std::error::Error + 'static>(
        &self,
        blob: &Blob,
    ) -> Result<Evidence, CollectError<E>> {
        // Whatever a link names is marked, so that being linked is being reached.
        let reached = self.marks.reader().contains(&blob.digest)?;
        let cached = self.believed.contains(&blob.digest);
        // What a pinned repository linked would be kept if its links were there.
        let is_pinned = |link: &TakenLink| {
            self.layout.repository_of(&link.key).is_some_and(|name| self.pinned.contains(name))
        };
        let doubt = blob.links.iter().any(is_pinned);
        Ok(Evidence { doubt, reached, cached, ..Evidence::default() })
    }

    /// Whether the data of a blob was listed as it was when it was condemned; otherwise it is gone, or another.
    pub(crate) fn is_as_condemned(&self, blob: &Blob) -> bool {
        self.listed.contains(&hash(&blob.digest, blob.modified))
    }
}

/// Two blobs have the same hash by a chance of 2⁻⁶⁴.
fn hash(digest: &Digest, modified: Timestamp) -> u64 {
    xxh3_64_with_seed(digest.as_bytes(), modified.as_millis().cast_unsigned())
}

fn listed(plan: &Plan) -> Result<HashSet<u64>, PlanError> {
    let mut listed = HashSet::new();
    for segment in plan.segments() {
        for row in plan.rows(segment)? {
            let row = row?;
            if row.kind == RowKind::Blob {
                listed.extend(row.digest.map(|digest| hash(&digest, row.modified)));
            }
        }
    }
    Ok(listed)
}
