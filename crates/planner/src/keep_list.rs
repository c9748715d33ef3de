//! What is seen of a repository where a database knows more than its links: no rows come of it.

use lister::Link;
use marker::{DigestReader, Known, Marked, SpillError};
use registry::{Digest, Manifest, Role};

use crate::{Cutoffs, Facts, judge};

/// The facts of a repository of which nothing goes, whatever its links say: there are no rows to sort out (G4).
///
/// # Errors
/// Where the list does not tell.
pub fn observe_repository(
    marked: &Marked,
    cutoffs: &Cutoffs,
    keep_list: &mut DigestReader<'_>,
) -> Result<Facts, SpillError> {
    Ok(Facts {
        keep_list_gaps: gaps(marked, cutoffs, keep_list)?,
        ..judge::facts_of(marked, cutoffs)
    })
}

/// Digests that layer links of the repository name and nothing needs: their blobs are garbage, not orphans.
pub fn unneeded_layers(marked: &Marked) -> impl Iterator<Item = Digest> + '_ {
    let layers = marked.tree.layers.iter().map(|link| link.digest);
    layers.filter(|digest| !marked.reach.needed.contains(digest))
}

/// Manifests that were pushed lately, are understood, and of which the database seems to know nothing.
fn gaps(
    marked: &Marked,
    cutoffs: &Cutoffs,
    keep_list: &mut DigestReader<'_>,
) -> Result<u64, SpillError> {
    let is_recent = |link: &&Link| link.modified().is_some_and(|time| cutoffs.is_recent(time));
    let mut gaps = 0;
    for link in marked.tree.revisions.iter().filter(is_recent) {
        if let Some(Known::Manifest(manifest)) = marked.evidence.manifests.get(&link.digest) {
            gaps += u64::from(!is_known(&link.digest, manifest, keep_list)?);
        }
    }
    Ok(gaps)
}

/// Whether a list names the manifest, or else all the blobs that it names: GitLab's database has a table of its own for
/// manifests. Of an index, which names none, such a list says nothing.
fn is_known(
    digest: &Digest,
    manifest: &Manifest,
    keep_list: &mut DigestReader<'_>,
) -> Result<bool, SpillError> {
    if keep_list.contains(digest)? {
        return Ok(true);
    }
    for edge in manifest.references() {
        if matches!(edge.role, Role::Config | Role::Layer) && !keep_list.contains(&edge.digest)? {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests;
