//! Worlds with the exact keys that a collection of them deletes, worked out by hand.

mod extra;
mod peer;
mod reproduced;

use std::collections::BTreeSet;

use registry::{Digest, Timestamp};

use crate::mode::hours;
use crate::{Content, Image, Keys, Mode, World};

pub use extra::*;
pub use peer::*;
pub use reproduced::*;

/// A world and what becomes of it.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// A short name.
    pub id: &'static str,
    /// What it is made of, and what is at stake.
    pub about: &'static str,
    /// The world before the collection; all of it is 30 days old unless `about` says otherwise.
    pub world: World,
    /// How it is collected.
    pub mode: Mode,
    /// The keys that must be gone after an undisturbed collection.
    pub goes: BTreeSet<String>,
    /// The keys that may stay or go; all others must stay.
    pub open: BTreeSet<String>,
    /// What a test does while the collection runs.
    pub fault: Option<Fault>,
}

/// What disturbs a collection. With it, what must be pulled must still be pulled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The key is deleted after it was listed.
    Vanishes(String),
    /// Reading the key fails for a while.
    Fails(String),
}

impl Fault {
    /// The key that it strikes.
    #[must_use]
    pub fn key(&self) -> &String {
        match self {
            Self::Vanishes(key) | Self::Fails(key) => key,
        }
    }
}

/// Every scenario: the reference collector's bugs, its test cases, and the others.
#[must_use]
pub fn all() -> Vec<Scenario> {
    reproduced::all().into_iter().chain(peer::all()).chain(extra::all()).collect()
}

impl Scenario {
    fn new(id: &'static str, about: &'static str, mut world: World, mode: Mode) -> Self {
        world.age(hours(30 * 24));
        let (goes, open) = (BTreeSet::new(), BTreeSet::new());
        Self { id, about, world, mode, goes, open, fault: None }
    }

    fn goes(mut self, keys: impl IntoIterator<Item = String>) -> Self {
        self.goes.extend(keys);
        self
    }

    fn everything_goes(self) -> Self {
        let keys: Vec<String> = self.world.objects().keys().cloned().collect();
        self.goes(keys)
    }

    fn open(mut self, keys: impl IntoIterator<Item = String>) -> Self {
        self.open.extend(keys);
        self
    }

    fn fault(self, fault: Fault) -> Self {
        Self { fault: Some(fault), ..self }
    }
}

fn empty() -> World {
    World::new(Timestamp::from_seconds(1_700_000_000), "")
}

/// An own layer.
fn layer(number: u64) -> Content {
    Content::new(number, 32)
}

/// An image with an own configuration and two own layers.
fn image(number: u64) -> Image {
    Image::new(number * 100, &[layer(number * 100 + 1), layer(number * 100 + 2)])
}

/// The blobs of an image, and its layer links in a repository.
fn parts(keys: &Keys, repository: &str, image: &Image) -> Vec<String> {
    let digests = image.parts().map(|part| part.content().digest());
    digests.flat_map(|digest| [keys.blob(&digest), keys.layer(repository, &digest)]).collect()
}

/// Everything that an untagged push of an image wrote.
fn pushed(keys: &Keys, repository: &str, image: &Image, digest: Digest) -> Vec<String> {
    let mut all = parts(keys, repository, image);
    all.extend(manifest(keys, repository, digest));
    all
}

/// A manifest and its revision link.
fn manifest(keys: &Keys, repository: &str, digest: Digest) -> [String; 2] {
    [keys.blob(&digest), keys.revision(repository, &digest)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oracles_agree_with_every_scenario_worked_out_by_hand() {
        for Scenario { id, world, mode, goes, open, .. } in all() {
            assert_eq!(world.garbage(&mode), goes, "{id}: what goes");
            let mut stays: BTreeSet<String> = world.objects().keys().cloned().collect();
            stays.retain(|key| !goes.contains(key) && !open.contains(key));
            assert_eq!(world.expected_live(&mode), stays, "{id}: what stays");
        }
    }

    #[test]
    fn no_scenario_loses_a_pull() {
        for Scenario { id, mut world, mode, goes, open, .. } in all() {
            let pulls = world.pulls(&mode);
            world.note_deleted(goes.iter().chain(&open).map(String::as_str));
            assert_eq!(world.broken_pulls(&pulls), Vec::<String>::new(), "{id}");
        }
    }

    #[test]
    fn scenarios_have_names_of_their_own_and_keys_that_exist() {
        let mut ids = BTreeSet::new();
        for Scenario { id, world, goes, open, fault, .. } in all() {
            assert!(ids.insert(id), "{id}");
            let at_fault = fault.iter().map(Fault::key);
            for key in goes.iter().chain(&open).chain(at_fault) {
                assert!(world.objects().contains_key(key), "{id}: {key}");
            }
        }
    }
}
