//! `--share`: what is left of a bucket's limit is left to others, over the wire.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use monitor::{Counter, Stop};
use simstore::Limits;
use store::{DeleteBatch, DeleteStore, Doomed, PaceSettings, Paced, Share};
use tokio::task::{JoinSet, yield_now};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::*;

/// Keys a second that the bucket deletes.
const LIMIT: u32 = 20_000;
/// The next key that nobody has asked for. Keys that are not there cost a store as much as others.
static NEXT: AtomicU64 = AtomicU64::new(0);

fn batch(keys: u64) -> DeleteBatch {
    let first = NEXT.fetch_add(keys, Ordering::Relaxed);
    let numbers: Range<u64> = first..first + keys;
    let doomed = |number| Doomed { key: format!("p/{number}").into(), modified: T, upload: None };
    DeleteBatch::new(numbers.map(doomed).collect()).unwrap()
}

/// Deletes as fast as it may, until told to stop.
async fn collect(store: Arc<Paced<S3Store>>, is_over: Arc<AtomicBool>) {
    while !is_over.load(Ordering::Relaxed) {
        match store.delete(&batch(500)).await {
            Ok(outcomes) => assert_eq!(outcomes.len(), 500),
            Err(error) => assert_eq!(error.kind, ErrorKind::Throttled),
        }
    }
}

/// A registry deletes three fifths of the limit for a second; how many of its requests are refused.
async fn serve_clients(store: &S3Store) -> (u64, u64) {
    let (keys, mut refused) = (100, 0);
    let requests = u64::from(LIMIT) * 3 / 5 / keys;
    let mut ticks = interval(Duration::from_secs(1) / u32::try_from(requests).unwrap());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for _ in 0..requests {
        ticks.tick().await;
        if let Err(error) = store.delete(&batch(keys)).await {
            assert_eq!(error.kind, ErrorKind::Throttled);
            refused += 1;
        }
    }
    (requests, refused)
}

/// What part of its limit the server deletes while it deletes so many keys.
async fn share_of_limit(server: &Server, keys: u64) -> f64 {
    let (before, begun) = (server.load().writes, Instant::now());
    loop {
        let deleted = server.load().writes - before;
        if deleted >= keys {
            return deleted as f64 / begun.elapsed().as_secs_f64() / f64::from(LIMIT);
        }
        yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_third_of_the_limit_a_registry_in_the_same_bucket_does_not_starve() {
    let limits = Limits { writes: LIMIT, ..Limits::default() };
    let server = Server::start(Options { limits: Some(limits), ..Options::default() }).unwrap();
    let monitor = Arc::new(Monitor::new());
    let store = S3Store::connect(config(&server), &monitor).await.unwrap();
    let pace =
        PaceSettings { delete_share: Share::percent(33).unwrap(), ..PaceSettings::default() };
    let store = Arc::new(Paced::new(store, pace, &monitor, &Arc::new(Stop::new())));
    let is_over = Arc::new(AtomicBool::new(false));
    let mut collectors = JoinSet::new();
    for _ in 0..8 {
        collectors.spawn(collect(Arc::clone(&store), Arc::clone(&is_over)));
    }
    // The limit is found by asking for more.
    while monitor.get(Counter::ThrottledAnswers) == 0 {
        yield_now().await;
    }
    // What was on its way when the limit was found is still granted.
    share_of_limit(&server, 5_000).await;
    let alone = share_of_limit(&server, 5_000).await;
    let (requests, refused) = serve_clients(&store_of(&server).await).await;
    is_over.store(true, Ordering::Relaxed);
    while let Some(collector) = collectors.join_next().await {
        collector.unwrap();
    }
    assert!(alone < 0.4, "{alone} of the limit");
    assert!(refused * 20 <= requests, "{refused} of {requests} requests were refused");
}
