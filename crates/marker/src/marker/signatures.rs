//! Signatures of old manifests, where the listing left them out.

use lister::RepositoryTree;
use registry::{Digest, MediaType};
use store::ReadStore;

use super::Marker;
use crate::{Evidence, Known, MarkError};

/// What follows the folder of a revision in the keys of its signatures.
const SIGNATURES: &str = "signatures/";

impl<S: ReadStore> Marker<S> {
    /// Lists the signatures of every manifest that may have some, and says whether there was anything.
    ///
    /// Registries before 2.5 kept a signature for schema 1 manifests only. What is not known to be another kind may be
    /// one (G4).
    pub(super) async fn list_signatures(
        &self,
        tree: &mut RepositoryTree,
        evidence: &Evidence,
    ) -> Result<bool, MarkError> {
        let before = found(tree);
        for folder in left_out(tree, evidence) {
            self.list_folder(tree, &folder).await?;
        }
        Ok(found(tree) > before)
    }
}

/// What a folder of signatures may hold.
fn found(tree: &RepositoryTree) -> usize {
    tree.signatures.len() + tree.foreign.len() + tree.odd_links.len()
}

/// The folders of signatures that the listing did not enter and that may be there.
fn left_out(tree: &RepositoryTree, evidence: &Evidence) -> Vec<String> {
    let signed = tree.revisions.iter().filter(|link| may_be_signed(evidence, &link.digest));
    let folders = signed.filter_map(|link| link.listed.key().strip_suffix("link"));
    let folders = folders.map(|folder| format!("{folder}{SIGNATURES}"));
    let is_known = |folder: &String| {
        let mut keys = tree.signatures.iter().map(|signature| signature.link.listed.key());
        keys.any(|key| key.starts_with(folder))
    };
    folders.filter(|folder| !is_known(folder)).collect()
}

fn may_be_signed(evidence: &Evidence, revision: &Digest) -> bool {
    match evidence.manifests.get(revision) {
        Some(Known::Manifest(manifest)) => manifest.media_type() == MediaType::Schema1,
        Some(Known::Missing | Known::Doubtful(_)) | None => true,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use monitor::Monitor;
    use registry::Layout;

    use super::*;
    use crate::testing::{CUTOFF, Registry, Text, Watched, digest, list, revision, signature};
    use crate::{MarkSetBuilder, Marked, Rules};

    /// Marks the only repository of `store`, of which the listing gave no signatures.
    async fn mark(store: Watched) -> Marked {
        let store = Arc::new(store);
        let (_, mut trees) = list(&store).await;
        let tree = RepositoryTree { signatures: Vec::new(), ..trees.remove(0) };
        let (layout, monitor) = (Layout::new(""), Arc::new(Monitor::new()));
        let (marks, rules) = (Arc::new(MarkSetBuilder::new()), Rules::new(false, CUTOFF));
        Marker::new(store, &layout, 3, marks, rules, monitor).mark(tree).await.unwrap()
    }

    #[tokio::test]
    async fn g4_signatures_that_a_listing_left_out_are_found_wherever_there_may_be_some() {
        let registry = Registry::new();
        let old = registry.blob(&format!(
            r#"{{"schemaVersion":1,"name":"a","fsLayers":[{{"blobSum":"{}"}}],"signatures":[]}}"#,
            digest("layer")
        ));
        let (unclear, missing) = (registry.blob("unclear"), digest("missing"));
        let modern = registry.manifest(&Text::default());
        for signed in [old, unclear, missing, modern] {
            registry.link(&revision(signed), signed);
            registry.link(&signature(signed, digest("signature")), digest("signature"));
        }
        let mut signed: Vec<Digest> = [old, unclear, missing].to_vec();
        signed.sort_unstable();
        for (store, expected) in [
            (Watched::new(registry.store.clone()), Vec::new()),
            (Watched::new(registry.store.clone()).leaving_out(), signed),
        ] {
            let marked = mark(store).await;
            let found = marked.tree.signatures.iter().map(|signature| signature.revision);
            assert_eq!(found.collect::<Vec<_>>(), expected);
            assert_eq!(marked.reach.signatures.is_empty(), expected.is_empty());
        }
    }
}
