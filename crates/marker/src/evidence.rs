//! What is known about a repository beyond its keys.

use foldhash::HashMap;
use registry::{Digest, Manifest};

use crate::What;

/// What reading a manifest gave.
#[derive(Clone, Debug)]
pub enum Known {
    /// It is there and understood.
    Manifest(Manifest),
    /// It is not there: a definite answer of the store.
    Missing,
    /// It could not be read or understood (G4).
    Doubtful(Box<What>),
}

impl Known {
    pub(crate) fn doubtful(what: What) -> Self {
        Self::Doubtful(Box::new(what))
    }
}

/// What a tag points to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagTarget {
    /// Position in [`RepositoryTree::tags`](lister::RepositoryTree::tags).
    pub tag: usize,
    /// The manifest.
    pub digest: Digest,
}

/// A digest under which a link serves the content of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alias {
    /// The digest in the key of the link.
    pub digest: Digest,
    /// The digest in its content.
    pub canonical: Digest,
}

/// Everything that had to be read to know what a repository keeps alive.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// Manifests by digest: every revision, and manifests that only a layer link serves.
    pub manifests: HashMap<Digest, Known>,
    /// How many of them an earlier run had read.
    pub recalled: usize,
    /// Links whose content names another digest than their key.
    pub aliases: Vec<Alias>,
    /// What the tags point to; empty where tags do not matter.
    pub targets: Vec<TagTarget>,
    /// What every tag points to whose link tells it, where that was asked for. Nothing is decided by it.
    pub pointers: Vec<TagTarget>,
    /// Doubts that are not about a manifest.
    pub doubts: Vec<What>,
}
