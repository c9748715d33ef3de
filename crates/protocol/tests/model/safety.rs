//! What holds in every state that can be reached.

use std::collections::BTreeSet;

use stateright::{Checker, Expectation, Model};

use crate::properties::{RESCUED, RESTORED};
use crate::registries::{
    CACHES, cached_layer, delete, links, old_layer, pull, push, push_mounting, push_tag,
    untagged_child, untagged_manifest, untagged_manifest_of_a_young_layer,
};
use crate::rules::Rules;
use crate::system::{End, System};
use crate::world::{CacheKind, M, N, X, Y, blobs};

/// Checks every reachable state; there must be at least so many, lest an empty model pass.
fn holds(system: System, at_least: usize) -> impl Checker<System> {
    let checker = system.checker().spawn_bfs().join();
    let states = checker.unique_state_count();
    println!("{states} states, depth {}", checker.max_depth());
    for property in checker.model().properties() {
        if property.expectation == Expectation::Always {
            checker.assert_no_discovery(property.name);
        }
    }
    assert!(states >= at_least, "only {states} states");
    checker
}

fn ends(system: System, at_least: usize) -> BTreeSet<End> {
    holds(system, at_least).model().ends.lock().unwrap().clone()
}

#[test]
fn garbage_goes_in_one_generation_where_nobody_pushes_whatever_crashes() {
    for cache in CACHES {
        for system in [cached_layer(), untagged_manifest(), untagged_child()] {
            let ends = ends(System { cache, crashes: 3, ..system }, 100);
            assert_eq!(ends.len(), 1);
            assert!(ends.iter().all(|(data, ..)| data.is_empty()));
        }
    }
}

#[test]
fn two_pushes_keep_what_they_name_and_garbage_goes_a_generation_later() {
    for cache in CACHES {
        let jobs = vec![push(0, M), push_mounting(1, N, 0)];
        holds(System { cache, jobs, generations: 2, ..cached_layer() }, 90_000);
    }
}

#[test]
fn two_pushes_to_one_repository_survive_two_crashes() {
    for cache in CACHES {
        let jobs = vec![push(0, M), push(0, N)];
        holds(System { cache, jobs, crashes: 2, ..cached_layer() }, 100_000);
    }
}

#[test]
fn pulls_that_fill_the_cache_late_mislead_nobody_for_good() {
    let jobs = vec![push(0, M), push(1, N), pull(0)];
    let checker = holds(System { jobs, ..old_layer() }, 500_000);
    checker.assert_any_discovery(RESCUED);
    checker.assert_any_discovery(RESTORED);
}

#[test]
fn three_pushes_share_a_layer() {
    let jobs = vec![push(0, M), push_mounting(1, N, 0), push(0, N)];
    holds(System { jobs, crashes: 0, ..cached_layer() }, 900_000);
}

#[test]
fn images_of_two_layers_come_back_whole() {
    let mut system = old_layer();
    system.edges[usize::from(M)] = blobs(&[X, Y]);
    system.edges[usize::from(N)] = blobs(&[Y]);
    system.store.data = blobs(&[X, Y]);
    system.store.links = links(&[(0, X), (0, Y), (1, Y)]);
    holds(System { jobs: vec![push(0, M), push(1, N)], ..system }, 900_000);
}

#[test]
fn what_is_pulled_all_along_stays_beside_what_goes() {
    let mut system = cached_layer();
    system.edges[usize::from(M)] = blobs(&[X, Y]);
    system.edges[usize::from(N)] = blobs(&[Y]);
    system.store.data = blobs(&[X, Y, N]);
    system.store.links = links(&[(0, X), (1, Y), (1, N)]);
    holds(System { jobs: vec![push_mounting(0, M, 1)], crashes: 2, ..system }, 15_000);
}

#[test]
fn manifests_may_be_deleted_through_the_registry() {
    let jobs = vec![push(0, M), delete(0, M), push_mounting(1, M, 0)];
    holds(System { jobs, crashes: 0, ..cached_layer() }, 240_000);
}

#[test]
fn untagged_manifests_that_are_pushed_again_stay() {
    for trusts_cached_manifests in [false, true] {
        let jobs = vec![push_tag(0, M), push(1, M)];
        holds(System { jobs, trusts_cached_manifests, ..untagged_manifest() }, 300_000);
        let jobs = vec![push(0, M)];
        let system = System { jobs, trusts_cached_manifests, ..untagged_manifest() };
        holds(System { generations: 2, crashes: 2, ..system }, 10_000);
    }
}

#[test]
fn children_of_an_index_that_is_pushed_stay_also_where_nobody_validates_them() {
    for validates_children in [true, false] {
        let jobs = vec![push_tag(0, N), push(0, M)];
        holds(System { jobs, validates_children, crashes: 2, ..untagged_child() }, 140_000);
    }
}

#[test]
fn untagged_manifests_may_be_deleted_while_they_are_pushed() {
    let jobs = vec![push_tag(0, M), delete(0, M), push(1, M)];
    let system = System { trusts_cached_manifests: false, ..untagged_manifest() };
    holds(System { jobs, crashes: 0, ..system }, 800_000);
}

#[test]
fn uploads_in_progress_need_not_be_looked_at() {
    let rules = Rules { ignores_uploads: true, ..Rules::default() };
    let jobs = vec![push(0, M), push_mounting(1, N, 0)];
    holds(System { jobs, rules, ..cached_layer() }, 75_000);
    let jobs = vec![push(0, M), push(1, N), pull(0)];
    holds(System { rules, jobs, crashes: 0, ..old_layer() }, 100_000);
}

#[test]
fn what_was_taken_need_not_be_looked_at_where_every_manifest_is_a_root() {
    let rules = Rules { ignores_what_was_taken: true, ..Rules::default() };
    let jobs = vec![push(0, M), push_mounting(1, N, 0)];
    holds(System { jobs, rules, ..cached_layer() }, 75_000);
    let jobs = vec![push(0, M), push(1, N), pull(0)];
    holds(System { rules, jobs, crashes: 0, ..old_layer() }, 100_000);
}

#[test]
fn a_registry_that_was_restarted_needs_no_second_restart() {
    let rules = Rules { no_second_purge: true, ..Rules::default() };
    let jobs = vec![push(0, M), push(1, N), pull(0)];
    let cache = CacheKind::Process;
    holds(System { rules, cache, jobs, crashes: 0, ..old_layer() }, 100_000);
}

#[test]
fn g11_crashes_change_nothing_of_where_it_can_end() {
    for (system, jobs) in [
        (cached_layer(), vec![]),
        (cached_layer(), vec![push(0, M), push_mounting(1, N, 0)]),
        (old_layer(), vec![push(0, M), pull(0)]),
        (untagged_manifest(), vec![push_tag(0, M), push(0, M)]),
        (untagged_child(), vec![push(0, N), push(0, M)]),
    ] {
        let end = |crashes| {
            let system = System { jobs: jobs.clone(), crashes, ..system.clone() };
            ends(System { ends: std::sync::Arc::default(), ..system }, 20)
        };
        let without = end(0);
        assert!(!without.is_empty());
        assert_eq!(end(2), without, "{jobs:?}");
    }
}

#[test]
fn clients_and_the_registry_may_die_at_any_step() {
    for cache in CACHES {
        for (system, jobs) in [
            (cached_layer(), vec![push(0, M), push_mounting(1, N, 0)]),
            (untagged_manifest(), vec![push_tag(0, M), push(0, M)]),
        ] {
            let system = System { cache, jobs, clients_die: true, ..system };
            holds(System { generations: 2, crashes: 0, ..system }, 40_000);
        }
    }
}

/// A push may sleep for as long as it likes between two requests: what it asks next is answered by what is there.
#[test]
fn no_push_need_be_waited_for_only_requests() {
    for cache in CACHES {
        for (system, jobs) in [
            (old_layer(), vec![push(0, M), push_mounting(1, N, 0), pull(0)]),
            (untagged_manifest(), vec![push_tag(0, M), push(0, M)]),
            (untagged_child(), vec![push(0, N), push(0, M)]),
        ] {
            let system = System { cache, jobs, waits_for_requests_alone: true, ..system };
            holds(System { crashes: 0, ..system }, 15_000);
        }
    }
}

#[test]
fn generations_that_overlap_give_back_what_either_of_them_needs() {
    for (system, jobs) in [
        (old_layer(), vec![push(0, M), push(1, N)]),
        (untagged_manifest(), vec![push_tag(0, M), push(0, M)]),
        (untagged_manifest_of_a_young_layer(), vec![push_tag(0, M), push(1, M)]),
    ] {
        let system = System { jobs, overlapping: true, generations: 2, ..system };
        holds(System { crashes: 0, ..system }, 100_000);
    }
    let system = untagged_manifest_of_a_young_layer();
    holds(System { jobs: vec![push_tag(0, M)], ..system }, 30_000);
}
