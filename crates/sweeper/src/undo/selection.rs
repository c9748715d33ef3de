//! Which rows are asked for.

use std::collections::HashSet;

use planner::{Row, RowKind, Stage};
use registry::{Digest, RepositoryName};

use crate::Cause;
use crate::source::Source;

/// What to take back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Only {
    /// This digest alone: its blob, its links in all repositories, and where it is a manifest the same of all that it
    /// refers to.
    pub digest: Option<Digest>,
    /// This repository alone: its links, and the blobs that they name.
    pub repository: Option<RepositoryName>,
}

impl Only {
    /// Whether nothing is left out.
    #[must_use]
    pub const fn is_everything(&self) -> bool {
        self.digest.is_none() && self.repository.is_none()
    }
}

/// Which rows are asked for, as far as it is known: a manifest names more once it is back.
///
/// Holds the digests of what is asked for: of a repository, or of what a manifest reaches.
#[derive(Clone, Debug, Default)]
pub(super) struct Selection {
    only: Only,
    /// `None` for all.
    digests: Option<HashSet<Digest>>,
    /// Those whose blobs were not brought back yet; `None` where they all are known from the beginning, or done.
    fresh: Option<HashSet<Digest>>,
}

impl Selection {
    /// Reads the links of a repository where one is asked for. Blocks.
    pub(super) fn of(only: Only, source: &impl Source) -> Result<Self, Cause> {
        let digests = match (&only.digest, &only.repository) {
            (Some(digest), _) => Some(HashSet::from([*digest])),
            (None, Some(repository)) => Some(linked(source, repository)?),
            (None, None) => None,
        };
        let fresh = only.digest.map(|digest| HashSet::from([digest]));
        Ok(Self { only, digests, fresh })
    }

    /// Takes in one more digest; whether it is new.
    pub(super) fn add(&mut self, digest: Digest) -> bool {
        let is_new = self.digests.as_mut().is_some_and(|digests| digests.insert(digest));
        if is_new {
            self.fresh.get_or_insert_default().insert(digest);
        }
        is_new
    }

    /// Whether there are digests whose blobs a round brings back before more are known.
    pub(super) fn is_growing(&self) -> bool {
        self.fresh.is_some()
    }

    /// Says that the blobs that are known now were seen to.
    pub(super) fn end_round(&mut self) {
        self.fresh = None;
    }

    /// The manifest to begin with, where one is asked for.
    pub(super) const fn start(&self) -> Option<Digest> {
        self.only.digest
    }

    /// Whether a row is asked for.
    pub(super) fn takes(&self, row: &Row) -> bool {
        let of_kind = if row.kind == RowKind::Blob { self.fresh.as_ref() } else { None };
        let is_named = match (of_kind.or(self.digests.as_ref()), row.digest) {
            (None, _) => true,
            (Some(digests), Some(digest)) => digests.contains(&digest),
            (Some(_), None) => false,
        };
        match &self.only.repository {
            None => is_named,
            Some(_) if row.kind == RowKind::Blob => is_named,
            Some(repository) => {
                let is_here = row.repository.as_ref() == Some(repository);
                is_here && (is_named || self.only.digest.is_none())
            }
        }
    }
}

/// The digests that the plan's links of a repository name.
fn linked(source: &impl Source, repository: &RepositoryName) -> Result<HashSet<Digest>, Cause> {
    let mut digests = HashSet::new();
    for segment in source.segments().iter().filter(|segment| segment.stage != Stage::Blobs) {
        for row in source.rows(segment).map_err(Cause::Plan)? {
            let row = row.map_err(Cause::Plan)?;
            if row.repository.as_ref() == Some(repository) {
                digests.extend(row.digest);
            }
        }
    }
    Ok(digests)
}
