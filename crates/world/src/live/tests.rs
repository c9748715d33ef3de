use super::*;
use crate::mode::hours;
use crate::{Content, Image};

fn world() -> World {
    World::new(Timestamp::from_seconds(1_000_000_000), "")
}

#[test]
fn g1_what_is_exactly_as_old_as_the_grace_stays() {
    let mut world = world();
    let orphan = world.upload_orphan("a", Content::new(1, 20));
    world.age(hours(24));
    assert!(world.garbage(&Mode::default()).is_empty());
    world.age(std::time::Duration::from_millis(1));
    let keys = [world.keys.blob(&orphan), world.keys.layer("a", &orphan)];
    assert_eq!(world.garbage(&Mode::default()), keys.into());
}

#[test]
fn g1_a_young_layer_link_keeps_an_old_blob() {
    let mut world = world();
    let content = Content::new(1, 20);
    let digest = world.upload_orphan("a", content);
    world.age(hours(100));
    world.upload_orphan("b", content);
    assert_eq!(world.garbage(&Mode::default()), [world.keys.layer("a", &digest)].into());
}

#[test]
fn uploads_go_when_all_of_their_times_are_old() {
    let mut world = world();
    let id = world.start_upload("a", Content::new(1, 20));
    world.age(hours(7 * 24));
    assert!(world.garbage(&Mode::default()).is_empty());
    world.age(hours(1));
    assert_eq!(world.garbage(&Mode::default()).len(), 3);
    let started = world.keys.upload("a", &id, "startedat");
    let now = world.now().to_string();
    world.damage(&started, now.as_bytes());
    assert!(world.garbage(&Mode::default()).is_empty(), "the text says that it is young");
    world.damage(&started, b"once");
    assert!(world.garbage(&Mode::default()).is_empty(), "left open");
    assert!(world.expected_live(&Mode::default()).is_empty(), "left open");
}

#[test]
fn g4_a_pinned_repository_keeps_all_but_stale_uploads() {
    let mut world = world();
    let orphan = world.upload_sha512("a", Content::new(1, 20));
    let gone = world.push_image("a", &Image::new(3, &[]), Some("v1"));
    world.push_unknown("a", 1, &[Content::new(2, 20)], Some("v1"));
    world.start_upload("a", Content::new(1, 20));
    world.age(hours(1000));
    for mode in [Mode::default(), Mode::untagged()] {
        let garbage = world.garbage(&mode);
        assert_eq!(garbage.len(), 3, "{garbage:?}");
        assert!(garbage.iter().all(|key| key.contains("/_uploads/")));
        let live = world.expected_live(&mode);
        assert!(live.contains(&world.keys.layer("a", &orphan)));
        assert!(live.contains(&world.keys.blob(&Content::new(1, 20).digest())));
        assert!(live.contains(&world.keys.blob(&gone)));
    }
}
