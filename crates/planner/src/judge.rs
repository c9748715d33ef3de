//! The verdict over a repository: pure.

use std::collections::HashSet;
use std::sync::Arc;

use lister::{Link, RepositoryTree, TagTree, Upload};
use marker::{Expiry, Marked};
use policy::RuleId;
use registry::{Digest, RepositoryName, Timestamp};
use store::{Listed, Object};

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
        rows.extend(judge.expired_tags());
        if judge.takes_untagged() {
            rows.extend(judge.revisions());
            rows.extend(judge.tag_history());
        }
        rows.extend(judge.layers());
        rows.extend(judge.remains(&rows));
    }
    Judged { rows, facts: facts_of(marked, cutoffs) }
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
            key: object.key.clone().into(),
            bytes: object.size,
            modified: object.modified,
            reason,
            rule: None,
            upload: None,
            etag: object.etag.as_deref().map(Into::into),
        }
    }

    /// Whether manifests go that no tag reaches: by the policy where it covers the repository.
    fn takes_untagged(&self) -> bool {
        let expiry = self.marked.expiry.as_ref();
        expiry.map_or(self.cutoffs.untagged, |expiry| expiry.untagged.is_some())
    }

    /// The name of a rule.
    fn name_of(expiry: &Expiry, rule: RuleId) -> Option<Arc<str>> {
        expiry.policy.rule(rule).map(|rule| Arc::clone(&rule.name))
    }

    /// Tags that the policy lets go, with their history. One of which anything is too young stays whole (G1).
    fn expired_tags(&self) -> Vec<Row> {
        let Some(expiry) = &self.marked.expiry else { return Vec::new() };
        let mut rows = Vec::new();
        for (at, rule) in &expiry.tags {
            let name = Self::name_of(expiry, *rule);
            let tag = self.marked.tree.tags.get(*at);
            rows.extend(
                tag.and_then(|tag| self.expired_tag(tag, name.as_ref())).unwrap_or_default(),
            );
        }
        rows
    }

    fn expired_tag(&self, tag: &TagTree, rule: Option<&Arc<str>>) -> Option<Vec<Row>> {
        let current = tag.current.iter().map(|listed| (None, listed));
        let history = tag.index.iter().map(|link| (Some(link.digest), &link.listed));
        let row = |(digest, listed)| {
            let object = self.old(listed)?;
            let row = self.row(RowKind::TagLink, digest, object, Reason::Expired);
            Some(Row { rule: rule.cloned(), ..row })
        };
        current.chain(history).map(row).collect()
    }

    /// Says of the row of a manifest by which rule it goes: that of its tags, or the one about manifests without.
    fn ruled(&self, row: Row) -> Row {
        let Some(expiry) = &self.marked.expiry else { return row };
        let expired = row.digest.and_then(|digest| expiry.manifests.get(&digest));
        let untagged = expiry.untagged.map(|untagged| untagged.rule);
        let reason = if expired.is_some() { Reason::Expired } else { row.reason };
        let rule = expired.copied().or(untagged).and_then(|rule| Self::name_of(expiry, rule));
        Row { reason, rule, ..row }
    }

    fn expires(&self, at: usize) -> bool {
        self.marked.expiry.as_ref().is_some_and(|expiry| expiry.tags.contains_key(&at))
    }

    /// The object of an entry that is old enough to go. What nobody looked at stays (G4).
    fn old<'a>(&self, listed: &'a Listed) -> Option<&'a Object> {
        listed.object().filter(|object| object.modified < self.cutoffs.objects)
    }

    fn dead<'a>(
        &'a self,
        links: impl Iterator<Item = &'a Link> + 'a,
        is_kept: impl Fn(&Digest) -> bool + 'a,
        kind: RowKind,
        reason: Reason,
    ) -> impl Iterator<Item = Row> + 'a {
        links
            .filter(move |link| !is_kept(&link.digest))
            .filter_map(|link| Some((link.digest, self.old(&link.listed)?)))
            .map(move |(digest, object)| self.row(kind, Some(digest), object, reason))
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
        revisions.chain(signatures).map(|row| self.ruled(row)).collect()
    }

    fn tag_history(&self) -> Vec<Row> {
        let kept = |digest: &Digest| self.marked.reach.manifests.contains(digest);
        let tags = self.marked.tree.tags.iter().enumerate();
        let history = tags.filter(|(at, _)| !self.expires(*at)).flat_map(|(_, tag)| &tag.index);
        let rows = self.dead(history, kept, RowKind::TagLink, Reason::DeadTagHistory);
        rows.map(|row| Row { reason: Reason::DeadTagHistory, ..self.ruled(row) }).collect()
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
            .flat_map(|(upload, _)| upload.entries().filter_map(Listed::object))
            .map(|object| self.row(RowKind::Upload, None, object, Reason::StaleUpload))
            .collect()
    }

    /// An upload whose start is not known is kept (G4).
    fn is_abandoned(&self, upload: &Upload, started: Option<Timestamp>) -> bool {
        let times = started.zip(upload.newest());
        times.is_some_and(|(started, newest)| started.max(newest) < self.cutoffs.uploads)
    }

    /// What remains of a repository of which nothing that could be pulled is left: all of it, or nothing while any of
    /// it is young.
    fn remains(&self, rows: &[Row]) -> Vec<Row> {
        let planned: HashSet<&str> = rows.iter().map(|row| &*row.key).collect();
        let stays = |listed: &&Listed| !planned.contains(listed.key());
        let tree = &self.marked.tree;
        if !tree.closed.is_empty() || content_of(tree).any(|listed| stays(&listed)) {
            return Vec::new();
        }
        let remains = trappings_of(tree).filter(stays);
        let remains: Option<Vec<&Object>> = remains.map(|listed| self.old(listed)).collect();
        let row = |object| self.row(RowKind::TagLink, None, object, Reason::EmptyRepository);
        remains.unwrap_or_default().into_iter().map(row).collect()
    }
}

/// What makes a repository more than an empty one: all that can be pulled, is being pushed, or is not understood.
fn content_of(tree: &RepositoryTree) -> impl Iterator<Item = &Listed> {
    let links = tree.revisions.iter().chain(&tree.layers).map(|link| &link.listed);
    let uploads = tree.uploads.iter().flat_map(Upload::entries);
    links.chain(uploads).chain(&tree.foreign).chain(&tree.odd_links)
}

/// What means nothing without content.
fn trappings_of(tree: &RepositoryTree) -> impl Iterator<Item = &Listed> {
    let signatures = tree.signatures.iter().map(|signature| &signature.link.listed);
    tree.tags.iter().flat_map(entries_of_tag).chain(&tree.markers).chain(signatures)
}

fn entries_of_tag(tag: &TagTree) -> impl Iterator<Item = &Listed> {
    tag.current.iter().chain(tag.index.iter().map(|link| &link.listed))
}

/// What there is to see of one repository, whatever goes of it.
#[must_use]
pub fn facts_of(marked: &Marked, cutoffs: &Cutoffs) -> Facts {
    let (tree, reach) = (&marked.tree, &marked.reach);
    let links = || {
        let links = tree.revisions.iter().chain(&tree.layers).map(|link| &link.listed);
        links.chain(tree.tags.iter().flat_map(entries_of_tag)).filter_map(Listed::object)
    };
    let signatures = tree.signatures.iter().map(|signature| &signature.link.listed);
    let mut fresh_links = FreshLinks::default();
    let others = signatures.chain(&tree.odd_links).filter_map(Listed::object);
    links().chain(others).for_each(|link| fresh_links.see(link, cutoffs.t0));
    let is_young = |link: &&Link| link.modified().is_some_and(|time| cutoffs.is_recent(time));
    let has_revisions = !tree.revisions.is_empty();
    let has_tags = !tree.closed.is_empty() || tree.tags.iter().any(|tag| tag.current.is_some());
    let was_reached = |digest: &Digest| {
        reach.manifests.contains(digest)
            || marked.expiry.as_ref().is_some_and(|expiry| expiry.manifests.contains_key(digest))
    };
    let unreached = tree.revisions.iter().filter(|link| !was_reached(&link.digest));
    Facts {
        fresh_links,
        newest_link: links().map(|object| object.modified).max(),
        repositories: 1,
        repositories_with_revisions: u64::from(has_revisions),
        untagged_repositories: u64::from(has_revisions && !has_tags),
        revisions: tree.revisions.len() as u64,
        young_revisions: tree.revisions.iter().filter(is_young).count() as u64,
        untagged_revisions: unreached.count() as u64,
        foreign_keys: (tree.foreign.len() + tree.odd_links.len()) as u64,
        ..Facts::default()
    }
}

#[cfg(test)]
mod tests;
