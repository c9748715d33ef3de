//! What a collection is asked to do.

use std::time::Duration;

/// How a collection is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode {
    /// Whether manifests that no tag reaches go.
    pub untagged: bool,
    /// Nothing younger goes.
    pub grace: Duration,
    /// Uploads older than this go, if they are older than the grace too.
    pub uploads_older_than: Duration,
}

impl Default for Mode {
    /// What the command line has without options: 24 hours of grace, 7 days for uploads.
    fn default() -> Self {
        Self { untagged: false, grace: hours(24), uploads_older_than: hours(7 * 24) }
    }
}

impl Mode {
    /// The default, collecting untagged manifests.
    #[must_use]
    pub fn untagged() -> Self {
        Self { untagged: true, ..Self::default() }
    }
}

/// So many hours.
pub(crate) const fn hours(count: u64) -> Duration {
    Duration::from_secs(count * 3600)
}
