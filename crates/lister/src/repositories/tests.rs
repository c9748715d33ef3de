//! Repositories, whole whatever the cuts, compared with a grouping too simple to be wrong.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use registry::{Algorithm, Digest, Timestamp};
use store::{Crash, FaultPlan, Faulty, Object};
use tokio::sync::mpsc;

use super::*;
use crate::testing::{Unhurried, ends, runtimes, text};

const REPOSITORIES: &str = "docker/registry/v2/repositories/";
/// Names that sort between one another, and some that no registry could serve.
const NAMES: [&str; 10] = ["a", "a-b", "a.b", "a/b", "a/b/c", "ab", "A", "a//b", "", "é"];

fn hex(n: u8) -> String {
    Digest::sha256(&[n]).hex()
}

/// What may lie in the folder of a repository.
fn inside() -> impl Strategy<Value = String> {
    let tag = || prop::sample::select(vec!["v1", "v1-rc", "v1.0", "_"]);
    prop_oneof![
        4 => (0u8..8).prop_map(|n| format!("_layers/sha256/{}/link", hex(n))),
        1 => (0u8..4).prop_map(|n| format!("_layers/sha512/{}/link", Digest::of(Algorithm::Sha512, &[n]).hex())),
        4 => (0u8..8).prop_map(|n| format!("_manifests/revisions/sha256/{}/link", hex(n))),
        1 => (0u8..3).prop_map(|n| format!("_manifests/revisions/sha256/{}/signatures/sha256/{}/link", hex(n), hex(9))),
        2 => tag().prop_map(|tag| format!("_manifests/tags/{tag}/current/link")),
        4 => (tag(), 0u8..8).prop_map(|(tag, n)| format!("_manifests/tags/{tag}/index/sha256/{}/link", hex(n))),
        2 => (0u8..3).prop_map(|n| format!("_uploads/{n}/startedat")),
        2 => (0u8..3, 0u8..3).prop_map(|(n, part)| format!("_uploads/{n}/hashstates/sha256/{part}")),
        1 => Just("_layers/".to_owned()),
        1 => Just("_layers/odd/link".to_owned()),
        1 => text().prop_map(|text| format!("_{text}")),
        1 => text(),
    ]
}

fn keys() -> impl Strategy<Value = BTreeSet<String>> {
    let key = (prop::sample::select(&NAMES[..]), inside());
    let key = key.prop_map(|(name, inside)| format!("{REPOSITORIES}{name}/{inside}"));
    prop::collection::btree_set(key, 0..60)
}

/// The repository of a key by the definition: what lies before the first component that starts with `_`.
fn repository_of(key: &str) -> Option<String> {
    let components: Vec<&str> = key.strip_prefix(REPOSITORIES)?.split('/').collect();
    let length = components.iter().position(|component| component.starts_with('_'))?;
    let name = &components[..length];
    let is_sound = length > 0 && !name.contains(&"");
    is_sound.then(|| name.join("/"))
}

fn object(key: &str) -> Listed {
    Object { key: key.into(), size: 1, modified: Timestamp::from_seconds(1), etag: None }.into()
}

/// Every repository by name, from one pass over all keys.
fn naive(keys: &BTreeSet<String>) -> BTreeMap<String, RepositoryTree> {
    let mut trees = BTreeMap::new();
    for key in keys {
        let Some(name) = repository_of(key) else { continue };
        let new = || RepositoryTree::new(RepositoryName::new(&name).unwrap());
        trees.entry(name.clone()).or_insert_with(new).add(&Layout::new(""), object(key));
    }
    trees
}

/// What was handed on, by name; nothing may come twice.
fn by_name(trees: Vec<RepositoryTree>) -> BTreeMap<String, RepositoryTree> {
    let count = trees.len();
    let trees: BTreeMap<_, _> =
        trees.into_iter().map(|tree| (tree.name.to_string(), tree)).collect();
    assert_eq!(trees.len(), count, "a repository came twice");
    trees
}

async fn list<S: ReadStore>(
    store: S,
    workers: usize,
    monitor: &Arc<Monitor>,
) -> Result<(Complete, Vec<RepositoryTree>), ListError> {
    let (sender, mut receiver) = mpsc::channel(1);
    let (layout, stop) = (Layout::new(""), Arc::new(Stop::new()));
    let listing =
        list_repositories(Arc::new(store), &layout, workers, sender, Arc::clone(monitor), stop);
    let taking = async {
        let mut trees = Vec::new();
        while let Some(tree) = receiver.recv().await {
            trees.push(tree);
        }
        trees
    };
    let (complete, trees) = tokio::join!(listing, taking);
    Ok((complete?, trees))
}

fn outlet(trees: Sender<RepositoryTree>) -> Arc<Outlet> {
    let (within, sent) = (REPOSITORIES.to_owned(), AtomicU64::new(0));
    Arc::new(Outlet { within, trees, monitor: Arc::new(Monitor::new()), sent })
}

/// Where two ranges may meet so that `left` is the last key of the one and `right` the first of the other.
fn bounds<'k>(left: &'k str, right: &'k str) -> Vec<&'k str> {
    let starts = right.char_indices().map(|(end, _)| &right[..end]);
    starts.filter(|start| *start > left).chain([left]).collect()
}

/// Hands the keys to parts that end at `cuts`, as ranges do, and ends each at one of its possible bounds. Also how many
/// repositories had to wait for the last part.
async fn in_parts(
    keys: &BTreeSet<String>,
    cuts: &BTreeSet<usize>,
    way: usize,
) -> (Complete, Vec<RepositoryTree>, usize) {
    let (sender, mut receiver) = mpsc::channel(1000);
    let outlet = outlet(sender);
    let objects: Vec<Listed> = keys.iter().map(|key| object(key)).collect();
    let ends = cuts.iter().map(|cut| cut % (objects.len() + 1)).collect::<BTreeSet<_>>();
    let (mut parts, mut start, mut after) = (Vec::new(), 0, "");
    for end in ends.into_iter().chain([objects.len()]) {
        let mut part = RepositoryPart::new(&Layout::new(""), &outlet);
        part.take(objects[start..end].to_vec()).await.unwrap();
        let left = end.checked_sub(1).map_or("", |last| objects[last].key());
        let until = objects.get(end).map(|right| bounds(left, right.key()));
        let until = until.map(|bounds| bounds[way % bounds.len()]);
        part.end(after, until).await.unwrap();
        parts.push(part);
        (start, after) = (end, until.unwrap_or_default());
    }
    let waited = parts.iter().flat_map(|part| part.first.iter().chain(&part.growing)).count();
    let complete = join_seams(parts, &outlet).await.unwrap();
    drop(outlet);
    let mut trees = Vec::new();
    while let Some(tree) = receiver.recv().await {
        trees.push(tree);
    }
    (complete, trees, waited)
}

proptest! {
    #[test]
    fn g2_each_repository_comes_once_and_whole_wherever_ranges_meet(
        keys in keys(), cuts in prop::collection::btree_set(0usize..1000, 0..8), way in 0usize..100,
    ) {
        let (complete, trees, _) = ends(&runtimes()[0], in_parts(&keys, &cuts, way));
        prop_assert_eq!(complete.repositories, trees.len() as u64);
        prop_assert_eq!(by_name(trees), naive(&keys));
    }

    #[test]
    fn g2_each_repository_comes_once_and_whole_however_many_list(
        keys in keys(), page in 1usize..8, workers in 1usize..9,
    ) {
        for runtime in runtimes() {
            let monitor = Arc::new(Monitor::new());
            let (complete, trees) =
                ends(&runtime, list(Unhurried::new(page, &keys), workers, &monitor)).unwrap();
            prop_assert_eq!(complete.repositories, trees.len() as u64);
            let (trees, expected) = (by_name(trees), naive(&keys));
            prop_assert_eq!(monitor.get(Counter::RepositoryKeys), keys.len() as u64);
            let odd = expected.values().map(|tree| tree.foreign.len() + tree.odd_links.len());
            let foreign = odd.sum::<usize>() as u64 + complete.foreign;
            prop_assert_eq!(monitor.get(Counter::ForeignKeys), foreign);
            prop_assert_eq!(trees, expected);
        }
    }

    #[test]
    fn g3_nothing_is_complete_where_a_call_failed(
        keys in keys(), page in 1usize..8, workers in 1usize..9, at in any::<prop::sample::Index>(),
    ) {
        for runtime in runtimes() {
            let crash = Crash::after(at.index(keys.len() / page + 1) as u64);
            let store = Faulty::crashing(Unhurried::new(page, &keys), FaultPlan::none(), crash);
            let outcome = ends(&runtime, list(store, workers, &Arc::new(Monitor::new())));
            prop_assert!(matches!(outcome, Err(ListError::Store { .. })), "{outcome:?}");
        }
    }
}

#[test]
fn a_repository_waits_only_where_two_ranges_meet_inside_it() {
    let keys: BTreeSet<String> = (0..10).flat_map(|n| repository(&format!("r{n}"), 2, 2)).collect();
    let first = |n| keys.iter().position(|key| key.contains(&format!("/r{n}/"))).unwrap();
    let between: BTreeSet<usize> = [first(3), first(4), first(7)].into();
    let inside: BTreeSet<usize> = [first(3) + 1, first(7) + 2, first(7) + 3].into();
    for way in 0..100 {
        let (complete, _, waited) = ends(&runtimes()[0], in_parts(&keys, &inside, way));
        assert_eq!((complete.repositories, waited), (10, 5), "way {way}");
    }
    // A cut at the folder of the next repository.
    let folder = format!("{REPOSITORIES}r3").len();
    let way = (0..folder).find(|way| {
        let bounds =
            bounds(keys.iter().nth(first(3) - 1).unwrap(), keys.iter().nth(first(3)).unwrap());
        bounds[way % bounds.len()].ends_with("/r3")
    });
    let (complete, _, waited) = ends(&runtimes()[0], in_parts(&keys, &between, way.unwrap()));
    assert_eq!((complete.repositories, waited), (10, 0));
}

#[test]
fn links_outside_of_every_repository_are_counted() {
    let keys = ["_layers/x/link", "a//_manifests/x/link", "a/link", "a/file", "a/", ""]
        .map(|key| format!("{REPOSITORIES}{key}"));
    let monitor = Arc::new(Monitor::new());
    let (complete, trees) =
        ends(&runtimes()[0], list(Unhurried::new(2, keys), 2, &monitor)).unwrap();
    assert!(trees.is_empty());
    let Complete { repositories, foreign, stray_links } = complete;
    assert_eq!((repositories, foreign, stray_links), (0, 4, 2));
}

#[test]
fn a_listing_that_nobody_takes_ends() {
    let keys: BTreeSet<String> =
        (0..50).map(|n| format!("{REPOSITORIES}r{n:02}/_layers/sha256/{}/link", hex(n))).collect();
    for runtime in runtimes() {
        let (sender, receiver) = mpsc::channel(1);
        drop(receiver);
        let (monitor, stop) = (Arc::new(Monitor::new()), Arc::new(Stop::new()));
        let (store, layout) = (Arc::new(Unhurried::new(7, &keys)), Layout::new(""));
        let outcome = ends(&runtime, list_repositories(store, &layout, 4, sender, monitor, stop));
        assert!(matches!(outcome, Err(ListError::Abandoned { .. })), "{outcome:?}");
    }
}

fn repository(name: &str, manifests: u32, tags: u32) -> Vec<String> {
    let digest = |n: u32, part: u32| Digest::sha256(format!("{name} {n} {part}").as_bytes()).hex();
    let inside = (0..manifests).flat_map(|n| {
        let layer = move |part| format!("_layers/sha256/{}/link", digest(n, part));
        let revision = format!("_manifests/revisions/sha256/{}/link", digest(n, 9));
        let tag = (n < tags).then(|| {
            let index = format!("index/sha256/{}", digest(n, 9));
            ["current".to_owned(), index].map(|end| format!("_manifests/tags/v1.{n}/{end}/link"))
        });
        [layer(0), layer(1), layer(2), revision].into_iter().chain(tag.into_iter().flatten())
    });
    inside.map(|inside| format!("{REPOSITORIES}{name}/{inside}")).collect()
}

fn small(name: impl Fn(u32) -> String) -> Vec<String> {
    (0..2000).flat_map(|n| repository(&name(n), 1, 1)).collect()
}

#[test]
fn listing_is_shared_without_asking_for_much_more_than_the_pages() {
    for (what, keys) in [
        ("many repositories in one folder", small(|n| format!("app-{n}"))),
        ("in few folders", small(|n| format!("team-{}/app-{n}", n % 7))),
        ("in folders of folders", small(|n| format!("a/{}/{}/app-{n}", n % 3, n % 11))),
        ("below a name they share", small(|n| format!("a-long-name/of-all/app-{n}"))),
        ("with a beginning they share", small(|n| format!("a-long-beginning-of-all-{n}"))),
        ("one giant", repository("giant", 3000, 600)),
        ("one giant, deep", repository("a/deep/giant", 3000, 600)),
        (
            "a giant among small ones",
            small(|n| format!("app-{n}")).into_iter().chain(repository("a", 3000, 9)).collect(),
        ),
    ] {
        let (store, monitor) = (Unhurried::new(50, &keys), Arc::new(Monitor::new()));
        ends(&runtimes()[0], list(store.clone(), 8, &monitor)).unwrap();
        let pages = keys.len().div_ceil(50) as u64;
        let requests = store.pages() + store.folders_asked();
        assert!(requests <= pages + pages / 5, "{what}: {requests} requests for {pages} pages");
        let ranges = monitor.get(Counter::ListedRanges);
        assert!((16..64).contains(&ranges), "{what}: {ranges} ranges for 8 workers");
    }
}

#[tokio::test]
async fn the_layers_of_a_page_are_given_room_once() {
    let keys: BTreeSet<String> =
        (0..30).map(|n| format!("{REPOSITORIES}a/_layers/sha256/{}/link", hex(n))).collect();
    let (trees, _nobody) = mpsc::channel(1);
    let (within, monitor, sent) = (REPOSITORIES.to_owned(), Arc::default(), AtomicU64::new(0));
    let outlet = Arc::new(Outlet { within, trees, monitor, sent });
    let mut part = RepositoryPart::new(&Layout::new(""), &outlet);
    part.take(keys.iter().map(|key| object(key)).collect()).await.unwrap();
    let layers = part.growing.unwrap().layers;
    assert_eq!((layers.len(), layers.capacity()), (30, 30));
}
