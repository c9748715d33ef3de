use monitor::Asked;

use super::*;
use crate::scripted::{Reply, Scripted};

struct Bench {
    store: Retried<Scripted>,
    monitor: Arc<Monitor>,
    stop: Arc<Stop>,
}

fn bench(replies: impl IntoIterator<Item = Reply>) -> Bench {
    let (monitor, stop) = (Arc::new(Monitor::new()), Arc::new(Stop::new()));
    let scripted = Scripted::new(replies);
    let store = Retried::new(scripted, RetrySettings::default(), &monitor, &stop);
    Bench { store, monitor, stop }
}

fn batch(keys: &[&str]) -> DeleteBatch {
    let doomed =
        |key: &&str| Doomed { key: (*key).into(), modified: Timestamp::default(), upload: None };
    DeleteBatch::new(keys.iter().map(doomed).collect()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_may_pass_is_asked_again_and_counted() {
    use ErrorKind::{Throttled, Transient};
    let bench = bench([Reply::Fails(Transient), Reply::Fails(Throttled), Reply::Fine]);
    assert!(bench.store.get("k", 9).await.is_ok());
    assert_eq!(bench.store.store.asked(), ["get k", "get k", "get k"]);
    assert_eq!(bench.monitor.get(Counter::RetriedRequests), 2);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_pass_is_final_at_once() {
    for kind in [
        ErrorKind::NotFound,
        ErrorKind::NoContainer,
        ErrorKind::Denied,
        ErrorKind::Credentials,
        ErrorKind::WrongAddress,
        ErrorKind::TooLarge,
        ErrorKind::Malformed,
        ErrorKind::Stopped,
        ErrorKind::Fatal,
    ] {
        let bench = bench([Reply::Fails(kind)]);
        assert_eq!(bench.store.get("k", 9).await.unwrap_err().kind, kind);
        assert_eq!(bench.store.store.asked().len(), 1, "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn out_of_reach_is_a_wrong_address_first_and_an_outage_later() {
    let unreachable = || Reply::Fails(ErrorKind::Unreachable);
    let first = bench([unreachable()]);
    assert_eq!(first.store.now().await.unwrap_err().kind, ErrorKind::Unreachable);
    assert_eq!(first.store.store.asked().len(), 1);
    let later = bench([Reply::Fine, unreachable(), Reply::Fine]);
    assert!(later.store.now().await.is_ok());
    assert!(later.store.now().await.is_ok());
    assert_eq!(later.store.store.asked().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn patience_ends_and_says_for_how_long_it_lasted() {
    let bench = bench(vec![Reply::Fails(ErrorKind::Throttled); 10_000]);
    let begun = Instant::now();
    let error = bench.store.get("k", 9).await.unwrap_err();
    assert!(begun.elapsed() <= RetrySettings::default().patience);
    assert!(begun.elapsed() >= Duration::from_mins(4), "{:?}", begun.elapsed());
    assert_eq!(error.kind, ErrorKind::Throttled);
    let gave_up = error.source.unwrap().downcast::<GaveUp>().unwrap();
    assert_eq!(gave_up.attempts as usize, bench.store.store.asked().len());
}

#[tokio::test(start_paused = true)]
async fn a_pause_ends_when_the_run_is_asked_to_stop() {
    let bench = bench(vec![Reply::Fails(ErrorKind::Throttled); 10_000]);
    bench.stop.ask(Asked::Drain);
    let begun = Instant::now();
    let error = bench.store.get("k", 9).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Stopped);
    assert!(begun.elapsed() <= Duration::from_secs(1), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn g3_a_page_that_failed_is_asked_for_again() {
    let bench = bench([Reply::Fails(ErrorKind::Transient), Reply::Fine]);
    let mut cursor = bench.store.list("p", "a");
    assert_eq!(cursor.next().await.unwrap().unwrap().len(), 1);
    assert!(cursor.next().await.unwrap().is_none());
    assert_eq!(bench.store.store.asked(), ["list p", "list p", "list p"]);
}

#[tokio::test(start_paused = true)]
async fn g10_only_keys_that_may_pass_are_sent_again_and_the_order_is_kept() {
    use ErrorKind::{Denied, Throttled, Transient};
    let bench = bench([
        Reply::Keys(vec![("a", Throttled), ("b", Denied), ("d", Transient)]),
        Reply::Fails(Transient),
        Reply::Keys(vec![("d", Throttled)]),
        Reply::Fine,
    ]);
    let outcomes = bench.store.delete(&batch(&["a", "b", "c", "d"])).await.unwrap();
    assert_eq!(
        bench.store.store.asked(),
        ["delete a b c d", "delete a d", "delete a d", "delete d"]
    );
    assert!(matches!(
        &outcomes[..],
        [KeyOutcome::Deleted(_), KeyOutcome::Failed(why), KeyOutcome::Deleted(_), KeyOutcome::Deleted(_)]
            if why.kind == Denied
    ));
}

#[tokio::test(start_paused = true)]
async fn g10_what_is_known_of_a_batch_outlives_the_failure_of_its_rest() {
    let told =
        bench([Reply::Keys(vec![("a", ErrorKind::Throttled)]), Reply::Fails(ErrorKind::Denied)]);
    let outcomes = told.store.delete(&batch(&["a", "b"])).await.unwrap();
    assert!(matches!(
        &outcomes[..],
        [KeyOutcome::Failed(why), KeyOutcome::Deleted(_)] if why.kind == ErrorKind::Denied
    ));
    let untold = bench([Reply::Fails(ErrorKind::Denied)]);
    assert!(untold.store.delete(&batch(&["a"])).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn g10_an_answer_of_another_length_is_refused() {
    let bench = bench([Reply::TooShort]);
    let error = bench.store.delete(&batch(&["a", "b"])).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Malformed);
}

#[tokio::test(start_paused = true)]
async fn patience_starts_anew_with_every_key_that_is_done() {
    let keys: Vec<String> = (0..40).map(|n| format!("{n:02}")).collect();
    let keys: Vec<&'static str> = keys.into_iter().map(|key| &*key.leak()).collect();
    let still_failing = |done: usize| {
        Reply::Keys(keys[done..].iter().map(|key| (*key, ErrorKind::Throttled)).collect())
    };
    let stuck_before_each = |done| std::iter::repeat_n(still_failing(done), 15);
    let bench = bench((1..keys.len()).flat_map(stuck_before_each));
    let begun = Instant::now();
    let outcomes = bench.store.delete(&batch(&keys)).await.unwrap();
    assert!(begun.elapsed() > RetrySettings::default().patience * 2, "{:?}", begun.elapsed());
    assert!(outcomes.iter().all(|outcome| *outcome == KeyOutcome::DELETED));
}

#[test]
fn pauses_are_jittered_below_a_bound_that_doubles() {
    let settings = RetrySettings::default();
    let longest = |failures| pause(&settings, failures, u64::MAX);
    assert_eq!(longest(0), Duration::from_millis(100));
    assert_eq!(longest(3), Duration::from_millis(800));
    assert_eq!(longest(8), Duration::from_secs(20));
    assert_eq!(longest(u32::MAX), Duration::from_secs(20));
    assert_eq!(pause(&settings, 8, 0), Duration::ZERO);
    assert_eq!(pause(&settings, 8, u64::MAX / 2), Duration::from_secs(10));
}
