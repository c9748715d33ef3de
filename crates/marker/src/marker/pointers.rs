//! What tags point to, for those who want to tell it: it decides nothing.

use std::collections::HashMap;

use lister::RepositoryTree;
use registry::{Digest, RepositoryName};
use store::ReadStore;

use super::Marker;
use crate::links::Content;
use crate::{Evidence, MarkError, TagTarget, tags};

/// Of which repositories it is found out what every tag points to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Follow {
    /// Of none: only what decides is read.
    #[default]
    Nothing,
    /// Of one.
    One(RepositoryName),
    /// Of all.
    Everything,
}

impl Follow {
    /// Whether the tags of `repository` are followed.
    #[must_use]
    pub fn covers(&self, repository: &RepositoryName) -> bool {
        match self {
            Self::Nothing => false,
            Self::One(name) => name == repository,
            Self::Everything => true,
        }
    }
}

impl<S: ReadStore> Marker<S> {
    /// What the tags of `tree` point to, where that is to be followed. A tag whose link tells nothing has no pointer.
    ///
    /// # Errors
    /// [`MarkError::Link`] where the store failed in a way that may pass.
    pub(super) async fn pointers(
        &self,
        tree: &RepositoryTree,
        evidence: &Evidence,
    ) -> Result<Vec<TagTarget>, MarkError> {
        if !self.follow.covers(&tree.name) {
            return Ok(Vec::new());
        }
        let known: HashMap<usize, Digest> =
            evidence.targets.iter().map(|target| (target.tag, target.digest)).collect();
        let (mut pointers, mut unread) = (Vec::new(), Vec::new());
        for (at, tag) in tree.tags.iter().enumerate() {
            let Some(current) = &tag.current else { continue };
            match known.get(&at).copied().or_else(|| tags::by_etag(tag)) {
                Some(digest) => pointers.push(TagTarget { tag: at, digest }),
                None => unread.push((at, current.key().into())),
            }
        }
        for (tag, content) in self.read_links(tree, unread).await? {
            if let Content::Digest(digest) = content {
                pointers.push(TagTarget { tag, digest });
            }
        }
        Ok(pointers)
    }
}
