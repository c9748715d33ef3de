//! Many people at work at once, as a seed says, while the collector runs and its process dies now and then.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use collector::CollectError;
use proptest::prelude::*;
use regsweep::Failure;
use world::Random;

use super::bucket::Bucket;
use super::client::{Image, Push};
use super::nights::{Nights, pushed};
use super::served::Registry;
use crate::harness::cases;

const REPOSITORIES: [&str; 3] = ["a", "team/app", "team/other"];
const CONTENTS: [&str; 7] = ["one", "two", "three", "four", "five", "six", "seven"];
const TAGS: [&str; 2] = ["latest", "stable"];
const NIGHTS: usize = 10;

/// Under which name somebody relies on an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Name {
    repository: &'static str,
    /// Its tag, or the number of its push.
    name: (Option<&'static str>, usize),
}

/// Everybody at work, and what they were promised.
struct Crowd {
    random: Random,
    /// Whether every image has a tag, and is garbage without it.
    untagged: bool,
    pushes: Vec<Push>,
    /// Images that were acknowledged, and not deleted or replaced since.
    live: BTreeMap<Name, Image>,
    acknowledged: usize,
}

impl Crowd {
    fn new(seed: u64, untagged: bool) -> Self {
        let (random, pushes, live) = (Random::new(seed), Vec::new(), BTreeMap::new());
        Self { random, untagged, pushes, live, acknowledged: 0 }
    }

    /// Somebody does something, sometimes.
    fn act(&mut self, registry: &Registry) {
        if !self.random.chance(60) {
            return;
        }
        for _ in 0..=self.random.below(6) {
            self.step(registry);
        }
    }

    fn step(&mut self, registry: &Registry) {
        if self.random.chance(5) && !self.untagged {
            self.delete(registry);
        } else if self.pushes.len() < 3 && self.random.chance(20) {
            self.begin(registry);
        } else if !self.pushes.is_empty() {
            let place = self.random.index(self.pushes.len());
            self.pushes[place].advance(registry, 1);
            if self.pushes[place].is_done() {
                let push = self.pushes.swap_remove(place);
                self.acknowledge(push);
            }
        }
    }

    fn image(&mut self, registry: &Registry) -> Image {
        let mut contents: Vec<&str> =
            (0..3).map(|_| CONTENTS[self.random.index(CONTENTS.len())]).collect();
        contents.sort_unstable();
        contents.dedup();
        Image::new(registry, &contents)
    }

    fn begin(&mut self, registry: &Registry) {
        let mut image = self.image(registry);
        if self.random.chance(25) {
            image = Image::index(registry, vec![image, self.image(registry)]);
        }
        let [to, from] = [(); 2].map(|()| REPOSITORIES[self.random.index(REPOSITORIES.len())]);
        let tag = TAGS[self.random.index(TAGS.len())];
        let tag = (self.untagged || self.random.chance(50)).then_some(tag);
        self.pushes.push(match self.random.below(3) {
            0 => Push::new(to, &image, tag),
            1 => Push::blind(to, &image, tag),
            _ => Push::mounting(to, &image, tag, from),
        });
    }

    fn acknowledge(&mut self, push: Push) {
        self.acknowledged += 1;
        let tag = push.tag().filter(|_| self.untagged);
        let number = if tag.is_some() { 0 } else { self.acknowledged };
        self.live.insert(Name { repository: push.repository, name: (tag, number) }, push.image);
    }

    /// Deletes an image that nobody pushes just now, and that no other needs.
    fn delete(&mut self, registry: &Registry) {
        let Some(name) = self.live.keys().nth(self.random.index(self.live.len().max(1))).copied()
        else {
            return;
        };
        let manifest = self.live[&name].manifest;
        let is_of = |repository: &str, image: &Image| {
            repository == name.repository && image.digests().contains(&manifest)
        };
        let is_pushed = self.pushes.iter().any(|push| is_of(push.repository, &push.image));
        let is_child = |(other, image): (&Name, &Image)| {
            is_of(other.repository, image) && image.manifest != manifest
        };
        if !is_pushed && !self.live.iter().any(is_child) {
            registry.delete_manifest(name.repository, manifest);
            self.live.retain(|other, image| {
                other.repository != name.repository || image.manifest != manifest
            });
        }
    }

    /// Those who work come to their end: no push takes longer.
    fn finish(&mut self, registry: &Registry) {
        while let Some(mut push) = self.pushes.pop() {
            push.finish(registry);
            self.acknowledge(push);
        }
    }
}

/// Where a manifest comes and goes under a look, the next night looks again.
fn went_well(ended: &Result<(), CollectError<Failure>>) -> bool {
    matches!(ended, Ok(()) | Err(CollectError::Around(Failure::Changed(_))))
}

/// How a registry is collected, and by whom.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is independent of the others")]
struct Ways {
    has_cache: bool,
    uses_trash: bool,
    untagged: bool,
    /// Whether the collector's process dies in most nights.
    dies: bool,
    /// Whether the collector speaks HTTP.
    is_on_server: bool,
}

/// Nights with a crowd, then quiet ones; what came of it.
fn live_through(seed: u64, ways: Ways) {
    let bucket = if ways.is_on_server { Bucket::server } else { Bucket::memory };
    let registry = Registry::new(bucket(!ways.uses_trash), ways.has_cache);
    let stays = Image::new(&registry, &["one", "two", "stays"]);
    pushed(&registry, "a", &stays, Some("stays"));
    let crowd = Arc::new(Mutex::new(Crowd::new(seed, ways.untagged)));
    let at_work = Arc::clone(&crowd);
    let deed = move |registry: &Registry, _| at_work.lock().unwrap().act(registry);
    let nights = Nights::new(&registry, ways.uses_trash, Box::new(deed));
    let mut nights = nights.untagged(ways.untagged);
    let mut random = Random::new(seed ^ 1);
    for _ in 0..NIGHTS {
        nights.die_after(ways.dies.then(|| random.below(120)));
        // Sometimes generations overlap in their quarantine.
        let is_soon = random.chance(40);
        let ended = if is_soon { nights.half_a_wait() } else { nights.night() };
        assert!(ways.dies || went_well(&ended), "{ended:?}");
        crowd.lock().unwrap().finish(&registry);
    }
    nights.die_after(None);
    nights.rest();
    nights.nights(8);
    let crowd = crowd.lock().unwrap();
    let live = crowd.live.iter();
    let mut wrong: Vec<String> =
        live.flat_map(|(name, image)| nights.broken(name.repository, image)).collect();
    wrong.extend(nights.broken("a", &stays));
    let images: Vec<&Image> = crowd.live.values().chain([&stays]).collect();
    // A child of an index that was deleted or replaced is an image of its own where every manifest stays.
    if ways.untagged {
        wrong.extend(nights.too_much(&images));
    }
    assert_eq!(wrong, Vec::<String>::new(), "seed {seed}, {ways:?}");
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn whatever_people_do_between_two_requests_all_that_was_acknowledged_pulls_and_garbage_goes(
        seed: u64, has_cache: bool, uses_trash: bool, untagged: bool,
    ) {
        let is_on_server = false;
        live_through(seed, Ways { has_cache, uses_trash, untagged, dies: false, is_on_server });
    }

    #[test]
    fn g11_wherever_the_collector_dies_all_that_was_acknowledged_pulls_and_garbage_goes(
        seed: u64, has_cache: bool, uses_trash: bool, untagged: bool,
    ) {
        let is_on_server = false;
        live_through(seed, Ways { has_cache, uses_trash, untagged, dies: true, is_on_server });
    }
}

proptest! {
    #![proptest_config(cases(6))]

    #[test]
    fn over_http_too_all_that_was_acknowledged_pulls_and_garbage_goes(
        seed: u64, has_cache: bool, uses_trash: bool, untagged: bool, dies: bool,
    ) {
        // Without versions a bucket does not tell what a link was that was taken: the program refuses that.
        let uses_trash = uses_trash && !untagged;
        live_through(seed, Ways { has_cache, uses_trash, untagged, dies, is_on_server: true });
    }
}
