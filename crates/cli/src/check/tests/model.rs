//! Random damage: the images that cannot be pulled are those of the model.

use std::collections::BTreeSet;

use proptest::prelude::*;
use registry::Digest;
use tokio::runtime::Builder;
use world::{Content, Image, Index, Mode, Part, Pull, World};

use super::*;

const REPOSITORIES: [&str; 3] = ["app", "app/x", "base"];
const TAGS: [&str; 3] = ["v1", "v2", "latest"];

/// Something that is pushed whole.
#[derive(Clone, Copy, Debug)]
struct Push {
    kind: u8,
    repository: u8,
    content: u8,
    tag: u8,
}

fn push() -> impl Strategy<Value = Push> {
    (0..8u8, 0..3u8, 0..12u8, 0..6u8).prop_map(|(kind, repository, content, tag)| Push {
        kind,
        repository,
        content,
        tag,
    })
}

fn content(seed: u8, more: u64) -> Content {
    Content::new(u64::from(seed) + 1000 * more, 60 + usize::from(seed))
}

fn apply(world: &mut World, push: Push) {
    let repository = REPOSITORIES[usize::from(push.repository)];
    let tag = TAGS.get(usize::from(push.tag)).copied();
    let layers = [content(push.content, 1), content(push.content / 2, 2)];
    let image = Image::new(3000 + u64::from(push.content), &layers);
    let known: Vec<Digest> = world.revisions(repository);
    match push.kind {
        0..=2 => drop(world.push_image(repository, &image, tag)),
        3 => {
            let children: Vec<Digest> = known.into_iter().take(3).collect();
            world.push_index(repository, &Index::of(&children), tag);
        }
        4 => drop(world.push_cache_index(repository, &layers, tag)),
        5 => {
            let subject = known.first().copied().unwrap_or(Digest::sha256(b"elsewhere"));
            world.push_artifact(repository, subject, content(push.content, 4), tag);
        }
        6 => {
            let parts = vec![Part::Sha512(layers[0]), Part::Stored(layers[1])];
            let image = Image { layers: parts, ..image };
            world.push_image(repository, &image, tag);
        }
        _ => drop(world.push_schema1(repository, &layers, &[content(push.content, 5)], tag)),
    }
}

fn sound(pushes: &[Push]) -> World {
    let mut world = World::new(T, "");
    for push in pushes {
        apply(&mut world, *push);
    }
    world
}

fn harm(world: &mut World, harms: &[(u16, bool)]) {
    for (place, is_lost) in harms {
        let keys: Vec<String> = world.objects().keys().cloned().collect();
        let Some(key) = keys.get(usize::from(*place) % keys.len().max(1)) else { return };
        if *is_lost {
            world.lose(key)
        } else {
            world.corrupt(key)
        };
    }
}

/// Whether what is asked for is still known of, so that it can be named.
fn is_named(world: &World, pull: &Pull) -> bool {
    let name = pull.to_string();
    let keys = world.keys();
    let key = if let Some((repository, digest)) = name.split_once('@') {
        keys.revision(repository, &digest.parse().unwrap())
    } else {
        let (repository, tag) = name.rsplit_once(':').unwrap();
        keys.current(repository, tag)
    };
    world.objects().contains_key(&key)
}

fn broken(world: &World, pulls: &[Pull]) -> BTreeSet<String> {
    let is_broken = |pull: &&Pull| {
        is_named(world, pull) && !world.broken_pulls(std::slice::from_ref(*pull)).is_empty()
    };
    pulls.iter().filter(is_broken).map(Pull::to_string).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn what_cannot_be_pulled_is_what_the_model_says(
        pushes in prop::collection::vec(push(), 1..12),
        harms in prop::collection::vec((any::<u16>(), any::<bool>()), 0..5),
        has_etags: bool,
    ) {
        let mut world = sound(&pushes);
        let pulls = world.pulls(&Mode::default());
        harm(&mut world, &harms);
        let links = if has_etags { Links::Doubtful } else { Links::All };
        let runtime = Builder::new_current_thread().build().unwrap();
        let close = Close { links, percent: Some(100) };
        let report = runtime.block_on(checked(store_of(&world, has_etags), close)).report;
        prop_assert_eq!(images(&report), broken(&world, &pulls));
        prop_assert_eq!(report.is_sound(), report.count(checker::Severity::Damage) == 0);
        if harms.is_empty() {
            prop_assert_eq!(findings(&report), BTreeSet::new());
        }
    }
}
