use proptest::prelude::*;

use super::*;
use crate::Cursor as _;
use crate::{Doomed, MemoryStore};

fn filled(count: usize) -> MemoryStore {
    let store = MemoryStore::new().with_page(7);
    for n in 0..count {
        store.put(&format!("folder{}/{n:03}", n % 5), "body", Timestamp::default());
    }
    store
}

fn batch(store: &MemoryStore) -> DeleteBatch {
    let doomed =
        |key: String| Doomed { key: key.into(), modified: Timestamp::FAR_FUTURE, upload: None };
    DeleteBatch::new(store.keys().into_iter().map(doomed).collect()).unwrap()
}

fn only(kind: Fault) -> FaultPlan {
    FaultPlan { seed: 1, rate_per_1000: 1000, kinds: vec![kind] }
}

/// Lists to the end, asking again after every error.
async fn list(store: &Faulty<MemoryStore>) -> Vec<String> {
    let mut cursor = store.list("", "");
    let mut keys = Vec::new();
    for _ in 0..10_000 {
        match cursor.next().await {
            Ok(Some(page)) => {
                keys.extend(page.into_iter().map(|listed| String::from(listed.into_key())));
            }
            Ok(None) => return keys,
            Err(error) => assert!(error.kind.may_pass(), "{error}"),
        }
    }
    panic!("the listing never ends");
}

#[tokio::test]
async fn without_faults_the_contract_is_kept() {
    let memory = MemoryStore::new();
    let fill = async |objects: &[(&str, &[u8])]| {
        for (key, body) in objects {
            memory.put(key, body.to_vec(), Timestamp::from_seconds(1_000));
        }
    };
    let store = Faulty::new(memory.clone(), FaultPlan::none());
    crate::conformance::store_contract(&store, fill).await;
    crate::conformance::odd_keys_contract(&store, fill).await;
}

#[tokio::test]
async fn short_pages_alone_break_no_promise() {
    let memory = MemoryStore::new();
    let fill = async |objects: &[(&str, &[u8])]| {
        for (key, body) in objects {
            memory.put(key, body.to_vec(), Timestamp::from_seconds(1_000));
        }
    };
    let store = Faulty::new(memory.clone(), only(Fault::ShortPage));
    crate::conformance::store_contract(&store, fill).await;
}

proptest! {
    #[test]
    fn g3_whoever_asks_again_sees_every_key_once(seed in any::<u64>(), rate in 0..600_u16) {
        let memory = filled(60);
        let store = Faulty::new(memory.clone(), FaultPlan::passing(seed, rate));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        prop_assert_eq!(runtime.block_on(list(&store)), memory.keys());
    }

    #[test]
    fn the_same_seed_gives_the_same_faults(seed in any::<u64>()) {
        let outcomes = || {
            let store = Faulty::new(filled(40), FaultPlan::passing(seed, 500));
            let calls = async {
                let mut calls = Vec::new();
                for _ in 0..10 {
                    calls.push(format!("{:?}", store.get("folder0/000", 9).await));
                    calls.push(format!("{:?}", store.delete(&batch(&store.inner.fork())).await));
                    store.inner.put("folder0/000", "body", Timestamp::default());
                }
                calls
            };
            tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(calls)
        };
        prop_assert_eq!(outcomes(), outcomes());
    }
}

#[tokio::test]
async fn each_fault_does_what_it_says() {
    for (kind, error, left) in [
        (Fault::Unserved, Some(ErrorKind::Transient), 30..=30),
        (Fault::Throttled, Some(ErrorKind::Throttled), 30..=30),
        (Fault::Denied, Some(ErrorKind::Denied), 30..=30),
        (Fault::LostAnswer, Some(ErrorKind::Transient), 0..=0),
        (Fault::HalfDone, Some(ErrorKind::Transient), 0..=30),
        (Fault::FailedKeys, None, 1..=29),
        (Fault::LostKeys, None, 0..=0),
    ] {
        let memory = filled(30);
        let result = Faulty::new(memory.clone(), only(kind)).delete(&batch(&memory)).await;
        assert_eq!(result.as_ref().err().map(|error| error.kind), error, "{kind:?}");
        assert!(left.contains(&memory.keys().len()), "{kind:?}: {} left", memory.keys().len());
        if let Ok(outcomes) = result {
            let failed = outcomes.iter().filter(|o| matches!(o, KeyOutcome::Failed(_))).count();
            assert!((1..30).contains(&failed) && outcomes.len() == 30, "{kind:?}: {failed} failed");
            assert!(kind == Fault::LostKeys || failed == memory.keys().len());
        }
    }
}

#[tokio::test]
async fn a_cut_body_is_an_error_and_folders_may_be_cut_short() {
    let store = Faulty::new(filled(30), only(Fault::CutBody));
    let error = store.get("folder0/000", 9).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Transient);
    let store = Faulty::new(filled(30), only(Fault::ShortPage));
    let folders = store.folders("").await.unwrap();
    assert!(!folders.is_complete && folders.prefixes.len() < 5);
}

#[tokio::test]
async fn a_dead_process_does_nothing_more() {
    for calls in 0..4 {
        let crash = Crash::after(calls);
        let memory = filled(30);
        let store = Faulty::crashing(memory.clone(), FaultPlan::none(), crash.clone());
        for _ in 0..calls {
            store.get("folder0/000", 9).await.unwrap();
        }
        assert!(!crash.has_happened());
        assert_eq!(store.delete(&batch(&memory)).await.unwrap_err().kind, ErrorKind::Fatal);
        assert!(crash.has_happened());
        let left = memory.keys();
        for _ in 0..3 {
            assert_eq!(store.delete(&batch(&filled(30))).await.unwrap_err().kind, ErrorKind::Fatal);
            assert_eq!(store.now().await.unwrap_err().kind, ErrorKind::Fatal);
            assert_eq!(store.list("", "").next().await.unwrap_err().kind, ErrorKind::Fatal);
        }
        assert_eq!(memory.keys(), left);
        assert_eq!(crash.calls(), calls + 1 + 9);
    }
}
