//! What can be repaired is, by an ordinary plan, and nothing else is touched.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use checker::Severity;
use planner::{Plan, Purpose};
use registry::Digest;
use sweeper::{Journal, Settings, SweepReport};

use super::damage::{Sound, layer, lose, revision, sound};
use super::*;

pub(super) const DAY: Duration = Duration::from_hours(24);

/// A check that plans repairs of what is older than a day.
async fn planned(store: &MemoryStore, out: &std::path::Path) -> Checked {
    let mending = Mending { source: "memory", options: BTreeMap::new(), grace: DAY, out };
    let close = Close { links: Links::All, percent: Some(100) };
    ask(&Arc::new(store.clone()), close, Some(mending)).await.unwrap()
}

async fn carried_out(store: &MemoryStore, plan: Plan) -> SweepReport {
    let journal = Journal::open(plan.dir(), plan.id()).unwrap();
    let (store, settings) = (Arc::new(store.clone()), Settings::default());
    let (monitor, stop) = (Monitor::new(), Stop::new());
    sweeper::sweep(store, plan, journal, settings, &(), &monitor, &stop).await.unwrap()
}

/// Checks, carries out what can be repaired, and checks again. Says whether there was anything.
async fn repaired(store: &MemoryStore) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("plan");
    let before = store.snapshot();
    let first = planned(store, &out).await;
    assert_eq!(store.snapshot(), before, "a check changes nothing");
    let Some(plan) = first.repairs else {
        assert!(!out.exists(), "where nothing can be repaired no plan is left behind");
        return false;
    };
    assert_eq!(plan.header().purpose, Purpose::Repair);
    let report = carried_out(store, plan).await;
    assert!(report.is_clean(), "{report:?}");
    let again = planned(store, &folder.path().join("again")).await;
    assert!(again.repairs.is_none(), "one repair is enough");
    assert!(again.report.count(Severity::Damage) <= first.report.count(Severity::Damage));
    true
}

/// A registry whose damage is old enough.
fn aged(make: impl FnOnce(&mut Sound)) -> Sound {
    let mut registry = sound();
    make(&mut registry);
    registry.world.age(2 * DAY);
    registry
}

/// What is there, but for what is said to go.
fn without(store: &MemoryStore, keys: &[String]) -> BTreeMap<String, Bytes> {
    let mut left = store.snapshot();
    for key in keys {
        assert!(left.remove(key).is_some(), "{key}");
    }
    left
}

fn dangling(registry: &mut Sound) -> String {
    let lost = Digest::sha256(b"lost");
    registry.world.put_layer_link("app", lost, lost);
    layer(lost)
}

/// A tag that was moved, and whose first manifest was deleted then.
fn dead_history(registry: &mut Sound) -> String {
    let (first, second) = (registry.first, registry.second);
    registry.world.put_tag_links("app", "moved", first);
    registry.world.put_tag_links("app", "moved", second);
    lose(registry, &revision(first));
    registry.world.untag("app", "v1");
    registry.world.keys().history("app", "moved", &first)
}

#[tokio::test]
async fn what_is_useless_goes_and_nothing_else() {
    for make in [dangling, dead_history] {
        let mut keys = Vec::new();
        let registry = aged(|registry| keys.push(make(registry)));
        for has_etags in [true, false] {
            let store = store_of(&registry.world, has_etags);
            let left = without(&store, &keys);
            assert!(repaired(&store).await);
            assert_eq!(store.snapshot(), left);
        }
    }
}

#[tokio::test]
async fn a_sound_registry_is_left_as_it_is_and_no_plan_is_written() {
    let registry = aged(|_| {});
    assert!(!repaired(&store_of(&registry.world, true)).await);
}
