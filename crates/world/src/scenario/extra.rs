//! What the reference collector has no tests for.

use registry::Digest;

use super::{Scenario, empty, image, layer, manifest, parts, pushed};
use crate::mode::hours;
use crate::{Form, Image, Index, Mode, Part, World};

pub(super) fn all() -> Vec<Scenario> {
    vec![
        nested_index(),
        index_child_deleted(),
        build_cache(),
        referrers(),
        signatures(),
        shared_by_two(),
        old_untyped_and_artifact(),
        foreign_layer(),
        damaged_manifest(),
        unknown_media_type(),
        half_written_tag(),
        half_written_layer_link(),
        odd_link(),
        unservable_name(),
        dangling_revision(),
        dangling_layer_link(),
        history_only(),
        legacy_links(),
        legacy_links_by_default(),
        names_that_begin_alike(),
        markers_and_foreign_files(),
        emptied(),
        uploads(),
        young(),
        many_keys(),
        below_a_root(),
    ]
}

fn orphan(world: &mut World, repository: &str, number: u64) -> [String; 2] {
    let digest = world.upload_orphan(repository, layer(number));
    [world.keys().blob(&digest), world.keys().layer(repository, &digest)]
}

/// An index of an index.
#[must_use]
pub fn nested_index() -> Scenario {
    let mut world = empty();
    let child = world.push_image("a", &image(1), None);
    let inner = world.push_index("a", &Index::of(&[child]).form(Form::Untyped), None);
    world.push_index("a", &Index::of(&[inner]), Some("v1"));
    let about = "a tag on an index of an index: the image at the bottom stays";
    Scenario::new("nested-index", about, world, Mode::untagged())
}

/// An index whose child was deleted, by default.
#[must_use]
pub fn index_child_deleted() -> Scenario {
    Scenario {
        id: "index-child-deleted",
        about: "a tagged index, one child deleted: its layers go by default too",
        ..super::reproduced::index_without_child(Mode::default())
    }
}

/// Build caches: an index of layers.
#[must_use]
pub fn build_cache() -> Scenario {
    let mut world = empty();
    let dead = world.push_cache_index("a", &[layer(1), layer(2)], Some("cache"));
    world.push_cache_index("a", &[layer(2), layer(3)], Some("cache"));
    let keys = world.keys().clone();
    let only_dead = layer(1).digest();
    let about = "the tag of a build cache moved on: layers of the new one stay, of the old one go";
    Scenario::new("build-cache", about, world, Mode::untagged())
        .goes(manifest(&keys, "a", dead))
        .goes([keys.history("a", "cache", &dead)])
        .goes([keys.blob(&only_dead), keys.layer("a", &only_dead)])
}

/// Referrers of what lives, of each other, and of what does not live.
#[must_use]
pub fn referrers() -> Scenario {
    let mut world = empty();
    let live = world.push_image("a", &image(1), Some("v1"));
    let signature = world.push_artifact("a", live, layer(10), None);
    world.push_artifact("a", signature, layer(11), None);
    let subject = image(2);
    let dead = world.push_image("a", &subject, None);
    let attached = world.push_artifact("a", dead, layer(12), None);
    let keys = world.keys().clone();
    let content = layer(12).digest();
    let mut goes = pushed(&keys, "a", &subject, dead);
    goes.extend(manifest(&keys, "a", attached));
    goes.extend([keys.blob(&content), keys.layer("a", &content)]);
    let about = "referrers live and die with their subjects, and do not keep them";
    Scenario::new("referrers", about, world, Mode::untagged()).goes(goes)
}

/// Old schema 1 images with signature links.
#[must_use]
pub fn signatures() -> Scenario {
    let mut world = empty();
    world.push_schema1("a", &[layer(1), layer(1)], &[layer(2)], Some("v1"));
    let dead = world.push_schema1("a", &[layer(3)], &[layer(4)], None);
    let keys = world.keys().clone();
    let (content, signature) = (layer(3).digest(), layer(4).digest());
    let about = "signature links and their blobs live and die with their revision";
    Scenario::new("signatures", about, world, Mode::untagged())
        .goes(manifest(&keys, "a", dead))
        .goes([keys.blob(&content), keys.layer("a", &content)])
        .goes([keys.blob(&signature), keys.signature("a", &dead, &signature)])
}

/// An image in two repositories, one of which deleted it.
#[must_use]
pub fn shared_by_two() -> Scenario {
    let mut world = empty();
    let image = image(1);
    let digest = world.push_image("a", &image, Some("v1"));
    world.copy("a", "b", digest, Some("v1"));
    world.delete_manifest("a", digest);
    let mut goes = parts(world.keys(), "a", &image);
    goes.retain(|key| key.ends_with("/link"));
    let about = "`a` deleted what `b` still has: the layer links of `a` go, no blob does";
    Scenario::new("shared-by-two", about, world, Mode::default()).goes(goes)
}

/// Manifests without a media type, and artifact manifests.
#[must_use]
pub fn old_untyped_and_artifact() -> Scenario {
    let mut world = empty();
    world.push_image("a", &image(1).form(Form::Untyped), Some("v1"));
    world.push_image("a", &image(2).form(Form::Artifact), Some("v2"));
    world.push_image("a", &image(3).form(Form::Docker), Some("v3"));
    let about = "tagged manifests of every form: nothing goes";
    Scenario::new("forms", about, world, Mode::untagged())
}

/// An image with a foreign layer.
#[must_use]
pub fn foreign_layer() -> Scenario {
    let mut world = empty();
    let layers = vec![Part::Foreign(layer(1)), Part::Stored(layer(2))];
    world.push_image("a", &Image { layers, ..image(1) }, Some("v1"));
    let about = "a layer that was never uploaded is no doubt: nothing goes, and nothing is pinned";
    let goes = orphan(&mut world, "a", 9);
    Scenario::new("foreign-layer", about, world, Mode::untagged()).goes(goes)
}

/// A manifest with a flipped bit.
#[must_use]
pub fn damaged_manifest() -> Scenario {
    let mut world = empty();
    let digest = world.push_image("a", &image(1), Some("v1"));
    world.push_image("a", &image(2), None);
    orphan(&mut world, "a", 8);
    let goes = orphan(&mut world, "b", 9);
    world.corrupt(&world.keys().blob(&digest));
    let about =
        "a manifest is not what its digest says: all that `a` links stays; `b` is collected";
    Scenario::new("damaged-manifest", about, world, Mode::untagged()).goes(goes)
}

/// A manifest of an unknown type, untagged.
#[must_use]
pub fn unknown_media_type() -> Scenario {
    let mut world = empty();
    world.push_unknown("a", 1, &[layer(1)], None);
    world.upload_sha512("a", layer(2));
    let goes = orphan(&mut world, "b", 9);
    let about = "a manifest that nobody understands, tagged or not: all that `a` links stays, through aliases too";
    Scenario::new("unknown-media-type", about, world, Mode::untagged()).goes(goes)
}

/// A tag whose link is empty.
#[must_use]
pub fn half_written_tag() -> Scenario {
    let mut world = empty();
    world.push_image("a", &image(1), Some("v1"));
    world.damage(&world.keys().current("a", "v1"), b"");
    let goes = orphan(&mut world, "b", 9);
    let about = "a tag that names nothing: where tags decide, all of `a` stays";
    Scenario::new("half-written-tag", about, world, Mode::untagged()).goes(goes)
}

/// A layer link that is empty, of a layer that nothing needs.
#[must_use]
pub fn half_written_layer_link() -> Scenario {
    let mut world = empty();
    world.push_image("a", &image(1), Some("v1"));
    let [blob, link] = orphan(&mut world, "a", 8);
    world.damage(&link, b"");
    let about = "an empty link that nothing needs may go or stay; the image must stay";
    Scenario::new("half-written-layer-link", about, world, Mode::default()).open([blob, link])
}

/// A key named `link` where none belongs.
#[must_use]
pub fn odd_link() -> Scenario {
    let mut world = empty();
    orphan(&mut world, "a", 8);
    world.put_foreign("a", "_manifests/revisions/odd/link");
    let goes = orphan(&mut world, "b", 9);
    let about = "a link of an unknown kind: all of `a` stays";
    Scenario::new("odd-link", about, world, Mode::default()).goes(goes)
}

/// A repository whose name no registry serves.
#[must_use]
pub fn unservable_name() -> Scenario {
    let mut world = empty();
    orphan(&mut world, "Odd", 8);
    world.push_image("Odd", &image(1), None);
    let goes = orphan(&mut world, "b", 9);
    let about = "a repository with an upper-case name: all of it stays";
    Scenario::new("unservable-name", about, world, Mode::untagged()).goes(goes)
}

/// A revision whose manifest is gone.
#[must_use]
pub fn dangling_revision() -> Scenario {
    let mut world = empty();
    let image = image(1);
    let digest = world.push_image("a", &image, Some("v1"));
    world.lose(&world.keys().blob(&digest));
    let goes = parts(world.keys(), "a", &image);
    let about = "a manifest's content is gone: its links stay by default, what only it named goes";
    Scenario::new("dangling-revision", about, world, Mode::default()).goes(goes)
}

/// A layer link whose blob is gone.
#[must_use]
pub fn dangling_layer_link() -> Scenario {
    let mut world = empty();
    world.push_image("a", &image(1), Some("v1"));
    let digest = layer(9).digest();
    world.put_layer_link("a", digest, digest);
    let needed = layer(101).digest();
    world.lose(&world.keys().blob(&needed));
    let goes = [world.keys().layer("a", &digest)];
    let about = "links without blobs: one that an image needs stays, one that nothing needs goes";
    Scenario::new("dangling-layer-link", about, world, Mode::default()).goes(goes)
}

/// A tag with a history and no current link.
#[must_use]
pub fn history_only() -> Scenario {
    let mut world = empty();
    let image = image(1);
    let digest = world.push_image("a", &image, Some("v1"));
    world.push_image("a", &self::image(2), Some("v2"));
    world.lose(&world.keys().current("a", "v1"));
    let keys = world.keys().clone();
    let about = "a tag's history is no tag: what only it names goes, and the history with it";
    Scenario::new("history-only", about, world, Mode::untagged())
        .goes(pushed(&keys, "a", &image, digest))
        .goes([keys.history("a", "v1", &digest)])
}

fn legacy_world() -> (World, Digest) {
    let mut world = empty();
    let child = world.push_image("a", &image(1), None);
    let index = world.push_index("a", &Index::of(&[child]), Some("v1"));
    world.make_legacy("a", child);
    world.make_legacy("a", index);
    (world, index)
}

/// Manifests linked as layers.
#[must_use]
pub fn legacy_links() -> Scenario {
    let (world, index) = legacy_world();
    let history = world.keys().history("a", "v1", &index);
    let about = "an index and its child have layer links only, as in 2015: a tag keeps both";
    Scenario::new("legacy-links", about, world, Mode::untagged()).open([history])
}

/// Manifests linked as layers, by default.
#[must_use]
pub fn legacy_links_by_default() -> Scenario {
    let (world, _) = legacy_world();
    let open: Vec<String> = world.objects().keys().cloned().collect();
    let about = "as `legacy-links`, where every revision is a root and there is none: left open";
    Scenario::new("legacy-links-by-default", about, world, Mode::default()).open(open)
}

/// Repositories and tags whose names begin alike.
#[must_use]
pub fn names_that_begin_alike() -> Scenario {
    let mut world = empty();
    let names = ["foo", "foo-bar", "foo.x", "foo/0x", "foo/bar", "foo/bar/baz", "foo0"];
    let mut goes = Vec::new();
    for (number, name) in (1..).zip(names) {
        for tag in ["v1", "v1-rc", "v1.0"] {
            world.push_image(name, &image(number), Some(tag));
        }
        goes.extend(orphan(&mut world, name, 1000 + number));
    }
    let about = "names that are prefixes of each other in every way: each repository is collected as its own";
    Scenario::new("names-that-begin-alike", about, world, Mode::untagged()).goes(goes)
}

/// Directory markers and files of nobody.
#[must_use]
pub fn markers_and_foreign_files() -> Scenario {
    let mut world = empty();
    world.push_image("a", &image(1), Some("v1"));
    world.put_marker("a", "");
    world.put_marker("a", "_uploads/");
    world.put_foreign("a", "_layers/sha256/note.txt");
    world.put_marker("c", "");
    let base = world.keys().base();
    world.put_stray_marker(&format!("{base}blobs/"));
    world.put_stray_marker(&format!("{base}blobs/sha256/00/"));
    world.put_stray(&format!("{base}blobs/sha256/README"));
    world.put_stray("scheduler-state.json");
    let goes = orphan(&mut world, "b", 9);
    let about = "markers and foreign files stay where anything is left";
    Scenario::new("markers-and-foreign-files", about, world, Mode::untagged()).goes(goes)
}

/// Repositories in which nothing is left.
#[must_use]
pub fn emptied() -> Scenario {
    let mut world = empty();
    for name in ["a", "b"] {
        let digest = world.push_image(name, &image(1), Some("v1"));
        world.put_marker(name, "_uploads/");
        world.lose(&world.keys().revision(name, &digest));
    }
    world.put_foreign("b", "_layers/sha256/note.txt");
    let b = world.keys().repository("b");
    let stays = |key: &String| key.starts_with(&b) && !key.contains("_layers/sha256/");
    let keys: Vec<String> = world.objects().keys().cloned().collect();
    let note = format!("{b}_layers/sha256/note.txt");
    let goes = keys.into_iter().filter(|key| !stays(key) && *key != note);
    let about = "nothing but tag links and markers is left of `a`: they go; a foreign file keeps those of `b`";
    Scenario::new("emptied", about, world, Mode::default()).goes(goes)
}

/// A stale upload and a fresh one.
#[must_use]
pub fn uploads() -> Scenario {
    let mut world = empty();
    let stale = world.start_upload("a", layer(1));
    world.age(hours(24 * 24));
    world.start_upload("a", layer(2));
    let keys = world.keys().clone();
    let parts = ["startedat", "data", "hashstates/sha256/0"];
    let scenario = Scenario::new("uploads", "", world, Mode::default());
    Scenario {
        about: "one upload was abandoned 54 days ago, one 30: with 40 days to wait only the first goes",
        mode: Mode { uploads_older_than: hours(40 * 24), ..Mode::default() },
        ..scenario
    }
    .goes(parts.map(|part| keys.upload("a", &stale, part)))
}

/// Everything was pushed within the grace.
#[must_use]
pub fn young() -> Scenario {
    let mut world = empty();
    world.push_image("a", &image(1), Some("v1"));
    world.push_image("a", &image(2), Some("v1"));
    orphan(&mut world, "a", 9);
    world.start_upload("a", layer(8));
    let scenario = Scenario::new("young", "", world, Mode::untagged());
    Scenario {
        about: "all that could be garbage is younger than the grace of 31 days: nothing goes",
        mode: Mode { grace: hours(31 * 24), ..scenario.mode },
        ..scenario
    }
}

/// More than a page of keys below one prefix.
#[must_use]
pub fn many_keys() -> Scenario {
    let mut world = empty();
    let layers: Vec<_> = (0..1001).map(layer).collect();
    world.push_image("a", &Image::new(5000, &layers), Some("v1"));
    let goes: Vec<String> =
        (2000..3100).flat_map(|number| orphan(&mut world, "a", number)).collect();
    let about =
        "an image of 1001 layers beside 1100 orphans: listings and deletes have more than one page";
    Scenario::new("many-keys", about, world, Mode::untagged()).goes(goes)
}

/// A registry below a root directory.
#[must_use]
pub fn below_a_root() -> Scenario {
    let mut world = World::new(empty().now(), "/deep/er/");
    world.push_image("a", &image(1), Some("v1"));
    let goes = orphan(&mut world, "a", 9);
    world.put_stray(&empty().keys().blob(&layer(9).digest()));
    let about = "a root directory, and a neighbour's blob beside it that is none of ours";
    Scenario::new("below-a-root", about, world, Mode::untagged()).goes(goes)
}
