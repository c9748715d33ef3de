//! The store as stages see it, retried and paced: bad days of a server cost time and nothing else.

use std::pin::pin;
use std::time::Duration;

use monitor::{Counter, Stop};
use simstore::{Clock, Limits, Refusal, Which};
use store::{
    DeleteBatch, DeleteStore as _, Doomed, KeyOutcome, PaceSettings, Paced, Retried, RetrySettings,
};
use tokio::task::JoinSet;

use super::*;

/// Pauses are so short that the tests need not wait, and patience so long that chance cannot end it.
const SETTINGS: RetrySettings = RetrySettings {
    patience: Duration::from_mins(1),
    first_pause: Duration::from_micros(10),
    longest_pause: Duration::from_millis(1),
};

pub(super) struct Wrapped {
    pub(super) store: Arc<Retried<Paced<S3Store>>>,
    monitor: Arc<Monitor>,
}

pub(super) async fn wrapped(config: S3Config, pace: PaceSettings) -> Wrapped {
    let (monitor, stop) = (Arc::new(Monitor::new()), Arc::new(Stop::new()));
    let store = S3Store::connect(config, &monitor).await.unwrap();
    let store = Paced::new(store, pace, &monitor, &stop);
    let store = Arc::new(Retried::new(store, SETTINGS, &monitor, &stop));
    Wrapped { store, monitor }
}

pub(super) async fn wrapped_of(server: &Server) -> Wrapped {
    wrapped(config(server), PaceSettings::default()).await
}

/// Every way to fail for the moment, for requests of a kind.
pub(super) fn bad_day(kind: Kind) -> Faults {
    let faults = Faults::none().seed(20_260_818);
    [
        Fault::Refuse(S3Error::SLOW_DOWN),
        Fault::Refuse(S3Error::INTERNAL_ERROR),
        Fault::RefuseWithin200(S3Error::INTERNAL_ERROR),
        Fault::HangUpBefore,
        Fault::HangUpAfter,
        Fault::BreakBody,
    ]
    .into_iter()
    .fold(faults, |faults, fault| faults.on(kind, When::Chance(0.1), fault))
}

fn numbered(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("p/{n:04}")).collect()
}

fn batches(keys: &[String], size: usize) -> Vec<DeleteBatch> {
    let doomed = |key: &String| Doomed { key: key.as_str().into(), modified: T, upload: None };
    let batch = |keys: &[String]| DeleteBatch::new(keys.iter().map(doomed).collect()).unwrap();
    keys.chunks(size).map(batch).collect()
}

/// Deletes all batches at once; panics unless every key is deleted.
async fn delete_all(wrapped: &Wrapped, batches: Vec<DeleteBatch>) {
    let mut tasks = JoinSet::new();
    for batch in batches {
        let store = Arc::clone(&wrapped.store);
        tasks.spawn(async move { store.delete(&batch).await });
    }
    while let Some(outcomes) = tasks.join_next().await {
        let outcomes = outcomes.unwrap().unwrap();
        assert!(outcomes.iter().all(|outcome| *outcome == KeyOutcome::DELETED), "{outcomes:?}");
    }
}

#[tokio::test]
async fn g11_a_bad_day_of_deleting_ends_in_the_same_set() {
    let all = numbered(160);
    let server = server_with(all.iter().map(String::as_str));
    server.put("p", "kept", T);
    let wrapped = wrapped_of(&server).await;
    let throttled = Fault::FailKeys(Which::Every(3), S3Error::SLOW_DOWN);
    let failed = Fault::FailKeys(Which::Every(7), S3Error::INTERNAL_ERROR);
    server.set_faults(bad_day(Kind::Delete).on(Kind::Delete, When::Chance(0.3), throttled).on(
        Kind::Delete,
        When::Chance(0.3),
        failed,
    ));
    delete_all(&wrapped, batches(&all, 20)).await;
    assert_eq!(server.keys(), ["p"]);
    assert!(server.count(Kind::Delete) > 8, "the faults struck");
    assert!(wrapped.monitor.get(Counter::ThrottledAnswers) > 0);
    assert_eq!(wrapped.monitor.get(Counter::DeleteRequests), server.count(Kind::Delete));
}

#[tokio::test]
async fn g3_a_bad_day_of_listing_loses_and_repeats_nothing() {
    let all = numbered(500);
    let server = server_with(all.iter().map(String::as_str));
    let config = S3Config { keys_per_page: 10, ..config(&server) };
    let wrapped = wrapped(config, PaceSettings::default()).await;
    server.set_faults(
        bad_day(Kind::List).on(Kind::List, When::Chance(0.2), Fault::ShortPage(3)).on(
            Kind::List,
            When::Chance(0.2),
            Fault::EmptyPage,
        ),
    );
    let mut cursor = wrapped.store.list("p/", "");
    let mut found: Vec<String> = Vec::new();
    while let Some(page) = cursor.next().await.unwrap() {
        found.extend(page.into_iter().map(|listed| listed.into_key().into()));
    }
    assert_eq!(found, all);
    assert!(wrapped.monitor.get(Counter::RetriedRequests) > 0, "the faults struck");
}

#[tokio::test]
async fn a_bad_day_of_reading_gives_whole_objects() {
    let server = server_with(["a"]);
    let wrapped = wrapped_of(&server).await;
    server.set_faults(bad_day(Kind::Get));
    for _ in 0..50 {
        match wrapped.store.get("a", 10).await {
            Ok(content) => assert_eq!(content, "a"),
            // An error document in the place of an object cannot be told from an object here; digests tell it.
            Err(error) => assert_eq!(error.kind, ErrorKind::TooLarge),
        }
    }
    assert!(server.count(Kind::Get) > 50, "the faults struck");
}

#[tokio::test]
async fn m_deletes_cost_one_request_for_each_thousand_begun() {
    let all = numbered(2500);
    let server = server_with(all.iter().map(String::as_str));
    let wrapped = wrapped_of(&server).await;
    delete_all(&wrapped, batches(&all, DeleteBatch::LIMIT)).await;
    assert_eq!(server.keys(), [""; 0]);
    assert_eq!(server.count(Kind::Delete), 3);
    assert_eq!(server.requests().len(), 3, "and nothing else");
}

#[tokio::test]
async fn g10_only_the_keys_that_may_still_be_deleted_are_asked_for_again() {
    let server = server_with(["a", "b", "c", "d"]);
    let wrapped = wrapped_of(&server).await;
    let denied = Fault::FailKeys(Which::Containing("b".into()), S3Error::ACCESS_DENIED);
    let throttled = Fault::FailKeys(Which::Containing("c".into()), S3Error::SLOW_DOWN);
    server.set_faults(one_fault(Kind::Delete, When::Always, denied).on(
        Kind::Delete,
        When::First(2),
        throttled,
    ));
    let all = ["a", "b", "c", "d"].map(str::to_owned);
    let outcomes = wrapped.store.delete(&batches(&all, 4)[0]).await.unwrap();
    let is_denied = |outcome: &KeyOutcome| matches!(outcome, KeyOutcome::Failed(failure) if failure.kind == ErrorKind::Denied);
    assert_eq!(outcomes.iter().map(is_denied).collect::<Vec<_>>(), [false, true, false, false]);
    assert_eq!(server.keys(), ["b"]);
    let asked: Vec<usize> = server.requests().iter().map(|request| request.keys).collect();
    assert_eq!(asked, [4, 1, 1]);
}

#[tokio::test]
async fn g12_no_more_requests_are_in_flight_than_the_settings_allow() {
    let all = numbered(200);
    let server = server_with(all.iter().map(String::as_str));
    let pace = PaceSettings { deletes_in_flight: 3, ..PaceSettings::default() };
    let wrapped = wrapped(config(&server), pace).await;
    server.set_faults(Faults::none().latency(Duration::from_millis(2)));
    delete_all(&wrapped, batches(&all, 10)).await;
    let most = server.most_in_flight();
    assert!((1..=3).contains(&most), "{most}");
}

#[tokio::test]
async fn g10_what_is_beyond_the_limits_of_partitions_is_asked_for_again_and_none_is_lost() {
    for refusal in [Refusal::Request, Refusal::Keys] {
        let all = numbered(80);
        let clock = Clock::manual();
        let limits =
            Limits { writes: 12, boundaries: vec!["p/0040".into()], refusal, ..Limits::default() };
        let options = Options { limits: Some(limits), clock: clock.clone(), ..Options::default() };
        let server = Server::start(options).unwrap();
        all.iter().chain(&["p".to_owned()]).for_each(|key| server.put(key, "x", T));
        let wrapped = wrapped_of(&server).await;
        let mut deleting = pin!(delete_all(&wrapped, batches(&all, 20)));
        // A second passes for the server with each look at what is left.
        while tokio::time::timeout(Duration::from_millis(5), &mut deleting).await.is_err() {
            clock.advance(Duration::from_secs(1));
        }
        assert_eq!(server.keys(), ["p"], "{refusal:?}");
        let load = server.load();
        assert!(load.writes == 80 && load.refused_writes > 0, "{load:?}");
        assert!(wrapped.monitor.get(Counter::ThrottledAnswers) > 0);
    }
}
