//! G1: nothing that is younger than the grace goes.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use registry::Timestamp;
use store::{MemoryStore, StoreError};
use world::{Content, Image, Mode, World};

use super::{now, rows, unchanged};
use crate::crashes::SMALL_WAYS;
use crate::hand::{Call, Hand, Handled};
use crate::harness::{Collection, Expected, runtime};

/// All kinds of garbage, all written at [`now`].
fn fresh_garbage() -> World {
    let mut world = World::new(now(), "");
    world.push_image("app", &Image::new(1, &[Content::new(2, 32)]), Some("v1"));
    world.push_image("app", &Image::new(3, &[Content::new(4, 32)]), Some("v1"));
    world.push_schema1("app", &[Content::new(5, 32)], &[Content::new(6, 32)], None);
    world.upload_sha512("app", Content::new(7, 32));
    world.start_upload("app", Content::new(8, 32));
    world.put_blob(b"nobody's");
    world
}

#[test]
fn g1_what_is_as_old_as_the_grace_stays_and_goes_a_millisecond_later() {
    for hours in [0, 24, 24 * 365] {
        let grace = Duration::from_hours(hours);
        let mode = Mode { untagged: true, grace, uploads_older_than: grace };
        let mut world = fresh_garbage();
        world.age(grace);
        let store = SMALL_WAYS.store(&world);
        let collection = Collection::of(&world, store.clone(), &mode, &SMALL_WAYS);
        runtime().block_on(collection.run()).unwrap();
        unchanged(&store, &world);
        world.age(Duration::from_millis(1));
        store.set_now(world.now());
        let expected = Expected::of(&world, &mode);
        assert!(expected.garbage.len() > 12, "{:#?}", expected.garbage);
        let collection = Collection::of(&world, store.clone(), &mode, &SMALL_WAYS);
        let report = runtime().block_on(collection.run()).unwrap();
        expected.check_it_is_collected(&store, &report);
    }
}

/// A store whose clock runs on by an hour with every request.
struct Running {
    store: MemoryStore,
    now: Mutex<Timestamp>,
    first: Mutex<Option<String>>,
}

impl Hand for Running {
    async fn before(&self, call: Call<'_>) -> Result<(), StoreError> {
        self.first.lock().unwrap().get_or_insert(format!("{call:?}"));
        Ok(())
    }

    fn after(&self, _: Call<'_>) {
        let mut now = self.now.lock().unwrap();
        *now = now.after(Duration::from_hours(1));
        self.store.set_now(*now);
    }
}

#[test]
fn g1_t0_is_asked_for_before_anything_is_listed_and_never_again() {
    let mut world = fresh_garbage();
    world.age(Duration::from_hours(24));
    let store = SMALL_WAYS.store(&world);
    let (now, first) = (Mutex::new(world.now()), Mutex::default());
    let hand = Arc::new(Running { store: store.clone(), now, first });
    let handled = Handled::new(&store, &hand);
    let collection = Collection::of(&world, handled, &Mode::untagged(), &SMALL_WAYS);
    let plan = runtime().block_on(collection.plan()).unwrap();
    assert_eq!(hand.first.lock().unwrap().as_deref(), Some("Now"));
    assert_eq!(plan.header().t0, world.now());
    assert_eq!(rows(&plan), [], "all of it is exactly a day old at T0");
}
