//! What can be repaired is, by an ordinary plan, and nothing else is touched.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use checker::Severity;
use planner::{Plan, Purpose};
use registry::Digest;
use sweeper::{Journal, Settings, SweepReport};
use world::Content;

use super::damage::{
    LAYER, LONG, OTHER, Sound, blob, current, damage, layer, lose, revision, sound,
};
use super::*;

pub(super) const DAY: Duration = Duration::from_hours(24);

pub(super) fn mending(out: &Path) -> Mending<'_> {
    Mending { source: "memory", options: BTreeMap::new(), grace: DAY, out }
}

/// A check that plans repairs of what is older than a day.
async fn planned(store: &MemoryStore, close: Close, out: &Path) -> Checked {
    ask(&Arc::new(store.clone()), close, Some(mending(out))).await.unwrap()
}

pub(super) async fn carried_out(store: &MemoryStore, plan: Plan) -> SweepReport {
    let journal = Journal::open(plan.dir(), plan.id()).unwrap();
    let (store, settings) = (Arc::new(store.clone()), Settings::default());
    let (monitor, stop) = (Monitor::new(), Stop::new());
    sweeper::sweep(store, plan, journal, settings, &(), &monitor, &stop).await.unwrap()
}

/// Checks, carries out what can be repaired, and checks again. Says whether there was anything.
async fn repaired(store: &MemoryStore) -> bool {
    let was_any = repaired_once(store, CLOSE).await;
    assert!(!was_any || !repaired_once(store, CLOSE).await, "one repair is enough");
    was_any
}

/// Repairs until nothing more can be: what is in doubt before one repair may be beyond doubt after it.
pub(super) async fn repaired_at_last(store: &MemoryStore) {
    for _ in 0..3 {
        if !repaired_once(store, CLOSE).await {
            return;
        }
    }
    panic!("something can be repaired again and again");
}

async fn repaired_once(store: &MemoryStore, close: Close) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("plan");
    let before = store.snapshot();
    let first = planned(store, close, &out).await;
    assert_eq!(store.snapshot(), before, "a check changes nothing");
    let Some(plan) = first.repairs else {
        assert!(!out.exists(), "where nothing can be repaired no plan is left behind");
        return false;
    };
    assert_eq!(plan.header().purpose, Purpose::Repair);
    let report = carried_out(store, plan).await;
    assert!(report.is_clean(), "{report:?}");
    let again = checked(store.clone(), CLOSE).await;
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

/// What broken links say.
const CONTENTS: [&[u8]; 5] = [b"", b"sha256:", b"\n", &[0; 71], b"no digest"];

/// A link, and its key.
type OfLink = (&'static str, fn(&Sound) -> String);

const LINKS: [OfLink; 6] = [
    ("a layer link", |_| layer(LAYER.digest())),
    ("the link of a configuration", |_| layer(Content::new(1, 40).digest())),
    ("a revision link", |s| revision(s.first)),
    ("the link of a child", |s| revision(s.child)),
    ("a tag", |_| current("v1")),
    ("an entry in the history", |s| s.world.keys().history("app", "v1", &s.first)),
];

#[tokio::test]
async fn broken_links_are_written_anew_and_nothing_else_is() {
    for (name, key_of) in LINKS {
        for content in CONTENTS {
            let sound = aged(|_| {});
            let key = key_of(&sound);
            let registry = aged(|registry| damage(registry, &key, content));
            for has_etags in [true, false] {
                let store = store_of(&registry.world, has_etags);
                assert!(repaired(&store).await, "{name}");
                assert_eq!(store.snapshot(), store_of(&sound.world, false).snapshot(), "{name}");
                assert!(checked(store, CLOSE).await.report.is_sound(), "{name}");
            }
        }
    }
}

/// Damage, and how it is made.
type Unmended = (&'static str, fn(&mut Sound));

/// Damage of which nobody can say what has to be there, or whether it serves nobody.
const LEFT: [Unmended; 22] = [
    ("a lost layer", |s| lose(s, &blob(LAYER.digest()))),
    ("a lost manifest", |s| lose(s, &blob(s.first))),
    ("a lost revision link", |s| lose(s, &revision(s.second))),
    ("a lost layer link", |s| lose(s, &layer(LAYER.digest()))),
    ("a tag of which the history is left", |s| lose(s, &current("v1"))),
    ("a tag that points nowhere", |s| {
        damage(s, &current("v1"), Digest::sha256(b"nothing").to_string().as_bytes());
    }),
    ("a revision link to something else", |s| {
        damage(s, &revision(s.first), s.second.to_string().as_bytes());
    }),
    ("a layer link to something else", |s| {
        damage(s, &layer(LAYER.digest()), OTHER.digest().to_string().as_bytes());
    }),
    ("a layer link cut off from something else", |s| {
        damage(s, &layer(LAYER.digest()), &OTHER.digest().to_string().as_bytes()[..20]);
    }),
    ("an empty link to a manifest without data", |s| {
        damage(s, &revision(s.first), b"");
        lose(s, &blob(s.first));
    }),
    ("an empty link to a rotten manifest", |s| {
        damage(s, &revision(s.first), b"");
        assert!(s.world.corrupt(&blob(s.first)));
    }),
    ("an empty link to a needed layer without data", |s| {
        damage(s, &layer(LAYER.digest()), b"");
        lose(s, &blob(LAYER.digest()));
    }),
    ("an empty link to an empty layer", |s| {
        damage(s, &layer(LAYER.digest()), b"");
        damage(s, &blob(LAYER.digest()), b"");
    }),
    ("an empty link to a layer that was cut off", |s| {
        damage(s, &layer(LAYER.digest()), b"");
        damage(s, &blob(LAYER.digest()), &LAYER.bytes()[..100]);
    }),
    ("an alias that says nothing", |s| damage(s, &layer(LONG.sha512()), b"")),
    ("a tag with more than one entry in its history", |s| {
        s.world.put_tag_links("app", "v1", s.second);
        damage(s, &current("v1"), b"");
    }),
    ("a tag without a history", |s| {
        lose(s, &s.world.keys().history("app", "v1", &s.first));
        damage(s, &current("v1"), b"");
    }),
    ("a tag that is younger than its only entry", |s| {
        s.world.age(DAY);
        s.world.put_tag_links("app", "v1", s.second);
        lose(s, &s.world.keys().history("app", "v1", &s.second));
        damage(s, &current("v1"), b"");
    }),
    ("a tag whose only entry names a manifest without data", |s| {
        damage(s, &current("v1"), b"");
        lose(s, &blob(s.first));
    }),
    ("a layer that clients may fetch elsewhere", |s| {
        let layer = Content::new(81, 9).digest();
        s.world.put_layer_link("app", layer, layer);
    }),
    ("a link that nobody needs, beside a manifest that nobody understands", |s| {
        dangling(s);
        s.world.push_unknown("app", 7, &[Content::new(121, 20)], Some("odd"));
    }),
    ("a link that nobody needs, beside one in an unknown place", |s| {
        dangling(s);
        s.world.put_foreign("app", "_manifests/odd/link");
    }),
];

#[tokio::test]
async fn what_cannot_be_proven_is_left() {
    for (name, make) in LEFT {
        let registry = aged(make);
        for has_etags in [true, false] {
            let store = store_of(&registry.world, has_etags);
            assert!(!repaired(&store).await, "{name}");
            let unread = Close { percent: None, ..CLOSE };
            assert!(!repaired_once(&store, unread).await, "{name}, data unread");
        }
    }
}

#[tokio::test]
async fn g1_what_is_young_is_left() {
    let mut registry = sound();
    dangling(&mut registry);
    damage(&mut registry, &layer(LAYER.digest()), b"");
    registry.world.age(DAY);
    assert!(!repaired(&store_of(&registry.world, true)).await, "not a moment older than a day");
    registry.world.age(Duration::from_secs(1));
    assert!(repaired(&store_of(&registry.world, true)).await);
}

#[tokio::test]
async fn a_sound_registry_is_left_as_it_is_and_no_plan_is_written() {
    let registry = aged(|_| {});
    assert!(!repaired(&store_of(&registry.world, true)).await);
}
