//! With a step taken out, or done in the wrong order, the model finds what goes wrong.

use stateright::{Checker, HasDiscoveries, Model};

use crate::client::Job;
use crate::properties::{COLLECTED, LINKED, STAYS, TOLD, WHOLE};
use crate::registries::{
    believed_child, cached_layer, delete, old_layer, pull, push, push_tag, untagged_manifest,
    untagged_manifest_of_a_young_layer,
};
use crate::rules::Rules;
use crate::system::System;
use crate::world::{CacheKind, M, N};

/// Looks for the shortest way to break `property`, and checks that by the protocol there is none.
fn breaks(rules: Rules, system: &System, property: &'static str) {
    let check = |rules| {
        let system = System { rules, ends: std::sync::Arc::default(), ..system.clone() };
        let finish = HasDiscoveries::AnyOf([property].into());
        system.checker().finish_when(finish).spawn_bfs().join()
    };
    check(Rules::default()).assert_no_discovery(property);
    let path = check(rules).assert_any_discovery(property);
    println!("not \"{property}\": {path}{:?}", path.last_state());
}

/// Without crashes, so that what is found is short.
fn with(jobs: &[Job], system: System) -> System {
    System { jobs: jobs.to_vec(), crashes: 0, ..system }
}

/// What a cache believes is never deleted, so without a purge garbage that somebody once asked for never goes.
#[test]
fn without_a_cache_purge_garbage_stays() {
    let rules = Rules { no_purge: true, ..Rules::default() };
    breaks(rules, &System { generations: 2, ..with(&[], cached_layer()) }, COLLECTED);
}

#[test]
fn without_a_cache_purge_and_without_asking_the_cache() {
    let rules = Rules { no_purge: true, asks_no_cache: true, ..Rules::default() };
    breaks(rules, &with(&[push(0, M)], cached_layer()), WHOLE);
}

/// A pull that was under way during the purge tells the cache afterwards; after the last look a push believes it.
#[test]
fn without_a_second_cache_purge_and_without_asking_the_cache() {
    let rules = Rules { no_second_purge: true, asks_no_cache: true, ..Rules::default() };
    breaks(rules, &with(&[push(0, M), pull(0)], old_layer()), WHOLE);
}

/// A registry tells its cache of a manifest, dies or fails before it writes the link, and a push believes the cache: nothing
/// that is listed tells of it.
#[test]
fn without_asking_the_cache() {
    let rules = Rules { asks_no_cache: true, ..Rules::default() };
    let system = System { clients_die: true, ..untagged_manifest() };
    breaks(rules, &with(&[push(0, M), push(0, M)], system), WHOLE);
    breaks(rules, &with(&[push(0, M), pull(0)], old_layer()), TOLD);
}

/// The same, where the cache is in the registry's process, which does not die, but fails to write the link.
#[test]
fn restarting_only_once_where_untagged_manifests_go() {
    let rules = Rules { no_second_purge: true, ..Rules::default() };
    let system = System { clients_die: true, cache: CacheKind::Process, ..untagged_manifest() };
    breaks(rules, &with(&[push(0, M), push(0, M)], system), WHOLE);
}

#[test]
fn by_age_alone() {
    let rules = Rules { age_alone: true, ..Rules::default() };
    for cache in [CacheKind::None, CacheKind::Shared] {
        breaks(rules, &with(&[push(0, M)], System { cache, ..cached_layer() }), WHOLE);
    }
}

#[test]
fn verifying_before_unlinking() {
    let rules = Rules { verifies_before_unlinking: true, ..Rules::default() };
    let system = System { cache: CacheKind::None, ..old_layer() };
    breaks(rules, &with(&[push(0, M)], system), STAYS);
}

/// The last look still finds what was lost. But without unlinking a push is misled for as long as it lasts, with it
/// for as long as one request does.
#[test]
fn without_unlinking() {
    let rules = Rules { leaves_links: true, ..Rules::default() };
    let system = System { cache: CacheKind::None, ..old_layer() };
    breaks(rules, &with(&[push(0, M)], system), TOLD);
    let system = System { rules, ..with(&[push(0, M), push(1, N), pull(0)], old_layer()) };
    system.checker().spawn_bfs().join().assert_no_discovery(WHOLE);
}

#[test]
fn without_a_second_look() {
    let rules = Rules { no_second_look: true, ..Rules::default() };
    breaks(rules, &with(&[push(0, M)], cached_layer()), STAYS);
}

#[test]
fn without_a_last_look() {
    let rules = Rules { no_last_look: true, ..Rules::default() };
    for cache in [CacheKind::None, CacheKind::Shared] {
        breaks(rules, &with(&[push(0, M)], System { cache, ..cached_layer() }), WHOLE);
    }
}

#[test]
fn with_a_quarantine_shorter_than_a_push() {
    let rules = Rules { hasty_quarantine: true, ..Rules::default() };
    breaks(rules, &with(&[push(0, M)], cached_layer()), STAYS);
}

/// A push finds the data, it is deleted, all is looked at, and the push writes its link.
#[test]
fn with_a_last_look_before_the_pushes_end_that_saw_the_data() {
    let rules = Rules { hasty_settling: true, ..Rules::default() };
    breaks(rules, &with(&[push(0, M)], cached_layer()), WHOLE);
}

/// A pull tells the cache late, a push elsewhere rescues the layer, and a push that believes the cache lacks its link.
#[test]
fn giving_back_only_links_that_are_needed() {
    let rules = Rules { gives_back_only_what_is_needed: true, ..Rules::default() };
    breaks(rules, &with(&[push(0, M), push(1, N), pull(0)], old_layer()), WHOLE);
}

/// A manifest is pushed by its digest alone between being listed and being taken: nothing else tells of it.
#[test]
fn without_looking_at_what_was_taken() {
    let rules = Rules { ignores_what_was_taken: true, ..Rules::default() };
    breaks(rules, &with(&[push(0, M)], untagged_manifest()), WHOLE);
}

/// An index is acknowledged whose child was condemned: the child's layers follow from a link that was taken.
#[test]
fn without_following_manifests_whose_links_were_taken() {
    let rules = Rules { follows_only_what_is_listed: true, ..Rules::default() };
    breaks(rules, &with(&[push_tag(0, M)], untagged_manifest()), LINKED);
    breaks(rules, &System { crashes: 0, ..believed_child() }, STAYS);
}

#[test]
fn going_on_to_delete_after_a_crash() {
    let rules = Rules { deletes_by_an_old_look: true, ..Rules::default() };
    breaks(rules, &System { crashes: 1, ..with(&[push(0, M)], cached_layer()) }, STAYS);
}

/// A limit of the protocol, not a mutation: registries up to 3.1.1 believe a shared cache that a manifest is there.
/// Who deletes it through the registry during the last look, while somebody pushes it elsewhere, hides that.
#[test]
fn deleting_a_manifest_during_the_last_look_hides_it_where_the_registry_believes_its_cache() {
    let jobs = [push_tag(0, M), delete(0, M), push(1, M)];
    let system = System { trusts_cached_manifests: true, ..untagged_manifest() };
    let system = with(&jobs, system);
    let finish = HasDiscoveries::AnyOf([WHOLE].into());
    system.checker().finish_when(finish).spawn_bfs().join().assert_any_discovery(WHOLE);
}

/// Either rule is enough: that manifests which another generation deleted are read all the same, and that they are
/// given back before what only they name is deleted.
#[test]
fn taking_what_may_come_back_for_missing() {
    let rules = Rules { reads_no_deleted_manifest: true, minds_no_order: true, ..Rules::default() };
    let system = with(&[push_tag(0, M)], untagged_manifest_of_a_young_layer());
    breaks(rules, &system, WHOLE);
    for rules in [
        Rules { minds_no_order: true, ..Rules::default() },
        Rules { reads_no_deleted_manifest: true, ..Rules::default() },
    ] {
        let system = System { rules, ..system.clone() };
        system.checker().spawn_bfs().join().assert_no_discovery(WHOLE);
    }
}
