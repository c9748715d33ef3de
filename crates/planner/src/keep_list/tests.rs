use std::collections::BTreeSet;
use std::time::Duration;

use lister::RepositoryTree;
use marker::{DigestSetBuilder, Evidence, Reach};
use registry::{KeyKind, Layout, RepositoryName, Timestamp};
use store::Object;

use super::*;
use crate::Policy;

const T0: Timestamp = Timestamp::from_seconds(100_000_000);
const DAY: Duration = Duration::from_hours(24);

fn cutoffs() -> Cutoffs {
    Policy { untagged: false, grace: DAY, uploads_older_than: DAY }.at(T0)
}

fn digest(name: &str) -> Digest {
    Digest::sha256(name.as_bytes())
}

fn descriptor(name: &str) -> String {
    format!(r#"{{"mediaType":"application/octet-stream","digest":"{}","size":1}}"#, digest(name))
}

/// A manifest with a configuration and a layer.
fn image(config: &str, layer: &str) -> Known {
    let (config, layer) = (descriptor(config), descriptor(layer));
    let text = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{config},"layers":[{layer}]}}"#
    );
    Known::Manifest(Manifest::parse(text.as_bytes()).unwrap())
}

/// An index with two children, of which no list need know.
fn index() -> Known {
    let child = descriptor("child")
        .replace("application/octet-stream", "application/vnd.oci.image.manifest.v1+json");
    let text = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{child}]}}"#
    );
    Known::Manifest(Manifest::parse(text.as_bytes()).unwrap())
}

/// A repository with these revisions, so old; and layer links to `a` and `b`, of which `a` is needed.
fn marked(revisions: Vec<(&str, Duration, Known)>) -> Marked {
    let (mut tree, layout) =
        (RepositoryTree::new(RepositoryName::new("a").unwrap()), Layout::new(""));
    let mut evidence = Evidence::default();
    let mut link = |kind: KeyKind<'_>, age| {
        let key = layout.key_of(&kind).unwrap();
        let object =
            Object { key: key.as_str().into(), size: 71, modified: T0.before(age), etag: None };
        tree.add(&layout, object.into());
    };
    for (name, age, known) in revisions {
        link(KeyKind::Revision { repository: "a", digest: digest(name) }, age);
        evidence.manifests.insert(digest(name), known);
    }
    for name in ["a", "b"] {
        link(KeyKind::Layer { repository: "a", digest: digest(name) }, DAY * 2);
    }
    let reach = Reach { needed: [digest("a")].into_iter().collect(), ..Reach::default() };
    Marked { tree, evidence, reach, expiry: None, events: Vec::new(), started: Vec::new() }
}

fn gaps(revisions: Vec<(&str, Duration, Known)>, list: &[&str]) -> u64 {
    let set = DigestSetBuilder::new();
    set.add(list.iter().map(|name| digest(name))).unwrap();
    let set = set.finish().unwrap();
    let facts = observe_repository(&marked(revisions), &cutoffs(), &mut set.reader()).unwrap();
    facts.keep_list_gaps
}

#[test]
fn a_manifest_is_known_by_its_own_digest_or_by_all_that_it_names() {
    let image = || vec![("M", DAY * 2, image("c", "l"))];
    assert_eq!(gaps(image(), &["M"]), 0, "Harbor's table has manifests");
    assert_eq!(gaps(image(), &["c", "l"]), 0, "GitLab's has not");
    assert_eq!(gaps(image(), &["c"]), 1);
    assert_eq!(gaps(image(), &["l", "other"]), 1);
    assert_eq!(gaps(vec![("I", DAY * 2, index())], &["other"]), 0, "it names no blob");
}

#[test]
fn only_what_was_pushed_lately_and_is_understood_says_anything() {
    let at = |age| gaps(vec![("M", age, image("c", "l"))], &[]);
    let moment = Duration::from_millis(1);
    assert_eq!(at(DAY), 0, "the list may be older");
    assert_eq!(at(DAY + moment), 1);
    assert_eq!(at(DAY * 30), 1);
    assert_eq!(at(DAY * 30 + moment), 0, "a tree that was frozen");
    assert_eq!(gaps(vec![("M", DAY * 2, Known::Missing)], &[]), 0);
}

#[test]
fn the_other_facts_are_those_of_any_collection() {
    let marked = marked(vec![("M", DAY * 2, image("c", "l"))]);
    let set = DigestSetBuilder::new().finish().unwrap();
    let facts = observe_repository(&marked, &cutoffs(), &mut set.reader()).unwrap();
    let expected = crate::judge_repository(&marked, &cutoffs()).facts;
    assert_eq!(facts, Facts { keep_list_gaps: 1, ..expected });
}

#[test]
fn layers_that_nothing_needs_are_told() {
    let told: BTreeSet<Digest> = unneeded_layers(&marked(Vec::new())).collect();
    assert_eq!(told, [digest("b")].into());
}
