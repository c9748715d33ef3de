//! What can be done about a repository without asking anybody. The proofs stand beside [`Remedy`].

use std::time::Duration;

use lister::{Link, TagTree};
use marker::SpillError;
use registry::{Algorithm, Digest};
use store::Listed;

use super::Judge;
use crate::Kind;
use crate::image::Trouble;
use crate::repair::{Remedy, Repair, Useless};

/// A registry writes both links of a tag in one request; so much time lies between them at most.
const ONE_REQUEST: Duration = Duration::from_hours(1);

fn written_at_once(current: &Listed, entry: &Listed) -> bool {
    let times = current.object().zip(entry.object()).map(|(a, b)| (a.modified, b.modified));
    times
        .is_some_and(|(current, entry)| current.max(entry) <= current.min(entry).after(ONE_REQUEST))
}

impl Judge<'_> {
    /// Whether a tag is what it was when it was read, and leads to a manifest.
    pub(super) fn is_whole(&mut self, current: &Listed, target: &Digest) -> bool {
        let link = self.repository.manifest_link(target);
        self.sight.unchanged(current).is_some()
            && link.is_some_and(|link| self.sight.link(link).is_none())
            && self.repository.is_manifest(target)
    }

    /// Whether a link that says nothing would lead to data that is not there.
    pub(super) fn would_lead_nowhere(&mut self, link: &Link) -> Result<bool, SpillError> {
        Ok(self.is_mendable(link) && self.sight.blob(&link.digest, None)? == Some(Trouble::Missing))
    }

    /// Whether a link is broken, and its key tells what it has to say: under other algorithms registries keep aliases.
    fn is_mendable(&self, link: &Link) -> bool {
        link.digest.algorithm() == Algorithm::Sha256
            && self.sight.broken(&link.listed, &link.digest).is_some()
    }

    /// Notes that a link is useless. Of a repository in doubt nothing is (G4), nor of what changes meanwhile.
    pub(super) fn remove(&mut self, link: &Link, why: Useless) {
        let is_pinned = self.repository.marked.reach.is_pinned();
        if let Some(object) = self.sight.unchanged(&link.listed).filter(|_| !is_pinned) {
            let (digest, remedy) = (link.digest, Remedy::Remove(why));
            self.repairs.push(Repair { link: object, digest, remedy });
        }
    }

    /// What can be written anew. A name that no registry serves is left alone.
    pub(super) fn mend_links(&mut self) -> Result<(), SpillError> {
        let repository = self.repository;
        let tree = &repository.marked.tree;
        if !tree.name.is_regular() {
            return Ok(());
        }
        for link in tree.revisions.iter().filter(|link| repository.is_manifest(&link.digest)) {
            self.mend(link);
        }
        for link in &tree.layers {
            // Asked before anybody looked again too, so that the data is looked for.
            if self.sight.link(link).is_some() && self.has_good_data(&link.digest)? {
                self.mend(link);
            }
        }
        for tag in &tree.tags {
            for link in &tag.index {
                if self.is_revision(&link.digest) {
                    self.mend(link);
                }
            }
            self.mend_tag(tag);
        }
        Ok(())
    }

    fn mend(&mut self, link: &Link) {
        if self.is_mendable(link) {
            self.rewrite(&link.listed, link.digest);
        }
    }

    /// Whether the data of a blob is there, and nothing is known to be wrong with it.
    fn has_good_data(&mut self, digest: &Digest) -> Result<bool, SpillError> {
        let wrong_size = (Kind::WrongSize, self.repository.layout.blob(digest).into());
        Ok(self.sight.blob(digest, None)?.is_none() && !self.found.contains_key(&wrong_size))
    }

    /// Whether a revision link is right, or will be, and leads to a manifest.
    fn is_revision(&mut self, digest: &Digest) -> bool {
        let link = self.repository.revisions.get(digest);
        link.is_some_and(|link| self.sight.link(link).is_none() || self.is_mendable(link))
            && self.repository.is_manifest(digest)
    }

    /// A tag that says nothing, of which the history tells what it said.
    fn mend_tag(&mut self, tag: &TagTree) {
        let (Some(current), [entry]) = (&tag.current, &*tag.index) else { return };
        if written_at_once(current, &entry.listed)
            && entry.digest.algorithm() == Algorithm::Sha256
            && self.is_revision(&entry.digest)
        {
            self.rewrite(current, entry.digest);
        }
    }

    fn rewrite(&mut self, listed: &Listed, digest: Digest) {
        let broken = self.sight.broken(listed, &digest);
        let repair = |link| Repair { link, digest, remedy: Remedy::Rewrite };
        self.repairs.extend(broken.map(repair));
    }
}
