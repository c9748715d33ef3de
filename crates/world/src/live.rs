//! The rules of what lives, in the plainest code that says them.

use std::collections::BTreeSet;

use registry::{Digest, Timestamp};

use crate::document::Role;
use crate::records::{Link, Reading, Repository, is_served};
use crate::world::{Meaning, Stored};
use crate::{Mode, Retention, World};

impl World {
    /// The keys that must stay.
    #[must_use]
    pub fn expected_live(&self, mode: &Mode) -> BTreeSet<String> {
        self.expected_live_under(mode, &Retention::default())
    }

    /// The same under a retention policy.
    #[must_use]
    pub fn expected_live_under(&self, mode: &Mode, retention: &Retention) -> BTreeSet<String> {
        self.live(mode, retention, false)
    }

    /// The keys that must be gone after a collection during which nothing else happened.
    #[must_use]
    pub fn garbage(&self, mode: &Mode) -> BTreeSet<String> {
        self.garbage_under(mode, &Retention::default())
    }

    /// The same under a retention policy.
    #[must_use]
    pub fn garbage_under(&self, mode: &Mode, retention: &Retention) -> BTreeSet<String> {
        let mut keys: BTreeSet<String> = self.objects.keys().cloned().collect();
        for key in self.live(mode, retention, true) {
            keys.remove(&key);
        }
        keys
    }

    fn live(&self, mode: &Mode, retention: &Retention, is_generous: bool) -> BTreeSet<String> {
        let (keys, blobs) = (BTreeSet::new(), BTreeSet::new());
        let mut judge = Judge { world: self, mode, retention, is_generous, keys, blobs };
        for (name, repository) in self.repositories() {
            judge.judge(name, &repository);
        }
        judge.judge_the_rest();
        judge.keys.into_iter().map(str::to_owned).collect()
    }
}

impl World {
    /// Manifests that no tag reaches go where they were pushed before this; `None`: they stay.
    pub(crate) fn untagged_before(
        &self,
        name: &str,
        mode: &Mode,
        retention: &Retention,
    ) -> Option<Timestamp> {
        match retention.covered.get(name) {
            Some(after) => after.map(|after| self.now.before(after.max(mode.grace))),
            None => mode.untagged.then(|| self.now.before(mode.grace)),
        }
    }
}

struct Judge<'w> {
    world: &'w World,
    mode: &'w Mode,
    retention: &'w Retention,
    /// Whether what the rules leave open is kept.
    is_generous: bool,
    keys: BTreeSet<&'w str>,
    blobs: BTreeSet<Digest>,
}

/// Whether what a tag points to is told by its content, and by another key of its repository too.
fn is_named(repository: &Repository<'_>, target: Option<Digest>) -> bool {
    target.is_some_and(|digest| {
        repository.revisions.contains_key(&digest)
            || repository.layers.contains_key(&digest)
            || repository.history.iter().any(|(known, _)| *known == digest)
    })
}

impl<'w> Judge<'w> {
    fn judge(&mut self, name: &str, repository: &Repository<'w>) {
        let manifests = self.reached(name, repository, self.roots(name, repository));
        self.keep_manifests(repository, &manifests);
        self.keep_young(repository);
        self.keep_uploads(repository);
        self.keys.extend(&repository.foreign);
        if self.is_doubtful(name, repository, &manifests) {
            self.pin(name, repository);
        } else {
            self.keep_tags(name, repository, &manifests);
        }
    }

    /// Blobs, and what lies outside all repositories.
    fn judge_the_rest(&mut self) {
        for (key, stored) in &self.world.objects {
            let stays = match self.world.meanings.get(key) {
                Some(Meaning::Blob(digest)) => self.blobs.contains(digest) || self.is_young(stored),
                None
                | Some(
                    Meaning::Marker { repository: None }
                    | Meaning::Foreign { repository: None, .. },
                ) => true,
                Some(_) => false,
            };
            if stays {
                self.keys.insert(key);
            }
        }
    }

    fn is_young(&self, stored: &Stored) -> bool {
        stored.modified >= self.world.now.before(self.mode.grace)
    }

    fn is_young_link(&self, link: &Link<'_>) -> bool {
        link.modified >= self.world.now.before(self.mode.grace)
    }

    /// Manifests that no tag reaches go where they were pushed before this; `None`: they stay.
    fn untagged_before(&self, name: &str) -> Option<Timestamp> {
        self.world.untagged_before(name, self.mode, self.retention)
    }

    /// Whether it matters where the tags of a repository point to.
    fn reads_tags(&self, name: &str) -> bool {
        self.mode.untagged || self.retention.covered.contains_key(name)
    }

    /// What `roots` reach: children, then referrers, and tags that hang on what is reached, until nothing is added.
    fn reached(
        &self,
        name: &str,
        repository: &Repository<'_>,
        roots: BTreeSet<Digest>,
    ) -> BTreeSet<Digest> {
        let followers = self.retention.followers(name, repository);
        let mut live = roots;
        loop {
            let mut more = live.clone();
            for digest in &live {
                more.extend(self.children(repository, digest));
            }
            more.extend(repository.revisions.keys().filter(|revision| {
                let record = self.world.record(revision);
                let subject = record.and_then(|record| record.subject);
                subject.is_some_and(|subject| live.contains(&subject))
            }));
            let hanging = followers.iter().filter(|(_, subject, _)| live.contains(subject));
            let targets = hanging.filter_map(|(.., target)| *target);
            more.extend(targets.filter(|target| self.is_root(repository, target)));
            if more.len() == live.len() {
                return live;
            }
            live = more;
        }
    }

    /// Whether what a tag points to is here.
    fn is_root(&self, repository: &Repository<'_>, digest: &Digest) -> bool {
        repository.revisions.contains_key(digest)
            || repository.layers.contains_key(digest)
            // That a tag points to what is not here is no root, and no harm to keep.
            || self.is_generous
    }

    fn roots(&self, name: &str, repository: &Repository<'_>) -> BTreeSet<Digest> {
        let Some(limit) = self.untagged_before(name) else {
            return self.all_roots(name, repository);
        };
        let stays = |tag: &str| {
            !self.retention.expires(name, tag)
                && self.retention.subject(name, tag, repository).is_none()
        };
        let tags = repository.current.iter().filter(|(tag, _)| stays(tag));
        let young = repository.revisions.iter().filter(|(_, link)| link.modified >= limit);
        tags.filter_map(|(_, link)| link.target)
            .filter(|digest| self.is_root(repository, digest))
            .chain(young.map(|(digest, _)| *digest))
            .collect()
    }

    /// Every revision. Whether a tag, or its history, roots what is only linked as a layer is open; under a policy, whether
    /// a tag roots what is not linked at all.
    fn all_roots(&self, name: &str, repository: &Repository<'_>) -> BTreeSet<Digest> {
        let is_covered = self.retention.covered.contains_key(name);
        let is_legacy = |digest: &Digest| repository.layers.contains_key(digest);
        let current = repository.current.values().filter_map(|link| link.target);
        let current = current.filter(|digest| is_covered || is_legacy(digest));
        let history = repository.history.iter().map(|(digest, _)| *digest).filter(is_legacy);
        let open = current.chain(history).filter(|_| self.is_generous);
        repository.revisions.keys().copied().chain(open).collect()
    }

    /// The children that can be pulled as manifests from this repository.
    fn children(&self, repository: &Repository<'_>, digest: &Digest) -> Vec<Digest> {
        let references = self.world.record(digest).map(|record| record.references.as_slice());
        let is_linked = |child: &Digest| repository.layers.contains_key(child);
        let is_open = |child: &Digest| self.is_generous && self.world.record(child).is_some();
        let is_pulled = |role, child: &Digest| match role {
            Role::Content => false,
            _ if repository.revisions.contains_key(child) => true,
            Role::ManifestChild => is_linked(child),
            // Who says that it is none, and yet is one.
            Role::OtherChild => is_linked(child) && is_open(child),
        };
        let children = references.unwrap_or_default().iter();
        children
            .filter(|reference| is_pulled(reference.role, &reference.digest))
            .map(|reference| reference.digest)
            .collect()
    }

    fn keep_manifests(&mut self, repository: &Repository<'w>, manifests: &BTreeSet<Digest>) {
        for digest in manifests {
            self.blobs.insert(*digest);
            match repository.revisions.get(digest) {
                Some(link) => drop(self.keys.insert(link.key)),
                None => self.keep_layer(repository, digest),
            }
            if self.is_generous {
                self.keep_layer(repository, digest);
            }
            self.keep_references(repository, digest);
        }
        for (revision, digest, link) in &repository.signatures {
            let is_orphan = !repository.revisions.contains_key(revision);
            let is_open = is_orphan || self.is_young_link(link);
            if manifests.contains(revision) || (self.is_generous && is_open) {
                self.keys.insert(link.key);
                self.blobs.insert(*digest);
            }
        }
    }

    fn keep_references(&mut self, repository: &Repository<'w>, digest: &Digest) {
        let Some(record) = self.world.record(digest) else { return };
        for reference in &record.references {
            self.keep_layer(repository, &reference.digest);
        }
    }

    /// Keeps a blob, its layer link if there is one, and what that leads to if it is an alias.
    fn keep_layer(&mut self, repository: &Repository<'w>, digest: &Digest) {
        self.blobs.insert(*digest);
        let Some(link) = repository.layers.get(digest) else { return };
        self.keys.insert(link.key);
        if let Some(target) = link.target {
            self.blobs.insert(target);
            if let Some(canonical) = repository.layers.get(&target) {
                self.keys.insert(canonical.key);
            }
        }
    }

    fn keep_young(&mut self, repository: &Repository<'w>) {
        for (_, link) in repository.links() {
            if self.is_young_link(link) {
                self.keys.insert(link.key);
            }
        }
        for (digest, link) in &repository.layers {
            if self.is_young_link(link) {
                self.blobs.insert(*digest);
                self.blobs.extend(link.target);
                if self.is_generous {
                    self.keep_layer(repository, digest);
                }
            }
        }
    }

    fn keep_uploads(&mut self, repository: &Repository<'w>) {
        let age = self.mode.grace.max(self.mode.uploads_older_than);
        let limit = self.world.now.before(age);
        for parts in repository.uploads.values() {
            let is_fresh = parts.iter().any(|(key, stored)| {
                let started = key.ends_with("/startedat").then(|| started_at(stored));
                let doubt = started == Some(None) && self.is_generous;
                stored.modified >= limit
                    || started.flatten().is_some_and(|time| time >= limit)
                    || doubt
            });
            if is_fresh {
                self.keys.extend(parts.iter().map(|(key, _)| *key));
            }
        }
    }

    fn keep_tags(&mut self, name: &str, repository: &Repository<'w>, manifests: &BTreeSet<Digest>) {
        if self.is_empty(repository) {
            return;
        }
        let retention = self.retention;
        let goes = |tag: &str| {
            let subject = retention.subject(name, tag, repository);
            retention.expires(name, tag)
                || subject.is_some_and(|digest| !manifests.contains(&digest))
        };
        let tags = repository.current.iter().filter(|(tag, _)| !goes(tag));
        self.keys.extend(tags.map(|(_, link)| link.key));
        self.keys.extend(repository.markers.iter().map(|link| link.key));
        let takes_untagged = self.untagged_before(name).is_some();
        let is_covered = retention.covered.contains_key(name);
        for ((digest, link), tag) in repository.history.iter().zip(&repository.history_of) {
            let is_revision = repository.revisions.contains_key(digest) || self.is_generous;
            // Whether a policy takes what is the history of no tag is open.
            let is_open = is_covered && !repository.current.contains_key(tag);
            if goes(tag) || (is_open && !self.is_generous) {
                continue;
            }
            if !takes_untagged || (manifests.contains(digest) && is_revision) {
                self.keys.insert(link.key);
            }
        }
    }

    /// Whether nothing is left but old tag links and markers.
    fn is_empty(&self, repository: &Repository<'_>) -> bool {
        let uploads = repository.uploads.values().flatten().map(|(key, _)| *key);
        let mut kept = repository
            .revisions
            .values()
            .chain(repository.layers.values())
            .chain(repository.signatures.iter().map(|(_, _, link)| link))
            .map(|link| link.key)
            .chain(uploads);
        let mut remains = repository
            .current
            .values()
            .chain(repository.history.iter().map(|(_, link)| link))
            .chain(&repository.markers);
        repository.foreign.is_empty()
            && !kept.any(|key| self.keys.contains(key))
            && !remains.any(|link| self.is_young_link(link))
    }

    fn is_doubtful(
        &self,
        name: &str,
        repository: &Repository<'_>,
        manifests: &BTreeSet<Digest>,
    ) -> bool {
        let mut read = self.reached(name, repository, self.all_roots(name, repository));
        read.extend(manifests);
        read.retain(|digest| {
            repository.revisions.contains_key(digest)
                || (repository.layers.contains_key(digest)
                    && (self.is_generous || manifests.contains(digest)))
        });
        let mut tags = repository.current.values();
        let mut links = repository.links();
        !is_served(name)
            || repository.has_odd_link
            || read.iter().any(|digest| matches!(self.world.reading(digest), Reading::Unreadable))
            || (self.reads_tags(name) && tags.any(|link| !is_named(repository, link.target)))
            || (self.is_generous && links.any(|(_, link)| link.target.is_none()))
    }

    /// Keeps everything but stale uploads, and every blob that any link names.
    fn pin(&mut self, name: &str, repository: &Repository<'w>) {
        for (digest, link) in repository.links() {
            self.keys.insert(link.key);
            self.blobs.extend(digest);
            // What only the content of a tag's link names is open where tags need not be read.
            let is_read = digest.is_some() || self.reads_tags(name) || self.is_generous;
            self.blobs.extend(link.target.filter(|_| is_read));
        }
        self.keys.extend(repository.markers.iter().map(|link| link.key));
        if self.is_generous {
            let all = self.reached(name, repository, self.all_roots(name, repository));
            self.keep_manifests(repository, &all);
        }
    }
}

fn started_at(stored: &Stored) -> Option<Timestamp> {
    std::str::from_utf8(&stored.bytes).ok()?.parse().ok()
}

#[cfg(test)]
mod tests;
