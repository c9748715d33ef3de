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
    let doomed = |key| Doomed {
        key: format!("{name}/{key}").into(),
        modified: Timestamp::default(),
        upload: None,
    };
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
    let before = lock(&bench.store.pace.borne).per_second();
    bench.store.delete(&batch(0, 3)).await.unwrap();
    assert_eq!(bench.monitor.get(Counter::ThrottledAnswers), 1);
    assert!(lock(&bench.store.pace.borne).per_second() < before);
    assert_eq!(bench.store.pace.deletes.semaphore.available_permits(), 4, "not halved too");
}

#[tokio::test(start_paused = true)]
async fn deletes_that_were_throttled_keep_to_a_rate_of_keys() {
    let bench = bench(Scripted::new([]), PaceSettings::default());
    for name in 0..10 {
        bench.store.delete(&batch(name, 1000)).await.unwrap();
    }
    bench.store.store.say([Reply::Fails(ErrorKind::Throttled)]);
    bench.store.delete(&batch(10, 1000)).await.unwrap_err();
    let (begun, rate) = (Instant::now(), lock(&bench.store.pace.borne).per_second());
    for name in 11..21 {
        bench.store.delete(&batch(name, 1000)).await.unwrap();
    }
    let expected = 10_000.0 / rate + 0.1;
    assert!((begun.elapsed().as_secs_f64() / expected - 1.0).abs() < 0.05, "{expected}");
}

#[tokio::test(start_paused = true)]
async fn g12_a_share_holds_for_deletes_in_flight_from_the_start() {
    let slow = Scripted::new([]).answering_after(Duration::from_secs(2));
    let share = Share::percent(25).unwrap();
    let settings =
        PaceSettings { deletes_in_flight: 16, delete_share: share, ..PaceSettings::default() };
    let bench = bench(slow, settings);
    let mut deletes = JoinSet::new();
    for name in 0..100 {
        let store = Arc::clone(&bench.store);
        deletes.spawn(async move { store.delete(&batch(name, 10)).await.is_ok() });
    }
    assert!(deletes.join_all().await.into_iter().all(|is_fine| is_fine));
    assert_eq!(bench.store.store.most_in_flight(), 4);
}

#[tokio::test(start_paused = true)]
async fn deletes_are_sent_in_the_order_in_which_they_came() {
    let bench = bench(Scripted::new([]), PaceSettings::default());
    let mut deletes = JoinSet::new();
    for name in 0..50 {
        let store = Arc::clone(&bench.store);
        deletes.spawn(async move { store.delete(&batch(name, 900 + name)).await.is_ok() });
    }
    deletes.join_all().await;
    let asked = bench.store.store.asked();
    let expected = (0..50).map(|name| format!("delete {name}/0 "));
    assert!(asked.iter().zip(expected).all(|(asked, name)| asked.starts_with(&name)));
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
