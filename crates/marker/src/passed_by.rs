//! What may lie beside revision links where a listing passed by it: pure.
//!
//! Registries before 2.5 kept signatures there, of manifests that tell that they may have some. To look beside every link
//! would take as long as to look at all of them.

use std::collections::HashSet;

use lister::RepositoryTree;
use registry::Digest;
use store::Listed;

use crate::{Evidence, Known};

/// The folders of the revisions that may be signed; one that is not understood may be (G4).
pub(crate) fn folders(tree: &RepositoryTree, evidence: &Evidence) -> Vec<Box<str>> {
    let signed = tree.revisions.iter().filter(|link| may_be_signed(&link.digest, evidence));
    let folder = |key: &str| key.strip_suffix("link").map(Box::from);
    signed.filter_map(|link| folder(link.listed.key())).collect()
}

fn may_be_signed(digest: &Digest, evidence: &Evidence) -> bool {
    match evidence.manifests.get(digest) {
        Some(Known::Manifest(manifest)) => manifest.may_be_signed(),
        Some(Known::Missing | Known::Doubtful(_)) | None => true,
    }
}

/// What of `listed` is new to the tree.
pub(crate) fn unknown(tree: &RepositoryTree, mut listed: Vec<Listed>) -> Vec<Listed> {
    let signatures = tree.signatures.iter().map(|signature| &signature.link.listed);
    let links = tree.revisions.iter().map(|link| &link.listed).chain(signatures);
    let others = tree.markers.iter().chain(&tree.foreign).chain(&tree.odd_links);
    let known: HashSet<&str> = links.chain(others).map(Listed::key).collect();
    listed.retain(|listed| !known.contains(listed.key()));
    listed
}
