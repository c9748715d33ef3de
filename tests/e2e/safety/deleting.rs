//! G6, G7, G8: what is deleted, and in which order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use planner::{RowKind, Stage};
use store::{MemoryStore, StoreError};
use world::Mode;

use super::{check_references, leave_upload, odd_names, references, rows};
use crate::crashes::{SMALL_WAYS, small};
use crate::hand::{Call, Hand, Handled, Page};
use crate::harness::{Collection, Expected, Ways, runtime};

/// Writes down what is listed and what is deleted.
#[derive(Default)]
struct Recording {
    listed: Mutex<BTreeSet<String>>,
    batches: Mutex<Vec<Vec<String>>>,
    /// Checked after each batch.
    store: Option<(MemoryStore, Vec<(String, String)>)>,
}

impl Hand for Recording {
    fn listed(&self, _: Call<'_>, page: Page) -> Result<Page, StoreError> {
        let keys = page.iter().flatten().map(|listed| listed.key().to_string());
        self.listed.lock().unwrap().extend(keys);
        Ok(page)
    }

    fn after(&self, call: Call<'_>) {
        let Call::Delete(batch) = call else { return };
        let keys = batch.objects().iter().map(|doomed| doomed.key.to_string()).collect();
        self.batches.lock().unwrap().push(keys);
        if let Some((store, references)) = &self.store {
            check_references(store, references);
        }
    }
}

#[test]
fn g6_g7_only_what_was_planned_is_deleted_and_only_what_was_listed_is_planned() {
    let mut world = odd_names();
    for id in ["a b", "%41%2f", "a+b&c=<d>\"'", "é\u{301}", "\u{1}", "#?*"] {
        world.put_marker("foo", &format!("_uploads/{id}/"));
        world.put_marker("foo", &format!("_uploads/{id}/hashstates/{id}/"));
    }
    world.age(Duration::from_hours(24 * 30));
    let (ways, mode) = (Ways { page: 9, batch: 7, ..Ways::default() }, Mode::untagged());
    let (store, hand) = (ways.store(&world), Arc::new(Recording::default()));
    let collection = Collection::of(&world, Handled::new(&store, &hand), &mode, &ways);
    let plan = runtime().block_on(collection.plan()).unwrap();
    let planned: BTreeSet<String> = rows(&plan).into_iter().map(|(_, key)| key).collect();
    let report = runtime().block_on(collection.sweep()).unwrap();
    let listed = hand.listed.lock().unwrap();
    assert!(planned.is_subset(&listed));
    let batches = hand.batches.lock().unwrap();
    let asked: Vec<&String> = batches.iter().flatten().collect();
    assert_eq!(asked.len(), planned.len(), "each key once");
    assert!(asked.into_iter().all(|key| planned.contains(key)));
    let expected = Expected::of(&world, &mode);
    assert!(expected.garbage.iter().any(|key| key.contains("é\u{301}")), "odd keys go too");
    expected.check_it_is_collected(&store, &report);
}

#[test]
fn g8_references_go_before_what_they_refer_to() {
    let (world, mode) = (small(), Mode::untagged());
    for width in [1, 2, 8] {
        for batch in [1, 2, 5, 1000] {
            let ways = Ways { width, batch, ..SMALL_WAYS };
            let store = ways.store(&world);
            leave_upload(&store);
            let watched = Some((store.clone(), references(&world)));
            let hand = Arc::new(Recording { store: watched, ..Recording::default() });
            let collection = Collection::of(&world, Handled::new(&store, &hand), &mode, &ways);
            let plan = runtime().block_on(collection.plan()).unwrap();
            let kinds: BTreeMap<String, RowKind> =
                rows(&plan).into_iter().map(|(kind, key)| (key, kind)).collect();
            let report = runtime().block_on(collection.sweep()).unwrap();
            Expected::of(&world, &mode).check_it_is_collected(&store, &report);
            let batches = hand.batches.lock().unwrap();
            let stages: Vec<Stage> =
                batches.iter().flatten().map(|key| kinds[key].stage()).collect();
            assert!(stages.is_sorted(), "{stages:?}");
            let distinct: BTreeSet<Stage> = stages.into_iter().collect();
            let going = Stage::ALL.into_iter().filter(|stage| *stage != Stage::Repairs);
            assert!(distinct.into_iter().eq(going), "something of every stage");
        }
    }
}
