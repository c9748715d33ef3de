//! A registry that remembers its blobs in redis, and goes on serving while it is collected.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write as _;
use std::time::Duration;

use crate::client::Client;
use crate::files::Tree;
use crate::harness::assert_done;
use crate::images::{Blob, Image};
use crate::redis::Redis;
use crate::registry::{Config, Registry};
use crate::regsweep;

/// An image that a tag left behind, and the one it moved on to: they share a layer.
struct Pair {
    old: Image,
    new: Image,
}

const REPOSITORY: &str = "team/app";

impl Pair {
    /// Pushes both, and asks for every blob, so that the registry remembers it.
    fn pushed(client: Client) -> Pair {
        let pair = Pair { old: Image::new(1, &[100, 101]), new: Image::new(2, &[100, 102]) };
        client.push(REPOSITORY, "latest", &pair.old);
        client.push(REPOSITORY, "latest", &pair.new);
        for digest in pair.kept().iter().chain(&pair.collected()) {
            assert_eq!(client.status_of_blob(REPOSITORY, digest), 200, "{digest}");
        }
        pair
    }

    fn kept(&self) -> BTreeSet<String> {
        digests(&self.new)
    }

    fn collected(&self) -> BTreeSet<String> {
        digests(&self.old).difference(&self.kept()).cloned().collect()
    }
}

/// The digests of an image's blobs, without its manifest.
fn digests(image: &Image) -> BTreeSet<String> {
    image.blobs.iter().map(|blob| blob.digest.clone()).collect()
}

/// A served registry with redis, and what was pushed to it.
fn served(tree: &Tree, redis: &Redis) -> (Config, Registry, Pair) {
    let config = Config::files(tree.path()).cached_in(redis);
    let registry = Registry::start(&config);
    let pair = Pair::pushed(registry.client());
    (config, registry, pair)
}

/// What concerns one of the digests.
fn of(remembered: &BTreeSet<String>, digests: &BTreeSet<String>) -> BTreeSet<String> {
    let concerns = |entry: &&String| digests.iter().any(|digest| entry.ends_with(digest.as_str()));
    remembered.iter().filter(concerns).cloned().collect()
}

#[test]
fn the_registry_forgets_what_was_collected_and_remembers_the_rest() {
    let (tree, redis) = (Tree::new(), Redis::start());
    let (config, registry, pair) = served(&tree, &redis);
    let before = redis.remembered();
    assert_eq!(of(&before, &pair.collected()).len(), 3 * pair.collected().len());

    let output = regsweep::run(regsweep::gc(&config).arg("--untagged"));
    let cache = &regsweep::summary(&output)["registry_cache"];
    assert_eq!(cache["kind"], "redis");
    assert!(cache["cleared"].as_u64().unwrap() >= pair.collected().len() as u64, "{cache}");
    let gone: BTreeSet<String> = before.difference(&redis.remembered()).cloned().collect();
    let manifest = BTreeSet::from([pair.old.manifest.digest.clone()]);
    let expected = &of(&before, &pair.collected()) | &of(&before, &manifest);
    assert_eq!(gone, expected);

    let client = registry.client();
    for digest in &pair.collected() {
        assert_eq!(client.status_of_blob(REPOSITORY, digest), 404, "{digest}");
    }
    assert_eq!(client.pull(REPOSITORY, "latest", &pair.new), Ok(()));
    client.push(REPOSITORY, "again", &pair.old);
    assert_eq!(client.pull(REPOSITORY, "again", &pair.old), Ok(()));
}

#[test]
fn a_registry_whose_cache_is_left_goes_on_believing_in_what_is_gone() {
    let (tree, redis) = (Tree::new(), Redis::start());
    let (config, registry, pair) = served(&tree, &redis);
    let before = redis.remembered();
    regsweep::run(regsweep::gc(&config).args(["--untagged", "--registry-cache", "restart"]));
    assert_eq!(redis.remembered(), before);
    for digest in &pair.collected() {
        assert!(!tree.blobs().contains(digest));
        assert_eq!(registry.client().status_of_blob(REPOSITORY, digest), 200, "{digest}");
    }
}

#[test]
fn the_drop_in_clears_the_cache_too() {
    let (tree, redis) = (Tree::new(), Redis::start());
    let (config, registry, pair) = served(&tree, &redis);
    assert_done(&regsweep::garbage_collect(&config, &["-m"]));
    let left = redis.remembered();
    assert_eq!(of(&left, &pair.collected()), BTreeSet::new());
    assert_eq!(of(&left, &pair.kept()).len(), 3 * pair.kept().len());
    assert_eq!(registry.client().pull(REPOSITORY, "latest", &pair.new), Ok(()));
}

/// What layer links still name is believed by no repository once the blob's own entry is gone, of any version: the other
/// entries, which a plan of blobs alone does not name, count only together with that.
#[test]
fn by_a_keep_list_the_registry_forgets_blobs_whose_links_stay() {
    let (tree, redis) = (Tree::new(), Redis::start());
    let (config, registry, pair) = served(&tree, &redis);
    let client = registry.client();
    let orphan = Blob::layer(900);
    for repository in [REPOSITORY, "team/other"] {
        client.push_blob(repository, &orphan);
        assert_eq!(client.status_of_blob(repository, &orphan.digest), 200);
    }
    let mut list = tempfile::NamedTempFile::new().unwrap();
    for digest in tree.blobs().iter().filter(|digest| **digest != orphan.digest) {
        writeln!(list, "{digest}").unwrap();
    }
    let known = tree.blobs().len() - 1;
    writeln!(list, "# end: {known} digests at 4200000000").unwrap();
    let exported = list.as_file().metadata().unwrap().modified().unwrap();
    for file in tree.contents().keys() {
        let file = File::options().write(true).open(tree.path().join(file)).unwrap();
        file.set_modified(exported - Duration::from_hours(2)).unwrap();
    }
    let mut gc = regsweep::collect(&config, &["--offline", "--grace", "1h"]);
    let output = regsweep::run(gc.arg("--keep-list").arg(list.path()));
    assert_eq!(regsweep::summary(&output)["delete"]["blobs"]["count"], 1);
    assert!(!tree.blobs().contains(&orphan.digest));
    for repository in [REPOSITORY, "team/other"] {
        assert_eq!(client.status_of_blob(repository, &orphan.digest), 404, "{repository}");
    }
    client.push_blob(REPOSITORY, &orphan);
    assert!(tree.blobs().contains(&orphan.digest), "it is sent again");
    for repository in [REPOSITORY, "team/other"] {
        assert_eq!(client.status_of_blob(repository, &orphan.digest), 200, "{repository}");
    }
    assert_eq!(client.pull(REPOSITORY, "latest", &pair.new), Ok(()));
}
