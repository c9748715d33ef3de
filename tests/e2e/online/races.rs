//! The races between a push and a collection that are known, R1 to R13: each with what people do placed at the
//! requests of the collector, cut in two at every step.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use store::MemoryStore;
use world::Random;

use super::client::{Image, Push};
use super::nights::{Flaw, LONGEST_PUSH, Nights, Sums, pushed};
use super::served::Registry;

/// Nights with somebody at work, and quiet ones.
const NIGHTS: usize = 4;

/// Longer than all nights together.
const ALL_NIGHTS: Duration = Duration::from_hours(1);

/// How often a race is played, about.
const PLAYS: u64 = 120;

/// The repository to which people push.
const HERE: &str = "team/app";
const THERE: &str = "team/other";

/// What is there before the first night, and who pushes.
struct Scene {
    registry: Registry,
    push: Push,
    /// What else must pull, and from where.
    others: Vec<(&'static str, Image)>,
    /// Whether manifests without a tag go.
    untagged: bool,
    /// Whether what people did is young in all nights, and so stays.
    stays_young: bool,
}

/// When the push takes its first steps, how many, and when the rest; in requests since the first night.
#[derive(Clone, Copy, Debug)]
struct Cut {
    first: u64,
    steps: usize,
    second: u64,
}

/// What came of a race.
#[derive(Debug)]
struct Played {
    /// Requests while people were at work.
    requests: u64,
    sums: Sums,
    /// What is wrong.
    wrong: Vec<String>,
}

/// Plays a race once.
fn play(scene: Scene, cut: Cut, uses_trash: bool, flaw: Option<Flaw>) -> Played {
    let Scene { registry, push, others, untagged, stays_young } = scene;
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
    let mut nights = Nights::new(&registry, uses_trash, Box::new(deed))
        .with(flaw)
        .untagged(untagged)
        .grace(if stays_young { ALL_NIGHTS } else { LONGEST_PUSH });
    for _ in 0..NIGHTS {
        nights.night().unwrap();
        let mut push = push.lock().unwrap();
        if push.has_begun() && flaw != Some(Flaw::SlowPushes) {
            push.finish(&registry);
        }
    }
    let requests = nights.requests();
    push.lock().unwrap().finish(&registry);
    nights.rest();
    nights.nights(NIGHTS);
    let push = push.lock().unwrap();
    let all: Vec<_> = others
        .iter()
        .map(|(repository, image)| (*repository, image))
        .chain([(push.repository, &push.image)])
        .collect();
    let mut wrong: Vec<String> =
        all.iter().flat_map(|(repository, image)| nights.broken(repository, image)).collect();
    let images: Vec<&Image> = all.iter().map(|(_, image)| *image).collect();
    let too_much = if stays_young { Vec::new() } else { nights.too_much(&images) };
    wrong.extend(too_much.into_iter().map(|key| format!("{key} is left")));
    Played { requests, sums: nights.sums(), wrong }
}

/// Plays a race with the push cut at every step, and placed all over the nights; on a bucket that keeps versions, and
/// with a trash. Stops at the first that goes wrong.
fn play_until_wrong(
    scene: &dyn Fn(MemoryStore) -> Scene,
    flaw: Option<Flaw>,
) -> Result<Sums, String> {
    let mut sums = Sums::default();
    for uses_trash in [false, true] {
        let is_versioned = !uses_trash && flaw != Some(Flaw::NothingKept);
        let empty = || MemoryStore::new();
        let scene = || scene(if is_versioned { empty().with_versions() } else { empty() });
        let never = Cut { first: u64::MAX, steps: 0, second: u64::MAX };
        let requests = play(scene(), never, uses_trash, flaw).requests;
        assert!(requests > 60, "{requests} requests are too few");
        let length = scene().push.length();
        let stride = (requests * (length as u64 + 1) * 2 / plays()).max(1);
        let mut random = Random::new(requests);
        for steps in 0..=length {
            let mut first = random.below(stride);
            while first < requests {
                let nights = if flaw == Some(Flaw::SlowPushes) { 2 * NIGHTS } else { 1 };
                let second = first + random.below(requests * nights as u64 / NIGHTS as u64);
                let cut = Cut { first, steps, second };
                let played = play(scene(), cut, uses_trash, flaw);
                if let Some(wrong) = played.wrong.first() {
                    return Err(format!("{cut:?}, trash: {uses_trash}: {wrong}"));
                }
                sums += played.sums;
                first += stride;
            }
        }
    }
    Ok(sums)
}

/// How often a race is played, about; `PROPTEST_CASES` times as often as one case where that is set.
fn plays() -> u64 {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    asked.unwrap_or(PLAYS)
}

/// Nothing goes wrong however a race is played, and garbage goes.
#[track_caller]
fn play_all(scene: impl Fn(MemoryStore) -> Scene) -> Sums {
    let sums = play_until_wrong(&scene, None).unwrap();
    assert!(sums.deleted > 0, "{sums:?}");
    sums
}

/// An image that was deleted long ago: its layers are garbage, and linked.
fn garbage(registry: &Registry, repository: &'static str, contents: &[&str]) -> Image {
    let image = Image::new(registry, contents);
    pushed(registry, repository, &image, None);
    registry.delete_manifest(repository, image.manifest);
    image
}

/// A registry in which all of that was long ago.
fn long_ago(store: MemoryStore, has_cache: bool, history: impl Fn(&Registry)) -> Registry {
    let registry = Registry::new(store, has_cache);
    let (there, image) = bystander(&registry);
    pushed(&registry, there, &image, Some("kept"));
    history(&registry);
    registry.pass(10 * ALL_NIGHTS);
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
        Scene {
            push: push(HERE, &image, Some("latest")),
            registry,
            others,
            untagged: false,
            stays_young: false,
        }
    }
}

#[test]
fn r1_r2_who_was_told_of_an_old_layer_and_names_it_loses_nothing() {
    let sums = play_all(old_layers(false, Push::new));
    assert!(sums.rescued > 0, "{sums:?}");
}

#[test]
fn r1_r2_who_believes_a_cache_loses_nothing() {
    play_all(old_layers(true, Push::new));
}

#[test]
fn r3_an_upload_that_found_its_data_loses_nothing() {
    let sums = play_all(old_layers(false, Push::blind));
    assert!(sums.rescued > 0 && sums.restored > 0, "{sums:?}");
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
        Scene {
            push: Push::blind(HERE, &image, None),
            registry,
            others,
            untagged: false,
            stays_young: false,
        }
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
            Scene {
                push: Push::new(HERE, &image, None),
                registry,
                others,
                untagged: false,
                stays_young: false,
            }
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
            Scene {
                push: Push::mounting(HERE, &image, None, THERE),
                registry,
                others,
                untagged: false,
                stays_young: false,
            }
        });
    }
}

#[test]
fn r7_a_layer_that_only_another_repository_needs_can_be_named_here() {
    play_all(|store| {
        let history = |registry: &Registry| {
            pushed(registry, THERE, &Image::new(registry, &["old", "there"]), None);
            garbage(registry, HERE, &["old", "older"]);
        };
        let registry = long_ago(store, false, history);
        let image = Image::new(&registry, &["old", "new"]);
        let there = Image::new(&registry, &["old", "there"]);
        let others = vec![bystander(&registry), (THERE, there)];
        Scene {
            push: Push::new(HERE, &image, None),
            registry,
            others,
            untagged: false,
            stays_young: false,
        }
    });
}

#[test]
fn r8_a_child_that_was_pushed_by_its_digest_long_before_its_index_stays() {
    play_all(|store| {
        let history = |registry: &Registry| {
            pushed(registry, HERE, &Image::new(registry, &["child", "layer"]), None);
            garbage(registry, HERE, &["old", "older"]);
        };
        let registry = long_ago(store, false, history);
        let child = Image::new(&registry, &["child", "layer"]);
        let sibling = Image::new(&registry, &["sibling", "layer", "old"]);
        let others = vec![bystander(&registry), (HERE, child)];
        Scene {
            push: Push::new(HERE, &sibling, None),
            registry,
            others,
            untagged: false,
            stays_young: false,
        }
    });
}

#[test]
fn r9_an_image_that_is_tagged_again_stays() {
    play_all(|store| {
        let history = |registry: &Registry| {
            pushed(registry, HERE, &Image::new(registry, &["mine", "old"]), None);
            garbage(registry, HERE, &["old", "older"]);
        };
        let registry = long_ago(store, true, history);
        let image = Image::new(&registry, &["mine", "old"]);
        let others = vec![bystander(&registry)];
        Scene {
            push: Push::new(HERE, &image, Some("again")),
            registry,
            others,
            untagged: false,
            stays_young: false,
        }
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
        Scene {
            push: Push::blind(FIRST, &image, None),
            registry,
            others,
            untagged: false,
            stays_young: false,
        }
    });
}

/// Where manifests without a tag go, and one went without it long ago.
fn untagged(has_cache: bool, push: fn(&Registry, &Image) -> Push) -> impl Fn(MemoryStore) -> Scene {
    move |store| {
        let old = |registry: &Registry| Image::new(registry, &["old", "older"]);
        let history = |registry: &Registry| pushed(registry, HERE, &old(registry), None);
        let registry = long_ago(store, has_cache, history);
        let push = push(&registry, &old(&registry));
        let others = vec![bystander(&registry)];
        Scene { push, registry, others, untagged: true, stays_young: false }
    }
}

#[test]
fn r8_an_old_child_without_a_tag_that_an_index_comes_to_name_stays_with_its_layers() {
    for has_cache in [false, true] {
        let sums = play_all(untagged(has_cache, |registry, child| {
            let index = Image::index(registry, vec![child.clone()]);
            Push::new(HERE, &index, Some("latest"))
        }));
        assert!(sums.rescued > 0, "{sums:?}");
    }
}

#[test]
fn r9_an_old_manifest_without_a_tag_that_is_tagged_again_stays() {
    for has_cache in [false, true] {
        play_all(untagged(has_cache, |_, image| Push::new(HERE, image, Some("again"))));
        play_all(untagged(has_cache, |_, image| Push::blind(HERE, image, Some("again"))));
    }
}

#[test]
fn r9_an_old_manifest_that_is_pushed_again_by_its_digest_alone_is_young_and_stays() {
    for has_cache in [false, true] {
        let scene = untagged(has_cache, |_, image| Push::blind(HERE, image, None));
        play_all(|store| Scene { stays_young: true, ..scene(store) });
    }
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
        let broken = |(repository, image): &(&str, Image)| nights.broken(repository, image);
        let mut wrong: Vec<String> = others.iter().flat_map(broken).collect();
        wrong.extend(nights.too_much(&others.iter().map(|(_, image)| image).collect::<Vec<_>>()));
        assert_eq!(wrong, Vec::<String>::new(), "before request {first}");
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
        pushed(registry, HERE, &image, None);
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

/// With something left out, some play loses an image.
#[track_caller]
fn is_caught(flaw: Flaw, scene: impl Fn(MemoryStore) -> Scene) {
    let wrong = play_until_wrong(&scene, Some(flaw)).unwrap_err();
    assert!(wrong.contains("lost"), "{flaw:?}: {wrong}");
}

#[test]
fn without_purging_or_asking_the_cache_an_image_is_lost() {
    is_caught(Flaw::NeitherPurgedNorAsked, old_layers(true, Push::new));
}

#[test]
fn without_purging_the_cache_garbage_is_kept_for_ever() {
    let wrong = play_until_wrong(&old_layers(true, Push::new), Some(Flaw::NoPurge)).unwrap_err();
    assert!(wrong.contains("is left"), "{wrong}");
}

#[test]
fn without_looking_again_at_what_is_linked_an_image_is_lost() {
    is_caught(Flaw::AgeAlone, old_layers(false, Push::new));
}

#[test]
fn where_nothing_is_kept_of_what_is_deleted_an_image_is_lost() {
    is_caught(Flaw::NothingKept, old_layers(false, Push::blind));
}

#[test]
fn where_pushes_outlast_the_quarantine_an_image_is_lost() {
    is_caught(Flaw::SlowPushes, old_layers(true, Push::new));
}
