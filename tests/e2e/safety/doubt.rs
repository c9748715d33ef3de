//! G4: doubt keeps all that its repository links, and nothing else.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use registry::MANIFEST_LIMIT;
use store::ErrorKind;
use world::{Content, Image, Mode, Part, World};

use super::{no_plan, now};
use crate::hand::{Failing, Handled};
use crate::harness::{Collection, Expected, Ways, keys, runtime};

/// Two repositories with an image, an orphan and an abandoned upload each. In the first, `damage` is done; it may name
/// a key that cannot be read.
fn doubt(name: &str, damage: impl Fn(&mut World) -> Option<String>) {
    let mut world = World::new(now(), "");
    for (number, repository) in [(1, name), (2, "other")] {
        let image = Image::new(number * 10, &[Content::new(number * 10 + 1, 32)]);
        world.push_image(repository, &image, Some("v1"));
        world.upload_orphan(repository, Content::new(number * 10 + 2, 32));
        world.start_upload(repository, Content::new(number * 10 + 3, 32));
    }
    let refused = damage(&mut world);
    world.age(Duration::from_hours(24 * 30));
    let (mode, ways) = (Mode::untagged(), Ways { has_etags: false, ..Ways::default() });
    let store = ways.store(&world);
    let refused = refused.unwrap_or_default();
    let hand = Arc::new(Failing::new(&refused, ErrorKind::Denied, u64::MAX));
    let collection = Collection::of(&world, Handled::new(&store, &hand), &mode, &ways);
    let plan = runtime().block_on(collection.plan()).unwrap();
    let doubts = plan.header().doubts.sample();
    assert!(
        !doubts.is_empty() && doubts.iter().all(|doubt| doubt.repository == name),
        "{doubts:?}"
    );
    runtime().block_on(collection.sweep()).unwrap();
    let gone = Expected::of(&world, &mode).gone(&keys(&store));
    let orphan = Content::new(22, 32).digest();
    let uploads = world.objects().keys().filter(|key| key.contains("/_uploads/")).cloned();
    let blob = world.keys().blob(&orphan);
    let goes: BTreeSet<String> =
        uploads.chain([blob, world.keys().layer("other", &orphan)]).collect();
    assert_eq!(gone, goes, "only abandoned uploads go of what is in doubt, and nothing else stays");
}

macro_rules! doubts {
    ($($name:ident($repository:literal) => |$world:ident| $damage:block)*) => {
        $(#[test]
        fn $name() {
            doubt($repository, |$world| $damage);
        })*
    };
}

doubts! {
    g4_a_manifest_that_may_not_be_read_pins_its_repository_and_no_other("app") => |world| {
        Some(world.keys().blob(&world.revisions("app")[0]))
    }

    g4_a_manifest_with_other_content_pins_its_repository_and_no_other("app") => |world| {
        world.corrupt(&world.keys().blob(&world.revisions("app")[0]));
        None
    }

    g4_a_manifest_too_large_to_be_one_pins_its_repository_and_no_other("app") => |world| {
        let bytes = vec![b' '; usize::try_from(MANIFEST_LIMIT).unwrap() + 1];
        world.damage(&world.keys().blob(&world.revisions("app")[0]), &bytes);
        None
    }

    g4_a_manifest_that_is_not_understood_pins_its_repository_and_no_other("app") => |world| {
        world.push_unknown("app", 1, &[], None);
        None
    }

    g4_a_tag_that_may_not_be_read_pins_its_repository_and_no_other("app") => |world| {
        Some(world.keys().current("app", "v1"))
    }

    g4_a_tag_that_is_broken_pins_its_repository_and_no_other("app") => |world| {
        world.damage(&world.keys().current("app", "v1"), b"sha256:1234");
        None
    }

    g4_a_tag_that_rotted_into_another_digest_pins_its_repository_and_no_other("app") => |world| {
        let rotten = Content::new(99, 32).digest();
        world.damage(&world.keys().current("app", "v1"), rotten.to_string().as_bytes());
        None
    }

    g4_a_link_of_an_alias_that_is_broken_pins_its_repository_and_no_other("app") => |world| {
        let alias = world.upload_sha512("app", Content::new(12, 32));
        world.damage(&world.keys().layer("app", &alias), b"once upon a time");
        None
    }

    g4_a_link_in_an_unknown_place_pins_its_repository_and_no_other("app") => |world| {
        world.put_foreign("app", "_manifests/new/link");
        None
    }

    g4_a_name_that_no_registry_serves_pins_its_repository_and_no_other("App") => |_world| {
        None
    }
}

#[test]
fn g4_an_alias_that_only_the_registry_may_read_makes_no_plan() {
    let mut world = World::new(now(), "");
    let content = Content::new(2, 32);
    let layers = vec![Part::Sha512(content)];
    world.push_image("app", &Image { layers, ..Image::new(1, &[]) }, Some("v1"));
    // The alias is all that leads to the blob; and the registry serves it.
    world.delete_layer_link("app", content.digest());
    world.age(Duration::from_hours(24 * 30));
    let ways = Ways::default();
    let store = ways.store(&world);
    let alias = world.keys().layer("app", &content.sha512());
    let hand = Arc::new(Failing::new(&alias, ErrorKind::Denied, u64::MAX));
    let collection = Collection::of(&world, Handled::new(&store, &hand), &Mode::default(), &ways);
    runtime().block_on(collection.plan()).unwrap_err();
    no_plan(&collection);
}
