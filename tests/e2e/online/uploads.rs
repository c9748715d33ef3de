//! Incomplete multipart uploads while people push: those that a registry began and nobody added to for long are aborted,
//! as the last thing of a night.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use planner::{Amount, MultipartSeen};
use registry::Digest;
use store::MemoryStore;

use super::bucket::Bucket;
use super::client::Image;
use super::nights::{Doing, Nights, pushed};
use super::served::Registry;
use crate::hand::Call;

const REPOSITORY: &str = "team/app";
const HOUR: Duration = Duration::from_hours(1);

fn store(registry: &Registry) -> MemoryStore {
    let Bucket::Memory(store) = &registry.bucket else { panic!("a bucket in memory") };
    store.clone()
}

/// Begins an upload so long ago, with a part of as long ago each; its id.
fn begin(registry: &Registry, key: &str, ages: &[Duration]) -> Box<str> {
    let (store, now) = (store(registry), registry.now());
    let id = store.begin_upload(key, now.before(ages[0]));
    for age in ages {
        store.add_part(key, &id, 10, now.before(*age));
    }
    id
}

fn data(registry: &Registry, id: &str) -> String {
    format!("{}{REPOSITORY}/_uploads/{id}/data", registry.layout.repositories())
}

/// A registry with an image, and one of which nothing needs the blobs any more.
fn registry() -> (Registry, Image) {
    let registry = Registry::new(Bucket::memory(true), false);
    let image = |name: &str| Image::new(&registry, &[name, "shared"]);
    let (live, dead) = (image("live"), image("dead"));
    for image in [&live, &dead] {
        pushed(&registry, REPOSITORY, image, None);
    }
    registry.delete_manifest(REPOSITORY, dead.manifest);
    registry.pass(Duration::from_hours(24));
    (registry, live)
}

/// Two that go, and those that stay.
fn leave(registry: &Registry) -> Vec<String> {
    let blob = registry.layout.blob(&Digest::sha256(b"a copy"));
    begin(registry, &data(registry, "left"), &[2 * HOUR, HOUR]);
    begin(registry, &blob, &[3 * HOUR]);
    let in_use = data(registry, "in-use");
    begin(registry, &in_use, &[2 * HOUR, Duration::ZERO]);
    let foreign = format!("{}backup.tar", registry.layout.base());
    begin(registry, &foreign, &[90 * HOUR]);
    vec![foreign, in_use]
}

#[test]
fn those_that_were_left_are_aborted_when_all_else_is_done_and_all_others_stay() {
    let (registry, live) = registry();
    let kept = leave(&registry);
    let order: Arc<Mutex<Vec<&'static str>>> = Arc::default();
    let mut nights = Nights::new(&registry, false, Box::new(|_, _| {}));
    let heard = Arc::clone(&order);
    nights.hear(Box::new(move |call| {
        let what = match call {
            Call::Delete(batch) if batch.is_of_uploads() => "abort",
            Call::Delete(_) | Call::Restore => "change",
            Call::Uploads => "list uploads",
            _ => return,
        };
        heard.lock().unwrap().push(what);
    }));
    nights.night().unwrap();
    let seen = MultipartSeen::Known { listed: 4, foreign: 1, young: 1, unread: 0 };
    let report = nights.reports.last().unwrap();
    assert_eq!((report.aborted, &report.uploads), (Amount { count: 2, bytes: 30 }, &Some(seen)));
    assert_eq!(store(&registry).upload_keys(), kept);
    let order = order.lock().unwrap();
    let first = order.iter().position(|what| *what == "list uploads").unwrap();
    assert!(order[..first].contains(&"change") && !order[first..].contains(&"change"), "{order:?}");
    assert!(order.contains(&"abort"));
    assert_eq!(nights.broken(REPOSITORY, &live), Vec::<String>::new());
}

#[test]
fn g11_a_process_may_die_at_every_request_and_the_next_night_aborts_what_is_left() {
    let mut requests = 0;
    loop {
        let (registry, live) = registry();
        let kept = leave(&registry);
        let mut nights = Nights::new(&registry, false, Box::new(|_, _| {}));
        nights.die_after(Some(requests));
        let ended = nights.night();
        let left = store(&registry).upload_keys();
        assert!(kept.iter().all(|key| left.contains(key)), "{left:?} after {requests}");
        nights.die_after(None);
        nights.night().unwrap();
        assert_eq!(nights.broken(REPOSITORY, &live), Vec::<String>::new());
        // In the second night it is old.
        assert_eq!(store(&registry).upload_keys(), kept[..1], "after {requests}");
        if ended.is_ok() {
            break;
        }
        requests += 1;
    }
    assert!(requests > 30, "{requests} requests are too few");
}

/// Somebody goes on with an upload at every instant of a night.
#[test]
fn one_to_which_a_part_was_added_before_it_was_looked_at_last_is_spared() {
    let (mut spared, mut aborted, mut request) = (0, 0, 0);
    loop {
        let (registry, _) = registry();
        let key = data(&registry, "left");
        let id = begin(&registry, &key, &[2 * HOUR, HOUR]);
        let was_open = Arc::new(AtomicBool::new(false));
        let (at, open, opened) = (request, key.clone(), Arc::clone(&was_open));
        let deed = move |registry: &Registry, now: u64| {
            if now == at {
                let store = store(registry);
                opened.store(store.upload_keys().contains(&open), Ordering::SeqCst);
                store.add_part(&open, &id, 10, registry.now());
            }
        };
        let mut nights = Nights::new(&registry, false, Box::new(deed));
        nights.night().unwrap();
        let is_open = store(&registry).upload_keys().contains(&key);
        assert_eq!(is_open, was_open.load(Ordering::SeqCst), "at request {request}");
        if is_open {
            spared += 1;
        } else {
            aborted += 1;
        }
        if request > nights.requests() {
            break;
        }
        request += 1;
    }
    assert!(spared > 30 && aborted > 0, "{spared} spared, {aborted} aborted");
}

#[test]
fn between_windows_none_is_aborted() {
    let (registry, _) = registry();
    leave(&registry);
    let mut nights = Nights::new(&registry, false, Box::new(|_, _| {}));
    for (doing, left) in [(Doing::BetweenWindows, 4), (Doing::InWindow, 1)] {
        nights.doing = doing;
        nights.night().unwrap();
        assert_eq!(store(&registry).upload_keys().len(), left, "{doing:?}");
    }
}
