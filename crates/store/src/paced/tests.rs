use std::num::NonZeroU32;

use monitor::Asked;
use tokio::task::JoinSet;

use super::*;
use crate::Doomed;
use crate::scripted::{Reply, Scripted};

struct Bench {
    store: Arc<Paced<Scripted>>,
    monitor: Arc<Monitor>,
    stop: Arc<Stop>,
}

fn bench(scripted: Scripted, settings: PaceSettings) -> Bench {
    let (monitor, stop) = (Arc::new(Monitor::new()), Arc::new(Stop::new()));
    let store = Arc::new(Paced::new(scripted, settings, &monitor, &stop));
    Bench { store, monitor, stop }
}

fn batch(name: usize, keys: usize) -> DeleteBatch {
    let doomed =
        |key| Doomed { key: format!("{name}/{key}").into(), modified: Timestamp::default() };
    DeleteBatch::new((0..keys).map(doomed).collect()).unwrap()
}

impl Bench {
    async fn get_many(&self, requests: usize) {
        let mut gets = JoinSet::new();
        for _ in 0..requests {
            let store = Arc::clone(&self.store);
            gets.spawn(async move { store.get("k", 9).await.is_ok() });
        }
        gets.join_all().await;
    }
}

#[tokio::test(start_paused = true)]
async fn g12_no_more_than_the_limit_is_in_flight() {
    let slow = Scripted::new([]).answering_after(Duration::from_millis(10));
    let settings = PaceSettings { gets_in_flight: 16, ..PaceSettings::default() };
    let bench = bench(slow, settings);
    bench.get_many(4).await;
    assert_eq!(bench.store.store.most_in_flight(), 4);
    bench.get_many(500).await;
    assert_eq!(bench.store.store.most_in_flight(), 16);
    assert_eq!(bench.store.store.asked().len(), 504);
}

#[tokio::test(start_paused = true)]
async fn a_throttled_answer_halves_what_is_in_flight_from_then_on() {
    let slow = Scripted::new([]).answering_after(Duration::from_millis(10));
    let bench = bench(slow, PaceSettings::default());
    bench.get_many(12).await;
    assert_eq!(bench.store.pace.gets.semaphore.available_permits(), 16);
    bench.store.store.say(vec![Reply::Fails(ErrorKind::Throttled); 16]);
    bench.get_many(16).await;
    assert_eq!(bench.monitor.get(Counter::ThrottledAnswers), 16);
    assert_eq!(bench.store.pace.gets.semaphore.available_permits(), 8);
    bench.store.store.forget_most_in_flight();
    bench.get_many(40).await;
    assert_eq!(bench.store.store.most_in_flight(), 8);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_dropped_gives_its_place_back() {
    let slow = Scripted::new([]).answering_after(Duration::from_hours(1));
    let bench = bench(slow, PaceSettings { gets_in_flight: 1, ..PaceSettings::default() });
    for _ in 0..3 {
        let get = bench.store.get("k", 9);
        assert!(tokio::time::timeout(Duration::from_secs(1), get).await.is_err());
    }
    assert_eq!(bench.store.store.asked().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn keys_throttled_inside_an_answer_are_one_event() {
    let keys = vec![("0/0", ErrorKind::Throttled), ("0/1", ErrorKind::Throttled)];
    let bench = bench(Scripted::new([Reply::Keys(keys)]), PaceSettings::default());
    bench.store.delete(&batch(0, 3)).await.unwrap();
    assert_eq!(bench.monitor.get(Counter::ThrottledAnswers), 1);
    assert_eq!(bench.store.pace.deletes.semaphore.available_permits(), 2);
}

#[tokio::test(start_paused = true)]
async fn failures_say_nothing_about_the_pace() {
    let replies = vec![Reply::Fails(ErrorKind::Transient); 100];
    let bench = bench(Scripted::new(replies), PaceSettings::default());
    bench.get_many(100).await;
    assert_eq!(bench.store.pace.gets.semaphore.available_permits(), 4);
}

#[tokio::test(start_paused = true)]
async fn deletes_keep_to_so_many_keys_a_second() {
    let settings =
        PaceSettings { deletes_per_second: NonZeroU32::new(500), ..PaceSettings::default() };
    let bench = bench(Scripted::new([]), settings);
    let begun = Instant::now();
    for name in 0..6 {
        bench.store.delete(&batch(name, 1000)).await.unwrap();
    }
    assert_eq!(begun.elapsed().as_secs(), 10, "the first batch is free");
    assert_eq!(bench.store.store.asked().len(), 6);
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_when_the_run_is_asked_to_stop() {
    let settings =
        PaceSettings { deletes_per_second: NonZeroU32::new(1), ..PaceSettings::default() };
    let bench = bench(Scripted::new([]), settings);
    bench.store.delete(&batch(0, 1000)).await.unwrap();
    bench.stop.ask(Asked::Drain);
    let begun = Instant::now();
    let error = bench.store.delete(&batch(1, 1000)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Stopped);
    assert!(begun.elapsed() <= Duration::from_secs(1));
    assert_eq!(bench.store.store.asked().len(), 1, "it was not sent");
}
