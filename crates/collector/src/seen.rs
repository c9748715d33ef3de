//! What a look says about condemned blobs.

use std::collections::HashSet;

use marker::MarkSet;
use planner::{Plan, RowKind};
use protocol::Evidence;
use registry::{Digest, Timestamp};
use tokio::task::spawn_blocking;

use crate::blobs::Blob;
use crate::{CollectError, Look};

/// What a look says about condemned blobs.
#[derive(Debug)]
pub(crate) struct Seen {
    marks: MarkSet,
    /// What the registry's cache believed when the look began.
    believed: HashSet<Digest>,
    /// Blobs that nothing needs, as they were listed.
    listed: HashSet<(Digest, Timestamp)>,
}

impl Seen {
    /// Reads what a look listed; gives back its objection.
    pub(crate) async fn new<E: std::error::Error + 'static>(
        look: Look<E>,
        believed: HashSet<Digest>,
    ) -> Result<(Self, Option<E>), CollectError<E>> {
        let Look { plan, marks, objection } = look;
        let listed = spawn_blocking(move || listed(&plan)).await??;
        Ok((Self { marks, believed, listed }, objection))
    }

    /// What is known of a blob.
    pub(crate) fn evidence<E: std::error::Error + 'static>(
        &self,
        blob: &Blob,
    ) -> Result<Evidence, CollectError<E>> {
        // Whatever a link names is marked, so that being linked is being reached.
        let reached = self.marks.reader().contains(&blob.digest)?;
        let cached = self.believed.contains(&blob.digest);
        Ok(Evidence { reached, cached, ..Evidence::default() })
    }

    /// Whether the data of a blob was listed as it was when it was condemned; otherwise it is gone, or another.
    pub(crate) fn is_as_condemned(&self, blob: &Blob) -> bool {
        self.listed.contains(&(blob.digest, blob.modified))
    }
}

fn listed(plan: &Plan) -> Result<HashSet<(Digest, Timestamp)>, planner::PlanError> {
    let mut listed = HashSet::new();
    for segment in plan.segments() {
        for row in plan.rows(segment)? {
            let row = row?;
            if row.kind == RowKind::Blob {
                listed.extend(row.digest.map(|digest| (digest, row.modified)));
            }
        }
    }
    Ok(listed)
}
