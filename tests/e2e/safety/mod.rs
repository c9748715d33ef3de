//! One test, or more, for each invariant, through the whole pipeline.
//!
//! G9, that one function deletes, is clippy's: see `disallowed-methods`. G11 has a file of its own, `crashes.rs`.

mod accounts;
mod bounds;
mod deleting;
mod doubt;
mod listing;
mod sealing;
mod young;

use planner::{Plan, PlanError, RowKind};
use registry::Timestamp;
use store::MemoryStore;
use world::{Scenario, World, scenario};

use crate::harness::{Collection, keys};

pub(crate) fn now() -> Timestamp {
    Timestamp::from_seconds(1_700_000_000)
}

pub(crate) fn no_plan<S>(collection: &Collection<S>) {
    let opened = Plan::open(&collection.dir());
    assert!(matches!(opened, Err(PlanError::NotAPlan { .. })), "{opened:?}");
}

pub(crate) fn unchanged(store: &MemoryStore, world: &World) {
    assert!(store.keys().iter().eq(world.objects().keys()), "a plan deletes nothing");
}

/// Every row of a plan: its kind and its key.
pub(crate) fn rows(plan: &Plan) -> Vec<(RowKind, String)> {
    let rows = plan.segments().iter().flat_map(|segment| plan.rows(segment).unwrap());
    rows.map(|row| row.unwrap()).map(|row| (row.kind, row.key.into())).collect()
}

/// Begins a multipart upload that is long since abandoned, in a registry without a root directory; its bytes.
pub(crate) fn leave_upload(store: &MemoryStore) -> u64 {
    let (key, begun) = ("docker/registry/v2/repositories/app/_uploads/left/data", now());
    let id = store.begin_upload(key, begun);
    store.add_part(key, &id, 1000, begun);
    1000
}

/// Repositories, tags and files whose names lie close to each other and to the places where listings are cut.
pub(crate) fn odd_names() -> World {
    let found = scenario::all().into_iter().find(|one| one.id == "names-that-begin-alike");
    let Scenario { mut world, .. } = found.unwrap();
    let base = world.keys().base();
    for shard in ["00", "10", "7f", "ff"] {
        world.put_stray(&format!("{base}blobs/sha256/{shard}"));
        world.put_stray_marker(&format!("{base}blobs/sha256/{shard}/"));
    }
    for name in ["", " ", "\u{1}", "%2F", "a+b&c=<d>", "é", "\u{ffff}", "\u{10ffff}", "~"] {
        world.put_stray(&format!("{base}blobs/sha256/{name}.x"));
        world.put_stray(&format!("{base}repositories/foo/{name}.x"));
    }
    world
}

/// What leads where: tags to revisions, revisions to manifests, layer links to blobs.
pub(crate) fn references(world: &World) -> Vec<(String, String)> {
    let base = world.keys().base();
    let blob = |hex: &str| format!("{base}blobs/sha256/{}/{hex}/data", &hex[..2]);
    let leads = world.objects().iter().filter_map(|(key, stored)| {
        let hex = str::from_utf8(&stored.bytes).ok()?.strip_prefix("sha256:")?;
        let to = match key.split_once("/_manifests/tags/") {
            Some((repository, _)) => {
                format!("{repository}/_manifests/revisions/sha256/{hex}/link")
            }
            None => blob(hex),
        };
        world.objects().contains_key(&to).then(|| (key.clone(), to))
    });
    leads.collect()
}

/// G8: who is there finds what it refers to.
pub(crate) fn check_references(store: &MemoryStore, references: &[(String, String)]) {
    let left = keys(store);
    for (from, to) in references.iter().filter(|(from, _)| left.contains(from)) {
        assert!(left.contains(to), "{from} leads to {to}, which is gone");
    }
}
