//! Signatures of old manifests, where the listing left them out.

use foldhash::HashSet;
use lister::RepositoryTree;
use registry::{Digest, MediaType};
use store::ReadStore;

use super::Marker;
use crate::{Evidence, Known, MarkError, Reach};

/// What follows the folder of a revision in the keys of its signatures.
const SIGNATURES: &str = "signatures/";

/// The folders of signatures of one repository that were listed.
#[derive(Debug, Default)]
pub(super) struct ListedSignatures(HashSet<String>);

impl<S: ReadStore> Marker<S> {
    /// Lists the signatures of every manifest that may have some, each once, and says whether there was anything.
    ///
    /// # Errors
    /// Where any may have been missed (G3), or the run is to stop.
    pub(super) async fn list_signatures(
        &self,
        tree: &mut RepositoryTree,
        evidence: &Evidence,
        reach: &Reach,
        listed: &mut ListedSignatures,
    ) -> Result<bool, MarkError> {
        if self.library.lists_every_key() {
            return Ok(false);
        }
        let before = found(tree);
        for folder in left_out(tree, evidence, reach) {
            if listed.0.insert(folder.clone()) {
                self.require_going(tree)?;
                self.list_folder(tree, &folder).await?;
            }
        }
        Ok(found(tree) > before)
    }
}

/// How much there is of what a folder of signatures may hold.
fn found(tree: &RepositoryTree) -> usize {
    tree.signatures.len() + tree.markers.len() + tree.foreign.len() + tree.odd_links.len()
}

/// The folders of signatures that the listing did not enter and that may be there. Of a repository in doubt any may be
/// (G4).
fn left_out(tree: &RepositoryTree, evidence: &Evidence, reach: &Reach) -> Vec<String> {
    let signed = tree
        .revisions
        .iter()
        .filter(|link| reach.is_pinned() || may_be_signed(evidence, &link.digest));
    let folders = signed.filter_map(|link| link.listed.key().strip_suffix("link"));
    let folders = folders.map(|folder| format!("{folder}{SIGNATURES}"));
    let is_known = |folder: &String| {
        let mut keys = tree.signatures.iter().map(|signature| signature.link.listed.key());
        keys.any(|key| key.starts_with(folder))
    };
    folders.filter(|folder| !is_known(folder)).collect()
}

/// Registries before 2.5 kept signatures of schema 1 manifests only. What is not known to be another kind may be one
/// (G4); a document that two registries could take for different kinds is never understood ([`registry::Manifest`]).
fn may_be_signed(evidence: &Evidence, revision: &Digest) -> bool {
    match evidence.manifests.get(revision) {
        Some(Known::Manifest(manifest)) => manifest.media_type() == MediaType::Schema1,
        Some(Known::Missing | Known::Doubtful(_)) | None => true,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use monitor::{Asked, Monitor, Stop};
    use registry::Layout;

    use super::*;
    use crate::testing::{
        CUTOFF, Registry, Text, Watched, digest, layer, list, revision, signature,
    };
    use crate::{MarkSetBuilder, Marked, Rules};

    /// Marks the only repository of `store`, of which the listing gave no signatures.
    async fn mark(store: Watched, stop: &Arc<Stop>) -> Result<Marked, MarkError> {
        let store = Arc::new(store);
        let (_, mut trees) = list(&store).await;
        let tree = RepositoryTree { signatures: Vec::new(), ..trees.remove(0) };
        let (layout, monitor) = (Layout::new(""), Arc::new(Monitor::new()));
        let (marks, rules) = (Arc::new(MarkSetBuilder::new()), Rules::new(false, CUTOFF));
        Marker::new(store, &layout, 3, marks, rules, monitor).stopped_by(stop).mark(tree).await
    }

    fn sign(registry: &Registry, manifest: Digest) {
        registry.link(&revision(manifest), manifest);
        registry.link(&signature(manifest, digest("signature")), digest("signature"));
    }

    /// A schema 1 manifest.
    fn old(registry: &Registry) -> Digest {
        registry.blob(&format!(
            r#"{{"schemaVersion":1,"name":"a","fsLayers":[{{"blobSum":"{}"}}],"signatures":[]}}"#,
            digest("layer")
        ))
    }

    async fn signed(store: Watched) -> Vec<Digest> {
        let marked = mark(store, &Arc::default()).await.unwrap();
        let found: Vec<_> = marked.tree.signatures.iter().map(|found| found.revision).collect();
        assert_eq!(marked.reach.signatures.is_empty(), found.is_empty());
        found
    }

    #[tokio::test]
    async fn g4_signatures_that_a_listing_left_out_are_found_wherever_there_may_be_some() {
        let registry = Registry::new();
        let (old, missing, modern) =
            (old(&registry), digest("missing"), registry.manifest(&Text::default()));
        for manifest in [old, missing, modern] {
            sign(&registry, manifest);
        }
        let all = Watched::new(registry.store.clone());
        assert_eq!(signed(all.clone()).await, [], "the store says that it lists them");
        let mut expected = vec![old, missing];
        expected.sort_unstable();
        assert_eq!(signed(all.leaving_out()).await, expected);
    }

    #[tokio::test]
    async fn g4_in_a_repository_in_doubt_any_manifest_may_be_signed() {
        let registry = Registry::new();
        let mut expected = vec![registry.blob("unclear"), registry.manifest(&Text::default())];
        for manifest in &expected {
            sign(&registry, *manifest);
        }
        expected.sort_unstable();
        assert_eq!(signed(Watched::new(registry.store.clone()).leaving_out()).await, expected);
    }

    #[tokio::test]
    async fn g4_what_a_signature_says_that_was_left_out_counts() {
        let registry = Registry::new();
        sign(&registry, old(&registry));
        registry.link(&layer(digest("unneeded")), digest("unneeded"));
        let store = Watched::new(registry.store.clone()).leaving_out();
        let marked = mark(store, &Arc::default()).await.unwrap();
        assert!(marked.reach.signatures.contains(&digest("signature")));
        assert!(marked.reach.marks().any(|mark| mark == digest("signature")));
        assert!(!marked.reach.needed.contains(&digest("unneeded")));
    }

    #[tokio::test]
    async fn nothing_is_listed_once_the_run_is_to_stop() {
        let registry = Registry::new();
        sign(&registry, digest("missing"));
        let stop = Arc::new(Stop::new());
        stop.ask(Asked::Drain);
        let stopped = mark(Watched::new(registry.store.clone()).leaving_out(), &stop).await;
        assert!(matches!(stopped, Err(MarkError::Stopped { .. })), "{stopped:?}");
    }
}
