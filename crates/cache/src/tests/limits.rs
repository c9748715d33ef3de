//! How large a cache gets, and what it costs to look into it.

use super::*;

/// A run over a registry: what is not known is read and remembered. Gives how many were known.
fn run(path: &Path, limits: Limits, numbers: std::ops::Range<u32>) -> usize {
    let cache = open(path, limits);
    let mut recalled = 0;
    for n in numbers {
        match known(&cache, [n]) {
            0 => cache.put(&digest(n), &manifest(n)),
            _ => recalled += 1,
        }
    }
    cache.close().unwrap();
    assert!(size(path) <= limits.bytes, "{}", size(path));
    recalled
}

#[test]
fn a_registry_larger_than_the_cache_finds_most_of_it_in_every_run() {
    let folder = folder();
    let limits = Limits { bytes: 100_000, segment: 100_000 / 8, waiting: 3_000 };
    let first = run(folder.path(), limits, 0..2000);
    assert_eq!(first, 0);
    let full = run(folder.path(), limits, 0..2000);
    assert!(full > 400, "{full}");
    for _ in 0..20 {
        let recalled = run(folder.path(), limits, 0..2000);
        assert!(recalled * 10 > full * 6, "{recalled} of {full}");
    }
}

#[test]
fn what_nobody_asks_for_any_more_leaves_a_full_cache_in_time() {
    let folder = folder();
    let limits = Limits { bytes: 100_000, segment: 100_000 / 8, waiting: 3_000 };
    run(folder.path(), limits, 0..2000);
    for _ in 0..20 {
        run(folder.path(), limits, 10_000..12_000);
    }
    assert_eq!(known(&open(folder.path(), limits), 0..2000), 0);
}

#[test]
fn a_run_replaces_an_eighth_of_a_cache_without_room() {
    let folder = folder();
    let limits = Limits { bytes: 100_000, segment: 100_000 / 8, waiting: 3_000 };
    run(folder.path(), limits, 0..2000);
    let full = Limits { bytes: size(folder.path()), ..limits };
    run(folder.path(), full, 10_000..12_000);
    let cache = open(folder.path(), full);
    let (old, new) = (known(&cache, 0..2000), known(&cache, 10_000..12_000));
    assert!(new * 10 > old && new * 3 < old, "{new} beside {old}");
}

#[test]
fn a_cache_that_became_smaller_forgets_the_oldest() {
    let folder = folder();
    let limits = Limits { segment: 0, waiting: usize::MAX, ..SMALL };
    (0..10).for_each(|run| remember(folder.path(), limits, run * 100..run * 100 + 100));
    let half = Limits { bytes: size(folder.path()) / 2, ..limits };
    open(folder.path(), half).close().unwrap();
    assert!(size(folder.path()) <= half.bytes);
    let cache = open(folder.path(), half);
    assert_eq!(known(&cache, 0..300), 0);
    assert_eq!(known(&cache, 700..1000), 300);
}

#[test]
fn nightly_runs_do_not_leave_more_and_more_segments() {
    let folder = folder();
    for night in 0..60 {
        remember(folder.path(), SMALL, night * 5..night * 5 + 5);
        assert!(segments(folder.path()).len() <= 6);
    }
    assert_eq!(known(&open(folder.path(), SMALL), 0..300), 300);
}

#[test]
fn a_run_that_reads_nothing_new_writes_nothing() {
    let folder = folder();
    remember(folder.path(), SMALL, 0..100);
    let before = segments(folder.path());
    remember(folder.path(), SMALL, []);
    assert_eq!(segments(folder.path()), before);
}

#[test]
fn what_is_not_there_is_hardly_ever_looked_for() {
    let prints: Vec<_> = (0..10_000).map(|n| crate::filter::Print::of(&digest(n))).collect();
    let filter = crate::filter::Filter::of(&prints);
    assert!((0..10_000).all(|n| filter.may_hold(&digest(n))));
    let wrong = (10_000..20_000).filter(|n| filter.may_hold(&digest(*n))).count();
    assert!(wrong < 600, "{wrong} of 10,000");
    assert!(!crate::filter::Filter::of(&[]).may_hold(&digest(1)));
}

#[test]
fn usual_limits_are_parts_of_the_whole() {
    let limits = Limits::of(1 << 30);
    assert_eq!(limits, Limits { bytes: 1 << 30, segment: 1 << 27, waiting: 32 << 20 });
    assert_eq!(Limits::of(1 << 20).waiting, 1 << 16);
}
