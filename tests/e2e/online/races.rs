//! The races between a push and a collection that are known, R1 to R13: each with what people do placed at the
//! requests of the collector, cut in two at every step.

use std::sync::{Arc, Mutex};

use store::MemoryStore;
use world::Random;

use super::client::{Image, Push};
use super::nights::{Nights, pushed};
use super::served::Registry;

/// Nights with somebody at work, and quiet ones.
const NIGHTS: usize = 4;

/// How often a race is played, about.
const PLAYS: u64 = 240;

/// The repository to which people push.
const HERE: &str = "team/app";
const THERE: &str = "team/other";

/// What is there before the first night, and who pushes.
struct Scene {
    registry: Registry,
    push: Push,
    /// What else must pull, and from where.
    others: Vec<(&'static str, Image)>,
}

/// When the push takes its first steps, how many, and when the rest; in requests since the first night.
#[derive(Clone, Copy, Debug)]
struct Cut {
    first: u64,
    steps: usize,
    second: u64,
}

/// Plays a race once; gives the number of requests while people were at work.
fn play(scene: Scene, cut: Cut, uses_trash: bool) -> u64 {
    let Scene { registry, push, others } = scene;
    let push = Arc::new(Mutex::new(push));
    let at_work = Arc::clone(&push);
    let deed = move |registry: &Registry, request: u64| {
        let mut push = at_work.lock().unwrap();
        if request == cut.first {
            push.advance(registry, cut.steps);
        }
        if request == cut.second {
            push.finish(registry);
        }
    };
    let mut nights = Nights::new(&registry, uses_trash, Box::new(deed));
    for _ in 0..NIGHTS {
        nights.night().unwrap();
        let mut push = push.lock().unwrap();
        if push.has_begun() {
            push.finish(&registry);
        }
    }
    let requests = nights.requests();
    push.lock().unwrap().finish(&registry);
    nights.rest();
    nights.nights(NIGHTS);
    let push = push.lock().unwrap();
    let when = format!("{cut:?}");
    nights.assert_pulls(push.repository, &[&push.image], &when);
    for (repository, image) in &others {
        nights.assert_pulls(repository, &[image], &when);
    }
    let all = others.iter().map(|(_, image)| image).chain([&push.image]);
    nights.assert_left(&all.collect::<Vec<_>>(), &when);
    requests
}

/// Plays a race with the push cut at every step, and placed all over the nights; on a bucket that keeps versions, and
/// with a trash.
fn play_all(scene: impl Fn(MemoryStore) -> Scene) {
    for (store, uses_trash) in
        [(MemoryStore::new().with_versions(), false), (MemoryStore::new(), true)]
    {
        let scene = || scene(store.fork());
        let never = Cut { first: u64::MAX, steps: 0, second: u64::MAX };
        let requests = play(scene(), never, uses_trash);
        assert!(requests > 60, "{requests} requests are too few");
        let length = scene().push.length();
        let stride = (requests * (length as u64 + 1) * 2 / PLAYS).max(1);
        let mut random = Random::new(requests);
        for steps in 0..=length {
            let mut first = random.below(stride);
            while first < requests {
                let second = first + random.below(requests / NIGHTS as u64);
                play(scene(), Cut { first, steps, second }, uses_trash);
                first += stride;
            }
        }
    }
}

/// An image that was deleted long ago: its layers are garbage, and linked.
fn garbage(registry: &Registry, repository: &'static str, contents: &[&str]) -> Image {
    let image = Image::new(registry, contents);
    pushed(registry, repository, &image);
    registry.delete_manifest(repository, image.manifest);
    image
}

/// A registry in which all of that was long ago.
fn long_ago(store: MemoryStore, has_cache: bool, history: impl Fn(&Registry)) -> Registry {
    let registry = Registry::new(store, has_cache);
    pushed(&registry, THERE, &Image::new(&registry, &["bystander", "beside"]));
    history(&registry);
    registry.pass(std::time::Duration::from_secs(1000));
    registry
}

fn bystander(registry: &Registry) -> (&'static str, Image) {
    (THERE, Image::new(registry, &["bystander", "beside"]))
}

/// Old layers are named by a new image.
fn old_layers(
    has_cache: bool,
    push: fn(&'static str, &Image, Option<&'static str>) -> Push,
) -> impl Fn(MemoryStore) -> Scene {
    move |store| {
        let history = |registry: &Registry| drop(garbage(registry, HERE, &["old", "older"]));
        let registry = long_ago(store, has_cache, history);
        let image = Image::new(&registry, &["old", "new"]);
        let others = vec![bystander(&registry)];
        Scene { push: push(HERE, &image, Some("latest")), registry, others }
    }
}

#[test]
fn r1_r2_who_was_told_of_an_old_layer_and_names_it_loses_nothing() {
    play_all(old_layers(false, Push::new));
}

#[test]
fn r1_r2_who_believes_a_cache_loses_nothing() {
    play_all(old_layers(true, Push::new));
}

#[test]
fn r3_an_upload_that_found_its_data_loses_nothing() {
    play_all(old_layers(false, Push::blind));
}

#[test]
fn r3_an_upload_that_found_its_data_loses_nothing_where_a_cache_is_believed() {
    play_all(old_layers(true, Push::blind));
}

#[test]
fn r4_data_that_has_no_link_yet_stays() {
    play_all(|store| {
        let history = |registry: &Registry| drop(garbage(registry, HERE, &["old", "older"]));
        let registry = long_ago(store, false, history);
        let image = Image::new(&registry, &["new", "newer"]);
        let others = vec![bystander(&registry)];
        Scene { push: Push::blind(HERE, &image, None), registry, others }
    });
}

#[test]
fn r5_a_manifest_that_was_deleted_and_is_pushed_again_stays() {
    for has_cache in [false, true] {
        play_all(move |store| {
            let history = |registry: &Registry| drop(garbage(registry, HERE, &["old", "older"]));
            let registry = long_ago(store, has_cache, history);
            let image = Image::new(&registry, &["old", "older"]);
            let others = vec![bystander(&registry)];
            Scene { push: Push::new(HERE, &image, None), registry, others }
        });
    }
}

#[test]
fn r6_a_layer_that_is_mounted_while_its_source_is_unlinked_stays() {
    for has_cache in [false, true] {
        play_all(move |store| {
            let history = |registry: &Registry| drop(garbage(registry, THERE, &["old", "older"]));
            let registry = long_ago(store, has_cache, history);
            let image = Image::new(&registry, &["old", "older", "new"]);
            let others = vec![bystander(&registry)];
            Scene { push: Push::mounting(HERE, &image, THERE), registry, others }
        });
    }
}

#[test]
fn r7_a_layer_that_only_another_repository_needs_can_be_named_here() {
    play_all(|store| {
        let history = |registry: &Registry| {
            pushed(registry, THERE, &Image::new(registry, &["old", "there"]));
            garbage(registry, HERE, &["old", "older"]);
        };
        let registry = long_ago(store, false, history);
        let image = Image::new(&registry, &["old", "new"]);
        let there = Image::new(&registry, &["old", "there"]);
        let others = vec![bystander(&registry), (THERE, there)];
        Scene { push: Push::new(HERE, &image, None), registry, others }
    });
}

#[test]
fn r8_a_child_that_was_pushed_by_its_digest_long_before_its_index_stays() {
    play_all(|store| {
        let history = |registry: &Registry| {
            pushed(registry, HERE, &Image::new(registry, &["child", "layer"]));
            garbage(registry, HERE, &["old", "older"]);
        };
        let registry = long_ago(store, false, history);
        let child = Image::new(&registry, &["child", "layer"]);
        let sibling = Image::new(&registry, &["sibling", "layer", "old"]);
        let others = vec![bystander(&registry), (HERE, child)];
        Scene { push: Push::new(HERE, &sibling, None), registry, others }
    });
}

#[test]
fn r9_an_image_that_is_tagged_again_stays() {
    play_all(|store| {
        let history = |registry: &Registry| {
            pushed(registry, HERE, &Image::new(registry, &["mine", "old"]));
            garbage(registry, HERE, &["old", "older"]);
        };
        let registry = long_ago(store, true, history);
        let image = Image::new(&registry, &["mine", "old"]);
        let others = vec![bystander(&registry)];
        Scene { push: Push::new(HERE, &image, Some("again")), registry, others }
    });
}

#[test]
fn r11_a_push_behind_the_cursor_of_a_listing_is_seen_by_the_next_look() {
    // The first repository of all, which every listing has passed.
    const FIRST: &str = "a";
    play_all(|store| {
        let history = |registry: &Registry| drop(garbage(registry, HERE, &["old", "older"]));
        let registry = long_ago(store, false, history);
        let image = Image::new(&registry, &["old", "older", "new"]);
        let others = vec![bystander(&registry)];
        Scene { push: Push::blind(FIRST, &image, None), registry, others }
    });
}

/// Somebody does something at every request in turn, each time in a registry of its own.
fn at_every_request(store: &MemoryStore, uses_trash: bool, deed: fn(&Registry)) {
    let mut first = 0;
    loop {
        let scene = old_layers(true, Push::new)(store.fork());
        let Scene { registry, others, .. } = scene;
        let act = move |registry: &Registry, request: u64| {
            if request == first {
                deed(registry);
            }
        };
        let mut nights = Nights::new(&registry, uses_trash, Box::new(act));
        nights.nights(NIGHTS);
        let requests = nights.requests();
        nights.rest();
        nights.nights(NIGHTS);
        let when = format!("before request {first}");
        for (repository, image) in &others {
            nights.assert_pulls(repository, &[image], &when);
        }
        nights.assert_left(&others.iter().map(|(_, image)| image).collect::<Vec<_>>(), &when);
        if first >= requests {
            assert!(requests > 60, "{requests} requests are too few");
            return;
        }
        first += 1;
    }
}

#[test]
fn r10_an_image_that_is_deleted_while_the_collection_lists_loses_nothing_else_and_goes() {
    let delete = |registry: &Registry| {
        let image = Image::new(registry, &["fleeting", "beside"]);
        pushed(registry, HERE, &image);
        registry.delete_manifest(HERE, image.manifest);
    };
    at_every_request(&MemoryStore::new().with_versions(), false, delete);
}

#[test]
fn r12_an_upload_that_is_begun_or_purged_changes_when_garbage_goes_and_nothing_else() {
    at_every_request(&MemoryStore::new(), true, |registry| registry.start_upload(HERE));
}

#[test]
fn r13_what_somebody_else_deletes_is_gone_and_the_generation_ends() {
    at_every_request(&MemoryStore::new().with_versions(), false, |registry| {
        let old = registry.content(b"old");
        registry.store.bury(&registry.layer(HERE, old));
        registry.store.bury(&registry.layout.blob(&old));
    });
}
