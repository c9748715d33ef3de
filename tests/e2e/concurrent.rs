//! Somebody pushes, retags or deletes while the collection runs, although they promised not to.
//!
//! What they do is done between two requests of the collector, at every place where there is one.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use registry::Digest;
use regsweep::Failure;
use store::{MemoryStore, ReadStore, StoreError};
use world::{Content, Image, Index, Mode, Part, World};

use crate::crashes::{SMALL_WAYS, small};
use crate::hand::{Call, Hand, Handled};
use crate::harness::{Collection, Expected, keys, put_changes, runtime};

/// What somebody does.
type Deed = fn(&mut World);

/// Does a deed before the request of a number.
struct Meddling {
    requests_left: AtomicU64,
    deed: Deed,
    store: MemoryStore,
    /// The world as it was before the collection; after the deed, as it is then.
    world: Mutex<World>,
    /// Keys that the deed wrote.
    written: Mutex<BTreeSet<String>>,
}

impl Hand for Meddling {
    async fn before(&self, _: Call<'_>) -> Result<(), StoreError> {
        if self.requests_left.fetch_sub(1, Ordering::SeqCst) == 0 {
            self.meddle();
        }
        Ok(())
    }
}

impl Meddling {
    /// Does the deed to what the collector has left by now.
    fn meddle(&self) {
        let mut world = self.world.lock().unwrap();
        let left = keys(&self.store);
        let gone: Vec<String> =
            world.objects().keys().filter(|key| !left.contains(*key)).cloned().collect();
        world.note_deleted(gone.iter().map(String::as_str));
        let before = world.clone();
        (self.deed)(&mut world);
        put_changes(&self.store, Some(&before), &world);
        let written =
            world.objects().iter().filter(|(key, is)| before.objects().get(*key) != Some(is));
        *self.written.lock().unwrap() = written.map(|(key, _)| key.clone()).collect();
    }
}

/// What must have survived a deed.
#[derive(Clone, Copy, PartialEq)]
enum Promise {
    /// What lives with and without the deed.
    Bystanders,
    /// That, and all that the deed wrote, and everything that pulls after it: what it needs is young or lives.
    AllThatWasWritten,
}

/// Does a deed before every request in turn, each time in a new collection.
fn at_every_request(promise: Promise, deed: Deed) {
    let (grace, uploads_older_than) = (Duration::ZERO, Duration::ZERO);
    let without_grace = Mode { untagged: true, grace, uploads_older_than };
    for mode in [Mode::default(), Mode::untagged(), without_grace] {
        let before = Expected::of(&small(), &mode);
        let is_late = |request| !meddle_once(request, &before, &mode, promise, deed);
        let requests = (0..1000).find(|request| is_late(*request)).unwrap();
        assert!(requests > 30, "{requests} requests are too few");
    }
}

/// Whether there was such a request.
fn meddle_once(request: u64, before: &Expected, mode: &Mode, promise: Promise, deed: Deed) -> bool {
    let world = small();
    let store = SMALL_WAYS.store(&world);
    let hand = Arc::new(Meddling {
        requests_left: request.into(),
        deed,
        store: store.clone(),
        world: Mutex::new(world.clone()),
        written: Mutex::default(),
    });
    let collection = Collection::of(&world, Handled::new(&store, &hand), mode, &SMALL_WAYS);
    // It may notice and refuse.
    let ended = runtime().block_on(collection.run());
    let written = hand.written.lock().unwrap();
    let mut after = hand.world.lock().unwrap().clone();
    let live = after.expected_live(mode);
    let left = keys(&store);
    let mut must_stay: BTreeSet<&String> = before.live.intersection(&live).collect();
    if promise == Promise::AllThatWasWritten {
        must_stay.extend(&*written);
    }
    let lost: Vec<_> = must_stay.into_iter().filter(|key| !left.contains(*key)).collect();
    assert!(lost.is_empty(), "before request {request}: {lost:#?} is lost, {ended:?}");
    let pulls = after.pulls(mode);
    let gone: Vec<String> =
        after.objects().keys().filter(|key| !left.contains(*key)).cloned().collect();
    after.note_deleted(gone.iter().map(String::as_str));
    if promise == Promise::AllThatWasWritten {
        assert_eq!(after.broken_pulls(&pulls), Vec::<String>::new(), "before request {request}");
    }
    // It has been counted down past zero.
    hand.requests_left.load(Ordering::SeqCst) > u64::MAX / 2
}

fn image(number: u64) -> Image {
    Image::new(900 + number * 10, &[Content::new(901 + number * 10, 32)])
}

/// What a tag points to.
fn tagged(world: &World, repository: &str, tag: &str) -> Digest {
    let link = &world.objects()[&world.keys().current(repository, tag)];
    str::from_utf8(&link.bytes).unwrap().parse().unwrap()
}

macro_rules! deeds {
    ($promise:ident: $($name:ident => |$world:ident| $deed:block)*) => {
        $(#[test]
        fn $name() {
            at_every_request(Promise::$promise, |$world| $deed);
        })*
    };
}

deeds! { AllThatWasWritten:
    g1_an_image_pushed_during_the_run_is_not_lost => |world| {
        world.push_image("app", &image(1), Some("new"));
    }

    g1_an_image_pushed_a_second_later_is_not_lost => |world| {
        world.age(Duration::from_secs(1));
        world.push_image("app", &image(1), Some("new"));
    }

    g1_an_image_pushed_over_a_tag_is_not_lost => |world| {
        world.push_image("app", &image(1), Some("v1"));
    }

    g1_an_untagged_image_pushed_during_the_run_is_not_lost => |world| {
        world.push_image("app/x", &image(1), None);
    }

    g1_a_repository_that_begins_during_the_run_is_not_lost => |world| {
        world.push_image("a", &image(1), Some("v1"));
        world.push_image("zoo/bar", &image(2), Some("v1"));
    }

    g1_an_index_pushed_with_its_children_is_not_lost => |world| {
        let children = [image(1), image(2)].map(|image| world.push_image("app", &image, None));
        world.push_index("app", &Index::of(&children), Some("new"));
    }

    g1_an_image_with_a_sha512_layer_pushed_during_the_run_is_not_lost => |world| {
        let layers = vec![Part::Sha512(Content::new(990, 32))];
        world.push_image("app", &Image { layers, ..image(1) }, Some("new"));
    }

    g1_a_referrer_of_a_live_image_pushed_during_the_run_is_not_lost => |world| {
        let subject = world.push_image("app", &image(1), Some("new"));
        world.push_artifact("app", subject, Content::new(991, 32), None);
    }

    g1_an_upload_begun_during_the_run_is_not_lost => |world| {
        world.start_upload("app", Content::new(992, 32));
        world.upload_orphan("app", Content::new(993, 32));
    }

    a_live_image_copied_elsewhere_during_the_run_is_not_lost => |world| {
        let live = tagged(world, "old", "v1");
        world.copy("old", "copy", live, Some("v1"));
    }
}

deeds! { Bystanders:
    a_manifest_deleted_during_the_run_costs_nobody_else_anything => |world| {
        let digest = world.revisions("app")[0];
        world.delete_manifest("app", digest);
    }

    a_tag_deleted_during_the_run_costs_nobody_else_anything => |world| {
        world.untag("app", "v1");
    }

    a_tag_moved_during_the_run_costs_nobody_else_anything => |world| {
        let digest = world.revisions("app")[0];
        world.tag("app", "v2", digest);
    }

    a_dead_image_tagged_during_the_run_costs_nobody_else_anything => |world| {
        for digest in world.revisions("app/x") {
            world.tag("app/x", "back", digest);
        }
    }

    a_layer_mounted_during_the_run_costs_nobody_else_anything => |world| {
        for layer in world.layers("app") {
            world.mount("app", "other", layer);
        }
    }
}

/// An old image that no tag reaches, in a world of its own.
fn dead_image() -> (World, Digest) {
    let mut world = small();
    world.age(Duration::from_hours(1));
    let dead = world.push_image("app/x", &image(7), None);
    world.age(Duration::from_hours(24 * 30));
    (world, dead)
}

#[test]
fn g8_an_image_that_is_tagged_over_a_plan_is_whole_after_the_sweep() {
    let (mut world, dead) = dead_image();
    let mode = Mode::untagged();
    let store = SMALL_WAYS.store(&world);
    let collection = Collection::of(&world, store.clone(), &mode, &SMALL_WAYS);
    runtime().block_on(collection.plan()).unwrap();
    let before = world.clone();
    world.age(Duration::from_secs(1));
    assert!(world.tag("app/x", "back", dead));
    put_changes(&store, Some(&before), &world);
    let report = runtime().block_on(collection.sweep()).unwrap();
    assert!(report.needs_new_plan() && !report.is_clean(), "{report:?}");
    Expected::of(&world, &mode).check_nothing_is_lost(&store);
    let left = keys(&store);
    let orphan = world.keys().layer("app", &Content::new(506, 32).sha512());
    assert!(!left.contains(&orphan), "links of other repositories are planned, and go");
}

/// Puts an object back as soon as blobs are listed.
struct Returning {
    blobs: String,
    key: String,
    bytes: Vec<u8>,
    store: MemoryStore,
}

impl Hand for Returning {
    async fn before(&self, call: Call<'_>) -> Result<(), StoreError> {
        if let Call::List { within, .. } = call
            && within == self.blobs
        {
            let now = self.store.now().await?;
            self.store.put(&self.key, self.bytes.clone(), now);
        }
        Ok(())
    }
}

#[test]
fn g5_a_manifest_that_comes_back_after_it_was_missing_makes_no_plan() {
    let (mut world, digest) = dead_image();
    let key = world.keys().blob(&digest);
    let bytes = world.objects()[&key].bytes.clone();
    world.lose(&key);
    let store = SMALL_WAYS.store(&world);
    let blobs = format!("{}blobs/", world.keys().base());
    let hand = Arc::new(Returning { blobs, key, bytes, store: store.clone() });
    let handled = Handled::new(&store, &hand);
    let collection = Collection::of(&world, handled, &Mode::default(), &SMALL_WAYS);
    let refused = runtime().block_on(collection.plan()).unwrap_err();
    assert!(matches!(refused, Failure::Changed(_)), "{refused:?}");
}
