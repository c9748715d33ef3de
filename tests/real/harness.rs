//! The harness itself: what is pushed pulls, on files and on a bucket, and the reference leaves what the replay says.

use std::collections::BTreeSet;
use std::process::Output;

use crate::files::Tree;
use crate::images::{Blob, Image};
use crate::population::Population;
use crate::registry::{self, Config, Registry};
use crate::s3::Bucket;
use crate::skopeo;

#[test]
fn a_real_client_pushes_and_pulls_on_files() {
    let tree = Tree::new();
    push_and_pull(&Config::files(tree.path()));
}

#[test]
fn a_real_client_pushes_and_pulls_on_a_bucket() {
    push_and_pull(&Config::bucket(&Bucket::create("pull")));
}

#[test]
fn the_reference_leaves_on_files_what_the_replay_says() {
    let tree = Tree::new();
    let config = Config::files(tree.path());
    collect_by_reference(&config, &[], &Population::linked, || tree.blobs());
}

#[test]
fn the_reference_leaves_on_a_bucket_what_the_replay_says() {
    let bucket = Bucket::create("reference");
    let config = Config::bucket(&bucket);
    collect_by_reference(&config, &[], &Population::linked, || crate::bucket::blobs(&bucket));
}

#[test]
fn the_reference_loses_the_images_of_a_tagged_index_where_untagged_ones_are_collected() {
    let tree = Tree::new();
    let config = Config::files(tree.path());
    collect_by_reference(&config, &["-m"], &Population::directly_tagged, || tree.blobs());
}

#[test]
fn a_blob_that_is_gone_does_not_pull() {
    let tree = Tree::new();
    let registry = Registry::start(&Config::files(tree.path()));
    let image = Image::new(1, &[2, 3]);
    registry.client().push("a", "v1", &image);
    assert_eq!(registry.client().pull("a", "v1", &image), Ok(()));
    tree.remove_blob(&image.blobs[1].digest);
    assert!(registry.client().pull("a", "v1", &image).is_err());
}

/// Fails with what the collector said where it did not end well.
#[track_caller]
pub(crate) fn assert_done(output: &Output) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the collector ends with {}: {said}", output.status);
}

/// Fails with what is lost and what is too much.
#[track_caller]
pub(crate) fn assert_same(left: &BTreeSet<String>, expected: &BTreeSet<String>) {
    let lost: Vec<_> = expected.difference(left).collect();
    let too_much: Vec<_> = left.difference(expected).collect();
    assert!(lost.is_empty() && too_much.is_empty(), "lost: {lost:?}, left over: {too_much:?}");
    assert!(!left.is_empty(), "nothing is left");
}

/// Pulls each image by digest and compares every byte.
#[track_caller]
pub(crate) fn assert_pulls(config: &Config, images: &[(&str, &Image)]) {
    let registry = Registry::start(config);
    let broken: Vec<_> = images
        .iter()
        .filter_map(|(repository, image)| {
            registry.client().pull(repository, &image.manifest.digest, image).err()
        })
        .collect();
    assert!(!images.is_empty(), "nothing was pulled");
    assert_eq!(broken, Vec::<String>::new());
}

fn push_and_pull(config: &Config) {
    let registry = Registry::start(config);
    let (single, index) = (Image::new(1, &[2, 3]), two_machines());
    for (tag, image) in [("single", &single), ("index", &index)] {
        skopeo::push(registry.client(), "team/app", tag, image);
        assert_eq!(registry.client().pull("team/app", tag, image), Ok(()));
        let folder = tempfile::tempdir().unwrap();
        skopeo::pull(registry.client(), "team/app", tag, folder.path());
        assert_eq!(
            std::fs::read(folder.path().join("manifest.json")).unwrap(),
            image.manifest.bytes
        );
    }
}

fn two_machines() -> Image {
    Image::index(vec![Image::new(4, &[2, 5]), Image::for_architecture(4, &[2, 6], "arm64")])
}

fn collect_by_reference(
    config: &Config,
    flags: &[&str],
    expected: &dyn Fn(&Population) -> BTreeSet<String>,
    blobs: impl Fn() -> BTreeSet<String>,
) {
    let population = Population::typical();
    {
        let registry = Registry::start(config);
        population.enact(registry.client());
        registry.client().push_blob("team/app", &Blob::layer(9999));
    }
    assert_pulls(config, &population.pullable());
    let before = blobs();
    assert_done(&registry::garbage_collect(config, flags));
    assert_same(&blobs(), &expected(&population));
    assert!(blobs().len() < before.len(), "the collector deleted something");
}
