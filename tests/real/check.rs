//! A check tells of every image what the registry does with it, whichever file is damaged, and however.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::client::Client;
use crate::files::Tree;
use crate::images::Image;
use crate::registry::{Config, Registry};
use crate::regsweep;

const REPOSITORY: &str = "team/app";

#[test]
fn whatever_is_damaged_what_does_not_pull_is_what_a_check_tells() {
    let (tree, config, registry) = served();
    let (client, (single, index)) = (registry.client(), images());
    client.push(REPOSITORY, "v1", &single);
    client.push(REPOSITORY, "multi", &index);
    let pulls = pulls(tree.path(), &single, &index);
    assert_eq!(told(&config), BTreeSet::new());
    let (mut broken, sound) = (0, tree.contents());
    for (file, content) in &sound {
        for damage in [lose, empty, lengthen] {
            damage(file, content);
            let expected = do_not_pull(client, &pulls);
            assert_eq!(told(&config), expected, "{}", file.display());
            broken += usize::from(!expected.is_empty());
            fs::write(file, content).unwrap();
        }
    }
    assert!(sound.len() > 20 && broken > sound.len(), "{broken} of {}", sound.len());
    assert_eq!(told(&config), BTreeSet::new());
}

/// Empties or cuts off every link, one after the other: whatever did not pull then, pulls when it is repaired.
#[test]
fn whatever_link_is_broken_a_repair_makes_it_pull_again() {
    let (tree, config, registry) = served();
    let (client, (single, index)) = (registry.client(), images());
    client.push(REPOSITORY, "v1", &single);
    client.push(REPOSITORY, "multi", &index);
    let pulls = pulls(tree.path(), &single, &index);
    let (mut broken, sound) = (0, tree.contents());
    for (file, content) in sound.iter().filter(|(file, _)| file.ends_with("link")) {
        for damage in [empty, halve, lengthen] {
            damage(file, content);
            broken += usize::from(!do_not_pull(client, &pulls).is_empty());
            assert_eq!(repaired(&config)["rewrite"], 1, "{}", file.display());
            assert_eq!(do_not_pull(client, &pulls), BTreeSet::new(), "{}", file.display());
            assert_eq!(fs::read(file).unwrap(), *content);
        }
    }
    assert!(broken > 20, "{broken}");
    assert_eq!(told(&config), BTreeSet::new());
    // The registry goes on as before: it moves the tag that was written anew.
    client.push(REPOSITORY, "v1", &index);
    client.pull(REPOSITORY, "v1", &index).unwrap();
}

/// A layer link without data, and the history of a tag that was moved: the registry does the same without them.
#[test]
fn what_a_repair_removes_the_registry_does_not_miss() {
    let (tree, config, registry) = served();
    let (client, (single, index)) = (registry.client(), images());
    client.push(REPOSITORY, "v1", &single);
    client.push(REPOSITORY, "v1", &index);
    let manifests =
        tree.path().join(format!("docker/registry/v2/repositories/{REPOSITORY}/_manifests"));
    fs::remove_file(manifests.join(format!("revisions/sha256/{}/link", single.manifest.hex())))
        .unwrap();
    assert_eq!(repaired(&config)["remove"], 1);
    assert!(!manifests.join(format!("tags/v1/index/sha256/{}", single.manifest.hex())).exists());
    client.pull(REPOSITORY, "v1", &index).unwrap();
    client.push(REPOSITORY, "v1", &single);
    client.pull(REPOSITORY, "v1", &single).unwrap();
}

/// A registry that serves an empty folder.
fn served() -> (Tree, Config, Registry) {
    let tree = Tree::new();
    let config = Config::files(tree.path());
    let registry = Registry::start(&config);
    (tree, config, registry)
}

/// Repairs what can be repaired, and tells what that was.
fn repaired(config: &Config) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let plan = folder.path().join("plan");
    let mut check = regsweep::check(config);
    let checked = check.arg("--repair").arg(&plan).args(["--grace", "0s"]).output().unwrap();
    regsweep::run(&mut regsweep::apply(config, &plan));
    regsweep::summary(&checked)["repair"].clone()
}

fn halve(file: &Path, content: &[u8]) {
    fs::write(file, &content[..content.len() / 2]).unwrap();
}

fn images() -> (Image, Image) {
    let children = vec![Image::new(4, &[2, 5]), Image::for_architecture(4, &[6], "arm64")];
    (Image::new(1, &[2, 3]), Image::index(children))
}

/// Something to pull.
struct Pull<'a> {
    reference: String,
    /// Where it is said that there is such an image.
    named: PathBuf,
    image: &'a Image,
}

fn pulls<'a>(root: &Path, single: &'a Image, index: &'a Image) -> Vec<Pull<'a>> {
    let manifests = root.join(format!("docker/registry/v2/repositories/{REPOSITORY}/_manifests"));
    let tag = |tag: &str, image| {
        let named = manifests.join(format!("tags/{tag}/current/link"));
        Pull { reference: tag.to_owned(), named, image }
    };
    let by_digest = |image: &'a Image| {
        let named = manifests.join(format!("revisions/sha256/{}/link", image.manifest.hex()));
        Pull { reference: image.manifest.digest.clone(), named, image }
    };
    let all = [single, index].into_iter().chain(&index.children);
    all.map(by_digest).chain([tag("v1", single), tag("multi", index)]).collect()
}

/// What is said to be there, and does not pull.
fn do_not_pull(client: Client, pulls: &[Pull<'_>]) -> BTreeSet<String> {
    let is_broken = |pull: &&Pull<'_>| {
        pull.named.exists() && client.pull(REPOSITORY, &pull.reference, pull.image).is_err()
    };
    pulls.iter().filter(is_broken).map(|pull| pull.reference.clone()).collect()
}

/// What a check says cannot be pulled.
fn told(config: &Config) -> BTreeSet<String> {
    let checked = regsweep::check(config).output().unwrap();
    let summary = regsweep::summary(&checked);
    let images = summary["broken_images"].as_array().unwrap();
    let names = images.iter().flat_map(|image| {
        let tags = image["tags"].as_array().unwrap().iter();
        tags.chain([&image["digest"]]).filter_map(|name| name.as_str().map(str::to_owned))
    });
    let names: BTreeSet<String> = names.collect();
    assert_eq!(checked.status.code(), Some(exit_code(&summary)));
    assert!(names.is_empty() || summary["sound"] == false);
    names
}

fn exit_code(summary: &Value) -> i32 {
    if summary["sound"] == true { 0 } else { 6 }
}

fn lose(file: &Path, _: &[u8]) {
    fs::remove_file(file).unwrap();
}

fn empty(file: &Path, _: &[u8]) {
    fs::write(file, "").unwrap();
}

fn lengthen(file: &Path, content: &[u8]) {
    fs::write(file, [content, b"\n"].concat()).unwrap();
}
