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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use monitor::Monitor;
    use registry::Layout;
    use store::MemoryStore;

    use super::*;
    use crate::testing::{CUTOFF, OLD, REPOSITORY, Registry, Text, Watched, current, list};
    use crate::{MarkSetBuilder, Marked, Rules};

    /// Marks the only repository of `store`, keeping every revision.
    async fn mark(store: Watched, follow: Follow) -> Marked {
        let store = Arc::new(store);
        let (_, mut trees) = list(&store).await;
        let (layout, monitor) = (Layout::new(""), Arc::new(Monitor::new()));
        let (marks, rules) = (Arc::new(MarkSetBuilder::new()), Rules::new(false, CUTOFF));
        let marker = Marker::new(store, &layout, 3, marks, rules, monitor).following(follow);
        marker.mark(trees.remove(0)).await.unwrap()
    }

    #[tokio::test]
    async fn tags_that_decide_nothing_are_followed_only_where_that_is_asked_for() {
        let registry = Registry { store: MemoryStore::new() };
        let digest = registry.manifest(&Text::default());
        for n in 0..10 {
            registry.tag(&format!("v{n}"), digest);
        }
        let here = RepositoryName::new(REPOSITORY).unwrap();
        let elsewhere = RepositoryName::new("team/other").unwrap();
        for (follow, pointers) in [
            (Follow::Nothing, 0),
            (Follow::One(elsewhere), 0),
            (Follow::One(here), 10),
            (Follow::Everything, 10),
        ] {
            let store = Watched::new(registry.store.clone());
            let marked = mark(store.clone(), follow).await;
            assert_eq!(marked.evidence.pointers.len(), pointers);
            assert!(marked.evidence.pointers.iter().all(|pointer| pointer.digest == digest));
            assert_eq!(store.reads(), 1 + pointers);
        }
    }

    #[tokio::test]
    async fn a_tag_whose_link_tells_nothing_has_no_pointer_and_is_no_doubt_where_it_decides_nothing()
     {
        let registry = Registry::new();
        let digest = registry.manifest(&Text::default());
        registry.tag("good", digest);
        registry.tag("rotten", digest);
        registry.store.put(&current("rotten"), b"rotten".to_vec(), OLD);
        let marked = mark(Watched::new(registry.store.clone()), Follow::Everything).await;
        assert_eq!(marked.evidence.pointers, [TagTarget { tag: 0, digest }]);
        assert!(!marked.reach.is_pinned());
    }
}
