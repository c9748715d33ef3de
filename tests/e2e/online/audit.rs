//! What stops a collection, and what does not.

use std::time::Duration;

use collector::CollectError;
use store::ErrorKind;

use super::bucket::Bucket;
use super::client::Image;
use super::nights::{Nights, pushed};
use super::served::Registry;

const REPOSITORY: &str = "team/app";

/// Images of one night of a busy week.
fn busy(registry: &Registry, night: usize, count: usize) -> Vec<Image> {
    let image = |number| {
        let [config, layer] = ["config", "layer"].map(|kind| format!("{kind} {night} {number}"));
        Image::new(registry, &[&config, &layer])
    };
    (0..count).map(image).collect()
}

/// What was condemned is no sign of trouble: its links are gone because they were taken.
#[test]
fn a_registry_from_which_much_is_deleted_every_night_is_collected_under_the_usual_limits() {
    const NIGHTS: usize = 5;
    let registry = Registry::new(Bucket::memory(true), false);
    let live = busy(&registry, 0, 160);
    let dead: Vec<Vec<Image>> = (1..=NIGHTS).map(|night| busy(&registry, night, 12)).collect();
    for image in live.iter().chain(dead.iter().flatten()) {
        pushed(&registry, REPOSITORY, image, None);
    }
    registry.pass(Duration::from_hours(24));
    let mut nights = Nights::new(&registry, false, Box::new(|_, _| {})).strict();
    for dead in &dead {
        for image in dead {
            registry.delete_manifest(REPOSITORY, image.manifest);
        }
        // Nothing is due yet, so that what waits adds up.
        nights.half_a_wait().unwrap();
    }
    nights.nights(4);
    let live: Vec<&Image> = live.iter().collect();
    assert_eq!(nights.too_much(&live), Vec::<String>::new());
    assert_eq!(nights.sums().deleted, 3 * 12 * NIGHTS as u64);
}

#[test]
fn where_nothing_is_kept_although_that_was_promised_one_blob_is_deleted_and_no_more() {
    for (bucket, is_kept) in [(Bucket::memory(false), false), (Bucket::memory(true), true)] {
        let registry = Registry::new(bucket, false);
        let dead = busy(&registry, 1, 5);
        for image in &dead {
            pushed(&registry, REPOSITORY, image, None);
            registry.delete_manifest(REPOSITORY, image.manifest);
        }
        registry.pass(Duration::from_hours(24));
        let nights = Nights::new(&registry, false, Box::new(|_, _| {}));
        let mut nights = nights.with_promised_versions();
        nights.night().unwrap();
        let ended = nights.night();
        assert_eq!(ended.is_ok(), is_kept, "{ended:?}");
        let left = nights.too_much(&[]).len();
        assert_eq!(left, if is_kept { 0 } else { 3 * 5 - 1 });
    }
}

#[test]
fn g10_an_answer_that_leaves_a_key_out_says_nothing_of_any_and_the_next_night_looks_again() {
    let registry = Registry::new(Bucket::memory(true), false);
    let live = busy(&registry, 0, 3);
    let dead = busy(&registry, 1, 5);
    for image in live.iter().chain(&dead) {
        pushed(&registry, REPOSITORY, image, None);
    }
    for image in &dead {
        registry.delete_manifest(REPOSITORY, image.manifest);
    }
    registry.pass(Duration::from_hours(24));
    let mut nights = Nights::new(&registry, false, Box::new(|_, _| {}));
    // While links are taken, and while blobs are deleted.
    for _ in 0..2 {
        nights.leave_out(true);
        let ended = nights.night();
        assert!(
            matches!(&ended, Err(CollectError::Store(error)) if error.kind == ErrorKind::Malformed),
            "{ended:?}"
        );
        let report = nights.reports.last().unwrap();
        assert_eq!((report.taken, report.deleted.count), (0, 0), "{report:?}");
        nights.leave_out(false);
        nights.night().unwrap();
    }
    nights.nights(2);
    let live: Vec<_> = live.iter().collect();
    assert_eq!(nights.too_much(&live), Vec::<String>::new());
    for image in live {
        assert_eq!(nights.broken(REPOSITORY, image), Vec::<String>::new());
    }
}
