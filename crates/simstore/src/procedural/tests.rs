use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use registry::{Digest, KeyKind, Manifest, parse_link};

use super::*;

const NOW: Timestamp = Timestamp::from_seconds(1_787_000_000);

fn procedural(shape: Shape) -> Procedural {
    assert_eq!(shape.fault(), None);
    Procedural::new(shape, NOW)
}

fn small() -> Procedural {
    procedural(Shape { blobs: 100, repositories: 3, images: 6, layers: 3, seed: 1 })
}

fn keys(procedural: &Procedural, gone: &Bitmap, from: &str) -> Vec<String> {
    let mut cursor = Cursor::new(procedural, gone, from, None);
    let mut keys = Vec::new();
    while let Some(row) = cursor.row() {
        keys.push(String::from_utf8(row.key.clone()).unwrap());
        cursor.advance();
    }
    keys
}

fn all(procedural: &Procedural) -> BTreeMap<String, Object> {
    let keys = keys(procedural, &Bitmap::default(), "");
    assert!(keys.is_sorted_by(|a, b| a < b), "in byte order, once each");
    assert_eq!(keys.len() as u64, procedural.len());
    (0..).zip(keys).map(|(ordinal, key)| (key, procedural.object(ordinal))).collect()
}

#[test]
fn every_link_leads_to_a_blob_and_every_manifest_to_what_it_names() {
    let layout = Layout::new("");
    for shape in [
        Shape { blobs: 100, repositories: 3, images: 6, layers: 3, seed: 1 },
        Shape { blobs: 2, repositories: 1, images: 1, layers: 1, seed: 2 },
        Shape { blobs: 5000, repositories: 12, images: 40, layers: 2, seed: 3 },
    ] {
        let objects = all(&procedural(shape));
        let mut used = BTreeSet::new();
        let mut links = 0;
        for (key, object) in &objects {
            let content = match &object.content {
                Content::Held(content) => content.clone(),
                Content::Zeros(_) => bytes::Bytes::new(),
            };
            let digest = match layout.classify(key) {
                KeyKind::Blob(digest) if content.is_empty() => digest,
                KeyKind::Blob(digest) => {
                    assert_eq!(Digest::sha256(&content), digest, "{key}");
                    let manifest = Manifest::parse(&content).unwrap();
                    used.extend(manifest.edges().map(|edge| edge.digest));
                    digest
                }
                KeyKind::Foreign(_) | KeyKind::Marker { .. } | KeyKind::Upload { .. } => {
                    panic!("{key}")
                }
                KeyKind::Layer { digest, .. }
                | KeyKind::Revision { digest, .. }
                | KeyKind::TagIndex { digest, .. } => {
                    links += 1;
                    assert_eq!(parse_link(&content).unwrap(), digest);
                    digest
                }
                _ => {
                    links += 1;
                    parse_link(&content).unwrap()
                }
            };
            assert!(objects.contains_key(&layout.blob(&digest)), "{key}");
        }
        assert_eq!((used.len() as u64, links), (shape.used_blobs(), shape.links()));
        assert!(used.iter().all(|digest| objects.contains_key(&layout.blob(digest))));
    }
}

#[test]
fn entity_tags_of_links_are_the_md5_of_their_text() {
    let procedural = small();
    let object = procedural.object(procedural.len() - 1);
    let Content::Held(text) = &object.content else { panic!("no link") };
    assert_eq!(object.etag, crate::checksum::md5_hex(text));
}

#[test]
fn everything_is_old_and_links_are_younger_than_blobs() {
    let age = |object: &Object| NOW.since(object.modified).as_secs() / DAY;
    for (key, object) in all(&small()) {
        let expected = if key.contains("/blobs/") { 90..=120 } else { 60..=90 };
        assert!(expected.contains(&age(&object)), "{key}");
    }
}

#[test]
fn another_seed_makes_other_digests() {
    let keys_of =
        |seed| keys(&procedural(Shape { seed, ..small().recipe.shape }), &Bitmap::default(), "");
    assert_eq!(keys_of(1), keys_of(1));
    assert_ne!(keys_of(1), keys_of(2));
}

#[test]
fn a_hundred_million_objects_are_found_in_no_time() {
    let procedural = procedural(Shape { blobs: 100_000_000, ..Shape::default() });
    let len = procedural.len();
    for ordinal in [0, 1, len / 3, 100_019_999, 100_020_000, len - 2, len - 1] {
        let (mut row, mut memory) = (Row::new(), Memory::default());
        procedural.write(&mut row, &mut memory, ordinal);
        let key = String::from_utf8(row.key).unwrap();
        assert_eq!((procedural.find(&key), procedural.rank(&key)), (Some(ordinal), ordinal));
        assert_eq!(procedural.rank(&format!("{key}\0")), ordinal + 1);
    }
}

proptest! {
    #[test]
    fn a_walk_from_anywhere_over_anything_gone_is_the_naive_one(
        gone in prop::collection::btree_set(0..220_u64, 0..220),
        at in any::<prop::sample::Index>(),
        cut in 0..120_usize,
        tail in "[ -~]{0,2}",
    ) {
        let procedural = small();
        let every = keys(&procedural, &Bitmap::default(), "");
        let mut bitmap = Bitmap::default();
        for ordinal in &gone {
            bitmap.insert(*ordinal);
        }
        let near = at.get(&every);
        let from = format!("{}{tail}", &near[..cut.min(near.len())]);
        let expected: Vec<String> = (0..)
            .zip(&every)
            .filter(|(ordinal, key)| !gone.contains(ordinal) && **key >= from)
            .map(|(_, key)| key.clone())
            .collect();
        prop_assert_eq!(keys(&procedural, &bitmap, &from), expected);
        prop_assert_eq!(procedural.find(&from), every.iter().position(|key| *key == from).map(|n| n as u64));
    }
}
