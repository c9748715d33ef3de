//! Which blobs and links of a generation are asked for.

use std::collections::HashSet;

use registry::{Digest, Layout, RepositoryName};

use crate::blobs::Blob;

/// What of a generation to take back; everything where nothing is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// This digest alone: its data, its links in all repositories, and where it is a manifest the same of all that it
    /// refers to.
    pub digest: Option<Digest>,
    /// This repository alone: its links, and the data that they name.
    pub repository: Option<RepositoryName>,
}

impl Asked {
    /// Whether nothing is left out.
    #[must_use]
    pub const fn is_everything(&self) -> bool {
        self.digest.is_none() && self.repository.is_none()
    }
}

/// What is asked for, as far as it is known: a manifest names more once it is back.
#[derive(Debug)]
pub(super) struct Selection {
    repository: Option<RepositoryName>,
    /// `None` for all.
    digests: Option<HashSet<Digest>>,
}

/// A blob that is asked for.
#[derive(Debug)]
pub(super) struct Taken {
    /// With those of its links that are asked for.
    pub(super) blob: Blob,
    /// Whether these are all.
    pub(super) is_whole: bool,
}

impl Selection {
    pub(super) fn of(asked: &Asked) -> Self {
        let digests = asked.digest.map(|digest| HashSet::from([digest]));
        Self { repository: asked.repository.clone(), digests }
    }

    /// Nothing yet, of this repository or of all.
    pub(super) fn none(repository: Option<&RepositoryName>) -> Self {
        Self { repository: repository.cloned(), digests: Some(HashSet::new()) }
    }

    /// Whether nothing can be asked for.
    pub(super) fn is_empty(&self) -> bool {
        self.digests.as_ref().is_some_and(HashSet::is_empty)
    }

    /// Takes in one more digest; whether it is new.
    pub(super) fn add(&mut self, digest: Digest) -> bool {
        self.digests.as_mut().is_some_and(|digests| digests.insert(digest))
    }

    /// What is asked for of a blob; `None` where nothing is.
    pub(super) fn take(&self, mut blob: Blob, layout: &Layout) -> Option<Taken> {
        if self.digests.as_ref().is_some_and(|digests| !digests.contains(&blob.digest)) {
            return None;
        }
        let all = blob.links.len();
        if let Some(repository) = &self.repository {
            blob.links.retain(|link| layout.repository_of(&link.key) == Some(repository.as_str()));
            if blob.links.is_empty() && self.digests.is_none() {
                return None;
            }
        }
        let is_whole = blob.links.len() == all;
        Some(Taken { blob, is_whole })
    }
}
