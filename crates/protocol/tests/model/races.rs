//! Each known race between a push and a collection, by hand: what the protocol makes of it.

use crate::client::{At, Lookup};
use crate::looks::whole;
use crate::play::{
    Play, has_condemned, has_deleted, has_listed, is_about_to_delete, is_quarantined,
};
use crate::registries::{
    believed_child, cached_layer, delete, links, old_layer, push, push_mounting, push_tag,
    untagged_manifest,
};
use crate::system::System;
use crate::world::{Bits, CacheKind, M, N, X, Y, blobs, link};

const VERIFIES: At = At::Verify(Lookup::Link);

fn uncached(system: System) -> System {
    System { cache: CacheKind::None, ..system }
}

#[test]
fn r1_a_push_that_was_told_of_a_layer_before_it_was_unlinked_fails_and_the_next_one_sends_it() {
    let jobs = vec![push(0, M), push(0, M)];
    let mut play = Play::new(System { jobs, ..uncached(old_layer()) });
    play.client(0, VERIFIES).collector(is_quarantined).client(0, At::Failed);
    play.client(1, At::Done).closes();
    assert_eq!(play.store().data, blobs(&[X, M]));
    assert_eq!(play.store().links, links(&[(0, X), (0, M)]));
}

#[test]
fn r1_a_push_that_believes_a_cache_is_accepted_and_its_layer_rescued() {
    let mut play = Play::new(System { jobs: vec![push(0, M)], ..cached_layer() });
    play.client(0, At::ManifestStat).collector(is_quarantined);
    assert!(play.is_waiting(), "the push began before the purge ended");
    play.client(0, At::Done).closes();
    assert_eq!(play.store().links, links(&[(0, X), (0, M)]));
}

#[test]
fn r2_a_layer_that_is_condemned_between_being_verified_and_the_revision_link_is_rescued() {
    let mut play = Play::new(System { jobs: vec![push(0, M)], ..uncached(old_layer()) });
    play.client(0, At::ManifestLink).collector(is_quarantined);
    assert!(!play.store().links.has(link(0, X)));
    play.client(0, At::Done).closes();
    assert_eq!(play.store().data, blobs(&[X, M]));
    assert_eq!(play.store().links, links(&[(0, X), (0, M)]));
}

#[test]
fn r3_data_that_is_deleted_between_being_found_by_an_upload_and_its_link_is_restored() {
    for system in [uncached(old_layer()), old_layer()] {
        let mut play = Play::new(System { jobs: vec![push(0, M)], ..system });
        play.collector(is_quarantined).client(0, At::Link).collector(is_about_to_delete);
        play.collector(has_deleted);
        assert!(play.store().trash.has(X));
        assert!(play.is_waiting(), "the push began before the data went");
        play.client_ends(0);
        play.closes();
        assert!(play.store().data.has(X), "the link alone restores it");
        assert!(play.store().links.has(link(0, X)));
    }
}

#[test]
fn r4_data_without_a_link_yet_is_young_and_not_condemned() {
    let mut play = Play::new(System { jobs: vec![push(0, M)], ..crate::registries::nothing() });
    play.client(0, At::Link).closes();
    assert_eq!(play.store().data, blobs(&[X]));
    play.client(0, At::Done);
}

#[test]
fn r5_a_manifest_that_is_deleted_between_being_found_and_its_revision_link_is_restored() {
    let mut system = uncached(untagged_manifest());
    system.store.links = links(&[(0, X)]);
    let mut play = Play::new(System { jobs: vec![push_tag(0, M)], ..system });
    play.collector(is_quarantined).client(0, At::ManifestSet).collector(has_deleted);
    assert!(play.store().trash.has(M));
    play.client(0, At::Done).closes();
    assert_eq!(play.store().data, blobs(&[X, M]));
}

#[test]
fn r6_a_layer_that_is_mounted_while_its_source_is_unlinked_is_rescued() {
    let jobs = vec![push_mounting(1, M, 0)];
    let mut play = Play::new(System { jobs, ..uncached(old_layer()) });
    play.client(0, At::MountLink).collector(is_quarantined);
    play.client(0, At::Done).closes();
    assert_eq!(play.store().data, blobs(&[X, M]));
    assert_eq!(play.store().links, links(&[(0, X), (1, X), (1, M)]), "both have it");
}

#[test]
fn r7_a_link_to_a_layer_that_is_pulled_elsewhere_is_not_taken() {
    let mut system = uncached(old_layer());
    system.store.data = blobs(&[X, N]);
    system.store.links = links(&[(0, X), (1, X), (1, N)]);
    let mut play = Play::new(System { jobs: vec![push(0, M)], ..system });
    play.client(0, At::ManifestLink).closes();
    assert!(play.store().links.has(link(0, X)));
    play.client(0, At::Done);
}

#[test]
fn r8_the_child_of_an_index_that_was_asked_for_before_it_was_condemned_is_rescued_with_its_layers()
{
    let mut play = Play::new(believed_child());
    play.client(0, At::ManifestStat).collector(is_quarantined);
    assert_eq!(play.store().links, Bits(0));
    play.client(0, At::Done).closes();
    assert_eq!(play.store().data, blobs(&[X, M, N]));
    assert_eq!(play.store().links, links(&[(0, X), (0, M), (0, N)]));
}

#[test]
fn r9_a_manifest_that_is_tagged_again_after_it_was_condemned_is_rescued() {
    for at in [At::ManifestTag, At::Done] {
        let mut play = Play::new(System { jobs: vec![push_tag(0, M)], ..untagged_manifest() });
        play.collector(has_condemned).client(0, at).collector(is_quarantined);
        assert!(play.store().overtaken.has(link(0, M)), "the same text, written later");
        play.client(0, At::Done).closes();
        assert_eq!(play.store().links, links(&[(0, X), (0, M)]));
    }
}

#[test]
fn r10_deleting_a_manifest_during_the_listing_loses_nothing_else() {
    let mut system = old_layer();
    system.edges[usize::from(N)] = blobs(&[Y]);
    system.store.data = blobs(&[X, Y, M, N]);
    system.store.links = links(&[(0, X), (0, M), (0, Y), (0, N)]);
    for parts in 0..whole(2) {
        let jobs = vec![delete(0, M)];
        let mut play = Play::new(System { jobs, generations: 2, ..system.clone() });
        play.collector(has_listed(parts)).client(0, At::Done).closes();
        assert!(play.store().links.has(link(0, N)));
        play.next_generation().closes();
        assert_eq!(play.store().data, blobs(&[Y, N]), "and what was deleted goes");
    }
}

#[test]
fn r11_a_push_behind_the_cursor_of_a_listing_is_seen_by_the_next_look() {
    let mut system = uncached(old_layer());
    system.store.links = links(&[(1, X)]);
    let mut play = Play::new(System { jobs: vec![push(0, M)], ..system });
    play.collector(has_listed(whole(1))).client(0, At::Done).collector(is_quarantined);
    assert!(play.state.collector.condemned.has(X), "the first look did not see it");
    assert!(play.store().links.has(link(0, X)), "what was not listed is not taken");
    play.closes();
    assert_eq!(play.store().data, blobs(&[X, M]));
}

#[test]
fn r12_an_upload_that_ends_or_is_purged_changes_when_garbage_goes_and_nothing_else() {
    let mut system = System { generations: 2, ..uncached(old_layer()) };
    system.edges[usize::from(M)] = blobs(&[Y]);
    let mut play = Play::new(System { jobs: vec![push(0, M)], ..system });
    play.client(0, At::Stat).closes();
    assert!(play.store().links.has(link(0, X)), "who pushes may be about to name it");
    play.client(0, At::Done).next_generation().closes();
    assert_eq!(play.store().data, blobs(&[Y, M]));
}

#[test]
fn r13_what_somebody_else_deletes_is_gone_and_the_generation_ends() {
    for stage in [has_condemned, is_quarantined, is_about_to_delete, has_deleted] {
        let mut play = Play::new(cached_layer());
        play.collector(stage);
        play.state.store.remove_link(link(0, X));
        play.state.store.data.drop(X);
        play.closes();
        assert_eq!(play.store().data, Bits(0));
    }
}

#[test]
fn g11_what_was_taken_before_a_crash_is_given_back_where_it_is_needed_after_it() {
    let mut play = Play::new(System { jobs: vec![push(0, M)], ..uncached(old_layer()) });
    play.client(0, At::ManifestLink).collector(has_condemned);
    play.collector(|state| !state.store.taken.is_empty()).client(0, At::Done).crash();
    play.closes();
    assert_eq!(play.store().links, links(&[(0, X), (0, M)]));
    assert_eq!(play.store().data, blobs(&[X, M]));
}
