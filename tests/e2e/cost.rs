//! What a collection asks of the store: no request too many.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use monitor::Counter;
use registry::Timestamp;
use store::StoreError;
use world::{Bulk, Mode, Size, World};

use crate::hand::{Call, Hand, Handled, Page};
use crate::harness::{Collection, Expected, Ways, runtime};

/// Counts requests as S3 would bill them.
#[derive(Default)]
pub(crate) struct Counting(pub(crate) Mutex<Bill>);

#[derive(Clone, Debug, Default)]
pub(crate) struct Bill {
    pages: u64,
    folders: u64,
    pub(crate) gets: BTreeMap<String, u64>,
    deletes: u64,
}

impl Hand for Counting {
    /// The end of a listing is no request of its own: the page before it says so, unless there is none.
    fn listed(&self, call: Call<'_>, page: Page) -> Result<Page, StoreError> {
        let is_first = matches!(call, Call::List { is_first: true, .. });
        self.0.lock().unwrap().pages += u64::from(is_first || page.is_some());
        Ok(page)
    }

    fn after(&self, call: Call<'_>) {
        let mut bill = self.0.lock().unwrap();
        match call {
            Call::Folders => bill.folders += 1,
            Call::Get(key) => *bill.gets.entry(key.to_owned()).or_default() += 1,
            Call::Delete(_) => bill.deletes += 1,
            Call::Now
            | Call::Look
            | Call::List { .. }
            | Call::Write
            | Call::Restore
            | Call::Uploads
            | Call::Cache => {}
        }
    }
}

struct Counted {
    bill: Bill,
    ranges: u64,
    deleted: u64,
}

fn collect(world: &World, mode: &Mode, ways: &Ways) -> Counted {
    let (store, hand) = (ways.store(world), Arc::new(Counting::default()));
    let collection = Collection::of(world, Handled::new(&store, &hand), mode, ways);
    let report = runtime().block_on(collection.run()).unwrap();
    Expected::of(world, mode).check_it_is_collected(&store, &report);
    let bill = hand.0.lock().unwrap().clone();
    let ranges = collection.monitor.get(Counter::ListedRanges);
    Counted { bill, ranges, deleted: report.total.fates.deleted.objects }
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from_seconds(1_790_000_000)
}

fn keys<'w>(world: &'w World, part: &'w str, end: &'w str) -> impl Iterator<Item = &'w String> {
    world.objects().keys().filter(move |key| key.contains(part) && key.ends_with(end))
}

/// Distinct manifests that any revision link names, as keys of their blobs.
pub(crate) fn manifests(world: &World) -> BTreeSet<String> {
    let part = "/_manifests/revisions/sha256/";
    let revisions = keys(world, part, "/link").filter(|key| !key.contains("/signatures/"));
    let hex = revisions.map(|key| key.split(part).nth(1).unwrap().trim_end_matches("/link"));
    let base = world.keys().base();
    hex.map(|hex| format!("{base}blobs/sha256/{}/{hex}/data", &hex[..2])).collect()
}

#[test]
fn g12_a_page_is_listed_once_and_a_range_costs_one_page_more_at_most() {
    let world = world::bulk(now(), &Bulk { repositories: 30, orphans: 700, ..Bulk::default() });
    for width in [1, 4, 16, 64] {
        let ways = Ways { width, ..Ways::default() };
        let Counted { bill, ranges, deleted } = collect(&world, &Mode::untagged(), &ways);
        let keys = world.objects().len() as u64;
        assert!(bill.pages <= keys / 1000 + ranges, "{} pages, {ranges} ranges", bill.pages);
        assert!(bill.folders <= 16, "{} looks for folders", bill.folders);
        assert!(ranges <= 2 * 4 * width as u64 + 300, "{ranges} ranges for {width} workers");
        assert!(bill.deletes <= deleted.div_ceil(1000) + 4, "{} for {deleted}", bill.deletes);
        assert!(bill.gets.values().all(|count| *count == 1));
        assert!(bill.gets.keys().eq(&manifests(&world)), "every manifest once, and nothing else");
    }
}

#[test]
fn without_workers_to_feed_a_listing_costs_one_request_for_each_thousand_keys() {
    let world = world::bulk(now(), &Bulk { repositories: 8, orphans: 200, ..Bulk::default() });
    let ways = Ways { width: 1, ..Ways::default() };
    let Counted { bill, .. } = collect(&world, &Mode::default(), &ways);
    let keys = world.objects().len() as u64;
    assert!(bill.pages + bill.folders <= keys / 1000 + 50, "{bill:?}");
}

/// The keys that may be read, each once.
fn readable(world: &World, mode: &Mode, has_etags: bool) -> BTreeSet<String> {
    let mut readable = manifests(world);
    readable.extend(keys(world, "/_layers/sha512/", "/link").cloned());
    if mode.untagged && !has_etags {
        readable.extend(keys(world, "/_manifests/tags/", "/current/link").cloned());
    }
    let young = world.now().before(mode.grace);
    let startedat = keys(world, "/_uploads/", "/startedat");
    readable.extend(startedat.filter(|key| world.objects()[*key].modified < young).cloned());
    readable
}

#[test]
fn only_what_the_listing_does_not_tell_is_read_and_each_of_it_once() {
    let world = world::sample(now(), 3, &Size { repositories: 12, ..Size::default() });
    for mode in [Mode::default(), Mode::untagged()] {
        for has_etags in [true, false] {
            let ways = Ways { has_etags, ..Ways::default() };
            let Counted { bill, deleted, .. } = collect(&world, &mode, &ways);
            let readable = readable(&world, &mode, has_etags);
            let others: Vec<_> = bill.gets.keys().filter(|key| !readable.contains(*key)).collect();
            assert!(others.is_empty(), "{others:#?}");
            let twice: Vec<_> = bill.gets.iter().filter(|(_, count)| **count > 1).collect();
            assert!(twice.is_empty(), "{twice:#?}");
            assert!(bill.deletes <= deleted.div_ceil(1000) + 4, "{} for {deleted}", bill.deletes);
        }
    }
}

#[test]
fn a_second_collection_deletes_with_no_request() {
    let mut world = world::sample(now(), 5, &Size { repositories: 6, ..Size::default() });
    let garbage = world.garbage(&Mode::untagged());
    world.note_deleted(garbage.iter().map(String::as_str));
    let Counted { bill, deleted, .. } = collect(&world, &Mode::untagged(), &Ways::default());
    assert!(bill.deletes <= deleted, "{} for {deleted}", bill.deletes);
}
