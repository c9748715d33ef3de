use std::sync::Arc;

use monitor::{Monitor, Stop};
use registry::Timestamp;

use super::*;
use crate::conformance::writing_contract;
use crate::{Fault, FaultPlan, Faulty, GuardSettings, Guarded, MemoryStore, Operation, guarded};

fn wrapped(memory: &MemoryStore, plan: FaultPlan) -> Guarded<Faulty<MemoryStore>> {
    let (monitor, stop) = (Arc::new(Monitor::new()), Arc::new(Stop::new()));
    guarded(Faulty::new(memory.clone(), plan), GuardSettings::default(), &monitor, &stop)
}

#[tokio::test]
async fn memory_keeps_the_contract_of_writing() {
    writing_contract(&MemoryStore::new()).await;
    writing_contract(&MemoryStore::new().with_md5_etags()).await;
}

#[tokio::test(start_paused = true)]
async fn a_store_that_loses_answers_keeps_the_contract_of_writing() {
    for seed in 0..32 {
        let kinds = vec![Fault::Unserved, Fault::LostAnswer, Fault::Throttled, Fault::CutBody];
        let plan = FaultPlan { seed, rate_per_1000: 300, kinds };
        writing_contract(&wrapped(&MemoryStore::new(), plan)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn equal_contents_are_ones_own_only_after_an_attempt_in_doubt() {
    let memory = MemoryStore::new();
    memory.put("k", "same", Timestamp::default());
    let store = wrapped(&memory, FaultPlan::none());
    let error = store.write("k", "same".into(), &Condition::Absent).await.unwrap_err();
    assert_eq!((error.kind, error.operation), (ErrorKind::Precondition, Operation::Write));
}

/// The time of some objects says when something was last in use.
#[tokio::test(start_paused = true)]
async fn what_is_written_without_a_condition_is_new_although_the_same_was_there() {
    let later = Timestamp::from_seconds(9_000);
    for seed in 0..32 {
        let memory = MemoryStore::new();
        memory.put("k", "same", Timestamp::default());
        memory.set_now(later);
        let kinds = vec![Fault::Unserved, Fault::LostAnswer, Fault::Throttled];
        let store = wrapped(&memory, FaultPlan { seed, rate_per_1000: 500, kinds });
        store.write("k", "same".into(), &Condition::None).await.unwrap();
        let looked = memory.look(vec!["k".into()]).await.unwrap();
        assert_eq!(looked[0].as_ref().unwrap().modified, later, "seed {seed}");
    }
}

#[tokio::test]
async fn g4_what_fails_for_another_reason_is_never_a_broken_condition() {
    let memory = MemoryStore::new();
    let plan = FaultPlan { seed: 1, rate_per_1000: 1000, kinds: vec![Fault::LostAnswer] };
    let store = Faulty::new(memory.clone(), plan);
    for _ in 0..2 {
        let error = store.write("k", "ours".into(), &Condition::Absent).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Transient);
    }
    assert_eq!(memory.keys(), ["k"], "it was written all the same");
}

#[tokio::test]
async fn what_is_known_is_not_probed() {
    let memory = MemoryStore::new();
    assert!(heeds_conditions(&memory, "probe").await.unwrap());
    assert!(memory.keys().is_empty());
}
