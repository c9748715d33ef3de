//! What is pushed and deleted, and, by replaying it, what must be left.

use std::collections::{BTreeMap, BTreeSet};

use crate::client::Client;
use crate::images::Image;
use crate::skopeo;

/// What people do to a registry.
#[derive(Debug)]
enum Step {
    /// Pushes under a tag, with a real client.
    Tag(&'static str, &'static str, Image),
    /// Pushes by digest alone.
    Bare(&'static str, Image),
    /// Deletes a manifest through the API.
    Delete(&'static str, String),
    /// Starts an upload that nobody finishes.
    Abandon(&'static str),
}

/// A registry's history, and what it holds at the end.
#[derive(Debug, Default)]
pub(crate) struct Population {
    steps: Vec<Step>,
    /// Manifests by repository and digest.
    manifests: BTreeMap<(&'static str, String), Image>,
    /// Digests by repository and tag.
    tags: BTreeMap<(&'static str, &'static str), String>,
}

impl Population {
    /// Some twenty images: shared layers, tags that moved, several machines, signatures, deleted manifests.
    pub(crate) fn typical() -> Population {
        let mut all = Population::default();
        for (number, tag) in (1..).zip(["v1", "v1-rc", "v1.0", "v2", "v3"]) {
            all.tag("library/base", tag, Image::new(number, &[100, 101, 200 + number]));
        }
        for number in 10..14 {
            all.tag("team/app", "latest", Image::new(number, &[100, 300 + number]));
        }
        all.tag("team/app-two", "v1", Image::new(1, &[100, 101, 201]));
        all.push_indexes();
        all.delete_some();
        all.sign_some();
        all.steps.push(Step::Abandon("library/base"));
        all
    }

    /// The digests of the blobs that some manifest of some repository is or refers to: what a collector must leave.
    pub(crate) fn linked(&self) -> BTreeSet<String> {
        direct_references(self.manifests.values())
    }

    /// The same where only tagged images live on, each with all below it and all that is about it.
    pub(crate) fn reachable_from_tags(&self) -> BTreeSet<String> {
        direct_references(self.alive().into_iter().map(|(_, image)| image))
    }

    /// What the reference 2.8 leaves with `-m`: an index keeps its images' manifests, and loses what is in them.
    pub(crate) fn directly_tagged(&self) -> BTreeSet<String> {
        let tagged = |(tag, digest): (&(&'static str, _), &String)| (tag.0, digest.clone());
        direct_references(self.tags.iter().map(|entry| &self.manifests[&tagged(entry)]))
    }

    /// Every manifest that pulls before a collection, by repository.
    pub(crate) fn pullable(&self) -> Vec<(&'static str, &Image)> {
        self.manifests.iter().map(|((repository, _), image)| (*repository, image)).collect()
    }

    /// Every manifest that pulls after a collection of untagged images, by repository.
    pub(crate) fn alive(&self) -> Vec<(&'static str, &Image)> {
        let mut alive: BTreeSet<(&'static str, String)> = BTreeSet::new();
        for ((repository, _), digest) in &self.tags {
            for image in self.manifests[&(*repository, digest.clone())].manifests() {
                alive.insert((repository, image.manifest.digest.clone()));
            }
        }
        for ((repository, digest), image) in &self.manifests {
            let subject = image.subject.clone();
            if subject.is_some_and(|subject| alive.contains(&(*repository, subject))) {
                alive.insert((repository, digest.clone()));
            }
        }
        alive.iter().map(|key| (key.0, &self.manifests[key])).collect()
    }

    /// How many different manifests there are.
    pub(crate) fn unique_manifests(&self) -> usize {
        self.manifests.keys().map(|(_, digest)| digest).collect::<BTreeSet<_>>().len()
    }

    /// Does all of it to a registry: tags by a real client, the rest through the API.
    pub(crate) fn enact(&self, client: Client) {
        for step in &self.steps {
            match step {
                Step::Tag(repository, tag, image) => skopeo::push(client, repository, tag, image),
                Step::Bare(repository, image) => {
                    client.push(repository, &image.manifest.digest, image);
                }
                Step::Delete(repository, digest) => client.delete_manifest(repository, digest),
                Step::Abandon(repository) => client.start_upload(repository),
            }
        }
    }

    /// Does all of it without the real client: several times as fast.
    pub(crate) fn enact_fast(&self, client: Client) {
        for step in &self.steps {
            match step {
                Step::Tag(repository, tag, image) => client.push(repository, tag, image),
                Step::Bare(repository, image) => {
                    client.push(repository, &image.manifest.digest, image);
                }
                Step::Delete(repository, digest) => client.delete_manifest(repository, digest),
                Step::Abandon(repository) => client.start_upload(repository),
            }
        }
    }

    fn push_indexes(&mut self) {
        let pair = |number: u64| {
            let arm = Image::for_architecture(number, &[500, 501 + number], "arm64");
            Image::index(vec![Image::new(number, &[500, 601 + number]), arm])
        };
        self.tag("team/multi", "v1", pair(20));
        self.tag("team/multi", "edge", pair(21));
        self.tag("team/multi", "edge", pair(22));
    }

    fn delete_some(&mut self) {
        self.tag("team/deleted", "stays", Image::new(30, &[100, 700]));
        for (number, tag) in [(31, "goes"), (32, "goes-too")] {
            let image = Image::new(number, &[100, 700 + number]);
            let digest = image.manifest.digest.clone();
            self.tag("team/deleted", tag, image);
            self.delete("team/deleted", &digest);
        }
    }

    fn sign_some(&mut self) {
        let tagged = Image::new(40, &[100, 800]);
        let replaced = Image::new(41, &[100, 801]);
        self.tag("team/signed", "v1", replaced.clone());
        self.bare("team/signed", Image::about(&replaced, 42));
        self.tag("team/signed", "v1", tagged.clone());
        self.bare("team/signed", Image::about(&tagged, 43));
    }

    fn tag(&mut self, repository: &'static str, tag: &'static str, image: Image) {
        self.tags.insert((repository, tag), image.manifest.digest.clone());
        self.remember(repository, &image);
        self.steps.push(Step::Tag(repository, tag, image));
    }

    fn bare(&mut self, repository: &'static str, image: Image) {
        self.remember(repository, &image);
        self.steps.push(Step::Bare(repository, image));
    }

    fn delete(&mut self, repository: &'static str, digest: &str) {
        self.manifests.remove(&(repository, digest.to_owned()));
        self.tags.retain(|tag, target| tag.0 != repository || target != digest);
        self.steps.push(Step::Delete(repository, digest.to_owned()));
    }

    fn remember(&mut self, repository: &'static str, image: &Image) {
        for image in image.manifests() {
            self.manifests.insert((repository, image.manifest.digest.clone()), image.clone());
        }
    }
}

fn direct_references<'a>(images: impl Iterator<Item = &'a Image>) -> BTreeSet<String> {
    let references = |image: &'a Image| {
        let children = image.children.iter().map(|child| &child.manifest.digest);
        let blobs = image.blobs.iter().map(|blob| &blob.digest);
        children.chain(blobs).chain([&image.manifest.digest])
    };
    images.flat_map(references).cloned().collect()
}
