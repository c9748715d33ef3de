//! The wrappers in the order in which they belong.

use std::sync::Arc;

use monitor::{Monitor, Stop};

use crate::{PaceSettings, Paced, Retried, RetrySettings};

/// A store that is asked again where that may help, each attempt at the pace that the store bears.
pub type Guarded<S> = Retried<Paced<S>>;

/// How to ask a store.
#[derive(Clone, Copy, Debug, Default)]
pub struct GuardSettings {
    /// How much at a time.
    pub pace: PaceSettings,
    /// How long to go on.
    pub retry: RetrySettings,
}

/// Puts the wrappers around `store`. An attempt that waits between two others holds no place among those in flight.
pub fn guarded<S>(
    store: S,
    settings: GuardSettings,
    monitor: &Arc<Monitor>,
    stop: &Arc<Stop>,
) -> Guarded<S> {
    let paced = Paced::new(store, settings.pace, monitor, stop);
    Retried::new(paced, settings.retry, monitor, stop)
}

#[cfg(test)]
mod tests {
    use monitor::Counter;
    use registry::Timestamp;

    use super::*;
    use crate::conformance::{ToBegin, store_contract, uploads_contract, versions_contract};
    use crate::{
        DeleteBatch, DeleteStore, Doomed, Fault, FaultPlan, Faulty, KeyOutcome, MemoryStore,
    };

    type Bench = (Guarded<Faulty<MemoryStore>>, Arc<Monitor>);

    fn bench(memory: &MemoryStore, plan: FaultPlan) -> Bench {
        let (monitor, stop) = (Arc::new(Monitor::new()), Arc::new(Stop::new()));
        let faulty = Faulty::new(memory.clone(), plan);
        (guarded(faulty, GuardSettings::default(), &monitor, &stop), monitor)
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_fails_now_and_then_keeps_the_contract_of_all_stores() {
        for seed in 0..4 {
            let kinds = vec![
                Fault::Unserved,
                Fault::Throttled,
                Fault::ShortPage,
                Fault::CutBody,
                Fault::FailedKeys,
            ];
            let memory = MemoryStore::new();
            let (store, monitor) = bench(&memory, FaultPlan { seed, rate_per_1000: 400, kinds });
            store_contract(&store, async |objects: &[(&str, &[u8])]| {
                for (key, content) in objects {
                    memory.put(key, content.to_vec(), Timestamp::default());
                }
            })
            .await;
            assert!(monitor.get(Counter::RetriedRequests) > 0, "seed {seed}");
            assert!(monitor.get(Counter::ThrottledAnswers) > 0, "seed {seed}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_fails_now_and_then_brings_back_what_it_should() {
        for seed in 0..4 {
            let memory = MemoryStore::new().with_versions();
            let kinds = vec![Fault::Unserved, Fault::Throttled, Fault::FailedKeys];
            let (store, monitor) = bench(&memory, FaultPlan { seed, rate_per_1000: 400, kinds });
            versions_contract(&store, async |objects: &[(&str, &[u8])]| {
                for (key, content) in objects {
                    memory.put(key, content.to_vec(), Timestamp::default());
                }
            })
            .await;
            assert!(monitor.get(Counter::RetriedRequests) > 0, "seed {seed}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_fails_now_and_then_tells_of_uploads_and_aborts_them() {
        for seed in 0..8 {
            let memory = MemoryStore::new().with_page(3);
            let kinds =
                vec![Fault::Unserved, Fault::Throttled, Fault::ShortPage, Fault::FailedKeys];
            let (store, monitor) = bench(&memory, FaultPlan { seed, rate_per_1000: 400, kinds });
            uploads_contract(&store, async |uploads: &[ToBegin<'_>]| {
                for (key, parts) in uploads {
                    let id = memory.begin_upload(key, Timestamp::from_seconds(1_000));
                    for bytes in *parts {
                        memory.add_part(key, &id, *bytes, Timestamp::from_seconds(1_000));
                    }
                }
            })
            .await;
            assert!(monitor.get(Counter::RetriedRequests) > 0, "seed {seed}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn g11_answers_that_are_lost_change_nothing_about_what_is_left() {
        for seed in 0..16 {
            let memory = MemoryStore::new();
            let keys: Vec<String> = (0..300).map(|n| format!("{n:03}")).collect();
            for key in &keys {
                memory.put(key, "x", Timestamp::default());
            }
            let doomed = |key: &String| Doomed {
                key: key.as_str().into(),
                modified: Timestamp::default(),
                upload: None,
            };
            let batch = DeleteBatch::new(keys.iter().skip(10).map(doomed).collect()).unwrap();
            let (store, _) = bench(&memory, FaultPlan::passing(seed, 700));
            let outcomes = store.delete(&batch).await.unwrap();
            assert_eq!(outcomes.len(), 290);
            let is_gone = |outcome| matches!(outcome, KeyOutcome::Deleted(_) | KeyOutcome::Gone);
            assert!(outcomes.into_iter().all(is_gone), "seed {seed}");
            let left: Vec<String> = memory.keys();
            assert_eq!(left, keys[..10], "seed {seed}");
        }
    }
}
