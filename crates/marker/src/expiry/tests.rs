use registry::{Layout, RepositoryName};
use store::{Listed, Object};

use super::*;

const T0: Timestamp = Timestamp::from_seconds(1_000_000);

fn moment() -> Moment {
    Moment { t0: T0, cutoff: Timestamp::from_seconds(900_000) }
}

/// A repository with links below `tags/`, each written at a second.
fn tree(links: &[(&str, i64)]) -> RepositoryTree {
    let mut tree = RepositoryTree::new(RepositoryName::new("a").unwrap());
    for (link, second) in links {
        let key = format!("docker/registry/v2/repositories/a/_manifests/tags/{link}/link");
        let modified = Timestamp::from_seconds(*second);
        let object = Object { key: key.as_str().into(), size: 71, modified, etag: None };
        tree.add(&Layout::new(""), object.into());
    }
    tree
}

fn history(tag: &str) -> String {
    format!("{tag}/index/sha256/{}", Digest::sha256(b"x").hex())
}

/// The tags of `tree` that go where two are kept.
fn going(tree: &RepositoryTree) -> Vec<String> {
    let text = "version: 1\nrules:\n\
                - {name: two, repositories: a, tags: '*', keep: {last: 2}}\n\
                - {name: rest, repositories: a, tags: '*', expire: always}\n";
    let policy = Arc::new(Retention::parse(text.as_bytes()).unwrap());
    let verdicts = Verdicts::of(tree, &policy, &moment()).unwrap();
    let expiry = verdicts.settled(tree, &HashSet::default(), HashMap::new());
    expiry.tags.keys().map(|at| tree.tags[*at].name.to_string()).collect()
}

#[test]
fn what_is_only_the_history_of_a_tag_takes_no_place_among_those_that_are_kept() {
    let tree =
        tree(&[("v1/current", 10), ("v2/current", 20), ("v3/current", 30), (&history("v4"), 40)]);
    assert_eq!(going(&tree), ["v1"]);
}

#[test]
fn what_is_only_the_history_of_a_tag_goes_as_a_tag_does() {
    let tree = tree(&[(&history("v1"), 10), ("v2/current", 20), ("v3/current", 30)]);
    assert_eq!(going(&tree), ["v1"]);
}

#[test]
fn g1_a_tag_is_as_young_as_the_youngest_of_its_links() {
    let old = [("v1/current", 10), ("v2/current", 20), ("v3/current", 30)];
    assert_eq!(going(&tree(&old)), ["v1"]);
    let pushed = history("v1");
    assert_eq!(going(&tree(&[&old[..1], &[(&pushed, 950_000)], &old[1..]].concat())), ["v2"]);
}

#[test]
fn g4_a_tag_at_which_nobody_looked_stays() {
    let mut tree = tree(&[("v1/current", 10), ("v2/current", 20), ("v3/current", 30)]);
    let key = tree.tags[0].current.as_ref().unwrap().key().into();
    tree.tags[0].current = Some(Listed::Presumed(key));
    assert_eq!(going(&tree), Vec::<String>::new());
}
