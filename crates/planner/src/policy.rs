//! What the operator wants gone.

use std::time::Duration;

use registry::Timestamp;
use serde::{Deserialize, Serialize};

/// What may go. Recorded in the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Whether manifests that no tag reaches go.
    pub untagged: bool,
    /// Nothing younger than this goes (G1).
    pub grace: Duration,
    /// Uploads older than this go; also never younger than the grace.
    pub uploads_older_than: Duration,
}

/// The policy at one instant: everything newer than its cut-offs is kept (G1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cutoffs {
    /// When the run began.
    pub t0: Timestamp,
    /// Whether manifests that no tag reaches go.
    pub untagged: bool,
    /// Objects go only where they were last written before this.
    pub objects: Timestamp,
    /// Uploads go only where all of their times lie before this.
    pub uploads: Timestamp,
}

/// What is younger than this was pushed under the rules of today's registry.
const RECENT: Duration = Duration::from_hours(30 * 24);

impl Cutoffs {
    /// Whether what was written then is old enough to be judged, and young enough to tell how the registry works now.
    #[must_use]
    pub fn is_recent(&self, modified: Timestamp) -> bool {
        modified < self.objects && modified >= self.t0.before(RECENT)
    }
}

impl Policy {
    /// The policy at `t0`, which the store told before anything was listed.
    #[must_use]
    pub fn at(&self, t0: Timestamp) -> Cutoffs {
        Cutoffs {
            t0,
            untagged: self.untagged,
            objects: t0.before(self.grace),
            uploads: t0.before(self.grace.max(self.uploads_older_than)),
        }
    }
}
