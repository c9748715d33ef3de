//! The cache against a map: what it says is right, or nothing.

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Put(u32),
    Get(u32),
    /// The run ends and another begins.
    Reopen,
    /// The process ends without a word.
    Crash,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0..200u32).prop_map(Step::Put),
        4 => (0..200u32).prop_map(Step::Get),
        1 => Just(Step::Reopen),
        1 => Just(Step::Crash),
    ];
    prop::collection::vec(step, 0..300)
}

fn limits() -> impl Strategy<Value = Limits> {
    (1_000..60_000u64, 500..20_000u64, 0..3_000usize).prop_map(|(bytes, segment, waiting)| Limits {
        bytes,
        segment,
        waiting,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn g4_what_is_known_is_what_was_put_in_whatever_was_merged_or_evicted(
        steps in steps(),
        limits in limits(),
    ) {
        let folder = folder();
        let mut cache = open(folder.path(), limits);
        let mut put = HashSet::new();
        for step in steps {
            match step {
                Step::Put(n) => {
                    cache.put(&digest(n), &manifest(n));
                    put.insert(n);
                }
                Step::Get(n) => prop_assert!(known(&cache, [n]) == 0 || put.contains(&n)),
                Step::Reopen => {
                    cache.close().unwrap();
                    prop_assert!(size(folder.path()) <= limits.bytes);
                    cache = open(folder.path(), limits);
                }
                Step::Crash => cache = open(folder.path(), limits),
            }
        }
        cache.close().unwrap();
        let cache = open(folder.path(), limits);
        prop_assert!(known(&cache, 0..200) <= put.len());
        prop_assert_eq!(known(&cache, (0..200).filter(|n| !put.contains(n))), 0);
    }

    #[test]
    fn where_there_is_room_nothing_is_forgotten(
        runs in prop::collection::vec(prop::collection::vec(0..1000u32, 0..40), 0..12),
        waiting in 0..5_000usize,
        // Of smaller ones there are more than are open at once: there is room for few of them.
        segment in 8_000..50_000u64,
    ) {
        let folder = folder();
        let limits = Limits { bytes: 1 << 30, segment, waiting };
        for run in &runs {
            remember(folder.path(), limits, run.iter().copied());
        }
        let cache = open(folder.path(), limits);
        let all: HashSet<u32> = runs.into_iter().flatten().collect();
        prop_assert_eq!(known(&cache, all.iter().copied()), all.len());
    }
}

#[test]
fn a_run_finds_what_it_wrote_itself() {
    let folder = folder();
    let cache = open(folder.path(), SMALL);
    (0..100).for_each(|n| cache.put(&digest(n), &manifest(n)));
    assert!(known(&cache, 0..100) > 80, "all but what still waits");
}

#[test]
fn the_largest_manifest_is_remembered_too() {
    let folder = folder();
    let edge = |n| Edge { role: Role::Child, digest: digest(n), target: None };
    let large = Manifest::of(MediaType::OciIndex, (0..60_000).map(edge));
    let cache = open(folder.path(), SMALL);
    (1..50).for_each(|n| cache.put(&digest(n), &manifest(n)));
    cache.put(&digest(0), &large);
    cache.close().unwrap();
    let cache = open(folder.path(), SMALL);
    assert_eq!(cache.get(&digest(0)), Some(large));
    assert_eq!(known(&cache, 1..50), 49);
}
