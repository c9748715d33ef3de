//! Every scenario of the model, as a test of its own.

use std::sync::Arc;
use std::time::Duration;

use monitor::{Monitor, Stop};
use planner::{Plan, PlanError};
use store::{ErrorKind, MemoryStore, Retried, RetrySettings, StoreError};
use world::scenario::Fault;
use world::{Scenario, scenario};

use crate::hand::{Call, Failing, Hand, Handled, Page};
use crate::harness::{Collection, Expected, Ways, keys, runtime};

/// Two ways that have nothing in common.
const WAYS: [Ways; 2] = [
    Ways { width: 4, page: 1000, batch: 1000, has_etags: true, presumes: false, memory: 1 << 30 },
    Ways { width: 3, page: 7, batch: 2, has_etags: false, presumes: false, memory: 0 },
];

fn find(id: &str) -> Scenario {
    scenario::all().into_iter().find(|scenario| scenario.id == id).unwrap()
}

/// Collects a scenario in which nothing disturbs.
fn check(id: &str) {
    let Scenario { world, mode, goes, open, .. } = find(id);
    let expected = Expected::of(&world, &mode);
    for ways in WAYS {
        let store = ways.store(&world);
        let collection = Collection::of(&world, store.clone(), &mode, &ways);
        let report = runtime().block_on(collection.run()).unwrap();
        expected.check_it_is_collected(&store, &report);
        let gone = expected.gone(&keys(&store));
        let stayed: Vec<_> = goes.difference(&gone).collect();
        let lost: Vec<_> = gone.difference(&goes).filter(|key| !open.contains(*key)).collect();
        assert!(stayed.is_empty() && lost.is_empty(), "stayed: {stayed:#?}, lost: {lost:#?}");
    }
}

macro_rules! scenarios {
    ($($name:ident: $id:literal,)*) => {
        $(#[test]
        fn $name() {
            check($id);
        })*

        #[test]
        fn every_scenario_of_the_model_has_its_test() {
            let all: Vec<&str> = scenario::all().iter().map(|scenario| scenario.id).collect();
            assert_eq!(all, [$($id),*]);
        }
    };
}

scenarios! {
    rf_two_tagged_images_stay: "RF",
    rg_the_child_of_a_tagged_index_keeps_its_layers: "RG",
    ra_a_sha512_layer_keeps_its_canonical_blob: "RA",
    rb_an_index_shared_by_two_repositories_keeps_the_child_that_only_one_has: "RB",
    rc_what_is_untagged_in_one_repository_and_tagged_in_another_loses_links_only: "RC",
    rd_a_repository_without_tags_leaves_no_dangling_revision: "RD",
    ri_an_orphan_uploaded_by_sha512_goes_with_both_links: "RI",
    re_a_repository_without_layers_stops_nothing: "RE",
    by_default_nothing_untagged_goes: "TestNoDeletionNoEffect",
    a_tag_that_moved_on_lets_its_first_image_go: "TestDeleteManifestIfTagNotFound",
    the_layers_of_a_deleted_child_go_and_its_content_stays:
        "TestDeleteManifestIndexWithDanglingReferences",
    a_tagged_index_keeps_its_children: "TestDeleteManifestIndexIfTagNotFound/tagged",
    an_index_whose_tag_was_deleted_goes_with_its_children: "TestDeleteManifestIndexIfTagNotFound",
    layer_links_of_an_untagged_image_go: "TestGCWithUnusedLayerLinkPath",
    a_repository_without_a_tags_folder_is_no_error: "TestGCWithUnknownRepository",
    a_repository_with_layers_only_is_no_error: "TestGCWithMissingManifests",
    deleted_images_go_and_the_third_stays: "TestDeletionHasEffect",
    a_layer_shared_with_a_live_image_stays: "TestDeletionWithSharedLayer",
    an_orphan_goes_with_its_link: "TestOrphanBlobDeleted",
    a_tagged_list_keeps_untagged_children: "TestTaggedManifestlistWithUntaggedManifest",
    an_untagged_list_goes_with_untagged_children: "TestUnTaggedManifestlistWithUntaggedManifest",
    an_untagged_list_goes_without_its_tagged_children:
        "TestUnTaggedManifestlistWithTaggedManifest",
    an_untagged_list_goes_with_what_its_deleted_children_left:
        "TestTaggedManifestlistWithDeletedReference",
    an_index_of_an_index_keeps_the_image_at_the_bottom: "nested-index",
    the_layers_of_a_deleted_child_go_by_default_too: "index-child-deleted",
    a_build_cache_keeps_its_own_layers_only: "build-cache",
    referrers_live_and_die_with_their_subjects: "referrers",
    signatures_live_and_die_with_their_revision: "signatures",
    what_one_repository_deleted_and_another_has_loses_links_only: "shared-by-two",
    manifests_of_every_form_stay: "forms",
    a_layer_that_was_never_uploaded_is_no_doubt: "foreign-layer",
    g4_a_damaged_manifest_pins_its_repository: "damaged-manifest",
    g4_a_manifest_of_unknown_type_pins_its_repository: "unknown-media-type",
    g4_a_half_written_tag_pins_its_repository: "half-written-tag",
    a_half_written_layer_link_harms_no_image: "half-written-layer-link",
    g4_a_link_of_an_unknown_kind_pins_its_repository: "odd-link",
    g4_a_name_that_no_registry_serves_pins_its_repository: "unservable-name",
    a_revision_without_content_keeps_its_links: "dangling-revision",
    a_layer_link_without_content_stays_where_it_is_needed: "dangling-layer-link",
    the_history_of_a_tag_is_no_tag: "history-only",
    a_tag_keeps_manifests_that_are_linked_as_layers: "legacy-links",
    manifests_linked_as_layers_are_left_open_by_default: "legacy-links-by-default",
    repositories_whose_names_begin_alike_are_collected_apart: "names-that-begin-alike",
    markers_and_foreign_files_stay_where_anything_is_left: "markers-and-foreign-files",
    an_emptied_repository_goes_with_its_tags_and_markers: "emptied",
    an_abandoned_upload_goes_and_a_fresh_one_stays: "uploads",
    g1_everything_young_stays: "young",
    listings_and_deletes_of_more_than_a_page: "many-keys",
    a_root_directory_hides_its_neighbours: "below-a-root",
}

/// Takes a key away as soon as a page has named it.
struct Vanishing {
    key: String,
    store: MemoryStore,
}

impl Hand for Vanishing {
    fn listed(&self, _: Call<'_>, page: Page) -> Result<Page, StoreError> {
        if page.iter().flatten().any(|listed| listed.key() == self.key) {
            self.store.remove(&self.key);
        }
        Ok(page)
    }
}

#[test]
fn rf_a_revision_link_that_vanishes_after_it_was_listed_costs_nobody_anything() {
    let Scenario { world, mode, fault, .. } = find("RF");
    let Some(Fault::Vanishes(key)) = fault else { panic!("{fault:?}") };
    let mut without = world.clone();
    without.lose(&key);
    for page in [1, 2, 3, 4, 5, 6, 7, 8, 1000] {
        let ways = Ways { page, ..Ways::default() };
        let store = ways.store(&world);
        let hand = Arc::new(Vanishing { key: key.clone(), store: store.clone() });
        let collection = Collection::of(&world, Handled::new(&store, &hand), &mode, &ways);
        runtime().block_on(collection.run()).unwrap();
        Expected::of(&without, &mode).check_nothing_is_lost(&store);
        // A small page may be listed by one worker and then by the one whose range it belongs to.
        let is_seen = page == 1000;
        assert!(
            !is_seen || store.keys().iter().eq(without.objects().keys()),
            "it was there when it was listed"
        );
    }
}

fn failing(times: u64, store: &MemoryStore) -> (Scenario, Handled<Failing>) {
    let scenario = find("RG");
    let Some(Fault::Fails(key)) = scenario.fault.clone() else { panic!("{:?}", scenario.fault) };
    let hand = Arc::new(Failing::new(&key, ErrorKind::Transient, times));
    (scenario, Handled::new(store, &hand))
}

#[test]
fn rg_a_child_that_cannot_be_read_for_a_while_is_asked_for_again() {
    let ways = Ways::default();
    let store = ways.store(&find("RG").world);
    let (Scenario { world, mode, .. }, handled) = failing(3, &store);
    let settings = RetrySettings { first_pause: Duration::ZERO, ..RetrySettings::default() };
    let (monitor, stop) = (Arc::new(Monitor::new()), Arc::new(Stop::new()));
    let retried = Retried::new(handled, settings, &monitor, &stop);
    let collection = Collection::of(&world, retried, &mode, &ways);
    let report = runtime().block_on(collection.run()).unwrap();
    Expected::of(&world, &mode).check_it_is_collected(&store, &report);
    assert_eq!(monitor.get(monitor::Counter::RetriedRequests), 3);
}

#[test]
fn rg_g5_a_child_that_cannot_be_read_leaves_no_plan() {
    for times in [1, u64::MAX] {
        let ways = Ways::default();
        let store = ways.store(&find("RG").world);
        let (Scenario { world, mode, .. }, handled) = failing(times, &store);
        let collection = Collection::of(&world, handled, &mode, &ways);
        runtime().block_on(collection.plan()).unwrap_err();
        let opened = Plan::open(&collection.dir());
        assert!(matches!(opened, Err(PlanError::NotAPlan { .. })), "{opened:?}");
        assert!(store.keys().iter().eq(world.objects().keys()));
    }
}
