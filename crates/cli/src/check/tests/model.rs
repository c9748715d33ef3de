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

/// What links may say that were not written whole, or rotted.
fn harm_links(world: &mut World, harms: &[(u16, u8)]) {
    let is_link = |key: &&String| key.ends_with("/link");
    let keys: Vec<String> = world.objects().keys().filter(is_link).cloned().collect();
    for (place, how) in harms {
        let Some(key) = keys.get(usize::from(*place) % keys.len().max(1)) else { return };
        let text = world.objects()[key].bytes.clone();
        let left = match how % 5 {
            0 => Vec::new(),
            1 => text[..text.len() / 3].to_vec(),
            2 => vec![0; text.len()],
            3 => [&text[..], b"\n"].concat(),
            _ => Digest::sha256(b"another").to_string().into_bytes(),
        };
        world.damage(key, &left);
    }
}

/// The keys and contents of a world, taken from a store.
fn taken(world: &World, store: &MemoryStore) -> World {
    let mut after = world.clone();
    for (key, bytes) in store.snapshot() {
        if after.objects()[&key].bytes != bytes {
            after.damage(&key, &bytes);
        }
    }
    let gone: Vec<String> =
        world.objects().keys().filter(|key| !store.keys().contains(key)).cloned().collect();
    after.note_deleted(gone.iter().map(String::as_str));
    after
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
    fn a_repair_makes_nothing_worse_and_touches_links_alone(
        pushes in prop::collection::vec(push(), 1..12),
        deleted in prop::collection::vec(any::<u16>(), 0..3),
        harms in prop::collection::vec((any::<u16>(), any::<bool>()), 0..4),
        link_harms in prop::collection::vec((any::<u16>(), any::<u8>()), 0..5),
        has_etags: bool,
    ) {
        let mut world = sound(&pushes);
        let pulls = world.pulls(&Mode::default());
        for place in deleted {
            let repository = REPOSITORIES[usize::from(place) % 3];
            let known = world.revisions(repository);
            if let Some(digest) = known.get(usize::from(place) % known.len().max(1)) {
                world.delete_manifest(repository, *digest);
            }
        }
        let was = world.clone();
        harm(&mut world, &harms);
        harm_links(&mut world, &link_harms);
        world.age(2 * repaired::DAY);
        let store = store_of(&world, has_etags);
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(repaired::repaired_at_last(&store));
        let after = taken(&world, &store);
        let (before, now) = (broken(&world, &pulls), broken(&after, &pulls));
        prop_assert!(now.is_subset(&before), "{now:?} is more than {before:?}");
        for (key, stored) in world.objects() {
            match after.objects().get(key) {
                // What is written anew says what it said before it was harmed, and nothing that was right changes.
                Some(left) if left.bytes != stored.bytes => {
                    prop_assert_eq!(&left.bytes, &was.objects()[key].bytes, "{}", key);
                }
                Some(_) => {}
                None => prop_assert!(key.contains("/_layers/") || key.contains("/index/"), "{key}"),
            }
        }
        // The data of what went is not there, so that nobody misses it; and of what was lost alone nothing comes back.
        prop_assert!(after.objects().len() + store.keys().len() == 2 * store.keys().len());
        if harms.is_empty() && link_harms.iter().all(|(_, how)| how % 5 < 4) {
            let unmended = findings(&runtime.block_on(checked(store, CLOSE)).report);
            let broken = unmended.iter().filter(|(kind, _)| *kind == Kind::BrokenLink);
            // Aliases, and tags that were moved, cannot be told.
            prop_assert!(broken.clone().all(|(_, key)| key.contains("/_layers/sha512/") || key.contains("/tags/")), "{unmended:?}");
        }
    }

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
