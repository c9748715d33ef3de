//! Links that stay, and what has to stay because of them (G8).

use std::collections::HashSet;

use planner::{Row, RowKind, Stage};
use registry::RepositoryName;

/// Links that could not be removed, or were written since they were listed: whoever follows them must find all that
/// they lead to.
///
/// A link leads to other links of its own repository, and to blobs. Holds at most the names of all repositories.
#[derive(Clone, Debug, Default)]
pub(crate) struct Obstacles {
    repositories: HashSet<RepositoryName>,
    /// The first stage in which a link of an unknown repository stays.
    elsewhere: Option<Stage>,
}

impl Obstacles {
    /// A link stays.
    pub(crate) fn add(&mut self, link: &Row) {
        match &link.repository {
            // Looked up first: mostly it is there, and a copy of the name is not needed.
            Some(repository) if self.repositories.contains(repository) => {}
            Some(repository) => drop(self.repositories.insert(repository.clone())),
            None => self.add_elsewhere(link.kind.stage()),
        }
    }

    /// A link of a stage stays, and nobody knows in which repository.
    pub(crate) fn add_elsewhere(&mut self, stage: Stage) {
        self.elsewhere = Some(self.elsewhere.map_or(stage, |first| first.min(stage)));
    }

    /// Whether any link stays.
    pub(crate) fn any(&self) -> bool {
        self.elsewhere.is_some() || !self.repositories.is_empty()
    }

    /// Whether a row has to stay because a link of an earlier stage may lead to it. Uploads are led to by nothing, whatever
    /// they would become.
    pub(crate) fn protect(&self, row: &Row) -> bool {
        if matches!(row.kind, RowKind::Upload | RowKind::MultipartUpload) {
            return false;
        }
        self.elsewhere.is_some_and(|first| first < row.kind.stage())
            || row.repository.as_ref().is_some_and(|name| self.repositories.contains(name))
    }
}

/// Whether objects of this kind lead to others.
pub(crate) const fn is_link(kind: RowKind) -> bool {
    match kind {
        RowKind::BrokenLink | RowKind::TagLink | RowKind::RevisionLink | RowKind::LayerLink => true,
        RowKind::Upload | RowKind::Blob | RowKind::MultipartUpload => false,
    }
}
