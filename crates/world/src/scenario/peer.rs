//! The test cases of the reference collector, by the names it gives them.
//!
//! Source: distribution `registry/storage/garbagecollect_test.go`.

use registry::Digest;

use super::reproduced::index_without_child;
use super::{Scenario, empty, image, layer, manifest, parts, pushed};
use crate::{Content, Form, Image, Index, Mode, Part, World};

pub(super) fn all() -> Vec<Scenario> {
    vec![
        no_deletion_no_effect(),
        delete_manifest_if_tag_not_found(),
        delete_manifest_index_with_dangling_references(),
        delete_manifest_index_tagged(),
        delete_manifest_index_if_tag_not_found(),
        unused_layer_link_path(),
        unknown_repository(),
        missing_manifests(),
        deletion_has_effect(),
        deletion_with_shared_layer(),
        orphan_blob_deleted(),
        tagged_list_with_untagged_manifests(),
        untagged_list_with_untagged_manifests(),
        untagged_list_with_tagged_manifests(),
        list_with_deleted_references(),
    ]
}

/// A Docker image with the empty configuration that all of them share.
fn docker(number: u64) -> Image {
    Image { config: Part::Stored(Content::EMPTY), ..image(number).form(Form::Docker) }
}

fn push_list(world: &mut World, tag: Option<&str>) -> [Digest; 3] {
    let children = [docker(1), docker(2)].map(|image| world.push_image("a", &image, None));
    let list = world.push_index("a", &Index::of(&children).form(Form::Docker), tag);
    [list, children[0], children[1]]
}

/// `TestNoDeletionNoEffect`.
#[must_use]
pub fn no_deletion_no_effect() -> Scenario {
    let mut world = empty();
    push_list(&mut world, None);
    world.push_image("a", &docker(3), None);
    let about = "three untagged images and a list of two of them: by default nothing goes";
    Scenario::new("TestNoDeletionNoEffect", about, world, Mode::default())
}

/// `TestDeleteManifestIfTagNotFound`.
#[must_use]
pub fn delete_manifest_if_tag_not_found() -> Scenario {
    let mut world = empty();
    let (first, last) = (docker(1), docker(2));
    let digest = world.push_image("a", &first, Some("test"));
    world.push_image("a", &last, Some("test"));
    let keys = world.keys().clone();
    let mut goes = pushed(&keys, "a", &first, digest);
    goes.push(keys.history("a", "test", &digest));
    let empty = Content::EMPTY.digest();
    goes.retain(|key| *key != keys.blob(&empty) && *key != keys.layer("a", &empty));
    let about = "a tag moved on: its first image goes, with its layers, links and history entry";
    Scenario::new("TestDeleteManifestIfTagNotFound", about, world, Mode::untagged()).goes(goes)
}

/// `TestDeleteManifestIndexWithDanglingReferences`.
#[must_use]
pub fn delete_manifest_index_with_dangling_references() -> Scenario {
    Scenario {
        id: "TestDeleteManifestIndexWithDanglingReferences",
        about: "a tagged index, one child deleted: that child's layers go, its manifest's content stays",
        ..index_without_child(Mode::untagged())
    }
}

/// `TestDeleteManifestIndexIfTagNotFound`, before the tag is deleted.
#[must_use]
pub fn delete_manifest_index_tagged() -> Scenario {
    let mut world = empty();
    let children = [image(1), image(2)].map(|image| world.push_image("a", &image, None));
    world.push_index("a", &Index::of(&children), Some("v1"));
    let about = "a tagged index of two: nothing goes";
    Scenario::new("TestDeleteManifestIndexIfTagNotFound/tagged", about, world, Mode::untagged())
}

/// `TestDeleteManifestIndexIfTagNotFound`, after the tag is deleted.
#[must_use]
pub fn delete_manifest_index_if_tag_not_found() -> Scenario {
    let Scenario { mut world, mode, .. } = delete_manifest_index_tagged();
    world.untag("a", "v1");
    let about = "the tag of an index of two is deleted: everything goes";
    Scenario::new("TestDeleteManifestIndexIfTagNotFound", about, world, mode).everything_goes()
}

/// `TestGCWithUnusedLayerLinkPath`.
#[must_use]
pub fn unused_layer_link_path() -> Scenario {
    let mut world = empty();
    world.push_image("a", &docker(1), None);
    let about = "one untagged image, no tags folder: its layer links go too";
    Scenario::new("TestGCWithUnusedLayerLinkPath", about, world, Mode::untagged()).everything_goes()
}

/// `TestGCWithUnknownRepository`.
#[must_use]
pub fn unknown_repository() -> Scenario {
    let mut world = empty();
    world.push_image("a", &docker(1), Some("test"));
    world.remove_folder(&format!("{}_manifests/tags/", world.keys().repository("a")));
    let about = "the tags folder of a repository was removed: no error, and all of it goes";
    Scenario::new("TestGCWithUnknownRepository", about, world, Mode::untagged()).everything_goes()
}

/// `TestGCWithMissingManifests`.
#[must_use]
pub fn missing_manifests() -> Scenario {
    let mut world = empty();
    world.push_image("a", &docker(1), Some("test"));
    world.remove_folder(&format!("{}_manifests/", world.keys().repository("a")));
    let about = "only `_layers` is left of a repository: its links and all blobs go";
    Scenario::new("TestGCWithMissingManifests", about, world, Mode::default()).everything_goes()
}

/// `TestDeletionHasEffect`.
#[must_use]
pub fn deletion_has_effect() -> Scenario {
    let mut world = empty();
    let images = [image(1), image(2), image(3)];
    let digests = [0, 1, 2].map(|at: usize| world.push_image("a", &images[at], None));
    let keys = world.keys().clone();
    let mut goes = Vec::new();
    for at in [1, 2] {
        world.delete_manifest("a", digests[at]);
        goes.extend(parts(&keys, "a", &images[at]));
        goes.push(keys.blob(&digests[at]));
    }
    let about = "two of three images are deleted: their layers go, the third stays whole";
    Scenario::new("TestDeletionHasEffect", about, world, Mode::default()).goes(goes)
}

/// `TestDeletionWithSharedLayer`.
#[must_use]
pub fn deletion_with_shared_layer() -> Scenario {
    let mut world = empty();
    let second = Image::new(2, &[layer(1), layer(2)]);
    world.push_image("a", &Image::new(1, &[layer(1)]), None);
    let digest = world.push_image("a", &second, None);
    world.delete_manifest("a", digest);
    let keys = world.keys().clone();
    let mut goes = parts(&keys, "a", &second);
    goes.push(keys.blob(&digest));
    let shared = layer(1).digest();
    goes.retain(|key| *key != keys.blob(&shared) && *key != keys.layer("a", &shared));
    let about = "a deleted image shares a layer with one that stays: the layer stays";
    Scenario::new("TestDeletionWithSharedLayer", about, world, Mode::default()).goes(goes)
}

/// `TestOrphanBlobDeleted`.
#[must_use]
pub fn orphan_blob_deleted() -> Scenario {
    let mut world = empty();
    let orphan = world.upload_orphan("a", layer(9));
    world.push_image("a", &docker(1), None);
    let keys = world.keys().clone();
    let about = "an orphan beside an image: it goes, with its link";
    Scenario::new("TestOrphanBlobDeleted", about, world, Mode::default())
        .goes([keys.blob(&orphan), keys.layer("a", &orphan)])
}

/// `TestTaggedManifestlistWithUntaggedManifest`.
#[must_use]
pub fn tagged_list_with_untagged_manifests() -> Scenario {
    let mut world = empty();
    push_list(&mut world, Some("test"));
    let about = "a tagged list keeps its untagged children whole";
    Scenario::new("TestTaggedManifestlistWithUntaggedManifest", about, world, Mode::untagged())
}

/// `TestUnTaggedManifestlistWithUntaggedManifest`.
#[must_use]
pub fn untagged_list_with_untagged_manifests() -> Scenario {
    let mut world = empty();
    push_list(&mut world, None);
    let about = "nothing is tagged: everything goes";
    Scenario::new("TestUnTaggedManifestlistWithUntaggedManifest", about, world, Mode::untagged())
        .everything_goes()
}

/// `TestUnTaggedManifestlistWithTaggedManifest`.
#[must_use]
pub fn untagged_list_with_tagged_manifests() -> Scenario {
    let mut world = empty();
    let [list, first, second] = push_list(&mut world, None);
    world.tag("a", "one", first);
    world.tag("a", "two", second);
    let goes = manifest(world.keys(), "a", list);
    let about = "the children are tagged, the list is not: only the list goes";
    Scenario::new("TestUnTaggedManifestlistWithTaggedManifest", about, world, Mode::untagged())
        .goes(goes)
}

/// `TestTaggedManifestlistWithDeletedReference`, where the list is not tagged, whatever the name says.
#[must_use]
pub fn list_with_deleted_references() -> Scenario {
    let mut world = empty();
    let [_, first, second] = push_list(&mut world, None);
    world.delete_manifest("a", first);
    world.delete_manifest("a", second);
    let about = "an untagged list whose children were deleted: everything goes";
    Scenario::new("TestTaggedManifestlistWithDeletedReference", about, world, Mode::untagged())
        .everything_goes()
}
