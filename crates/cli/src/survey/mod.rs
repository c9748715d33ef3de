//! Goes through a whole registry and shows it to visitors: every repository, marked, then every blob.
//!
//! ```text
//! lister ─▶ RepositoryTree ─▶ Marker ─▶ Marked ─▶ SeesRepositories, one for each task
//! lister ─▶ page of blobs ────────────────────▶ SeesBlobs, one for each range
//! store  ─▶ page of multipart uploads ────────▶ MetUpload, with its parts
//! ```
//! What a visitor makes of it, a plan, a sum, a search, is its own affair; all of them see the same.

mod answers;
mod blobs;
mod multipart;
mod repositories;

use std::path::Path;
use std::sync::Arc;

use cache::ManifestCache;
use marker::MemoryLimit;
use monitor::{Monitor, Stop};
use registry::Layout;

pub(crate) use self::answers::{Answers, Questions, TOGETHER, says_something};
pub(crate) use self::blobs::{SeesBlobs, visit_blobs};
pub use self::multipart::UploadSource;
pub(crate) use self::multipart::{Met, MetUpload, Sight, UploadWalk, Weigh, Weight};
pub(crate) use self::repositories::{Marking, SeesRepositories, lost, visit_repositories};

use crate::Failure;

/// A registry to go through, and what that may take.
#[derive(Debug)]
pub(crate) struct Survey<'a, S> {
    pub(crate) store: &'a Arc<S>,
    pub(crate) layout: &'a Layout,
    /// How many ranges are listed, and manifests read, at once.
    pub(crate) width: usize,
    /// What earlier runs know of manifests; none where all are to be read.
    pub(crate) cache: Option<&'a Arc<ManifestCache>>,
    /// How many bytes marks and manifests may take.
    pub(crate) memory: usize,
    /// Where goes what does not fit.
    pub(crate) folder: &'a Path,
    pub(crate) monitor: &'a Arc<Monitor>,
    pub(crate) stop: &'a Arc<Stop>,
}

impl<S> Clone for Survey<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Survey<'_, S> {}

impl<S> Survey<'_, S> {
    /// Of whom is asked what uploads there are.
    pub(crate) fn uploads(&self) -> UploadSource<'_, S> {
        UploadSource { store: self.store, layout: self.layout, width: self.width, stop: self.stop }
    }

    /// A set that holds so many bytes in memory, and the rest on disk.
    pub(crate) fn in_memory(&self, bytes: usize) -> MemoryLimit {
        MemoryLimit { bytes, folder: self.folder.to_owned() }
    }
}

/// Every task is joined by now, so this handle is the last one.
pub(crate) fn sole<T>(shared: Arc<T>, what: &'static str) -> Result<T, Failure> {
    Arc::into_inner(shared)
        .ok_or_else(|| Failure::Internal { what, source: "a task is left".into() })
}
