//! A lease, one step at a time.

use std::sync::Arc;
use std::time::Duration;

use ledger::{
    Fenced, Held, Holder, Lease, LeaseLost, LeaseTimes, LedgerError, LocalClock, Moment,
    lease_holder,
};
use registry::{Layout, Timestamp};
use store::{
    Condition, DeleteBatch, DeleteStore as _, Doomed, ErrorKind, Fault, FaultPlan, Faulty,
    MemoryStore, PutBack, ReadStore as _, RestoreStore as _, Trashed, Version, WriteStore,
};

const KEY: &str = "regsweep/lease.json";
const MINUTE: Duration = Duration::from_mins(1);

/// The store's clock, which all local ones follow.
fn clock(memory: &MemoryStore) -> LocalClock {
    let memory = memory.clone();
    LocalClock::new(move || {
        let since = time(&memory).since(Timestamp::default());
        Moment::new(since)
    })
}

fn time(memory: &MemoryStore) -> Timestamp {
    let told = std::pin::pin!(memory.now());
    let context = &mut std::task::Context::from_waker(std::task::Waker::noop());
    match told.poll(context) {
        std::task::Poll::Ready(now) => now.unwrap(),
        std::task::Poll::Pending => panic!("memory waits for nobody"),
    }
}

fn pass(memory: &MemoryStore, wait: Duration) {
    memory.set_now(time(memory).after(wait));
}

async fn acquire<S: WriteStore>(
    store: S,
    memory: &MemoryStore,
    name: &str,
) -> Result<Lease<S>, LedgerError> {
    let (holder, times) = (Holder::new(name), LeaseTimes::default());
    Lease::acquire(Arc::new(store), &Layout::new(""), holder, times, clock(memory)).await
}

fn is_held_by(answer: Result<Lease<MemoryStore>, LedgerError>, name: &str) -> bool {
    matches!(answer, Err(LedgerError::Held { holder, .. }) if holder.starts_with(name))
}

#[tokio::test]
async fn a_lease_keeps_others_out_until_it_has_expired_and_a_margin_longer() {
    let memory = MemoryStore::new();
    let mut first = acquire(memory.clone(), &memory, "first").await.unwrap();
    let held = first.guard();
    assert!(held.check_now().is_ok());
    pass(&memory, 7 * MINUTE);
    assert!(held.check_now().is_err(), "three minutes before the end: a request may be in flight");
    pass(&memory, 4 * MINUTE);
    assert!(is_held_by(acquire(memory.clone(), &memory, "second").await, "first"));
    pass(&memory, Duration::from_millis(1));
    let second = acquire(memory.clone(), &memory, "second").await.unwrap();
    assert!(second.guard().check_now().is_ok());
    assert!(matches!(first.renew().await, Err(LedgerError::Lost(LeaseLost { .. }))));
    assert!(matches!(first.release().await, Err(LedgerError::Lost(_))));
    assert!(is_held_by(acquire(memory.clone(), &memory, "third").await, "second"));
}

#[tokio::test]
async fn a_lease_that_is_renewed_goes_on_and_one_that_is_given_back_is_free_at_once() {
    let memory = MemoryStore::new();
    let mut lease = acquire(memory.clone(), &memory, "first").await.unwrap();
    for _ in 0..20 {
        pass(&memory, lease.renew_every());
        lease.renew().await.unwrap();
        assert!(lease.guard().check_now().is_ok());
    }
    assert!(is_held_by(acquire(memory.clone(), &memory, "second").await, "first"));
    let held = lease.guard();
    lease.release().await.unwrap();
    assert!(held.check_now().is_err());
    assert!(acquire(memory.clone(), &memory, "second").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_kept_renews_itself_until_it_is_given_back() {
    let memory = MemoryStore::new();
    let lease = acquire(memory.clone(), &memory, "first").await.unwrap();
    let (held, kept) = (lease.guard(), lease.keep());
    live(&memory, 60).await;
    assert!(held.check_now().is_ok());
    assert!(is_held_by(acquire(memory.clone(), &memory, "second").await, "first"));
    kept.release().await.unwrap();
    assert!(held.check_now().is_err());
    assert!(acquire(memory.clone(), &memory, "second").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_kept_by_nobody_any_more_expires() {
    let memory = MemoryStore::new();
    let lease = acquire(memory.clone(), &memory, "first").await.unwrap();
    let held = lease.guard();
    drop(lease.keep());
    live(&memory, 12).await;
    assert!(held.check_now().is_err());
    assert!(acquire(memory.clone(), &memory, "second").await.is_ok());
}

/// So many minutes pass, here and for the store.
async fn live(memory: &MemoryStore, minutes: u32) {
    for _ in 0..minutes * 6 {
        pass(memory, MINUTE / 6);
        tokio::time::sleep(MINUTE / 6).await;
    }
}

#[tokio::test]
async fn what_expired_may_be_renewed_where_nobody_took_it() {
    let memory = MemoryStore::new();
    let mut lease = acquire(memory.clone(), &memory, "first").await.unwrap();
    pass(&memory, 60 * MINUTE);
    assert!(lease.guard().check_now().is_err());
    lease.renew().await.unwrap();
    assert!(lease.guard().check_now().is_ok());
}

#[tokio::test]
async fn a_lease_that_cannot_be_understood_is_somebodys() {
    let memory = MemoryStore::new();
    acquire(memory.clone(), &memory, "first").await.unwrap();
    let whole = memory.snapshot()[KEY].clone();
    let newer = String::from_utf8_lossy(&whole).replace("\"format\":1", "\"format\":2");
    memory.put(KEY, newer, Timestamp::default());
    let error = acquire(memory.clone(), &memory, "second").await.unwrap_err();
    assert!(matches!(error, LedgerError::UnknownFormat { format: 2, .. }), "{error}");
    let long = vec![b'x'; 100_000];
    for damaged in [&b""[..], b"{}", &whole[..whole.len() - 1], &long] {
        memory.put(KEY, damaged.to_vec(), Timestamp::default());
        let error = acquire(memory.clone(), &memory, "second").await.unwrap_err();
        assert!(matches!(&error, LedgerError::Damaged { key, .. } if &**key == KEY), "{error}");
    }
}

/// Who holds the lease, as one that only looks sees it.
async fn seen(memory: &MemoryStore) -> Option<(Box<str>, Timestamp)> {
    let before = memory.snapshot();
    let seen = lease_holder(memory, &Layout::new("")).await.unwrap();
    assert_eq!(memory.snapshot(), before, "who looks writes nothing");
    seen
}

#[tokio::test]
async fn who_only_looks_sees_a_lease_as_long_as_others_have_to_wait_for_it() {
    let memory = MemoryStore::new();
    assert_eq!(seen(&memory).await, None, "nobody ever held it");
    let mut lease = acquire(memory.clone(), &memory, "first").await.unwrap();
    let begin = time(&memory);
    let (holder, until) = seen(&memory).await.unwrap();
    assert!(holder.starts_with("first"), "{holder}");
    assert_eq!(until, begin.after(11 * MINUTE));
    lease.renew().await.unwrap();
    pass(&memory, 11 * MINUTE);
    assert!(seen(&memory).await.is_some(), "it takes requests in flight into account");
    pass(&memory, Duration::from_millis(1));
    assert_eq!(seen(&memory).await, None, "it expired");
    lease.renew().await.unwrap();
    assert!(seen(&memory).await.is_some());
    lease.release().await.unwrap();
    assert_eq!(seen(&memory).await, None, "it was given back");
}

#[tokio::test]
async fn g4_who_only_looks_takes_what_cannot_be_understood_for_an_error() {
    let memory = MemoryStore::new();
    acquire(memory.clone(), &memory, "first").await.unwrap();
    let whole = memory.snapshot()[KEY].clone();
    let newer = String::from_utf8_lossy(&whole).replace("\"format\":1", "\"format\":2");
    let long = vec![b'x'; 100_000];
    for strange in [newer.as_bytes(), b"", b"{}", &whole[..whole.len() - 1], &long] {
        memory.put(KEY, strange.to_vec(), Timestamp::default());
        let error = lease_holder(&memory, &Layout::new("")).await.unwrap_err();
        let (LedgerError::Damaged { key, .. } | LedgerError::UnknownFormat { key, .. }) = error
        else {
            panic!("{error}")
        };
        assert_eq!(&*key, KEY);
    }
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_is_found_and_one_that_was_not_served_changes_nothing() {
    for (fault, is_written) in [(Fault::LostAnswer, true), (Fault::Unserved, false)] {
        for seed in 0..200 {
            let memory = MemoryStore::new();
            let plan = FaultPlan { seed, rate_per_1000: 300, kinds: vec![fault] };
            let faulty = Faulty::new(memory.clone(), plan);
            match acquire(faulty, &memory, "first").await {
                Ok(lease) => {
                    assert!(lease.guard().check_now().is_ok());
                    assert_eq!(memory.keys(), [KEY]);
                }
                Err(LedgerError::Store(error)) => {
                    assert_eq!(error.kind, ErrorKind::Transient);
                    assert!(is_written || memory.keys().is_empty(), "seed {seed}");
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
}

#[tokio::test]
async fn a_fence_lets_nothing_through_that_would_change_anything_once_the_lease_is_lost() {
    let memory = MemoryStore::new();
    memory.put("a", "x", Timestamp::default());
    memory.put("b", "x", Timestamp::default());
    let lease = acquire(memory.clone(), &memory, "first").await.unwrap();
    let fenced = Fenced::new(memory.clone(), lease.guard());
    let batch = |key: &str| {
        let doomed = Doomed { key: key.into(), modified: Timestamp::FAR_FUTURE, upload: None };
        DeleteBatch::new(vec![doomed]).unwrap()
    };
    fenced.delete(&batch("a")).await.unwrap();
    fenced.write("c", "x".into(), &Condition::Absent).await.unwrap();
    pass(&memory, 7 * MINUTE);
    let error = fenced.delete(&batch("b")).await.unwrap_err();
    assert!(error.source.unwrap().is::<LeaseLost>());
    assert!(fenced.write("d", "x".into(), &Condition::Absent).await.is_err());
    assert_eq!(memory.keys(), ["b", "c", KEY]);
    assert_eq!(fenced.get("b", 9).await.unwrap(), "x", "reading goes on");
}

#[tokio::test]
async fn a_fence_lets_nothing_come_back_once_the_lease_is_lost() {
    let memory = MemoryStore::new().with_versions();
    for key in ["a", "b"] {
        memory.put(key, "x", Timestamp::default());
        memory.put(&format!("trash/{key}2"), "x", Timestamp::default());
    }
    let lease = acquire(memory.clone(), &memory, "first").await.unwrap();
    let fenced = Fenced::new(memory.clone(), lease.guard());
    let doomed = ["a", "b"].map(|key| Doomed {
        key: key.into(),
        modified: Timestamp::FAR_FUTURE,
        upload: None,
    });
    fenced.delete(&DeleteBatch::new(doomed.to_vec()).unwrap()).await.unwrap();
    let hidden = async |key: &str| match fenced.versions(key).await.unwrap().swap_remove(0) {
        Version::Marker(marker) => marker,
        other @ Version::Object { .. } => panic!("{other:?}"),
    };
    let trashed = |key: &str| [Trashed { key: key.into(), trash: format!("trash/{key}").into() }];
    assert_eq!(fenced.unmark(&[hidden("a").await]).await.unwrap(), [Ok(())]);
    assert_eq!(fenced.put_back(&trashed("a2")).await.unwrap(), [Ok(PutBack::Restored)]);
    pass(&memory, 7 * MINUTE);
    // Looking goes on.
    let marker = hidden("b").await;
    assert!(fenced.keeps_versions().await.unwrap());
    let before = memory.snapshot();
    let errors = [
        fenced.unmark(&[marker]).await.unwrap_err(),
        fenced.put_back(&trashed("b2")).await.unwrap_err(),
    ];
    for error in errors {
        assert!(error.source.unwrap().is::<LeaseLost>());
    }
    assert_eq!(memory.snapshot(), before);
    assert!(!before.contains_key("b") && !before.contains_key("b2"));
}

#[test]
fn times_that_leave_nothing_to_rely_on_are_refused() {
    assert_eq!(LeaseTimes::new(3 * MINUTE, 3 * MINUTE, MINUTE), None);
    assert!(LeaseTimes::new(4 * MINUTE, 3 * MINUTE, MINUTE).is_some());
}

#[test]
fn the_local_count_goes_forward() {
    let clock = LocalClock::system();
    let (one, two) = (clock.now(), clock.now());
    assert!(one <= two && one > Moment::default());
}

/// What is held as long as a test takes.
pub(crate) async fn held(memory: &MemoryStore) -> Held {
    acquire(memory.clone(), memory, "test").await.unwrap().guard()
}

/// The lease passes to somebody else.
pub(crate) async fn take_over(memory: &MemoryStore) -> Held {
    pass(memory, 12 * MINUTE);
    held(memory).await
}
