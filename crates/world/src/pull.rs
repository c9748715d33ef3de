//! What a client that pulls would read.

use std::collections::BTreeSet;
use std::fmt;

use registry::{Digest, Timestamp};

use crate::document::Role;
use crate::records::Repository;
use crate::{Mode, Retention, World};

/// A pull that must work, and what it can read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pull {
    /// The repository.
    pub repository: String,
    /// What is asked for.
    pub reference: Reference,
    /// The keys it reads with success. What was missing before a collection is not among them, so that only losses
    /// count.
    pub reads: BTreeSet<String>,
}

/// What a pull asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// A tag.
    Tag(String),
    /// A digest.
    Digest(Digest),
}

impl fmt::Display for Pull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reference {
            Reference::Tag(tag) => write!(f, "{}:{tag}", self.repository),
            Reference::Digest(digest) => write!(f, "{}@{digest}", self.repository),
        }
    }
}

/// What one client has read so far.
#[derive(Default)]
struct Reads {
    keys: BTreeSet<String>,
    manifests: BTreeSet<Digest>,
}

impl World {
    /// The pulls that must still work after a collection: by tag, and by the digest of every revision; where untagged
    /// manifests are collected, by tag, by digest what is young, and referrers of anything so reached.
    ///
    /// Ask before the collection, then [`World::broken_pulls`] after it.
    #[must_use]
    pub fn pulls(&self, mode: &Mode) -> Vec<Pull> {
        self.pulls_under(mode, &Retention::default())
    }

    /// The same under a retention policy: by tags that stay.
    #[must_use]
    pub fn pulls_under(&self, mode: &Mode, retention: &Retention) -> Vec<Pull> {
        let repositories = self.repositories();
        let pulls = repositories.iter().flat_map(|(name, repository)| {
            match self.untagged_before(name, mode, retention) {
                Some(limit) => self.pulls_that_tags_reach(name, repository, limit, retention),
                None => self.all_pulls(name, repository, retention),
            }
        });
        pulls.filter(|pull| !pull.reads.is_empty()).collect()
    }

    /// What pulls made before a collection cannot read any more, one line for each key.
    #[must_use]
    pub fn broken_pulls(&self, expected: &[Pull]) -> Vec<String> {
        let lost = |pull: &Pull| -> Vec<String> {
            let now = self.reads(&pull.repository, &pull.reference).keys;
            pull.reads.difference(&now).map(|key| format!("{pull} cannot read {key}")).collect()
        };
        expected.iter().flat_map(lost).collect()
    }

    fn all_pulls(
        &self,
        name: &str,
        repository: &Repository<'_>,
        retention: &Retention,
    ) -> Vec<Pull> {
        let tags = repository.current.keys().filter(|tag| !retention.expires(name, tag));
        let tags = tags.map(|tag| Reference::Tag((*tag).to_owned()));
        let digests = repository.revisions.keys().copied().map(Reference::Digest);
        tags.chain(digests).map(|reference| self.pull(name, reference).0).collect()
    }

    fn pulls_that_tags_reach(
        &self,
        name: &str,
        repository: &Repository<'_>,
        limit: Timestamp,
        retention: &Retention,
    ) -> Vec<Pull> {
        let young = repository.revisions.iter().filter(|(_, link)| link.modified >= limit);
        let mut followers = retention.followers(name, repository);
        let stays = |tag: &str| {
            !retention.expires(name, tag) && retention.subject(name, tag, repository).is_none()
        };
        let tags = repository.current.keys().filter(|tag| stays(tag));
        let tags = tags.map(|tag| Reference::Tag((*tag).to_owned()));
        let mut wanted: Vec<Reference> =
            tags.chain(young.map(|(digest, _)| Reference::Digest(*digest))).collect();
        let mut untried: Vec<Digest> = repository.revisions.keys().copied().collect();
        let (mut pulls, mut reached) = (Vec::new(), BTreeSet::new());
        while !wanted.is_empty() {
            for reference in wanted.drain(..) {
                let (pull, manifests) = self.pull(name, reference);
                pulls.push(pull);
                reached.extend(manifests);
            }
            let is_referrer = |digest: &Digest| self.refers_into(*digest, &reached);
            let (referrers, others) = untried.into_iter().partition(is_referrer);
            untried = others;
            let referrers: Vec<Digest> = referrers;
            wanted.extend(referrers.into_iter().map(Reference::Digest));
            let (hanging, others) =
                followers.into_iter().partition(|(_, subject, _)| reached.contains(subject));
            followers = others;
            let hanging: Vec<(String, Digest, Option<Digest>)> = hanging;
            wanted.extend(hanging.into_iter().map(|(tag, ..)| Reference::Tag(tag)));
        }
        pulls
    }

    fn refers_into(&self, digest: Digest, reached: &BTreeSet<Digest>) -> bool {
        let subject = self.record(&digest).and_then(|record| record.subject);
        subject.is_some_and(|subject| reached.contains(&subject))
    }

    fn pull(&self, repository: &str, reference: Reference) -> (Pull, BTreeSet<Digest>) {
        let reads = self.reads(repository, &reference);
        let pull = Pull { repository: repository.to_owned(), reference, reads: reads.keys };
        (pull, reads.manifests)
    }

    fn reads(&self, repository: &str, reference: &Reference) -> Reads {
        let mut reads = Reads::default();
        match reference {
            Reference::Digest(digest) => drop(self.read_manifest(repository, *digest, &mut reads)),
            Reference::Tag(tag) => {
                let key = self.keys.current(repository, tag);
                let Some(digest) = self.link(&key) else { return reads };
                if self.read_manifest(repository, digest, &mut reads) {
                    reads.keys.insert(key);
                }
            }
        }
        reads
    }

    /// Reads a manifest and everything it names; says whether the manifest itself could be read.
    fn read_manifest(&self, repository: &str, digest: Digest, reads: &mut Reads) -> bool {
        let link = self.keys.revision(repository, &digest);
        if self.link(&link) != Some(digest) {
            return false;
        }
        let Some(record) = self.record(&digest) else { return false };
        reads.keys.extend([link, self.keys.blob(&digest)]);
        if !reads.manifests.insert(digest) {
            return true;
        }
        for reference in &record.references {
            let is_manifest = reference.role != Role::Content
                && self.read_manifest(repository, reference.digest, reads);
            if !is_manifest {
                self.read_blob(repository, reference.digest, reads);
            }
        }
        true
    }

    /// Reads a blob as the registry serves it: the repository's link, then what that names.
    fn read_blob(&self, repository: &str, digest: Digest, reads: &mut Reads) {
        let link = self.keys.layer(repository, &digest);
        let Some(target) = self.link(&link) else { return };
        let data = self.keys.blob(&target);
        let Some(stored) = self.objects.get(&data) else { return };
        if Digest::of(digest.algorithm(), &stored.bytes) == digest {
            reads.keys.extend([link, data]);
        }
    }
}

#[cfg(test)]
mod tests {
    use registry::Timestamp;

    use super::*;
    use crate::mode::hours;
    use crate::{Content, Image, Index};

    fn world() -> World {
        World::new(Timestamp::from_seconds(1_000_000_000), "")
    }

    #[test]
    fn a_pull_by_tag_reads_every_object_of_an_image() {
        let mut world = world();
        let image = Image::new(1, &[Content::new(2, 20)]);
        let digest = world.push_image("a", &image, Some("v1"));
        let pulls = world.pulls(&Mode::untagged());
        let mut keys: BTreeSet<String> = world.objects().keys().cloned().collect();
        keys.remove(&world.keys.history("a", "v1", &digest));
        assert_eq!(pulls[0].reads, keys);
        for key in keys {
            let mut damaged = world.clone();
            damaged.lose(&key);
            assert!(!damaged.broken_pulls(&pulls).is_empty(), "{key}");
            damaged = world.clone();
            damaged.corrupt(&key);
            assert!(!damaged.broken_pulls(&pulls).is_empty(), "{key}");
        }
        assert!(world.broken_pulls(&pulls).is_empty());
    }

    #[test]
    fn what_was_missing_before_is_not_counted_as_lost() {
        let mut world = world();
        let layers = [Content::new(2, 20), Content::new(3, 20)];
        world.push_image("a", &Image::new(1, &layers), Some("v1"));
        world.lose(&world.keys.blob(&layers[0].digest()));
        let pulls = world.pulls(&Mode::default());
        assert!(world.broken_pulls(&pulls).is_empty());
        let other = layers[1].digest();
        world.lose(&world.keys.layer("a", &other));
        let broken = world.broken_pulls(&pulls);
        assert_eq!(broken.len(), 4, "link and data, by tag and by digest: {broken:?}");
        assert!(broken.iter().all(|line| line.contains(&other.hex())), "{broken:?}");
    }

    #[test]
    fn untagged_pulls_reach_children_and_referrers_of_referrers() {
        let mut world = world();
        let child = world.push_image("a", &Image::new(1, &[]), None);
        let index = world.push_index("a", &Index::of(&[child]), Some("v1"));
        let signature = world.push_artifact("a", child, Content::new(5, 9), None);
        let note = world.push_artifact("a", signature, Content::new(6, 9), None);
        let dead = world.push_image("a", &Image::new(2, &[]), None);
        world.push_artifact("a", dead, Content::new(7, 9), None);
        world.age(hours(100));
        let reads: BTreeSet<String> =
            world.pulls(&Mode::untagged()).into_iter().flat_map(|pull| pull.reads).collect();
        for digest in [child, index, signature, note] {
            assert!(reads.contains(&world.keys.blob(&digest)));
        }
        assert!(!reads.contains(&world.keys.blob(&dead)));
    }

    #[test]
    fn an_alias_is_read_through_its_link() {
        let mut world = world();
        let content = Content::new(1, 20);
        let image = Image { layers: vec![crate::Part::Sha512(content)], ..Image::new(2, &[]) };
        world.push_image("a", &image, Some("v1"));
        let reads = &world.pulls(&Mode::untagged())[0].reads;
        assert!(reads.contains(&world.keys.layer("a", &content.sha512())));
        assert!(reads.contains(&world.keys.blob(&content.digest())));
    }
}
