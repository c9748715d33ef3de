//! G12: what is in flight and in memory depends on settings, never on the size of the registry.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use store::StoreError;
use tokio::sync::watch;
use world::{Bulk, Mode};

use super::now;
use crate::hand::{Call, Hand, Handled, Page};
use crate::harness::{Collection, Ways, runtime};

/// How many requests of a kind are in flight, and the most there were.
#[derive(Default)]
struct InFlight {
    now: AtomicU64,
    most: AtomicU64,
}

impl InFlight {
    fn begin(&self) {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
    }

    fn end(&self) {
        self.now.fetch_sub(1, Ordering::SeqCst);
    }

    fn most(&self) -> u64 {
        self.most.load(Ordering::SeqCst)
    }
}

#[derive(Default)]
struct Crowd {
    lists: InFlight,
    gets: InFlight,
    deletes: InFlight,
}

impl Crowd {
    fn of(&self, call: Call<'_>) -> Option<&InFlight> {
        match call {
            Call::Now | Call::Write | Call::Restore | Call::Cache => None,
            Call::Folders | Call::List { .. } | Call::Uploads => Some(&self.lists),
            Call::Look | Call::Get(_) => Some(&self.gets),
            Call::Delete(_) => Some(&self.deletes),
        }
    }
}

impl Hand for Crowd {
    /// Every request takes a while, so that as many as may come together do.
    async fn before(&self, call: Call<'_>) -> Result<(), StoreError> {
        if let Some(requests) = self.of(call) {
            requests.begin();
            for _ in 0..50 {
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }

    fn after(&self, call: Call<'_>) {
        if let Some(requests) = self.of(call) {
            requests.end();
        }
    }
}

/// How many repositories are marked at once, whatever the width; each may read one link.
const REPOSITORIES_AT_ONCE: u64 = 16;

#[test]
fn g12_requests_in_flight_depend_on_the_width_and_not_on_the_size() {
    for width in [1, 3, 8] {
        for repositories in [4, 24] {
            let shape = Bulk { repositories, images: 8, orphans: 100, ..Bulk::default() };
            let world = world::bulk(now(), &shape);
            let ways = Ways { width, page: 40, batch: 20, has_etags: false, ..Ways::default() };
            let (store, hand) = (ways.store(&world), Arc::new(Crowd::default()));
            let handled = Handled::new(&store, &hand);
            let collection = Collection::of(&world, handled, &Mode::untagged(), &ways);
            runtime().block_on(collection.run()).unwrap();
            let most = [&hand.lists, &hand.gets, &hand.deletes].map(InFlight::most);
            let width = width as u64;
            let limits = [width, width + REPOSITORIES_AT_ONCE, width];
            assert!(most.iter().zip(limits).all(|(most, limit)| *most <= limit), "{most:?}");
            // When batches are sent is up to the disk that keeps the journal.
            let is_shared = most[..2].iter().all(|most| *most > 1);
            assert!(width == 1 || is_shared, "{most:?}: alone at any time");
        }
    }
}

/// Lets nothing be read until told to; counts the keys that are listed meanwhile.
struct Gate {
    is_open: watch::Sender<bool>,
    listed: AtomicU64,
}

impl Hand for Gate {
    async fn before(&self, call: Call<'_>) -> Result<(), StoreError> {
        if let Call::Get(_) = call {
            self.is_open.subscribe().wait_for(|is_open| *is_open).await.unwrap();
        }
        Ok(())
    }

    fn listed(&self, _: Call<'_>, page: Page) -> Result<Page, StoreError> {
        self.listed.fetch_add(page.iter().flatten().count() as u64, Ordering::SeqCst);
        Ok(page)
    }
}

#[test]
fn g12_a_listing_waits_for_the_marking() {
    let shape = Bulk { repositories: 200, images: 2, indexes: 0, referrers: 0, ..Bulk::default() };
    let world = world::bulk(now(), &shape);
    let ways = Ways { width: 2, page: 10, ..Ways::default() };
    let store = ways.store(&world);
    let is_open = watch::Sender::new(false);
    let hand = Arc::new(Gate { is_open, listed: AtomicU64::new(0) });
    let collection = Collection::of(&world, Handled::new(&store, &hand), &Mode::untagged(), &ways);
    let is_link = |key: &&String| key.contains("/repositories/");
    let links = world.objects().keys().filter(is_link).count() as u64;
    runtime().block_on(async {
        let watch = async {
            // By now everything that can go on without reading has gone on.
            for _ in 0..20_000 {
                tokio::task::yield_now().await;
            }
            let listed = hand.listed.load(Ordering::SeqCst);
            hand.is_open.send_replace(true);
            listed
        };
        let (ended, listed) = tokio::join!(collection.run(), watch);
        ended.unwrap();
        assert!(listed > 100 && listed < links / 2, "{listed} of {links} keys were listed ahead");
    });
}
