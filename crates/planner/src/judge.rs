//! The verdict over a repository: pure.

use std::collections::HashSet;

use lister::{Link, RepositoryTree, TagTree, Upload};
use marker::Marked;
use registry::{Digest, RepositoryName, Timestamp};
use store::Object;

use crate::{Cutoffs, Facts, FreshLinks, Reason, Row, RowKind};

/// What goes of one repository, and what was seen of it.
#[derive(Debug, Default)]
pub struct Judged {
    /// What goes.
    pub rows: Vec<Row>,
    /// What was seen.
    pub facts: Facts,
}

/// Decides what goes of one repository. Equal inputs give equal answers; nothing at or past a cut-off goes (G1), and
/// of a pinned repository only abandoned uploads go (G4).
#[must_use]
pub fn judge_repository(marked: &Marked, cutoffs: &Cutoffs) -> Judged {
    let judge = Judge { marked, cutoffs };
    let mut rows = judge.uploads();
    if !marked.reach.is_pinned() {
        if cutoffs.untagged {
            rows.extend(judge.revisions());
            rows.extend(judge.tag_history());
        }
        rows.extend(judge.layers());
        rows.extend(judge.remains(&rows));
    }
    Judged { rows, facts: facts(marked, cutoffs) }
}

struct Judge<'m> {
    marked: &'m Marked,
    cutoffs: &'m Cutoffs,
}

impl Judge<'_> {
    fn row(&self, kind: RowKind, digest: Option<Digest>, object: &Object, reason: Reason) -> Row {
        Row {
            kind,
            repository: Some(RepositoryName::clone(&self.marked.tree.name)),
            digest,
            key: object.key.clone(),
            bytes: object.size,
            modified: object.modified,
            reason,
        }
    }

    fn is_old(&self, object: &Object) -> bool {
        object.modified < self.cutoffs.objects
    }

    fn dead<'a>(
        &'a self,
        links: impl Iterator<Item = &'a Link> + 'a,
        is_kept: impl Fn(&Digest) -> bool + 'a,
        kind: RowKind,
        reason: Reason,
    ) -> impl Iterator<Item = Row> + 'a {
        links
            .filter(move |link| self.is_old(&link.object) && !is_kept(&link.digest))
            .map(move |link| self.row(kind, Some(link.digest), &link.object, reason))
    }

    fn revisions(&self) -> Vec<Row> {
        let (tree, kept) = (&self.marked.tree, &self.marked.reach.manifests);
        let (kind, reason) = (RowKind::RevisionLink, Reason::Untagged);
        let revisions =
            self.dead(tree.revisions.iter(), |digest| kept.contains(digest), kind, reason);
        let unsigned =
            tree.signatures.iter().filter(|signature| !kept.contains(&signature.revision));
        let signatures =
            self.dead(unsigned.map(|signature| &signature.link), |_| false, kind, reason);
        revisions.chain(signatures).collect()
    }

    fn tag_history(&self) -> Vec<Row> {
        let kept = |digest: &Digest| self.marked.reach.manifests.contains(digest);
        let history = self.marked.tree.tags.iter().flat_map(|tag| &tag.index);
        self.dead(history, kept, RowKind::TagLink, Reason::DeadTagHistory).collect()
    }

    fn layers(&self) -> Vec<Row> {
        let needed = |digest: &Digest| self.marked.reach.needed.contains(digest);
        let layers = self.marked.tree.layers.iter();
        self.dead(layers, needed, RowKind::LayerLink, Reason::UnneededHere).collect()
    }

    fn uploads(&self) -> Vec<Row> {
        let uploads = self.marked.tree.uploads.iter().zip(&self.marked.started);
        uploads
            .filter(|(upload, started)| self.is_abandoned(upload, **started))
            .flat_map(|(upload, _)| objects_of(upload))
            .map(|object| self.row(RowKind::Upload, None, object, Reason::StaleUpload))
            .collect()
    }

    /// An upload whose start is not known is kept (G4).
    fn is_abandoned(&self, upload: &Upload, started: Option<Timestamp>) -> bool {
        let newest = objects_of(upload).map(|object| object.modified).max();
        started.is_some() && started.max(newest).is_some_and(|time| time < self.cutoffs.uploads)
    }

    /// What remains of a repository of which nothing that could be pulled is left: all of it, or nothing while any of
    /// it is young.
    fn remains(&self, rows: &[Row]) -> Vec<Row> {
        let planned: HashSet<&str> = rows.iter().map(|row| &*row.key).collect();
        let stays = |object: &&Object| !planned.contains(&*object.key);
        if content_of(&self.marked.tree).any(|object| stays(&object)) {
            return Vec::new();
        }
        let remains: Vec<&Object> = trappings_of(&self.marked.tree).filter(stays).collect();
        if !remains.iter().all(|object| self.is_old(object)) {
            return Vec::new();
        }
        let row = |object| self.row(RowKind::TagLink, None, object, Reason::EmptyRepository);
        remains.into_iter().map(row).collect()
    }
}

/// What makes a repository more than an empty one: all that can be pulled, is being pushed, or is not understood.
fn content_of(tree: &RepositoryTree) -> impl Iterator<Item = &Object> {
    let links = tree.revisions.iter().chain(&tree.layers).map(|link| &link.object);
    let uploads = tree.uploads.iter().flat_map(objects_of);
    links.chain(uploads).chain(&tree.foreign).chain(&tree.odd_links)
}

/// What means nothing without content.
fn trappings_of(tree: &RepositoryTree) -> impl Iterator<Item = &Object> {
    let signatures = tree.signatures.iter().map(|signature| &signature.link.object);
    tree.tags.iter().flat_map(objects_of_tag).chain(&tree.markers).chain(signatures)
}

fn objects_of(upload: &Upload) -> impl Iterator<Item = &Object> {
    upload.started_at.iter().chain(&upload.parts)
}

fn objects_of_tag(tag: &TagTree) -> impl Iterator<Item = &Object> {
    tag.current.iter().chain(tag.index.iter().map(|link| &link.object))
}

fn facts(marked: &Marked, cutoffs: &Cutoffs) -> Facts {
    let (tree, reach) = (&marked.tree, &marked.reach);
    let links = || {
        let links = tree.revisions.iter().chain(&tree.layers).map(|link| &link.object);
        links.chain(tree.tags.iter().flat_map(objects_of_tag))
    };
    let signatures = tree.signatures.iter().map(|signature| &signature.link.object);
    let mut fresh_links = FreshLinks::default();
    let all = links().chain(signatures).chain(&tree.odd_links);
    all.for_each(|link| fresh_links.see(link, cutoffs.t0));
    let has_revisions = !tree.revisions.is_empty();
    let has_tags = tree.tags.iter().any(|tag| tag.current.is_some());
    let unreached = tree.revisions.iter().filter(|link| !reach.manifests.contains(&link.digest));
    Facts {
        fresh_links,
        newest_link: links().map(|object| object.modified).max(),
        repositories: 1,
        repositories_with_revisions: u64::from(has_revisions),
        untagged_repositories: u64::from(has_revisions && !has_tags),
        revisions: tree.revisions.len() as u64,
        untagged_revisions: unreached.count() as u64,
        foreign_keys: (tree.foreign.len() + tree.odd_links.len()) as u64,
        ..Facts::default()
    }
}

#[cfg(test)]
mod tests;
