//! The races between a push and a collection that are known, R1 to R13: each with what people do placed at the
//! requests of the collector, cut in two at every step.

use super::bucket::Bucket;
use super::client::{Image, Push};
use super::nights::{Flaw, Nights, pushed};
use super::play::{ALL_NIGHTS, NIGHTS, Scene, is_caught, play_all, play_until_wrong};
use super::served::Registry;

/// The repository to which people push.
const HERE: &str = "team/app";
const THERE: &str = "team/other";

/// An image that was deleted long ago: its layers are garbage, and linked.
fn garbage(registry: &Registry, repository: &'static str) {
    let image = Image::new(registry, &["old", "older"]);
    pushed(registry, repository, &image, None);
    registry.delete_manifest(repository, image.manifest);
}

fn bystander(registry: &Registry) -> (&'static str, Image) {
    (THERE, Image::new(registry, &["bystander", "beside"]))
}

/// A registry with a history that was long ago, and somebody who pushes now.
fn long_ago(
    has_cache: bool,
    history: fn(&Registry),
    push: fn(&Registry) -> Push,
) -> impl Fn(Bucket) -> Scene {
    move |bucket| {
        let registry = Registry::new(bucket, has_cache);
        let (there, image) = bystander(&registry);
        pushed(&registry, there, &image, Some("kept"));
        history(&registry);
        registry.pass(10 * ALL_NIGHTS);
        let (push, others) = (push(&registry), vec![bystander(&registry)]);
        Scene { registry, push, others, untagged: false, stays_young: false }
    }
}

/// Old layers are named by a new image.
fn old_layers(has_cache: bool, push: fn(&Registry) -> Push) -> impl Fn(Bucket) -> Scene {
    long_ago(has_cache, |registry| garbage(registry, HERE), push)
}

/// Somebody asks for an old layer before naming it.
fn asking(registry: &Registry) -> Push {
    Push::new(HERE, &Image::new(registry, &["old", "new"]), Some("latest"))
}

/// Somebody sends an old layer without asking.
fn sending(registry: &Registry) -> Push {
    Push::blind(HERE, &Image::new(registry, &["old", "new"]), Some("latest"))
}

#[test]
fn r1_r2_who_was_told_of_an_old_layer_and_names_it_loses_nothing() {
    let sums = play_all(old_layers(false, asking));
    assert!(sums.rescued > 0, "{sums:?}");
}

#[test]
fn r1_r2_who_believes_a_cache_loses_nothing() {
    play_all(old_layers(true, asking));
}

#[test]
fn r3_an_upload_that_found_its_data_loses_nothing() {
    let sums = play_all(old_layers(false, sending));
    assert!(sums.rescued > 0 && sums.restored > 0, "{sums:?}");
}

#[test]
fn r3_an_upload_that_found_its_data_loses_nothing_where_a_cache_is_believed() {
    play_all(old_layers(true, sending));
}

#[test]
fn r4_data_that_has_no_link_yet_stays() {
    play_all(old_layers(false, |registry| {
        Push::blind(HERE, &Image::new(registry, &["new", "newer"]), None)
    }));
}

#[test]
fn r5_a_manifest_that_was_deleted_and_is_pushed_again_stays() {
    for has_cache in [false, true] {
        play_all(old_layers(has_cache, |registry| {
            Push::new(HERE, &Image::new(registry, &["old", "older"]), None)
        }));
    }
}

#[test]
fn r6_a_layer_that_is_mounted_while_its_source_is_unlinked_stays() {
    for has_cache in [false, true] {
        let mounting = |registry: &Registry| {
            let image = Image::new(registry, &["old", "older", "new"]);
            Push::mounting(HERE, &image, None, THERE)
        };
        play_all(long_ago(has_cache, |registry| garbage(registry, THERE), mounting));
    }
}

/// The scene, where another image was pushed long ago and stays.
fn with_another(
    scene: impl Fn(Bucket) -> Scene,
    another: fn(&Registry) -> (&'static str, Image),
) -> impl Fn(Bucket) -> Scene {
    move |bucket| {
        let mut scene = scene(bucket);
        scene.others.push(another(&scene.registry));
        scene
    }
}

#[test]
fn r7_a_layer_that_only_another_repository_needs_can_be_named_here() {
    fn there(registry: &Registry) -> (&'static str, Image) {
        (THERE, Image::new(registry, &["old", "there"]))
    }
    let history = |registry: &Registry| {
        pushed(registry, THERE, &there(registry).1, None);
        garbage(registry, HERE);
    };
    play_all(with_another(long_ago(false, history, asking), there));
}

#[test]
fn r8_a_child_that_was_pushed_by_its_digest_long_before_its_index_stays() {
    fn child(registry: &Registry) -> (&'static str, Image) {
        (HERE, Image::new(registry, &["child", "old"]))
    }
    let history = |registry: &Registry| {
        pushed(registry, HERE, &child(registry).1, None);
        garbage(registry, HERE);
    };
    let index = |registry: &Registry| {
        Push::new(HERE, &Image::index(registry, vec![child(registry).1]), Some("latest"))
    };
    play_all(with_another(long_ago(false, history, index), child));
}

#[test]
fn r9_an_image_that_is_tagged_again_stays() {
    fn mine(registry: &Registry) -> Image {
        Image::new(registry, &["mine", "old"])
    }
    let history = |registry: &Registry| {
        pushed(registry, HERE, &mine(registry), None);
        garbage(registry, HERE);
    };
    play_all(long_ago(true, history, |registry| Push::new(HERE, &mine(registry), Some("again"))));
}

#[test]
fn r11_a_push_behind_the_cursor_of_a_listing_is_seen_by_the_next_look() {
    // To the first repository of all, which every listing has passed.
    play_all(old_layers(false, |registry| {
        Push::blind("a", &Image::new(registry, &["old", "older", "new"]), None)
    }));
}

/// The image that is pushed without a tag.
fn old(registry: &Registry) -> Image {
    Image::new(registry, &["old", "older"])
}

/// Where manifests without a tag go, and one went without it long ago.
fn untagged(has_cache: bool, push: fn(&Registry) -> Push) -> impl Fn(Bucket) -> Scene {
    let scene = long_ago(has_cache, |registry| pushed(registry, HERE, &old(registry), None), push);
    move |bucket| Scene { untagged: true, ..scene(bucket) }
}

#[test]
fn r8_an_old_child_without_a_tag_that_an_index_comes_to_name_stays_with_its_layers() {
    for has_cache in [false, true] {
        let sums = play_all(untagged(has_cache, |registry| {
            Push::new(HERE, &Image::index(registry, vec![old(registry)]), Some("latest"))
        }));
        assert!(sums.rescued > 0, "{sums:?}");
    }
}

#[test]
fn r9_an_old_manifest_without_a_tag_that_is_tagged_again_stays() {
    play_all(untagged(false, |registry| Push::new(HERE, &old(registry), Some("again"))));
    play_all(untagged(true, |registry| Push::blind(HERE, &old(registry), Some("again"))));
}

#[test]
fn r9_an_old_manifest_that_is_pushed_again_by_its_digest_alone_is_young_and_stays() {
    for has_cache in [false, true] {
        let scene = untagged(has_cache, |registry| Push::blind(HERE, &old(registry), None));
        play_all(|bucket| Scene { stays_young: true, ..scene(bucket) });
    }
}

/// Somebody does something at every request in turn, each time in a registry of its own; on a server at some of them.
fn at_every_request(uses_trash: bool, deed: fn(&Registry)) {
    at_requests(|| Bucket::memory(!uses_trash), uses_trash, 1, deed);
    at_requests(|| Bucket::server(!uses_trash), uses_trash, 23, deed);
}

fn at_requests(bucket: impl Fn() -> Bucket, uses_trash: bool, stride: u64, deed: fn(&Registry)) {
    let mut first = 0;
    loop {
        let Scene { registry, others, .. } = old_layers(true, asking)(bucket());
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
        first += stride;
    }
}

#[test]
fn r10_an_image_that_is_deleted_while_the_collection_lists_loses_nothing_else_and_goes() {
    let delete = |registry: &Registry| {
        let image = Image::new(registry, &["fleeting", "beside"]);
        pushed(registry, HERE, &image, None);
        registry.delete_manifest(HERE, image.manifest);
    };
    at_every_request(false, delete);
}

#[test]
fn r12_an_upload_that_is_begun_or_purged_changes_when_garbage_goes_and_nothing_else() {
    at_every_request(true, |registry| registry.start_upload(HERE));
}

#[test]
fn r13_what_somebody_else_deletes_is_gone_and_the_generation_ends() {
    at_every_request(false, |registry| {
        let old = registry.content(b"old");
        registry.bucket.bury(&registry.layer(HERE, old));
        registry.bucket.bury(&registry.layout.blob(&old));
    });
}

#[test]
fn without_purging_or_asking_the_cache_an_image_is_lost() {
    is_caught(Flaw::NeitherPurgedNorAsked, old_layers(true, asking));
}

#[test]
fn without_purging_the_cache_garbage_is_kept_for_ever() {
    let wrong = play_until_wrong(&old_layers(true, asking), Some(Flaw::NoPurge)).unwrap_err();
    assert!(wrong.contains("is left"), "{wrong}");
}

#[test]
fn without_looking_again_at_what_is_linked_an_image_is_lost() {
    is_caught(Flaw::AgeAlone, old_layers(false, asking));
}

#[test]
fn where_nothing_is_kept_of_what_is_deleted_an_image_is_lost() {
    is_caught(Flaw::NothingKept, old_layers(false, sending));
}

#[test]
fn where_pushes_outlast_the_quarantine_an_image_is_lost() {
    is_caught(Flaw::SlowPushes, old_layers(true, asking));
}
