//! What the reference collector gets wrong.

use super::{Fault, Scenario, empty, image, layer, manifest, pushed};
use crate::{Image, Index, Mode, Part};

pub(super) fn all() -> Vec<Scenario> {
    vec![rf(), rg(), ra(), rb(), rc(), rd(), ri(), re()]
}

/// A revision link vanishes while its repository is read.
#[must_use]
pub fn rf() -> Scenario {
    let mut world = empty();
    let first = world.push_image("a", &image(1), Some("v1"));
    let second = world.push_image("a", &image(2), Some("v2"));
    let vanishing = world.keys().revision("a", &first.min(second));
    let about = "two tagged images; the first revision link vanishes: the second image must stay";
    Scenario::new("RF", about, world, Mode::default()).fault(Fault::Vanishes(vanishing))
}

/// Reading an index child fails for a while.
#[must_use]
pub fn rg() -> Scenario {
    let mut world = empty();
    let child = world.push_image("a", &image(1), None);
    world.push_index("a", &Index::of(&[child]), Some("v1"));
    let failing = world.keys().blob(&child);
    let about =
        "a tagged index; its child cannot be read for a while: the child's layers must stay";
    Scenario::new("RG", about, world, Mode::untagged()).fault(Fault::Fails(failing))
}

/// A tagged image with a layer addressed by sha512.
#[must_use]
pub fn ra() -> Scenario {
    let mut world = empty();
    let image = Image { layers: vec![Part::Sha512(layer(1))], ..image(1) };
    world.push_image("a", &image, Some("v1"));
    let about = "a tagged image names a layer by sha512: both links and the sha256 blob must stay";
    Scenario::new("RA", about, world, Mode::untagged())
}

/// Two repositories share an index; only the second has its child.
#[must_use]
pub fn rb() -> Scenario {
    let mut world = empty();
    let child = world.push_image("b", &image(1), None);
    let index = Index::of(&[child]);
    world.push_index("a", &index, Some("v1"));
    world.push_index("b", &index, Some("v1"));
    let about = "`a` and `b` tag one index, only `b` has its child: the child's layers must stay";
    Scenario::new("RB", about, world, Mode::untagged())
}

/// Two repositories share a manifest; only the second tags it.
#[must_use]
pub fn rc() -> Scenario {
    let mut world = empty();
    let image = image(1);
    let digest = world.push_image("a", &image, None);
    world.push_image("b", &image, Some("v1"));
    let keys = world.keys().clone();
    let mut goes = pushed(&keys, "a", &image, digest);
    goes.retain(|key| key.ends_with("/link"));
    let about =
        "untagged in `a`, tagged in `b`: `a` loses revision and layer links together, no blob goes";
    Scenario::new("RC", about, world, Mode::untagged()).goes(goes)
}

/// A repository without tags.
#[must_use]
pub fn rd() -> Scenario {
    let mut world = empty();
    world.push_image("a", &image(1), None);
    let about = "no tags at all: the revision link goes with its blobs, none is left dangling";
    Scenario::new("RD", about, world, Mode::untagged()).everything_goes()
}

/// An orphan uploaded by sha512.
#[must_use]
pub fn ri() -> Scenario {
    let mut world = empty();
    world.upload_sha512("a", layer(1));
    let about = "an orphan with two links, one an alias: all three objects go";
    Scenario::new("RI", about, world, Mode::default()).everything_goes()
}

/// A repository with an index and no layers.
#[must_use]
pub fn re() -> Scenario {
    let mut world = empty();
    let absent = empty().push_image("b", &image(1), None);
    world.push_index("a", &Index::of(&[absent]), Some("v1"));
    let orphan = world.put_blob(&layer(9).bytes());
    let keys = world.keys().clone();
    let about = "no `_layers` folder: the collection goes on and takes the orphan of nobody";
    Scenario::new("RE", about, world, Mode::default()).goes([keys.blob(&orphan)])
}

/// An index whose child was deleted; the child's manifest stays as content that the index names.
#[must_use]
pub(super) fn index_without_child(mode: Mode) -> Scenario {
    let mut world = empty();
    let (kept, lost) = (image(1), image(2));
    let children = [&kept, &lost].map(|image| world.push_image("a", image, None));
    world.push_index("a", &Index::of(&children), Some("v1"));
    world.delete_manifest("a", children[1]);
    let keys = world.keys().clone();
    let mut goes = pushed(&keys, "a", &lost, children[1]);
    goes.retain(|key| !manifest(&keys, "a", children[1]).contains(key));
    Scenario::new("", "", world, mode).goes(goes)
}
