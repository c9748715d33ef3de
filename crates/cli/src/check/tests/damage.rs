//! Each kind of damage is found, and only it.

use std::collections::BTreeSet;

use checker::Kind;
use registry::Digest;
use world::{Content, Image, Index, Part, World};

use super::*;

pub(super) const LAYER: Content = Content::new(11, 300);
pub(super) const OTHER: Content = Content::new(21, 300);
pub(super) const LONG: Content = Content::new(31, 400);
const SIGNATURE: Content = Content::new(41, 50);
const SHARED: Content = Content::new(51, 60);

/// A sound registry with one of everything.
pub(super) struct Sound {
    pub(super) world: World,
    pub(super) first: Digest,
    pub(super) second: Digest,
    pub(super) child: Digest,
    index: Digest,
    aliased: Digest,
    old: Digest,
    copied: Digest,
}

pub(super) fn sound() -> Sound {
    let mut world = World::new(T, "");
    let first = world.push_image("app", &Image::new(1, &[LAYER]), Some("v1"));
    let second = world.push_image("app", &Image::new(2, &[OTHER]), Some("v2"));
    let child = world.push_image("app", &Image::new(3, &[]), None);
    let index = world.push_index("app", &Index::of(&[child]), Some("multi"));
    world.push_artifact("app", second, Content::new(61, 70), None);
    world.push_cache_index("app", &[Content::new(71, 80)], Some("cache"));
    let long = Image { layers: vec![Part::Sha512(LONG)], ..Image::new(4, &[]) };
    let aliased = world.push_image("app", &long, Some("long"));
    let foreign = Image { layers: vec![Part::Foreign(Content::new(81, 9))], ..Image::new(5, &[]) };
    world.push_image("app", &foreign, Some("foreign"));
    let old = world.push_schema1("old", &[Content::new(91, 90)], &[SIGNATURE], Some("v1"));
    let copied = world.push_image("base", &Image::new(6, &[SHARED]), Some("v1"));
    world.copy("base", "other", copied, Some("v1"));
    world.start_upload("app", Content::new(101, 30));
    world.put_marker("app", "_uploads/");
    world.upload_orphan("base", Content::new(111, 40));
    Sound { world, first, second, child, index, aliased, old, copied }
}

type Row = (&'static str, fn(&mut Sound), fn(&Sound) -> Expected);
type Expected = (Vec<(Kind, String)>, Vec<String>);

async fn assert_rows(rows: &[Row], close: Close) {
    for (name, make, expected) in rows {
        let mut registry = sound();
        make(&mut registry);
        for has_etags in [true, false] {
            let close = if has_etags { close } else { Close { links: Links::All, ..close } };
            let report = checked(store_of(&registry.world, has_etags), close).await.report;
            let (kinds, names) = expected(&registry);
            assert_eq!(findings(&report), kinds.into_iter().collect(), "{name}");
            assert_eq!(images(&report), names.into_iter().collect(), "{name}");
        }
    }
}

pub(super) fn first(sound: &Sound) -> Vec<String> {
    vec!["app:v1".into(), format!("app@{}", sound.first)]
}

fn indexed(sound: &Sound) -> Vec<String> {
    vec!["app:multi".into(), format!("app@{}", sound.index)]
}

fn aliased(sound: &Sound) -> Vec<String> {
    vec!["app:long".into(), format!("app@{}", sound.aliased)]
}

pub(super) fn blob(digest: Digest) -> String {
    sound_keys().blob(&digest)
}

fn sound_keys() -> world::Keys {
    World::new(T, "").keys().clone()
}

pub(super) fn layer(digest: Digest) -> String {
    sound_keys().layer("app", &digest)
}

pub(super) fn revision(digest: Digest) -> String {
    sound_keys().revision("app", &digest)
}

pub(super) fn current(tag: &str) -> String {
    sound_keys().current("app", tag)
}

/// Loses an object that must be there.
pub(super) fn lose(sound: &mut Sound, key: &str) {
    assert!(sound.world.lose(key), "{key}");
}

pub(super) fn damage(sound: &mut Sound, key: &str, bytes: &[u8]) {
    assert!(sound.world.damage(key, bytes), "{key}");
}

#[tokio::test]
async fn a_sound_registry_has_no_findings() {
    for close in [USUAL, CLOSE] {
        for has_etags in [true, false] {
            let checked = checked(store_of(&sound().world, has_etags), close).await;
            assert_eq!(findings(&checked.report), BTreeSet::new());
            assert_eq!(images(&checked.report), BTreeSet::new());
            assert!(checked.report.is_sound());
            assert_eq!(
                checked.verified.map(|verified| verified.blobs),
                close.percent.map(|_| checked.blobs.count)
            );
        }
    }
}

const LOST: [Row; 12] = [
    (
        "a layer",
        |s| lose(s, &blob(LAYER.digest())),
        |s| (vec![(Kind::MissingBlob, blob(LAYER.digest()))], first(s)),
    ),
    (
        "a configuration",
        |s| lose(s, &blob(Content::new(1, 40).digest())),
        |s| (vec![(Kind::MissingBlob, blob(Content::new(1, 40).digest()))], first(s)),
    ),
    (
        "a manifest",
        |s| lose(s, &blob(s.first)),
        |s| (vec![(Kind::MissingManifest, blob(s.first))], first(s)),
    ),
    (
        "a child",
        |s| lose(s, &blob(s.child)),
        |s| {
            let child = [format!("app@{}", s.child)];
            (vec![(Kind::MissingManifest, blob(s.child))], [indexed(s), child.into()].concat())
        },
    ),
    (
        "the link of a child",
        |s| lose(s, &revision(s.child)),
        |s| (vec![(Kind::UnlinkedManifest, revision(s.child))], indexed(s)),
    ),
    (
        "the link of a layer",
        |s| lose(s, &layer(LAYER.digest())),
        |s| (vec![(Kind::UnlinkedBlob, layer(LAYER.digest()))], first(s)),
    ),
    (
        "the link of a manifest",
        |s| lose(s, &revision(s.second)),
        |_| (vec![(Kind::TagToNowhere, current("v2"))], vec!["app:v2".into()]),
    ),
    (
        "what a tag points to",
        |s| lose(s, &current("v1")),
        |s| (vec![(Kind::TagWithoutTarget, s.world.keys().history("app", "v1", &s.first))], vec![]),
    ),
    (
        "a signature",
        |s| lose(s, &blob(SIGNATURE.digest())),
        |s| {
            let key = s.world.keys().signature("old", &s.old, &SIGNATURE.digest());
            (vec![(Kind::DanglingSignature, key)], vec![])
        },
    ),
    (
        "a link under another digest",
        |s| lose(s, &layer(LONG.sha512())),
        |s| (vec![(Kind::UnlinkedBlob, layer(LONG.sha512()))], aliased(s)),
    ),
    (
        "data under another digest",
        |s| lose(s, &blob(LONG.digest())),
        |s| (vec![(Kind::MissingBlob, blob(LONG.digest()))], aliased(s)),
    ),
    (
        "what two repositories share",
        |s| lose(s, &blob(SHARED.digest())),
        |s| {
            let names = ["base", "other"]
                .map(|name| [format!("{name}:v1"), format!("{name}@{}", s.copied)]);
            (vec![(Kind::MissingBlob, blob(SHARED.digest()))], names.concat())
        },
    ),
];

#[tokio::test]
async fn what_is_lost_is_found_and_only_it() {
    for close in [USUAL, CLOSE] {
        assert_rows(&LOST, close).await;
    }
}

const CHANGED: [Row; 10] = [
    (
        "a layer without data",
        |s| damage(s, &blob(LAYER.digest()), b""),
        |s| (vec![(Kind::EmptyData, blob(LAYER.digest()))], first(s)),
    ),
    (
        "a manifest without data",
        |s| damage(s, &blob(s.first), b""),
        |s| (vec![(Kind::EmptyData, blob(s.first))], first(s)),
    ),
    (
        "a manifest with a wrong bit",
        |s| assert!(s.world.corrupt(&blob(s.first))),
        |s| (vec![(Kind::WrongContent, blob(s.first))], first(s)),
    ),
    (
        "an empty layer link",
        |s| damage(s, &layer(LAYER.digest()), b""),
        |s| (vec![(Kind::BrokenLink, layer(LAYER.digest()))], first(s)),
    ),
    (
        "a layer link with a line's end",
        |s| {
            damage(s, &layer(LAYER.digest()), format!("{}\n", LAYER.digest()).as_bytes());
        },
        |s| (vec![(Kind::BrokenLink, layer(LAYER.digest()))], first(s)),
    ),
    (
        "a revision link to something else",
        |s| {
            damage(s, &revision(s.first), s.second.to_string().as_bytes());
        },
        |s| (vec![(Kind::BrokenLink, revision(s.first))], first(s)),
    ),
    (
        "an alias that is no digest",
        |s| damage(s, &layer(LONG.sha512()), b"sha256:short"),
        |s| (vec![(Kind::BrokenLink, layer(LONG.sha512()))], aliased(s)),
    ),
    (
        "a tag that is no digest",
        |s| damage(s, &current("v1"), b"no digest"),
        |_| (vec![(Kind::BrokenLink, current("v1"))], vec!["app:v1".into()]),
    ),
    (
        "a tag that points to nothing",
        |s| {
            damage(s, &current("v1"), Digest::sha256(b"nothing").to_string().as_bytes());
        },
        |_| (vec![(Kind::TagToNowhere, current("v1"))], vec!["app:v1".into()]),
    ),
    (
        "an empty history",
        |s| {
            let key = s.world.keys().history("app", "v1", &s.first);
            damage(s, &key, b"");
        },
        |s| (vec![(Kind::BrokenHistory, s.world.keys().history("app", "v1", &s.first))], vec![]),
    ),
];

#[tokio::test]
async fn what_is_not_as_it_was_is_found_and_only_it() {
    for close in [USUAL, CLOSE] {
        assert_rows(&CHANGED, close).await;
    }
}

#[tokio::test]
async fn a_layer_that_was_cut_off_has_the_wrong_size() {
    let mut registry = sound();
    damage(&mut registry, &blob(LAYER.digest()), &LAYER.bytes()[..100]);
    for (close, kind) in [(USUAL, Kind::WrongSize), (CLOSE, Kind::WrongContent)] {
        let report = checked(store_of(&registry.world, true), close).await.report;
        assert_eq!(findings(&report), [(kind, blob(LAYER.digest()))].into());
        assert_eq!(images(&report), first(&registry).into_iter().collect());
    }
}

const ODD: [Row; 7] = [
    (
        "a manifest under another digest",
        |s| {
            let alias = Digest::of(registry::Algorithm::Sha512, b"alias");
            s.world.put_revision_link("app", alias);
            let first = s.first.to_string();
            damage(s, &revision(alias), first.as_bytes());
        },
        |_| {
            let alias = Digest::of(registry::Algorithm::Sha512, b"alias");
            (vec![(Kind::OddLink, revision(alias))], vec![])
        },
    ),
    (
        "a layer link to nothing",
        |s| {
            let lost = Digest::sha256(b"lost");
            s.world.put_layer_link("app", lost, lost);
        },
        |_| (vec![(Kind::DanglingLayer, layer(Digest::sha256(b"lost")))], vec![]),
    ),
    (
        "a file among layers",
        |s| s.world.put_foreign("app", "_layers/sha256/note.txt"),
        |s| {
            let key = format!("{}_layers/sha256/note.txt", s.world.keys().repository("app"));
            (vec![(Kind::ForeignKey, key)], vec![])
        },
    ),
    (
        "a file among blobs",
        |s| {
            let key = format!("{}blobs/note.txt", s.world.keys().base());
            s.world.put_stray(&key);
        },
        |s| (vec![(Kind::ForeignKey, format!("{}blobs/note.txt", s.world.keys().base()))], vec![]),
    ),
    (
        "a link in an unknown place",
        |s| s.world.put_foreign("app", "_manifests/odd/link"),
        |s| {
            let key = format!("{}_manifests/odd/link", s.world.keys().repository("app"));
            (vec![(Kind::OddLink, key)], vec![])
        },
    ),
    (
        "a manifest that nobody understands",
        |s| {
            s.world.push_unknown("app", 7, &[Content::new(121, 20)], Some("odd"));
        },
        |s| {
            let mut world = s.world.clone();
            let digest = world.push_unknown("app", 7, &[Content::new(121, 20)], None);
            (vec![(Kind::UnknownManifest, blob(digest))], vec![])
        },
    ),
    (
        "a name that no registry serves",
        |s| {
            s.world.push_image("Odd", &Image::new(131, &[]), Some("v1"));
        },
        |_| (vec![(Kind::IrregularName, "Odd".into())], vec![]),
    ),
];

#[tokio::test]
async fn what_is_useless_or_odd_is_found_and_breaks_nothing() {
    for close in [USUAL, CLOSE] {
        assert_rows(&ODD, close).await;
    }
}
