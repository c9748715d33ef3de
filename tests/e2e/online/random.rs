//! Many people at work at once, as a seed says, while the collector runs and its process dies now and then.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use store::MemoryStore;
use world::Random;

use super::client::{Image, Push};
use super::nights::{Nights, pushed};
use super::served::Registry;
use crate::harness::cases;

const REPOSITORIES: [&str; 3] = ["a", "team/app", "team/other"];
const CONTENTS: [&str; 7] = ["one", "two", "three", "four", "five", "six", "seven"];
const NIGHTS: usize = 10;

/// Everybody at work, and what they were promised.
struct Crowd {
    random: Random,
    pushes: Vec<Push>,
    /// Images that were acknowledged and not deleted since.
    live: BTreeSet<(&'static str, Image)>,
}

impl Crowd {
    fn new(seed: u64) -> Self {
        let random = Random::new(seed);
        Self { random, pushes: Vec::new(), live: BTreeSet::new() }
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
        if self.random.chance(5) {
            self.delete(registry);
        } else if self.pushes.len() < 3 && self.random.chance(20) {
            self.begin(registry);
        } else if !self.pushes.is_empty() {
            let place = self.random.index(self.pushes.len());
            self.pushes[place].advance(registry, 1);
            if self.pushes[place].is_done() {
                self.done(place);
            }
        }
    }

    fn begin(&mut self, registry: &Registry) {
        let some = |random: &mut Random| CONTENTS[random.index(CONTENTS.len())];
        let mut contents: Vec<&str> = (0..3).map(|_| some(&mut self.random)).collect();
        contents.sort_unstable();
        contents.dedup();
        let image = Image::new(registry, &contents);
        let mut repository = || REPOSITORIES[self.random.index(REPOSITORIES.len())];
        let (to, from) = (repository(), repository());
        // Nobody pushes what somebody is about to push: a deletion would be of both.
        if self.pushes.iter().any(|push| push.repository == to && push.image == image) {
            return;
        }
        let push = match self.random.below(3) {
            0 => Push::new(to, &image, Some("latest")),
            1 => Push::blind(to, &image, None),
            _ => Push::mounting(to, &image, from),
        };
        self.pushes.push(push);
    }

    fn done(&mut self, place: usize) {
        let push = self.pushes.swap_remove(place);
        self.live.insert((push.repository, push.image));
    }

    /// Deletes an image that nobody pushes just now.
    fn delete(&mut self, registry: &Registry) {
        let is_pushed = |key: &(&str, Image)| {
            self.pushes.iter().any(|push| push.repository == key.0 && push.image == key.1)
        };
        let mut idle: Vec<_> = self.live.iter().filter(|key| !is_pushed(key)).cloned().collect();
        if !idle.is_empty() {
            let key = idle.swap_remove(self.random.index(idle.len()));
            registry.delete_manifest(key.0, key.1.manifest);
            self.live.remove(&key);
        }
    }

    /// Those who work come to their end: no push takes longer.
    fn finish(&mut self, registry: &Registry) {
        while let Some(mut push) = self.pushes.pop() {
            push.finish(registry);
            self.live.insert((push.repository, push.image));
        }
    }
}

/// Nights with a crowd, then quiet ones; what came of it.
fn live_through(seed: u64, has_cache: bool, uses_trash: bool, dies: bool) {
    let store = MemoryStore::new();
    let store = if uses_trash { store } else { store.with_versions() };
    let registry = Registry::new(store, has_cache);
    pushed(&registry, "a", &Image::new(&registry, &["one", "two", "stays"]));
    let crowd = Arc::new(Mutex::new(Crowd::new(seed)));
    let at_work = Arc::clone(&crowd);
    let deed = move |registry: &Registry, _| at_work.lock().unwrap().act(registry);
    let mut nights = Nights::new(&registry, uses_trash, Box::new(deed));
    let mut random = Random::new(seed ^ 1);
    for _ in 0..NIGHTS {
        nights.die_after(dies.then(|| random.below(120)));
        let ended = nights.night();
        assert!(dies || ended.is_ok(), "{ended:?}");
        crowd.lock().unwrap().finish(&registry);
    }
    nights.die_after(None);
    nights.rest();
    nights.nights(6);
    let crowd = crowd.lock().unwrap();
    let live = crowd.live.iter();
    let mut wrong: Vec<String> =
        live.clone().flat_map(|(repository, image)| nights.broken(repository, image)).collect();
    let stays = Image::new(&registry, &["one", "two", "stays"]);
    wrong.extend(nights.broken("a", &stays));
    let images: Vec<&Image> = live.map(|(_, image)| image).chain([&stays]).collect();
    wrong.extend(nights.too_much(&images));
    assert_eq!(wrong, Vec::<String>::new(), "seed {seed}");
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn whatever_people_do_between_two_requests_all_that_was_acknowledged_pulls_and_garbage_goes(
        seed: u64, has_cache: bool, uses_trash: bool,
    ) {
        live_through(seed, has_cache, uses_trash, false);
    }

    #[test]
    fn g11_wherever_the_collector_dies_all_that_was_acknowledged_pulls_and_garbage_goes(
        seed: u64, has_cache: bool, uses_trash: bool,
    ) {
        live_through(seed, has_cache, uses_trash, true);
    }
}
