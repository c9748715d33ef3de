//! What is read back of generations is what was written, whatever crashed in between.

use std::sync::Arc;

use ledger::{Entry, Generation, GenerationId, Held, Ledger, LedgerError, LocalClock, LocalLease};
use proptest::prelude::*;
use protocol::Phase;
use registry::{Digest, Layout, Timestamp};
use store::{Crash, Fault, FaultPlan, Faulty, MemoryStore, WriteStore};

use crate::leases::{held, take_over};

const BASE: &str = "regsweep/generations/";

fn ledger<S: WriteStore>(store: S) -> Ledger<S> {
    Ledger::new(Arc::new(store), &Layout::new(""))
}

/// Every entry, in the order in which they were appended.
pub(crate) async fn all_entries<S: WriteStore>(
    ledger: &Ledger<S>,
    generation: &Generation,
) -> Result<Vec<Entry>, LedgerError> {
    let mut entries = Vec::new();
    for place in 0..generation.segments() {
        entries.extend(ledger.segment(generation, place).await?);
    }
    Ok(entries)
}

fn condemned(number: u32) -> Entry {
    let digest = Digest::sha256(&number.to_le_bytes());
    let key = Layout::new("").blob(&digest).into();
    Entry::Condemned { digest, key, size: u64::from(number), modified: time(number), etag: None }
}

/// The same with another entity tag, where it may have one.
fn tagged(mut entry: Entry, tag: Option<Box<str>>) -> Entry {
    if let Entry::Condemned { etag, .. } | Entry::Taken { etag, .. } = &mut entry {
        *etag = tag;
    }
    entry
}

fn time(number: u32) -> Timestamp {
    Timestamp::from_millis(i64::from(number))
}

fn any_entry() -> impl Strategy<Value = Entry> {
    let version = || prop::option::of("[a-z0-9]{1,9}".prop_map(Box::from));
    let digest = any::<u8>().prop_map(|byte| Digest::sha256(&[byte]));
    prop_oneof![
        (any::<u32>(), version()).prop_map(|(number, tag)| tagged(condemned(number), tag)),
        (".*", ".*", any::<i64>(), any::<Option<i64>>(), version(), version()).prop_map(
            |(key, text, listed, removed, version, etag)| Entry::Taken {
                key: key.into(),
                text: text.into(),
                listed: Timestamp::from_millis(listed),
                removed: removed.map(Timestamp::from_millis),
                version,
                etag,
            }
        ),
        (digest, version()).prop_map(|(digest, version)| Entry::Deleted {
            digest,
            key: "k".into(),
            version
        }),
        any::<u8>().prop_map(|byte| Entry::GivenBack { digest: Digest::sha256(&[byte]) }),
    ]
}

fn any_phase() -> impl Strategy<Value = Phase> {
    prop_oneof![
        Just(Phase::Unlinking),
        Just(Phase::Purging),
        any::<u32>().prop_map(|at| Phase::Quarantined { purged: time(at) }),
        Just(Phase::Looking),
        Just(Phase::Deleting),
        Just(Phase::PurgingAgain),
        any::<u32>().prop_map(|at| Phase::Settling { purged: time(at) }),
        Just(Phase::LookingLast),
        Just(Phase::Closed),
    ]
}

/// One thing that a collector puts on record.
#[derive(Clone, Debug)]
enum Act {
    Append(Vec<Entry>),
    Phase(Phase),
}

fn any_acts() -> impl Strategy<Value = Vec<Act>> {
    let append = prop::collection::vec(any_entry(), 0..5).prop_map(Act::Append);
    prop::collection::vec(prop_oneof![append, any_phase().prop_map(Act::Phase)], 1..6)
}

/// What a generation should say.
#[derive(Clone, Debug, PartialEq)]
struct Expected {
    phase: Phase,
    entries: Vec<Entry>,
}

impl Expected {
    fn after(&self, act: &Act) -> Self {
        let mut next = self.clone();
        match act {
            Act::Append(entries) => next.entries.extend(entries.iter().cloned()),
            Act::Phase(phase) => next.phase = *phase,
        }
        next
    }
}

async fn act<S: WriteStore>(
    ledger: &Ledger<S>,
    held: &Held,
    generation: &mut Generation,
    act: &Act,
) -> Result<(), LedgerError> {
    match act {
        Act::Append(entries) => ledger.append(held, generation, entries).await,
        Act::Phase(phase) => ledger.record(held, generation, *phase).await,
    }
}

async fn found<S: WriteStore>(ledger: &Ledger<S>, generation: &Generation) -> Expected {
    let entries = all_entries(ledger, generation).await.unwrap();
    Expected { phase: generation.phase(), entries }
}

/// A collector that dies at some call, and another that goes on from what it finds. What is read back is all that was
/// answered for, and perhaps the one that was under way; never a part of it.
async fn dies_and_goes_on(acts: &[Act], calls: u64, seed: u64) {
    let memory = MemoryStore::new();
    let first = held(&memory).await;
    let kinds = vec![Fault::LostAnswer, Fault::Unserved];
    let plan = FaultPlan { seed, rate_per_1000: 100, kinds };
    let dying = ledger(Faulty::crashing(memory.clone(), plan, Crash::after(calls)));
    let sound = ledger(memory.clone());
    let nothing = Expected { phase: Phase::FIRST, entries: Vec::new() };
    let mut possible = vec![nothing.clone()];
    if let Ok(mut generation) = dying.begin(&first, time(1)).await {
        for next in acts {
            let after = possible[0].after(next);
            possible = vec![possible.remove(0), after];
            if act(&dying, &first, &mut generation, next).await.is_err() {
                break;
            }
            possible.remove(0);
        }
    }
    let second = take_over(&memory).await;
    let Some(mut generation) = sound.generations().await.unwrap().pop() else {
        assert!(possible.contains(&nothing), "nothing was ever answered for");
        return;
    };
    let mut expected = found(&sound, &generation).await;
    assert!(possible.contains(&expected), "{expected:?} is none of {possible:?}");
    for next in acts {
        act(&sound, &second, &mut generation, next).await.unwrap();
        expected = expected.after(next);
    }
    let generation = sound.generations().await.unwrap().pop().unwrap();
    assert_eq!(found(&sound, &generation).await, expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn g11_generations_read_back_are_those_written_whatever_crashed_in_between(
        acts in any_acts(), calls in 0_u64..24, seed: u64,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(dies_and_goes_on(&acts, calls, seed));
    }
}

#[tokio::test]
async fn a_generation_tells_where_it_stands_and_how_much_it_holds() {
    let memory = MemoryStore::new();
    let (held, ledger) = (held(&memory).await, ledger(memory.clone()));
    let mut generation = ledger.begin(&held, time(7)).await.unwrap();
    ledger.append(&held, &mut generation, &[condemned(3), condemned(4)]).await.unwrap();
    ledger.begin(&held, time(8)).await.unwrap();
    let id = GenerationId::at(time(7));
    assert_eq!(
        memory.keys(),
        [
            format!("{BASE}{id}.json"),
            format!("{BASE}{id}/entries-000.jsonl"),
            format!("{BASE}{}.json", GenerationId::at(time(8))),
            "regsweep/lease.json".into(),
        ]
    );
    let [first, second] = &ledger.generations().await.unwrap()[..] else { panic!("two") };
    assert_eq!((first.id(), first.t0(), first.phase()), (&id, time(7), Phase::Marking));
    assert_eq!((first.counts().condemned, first.counts().condemned_bytes), (2, 7));
    assert!(first.is_open() && second.counts().condemned == 0);
    ledger.record(&held, &mut generation, Phase::Closed).await.unwrap();
    assert!(!ledger.open(&id).await.unwrap().is_open());
    let third = ledger.begin(&held, time(7)).await.unwrap();
    assert_eq!(third.id(), &GenerationId::at(time(9)), "a clock of seconds, or one set back");
}

#[tokio::test]
async fn a_generation_that_ended_is_forgotten_whole_and_an_open_one_is_not() {
    let memory = MemoryStore::new();
    let (held, ledger) = (held(&memory).await, ledger(memory.clone()));
    let mut generation = ledger.begin(&held, time(1)).await.unwrap();
    for number in 0..3 {
        ledger.append(&held, &mut generation, &[condemned(number)]).await.unwrap();
    }
    let keys = memory.keys();
    ledger.forget(&held, &generation).await.unwrap();
    assert_eq!(memory.keys(), keys, "it is open");
    ledger.record(&held, &mut generation, Phase::Closed).await.unwrap();
    ledger.forget(&held, &generation).await.unwrap();
    assert_eq!(memory.keys(), ["regsweep/lease.json"]);
    assert!(ledger.generations().await.unwrap().is_empty());
}

#[tokio::test]
async fn who_lost_the_lease_writes_nothing_and_who_is_late_undoes_nothing() {
    let memory = MemoryStore::new();
    let (first, ledger) = (held(&memory).await, ledger(memory.clone()));
    let mut stale = ledger.begin(&first, time(1)).await.unwrap();
    let second = take_over(&memory).await;
    let before = memory.snapshot();
    let lost = ledger.record(&first, &mut stale, Phase::Deleting).await;
    assert!(matches!(lost, Err(LedgerError::Lost(_))));
    let lost = ledger.append(&first, &mut stale, &[condemned(1)]).await;
    assert!(matches!(lost, Err(LedgerError::Lost(_))));
    assert_eq!(memory.snapshot(), before);
    let mut fresh = ledger.open(stale.id()).await.unwrap();
    ledger.record(&second, &mut fresh, Phase::Unlinking).await.unwrap();
    // As if the first had been allowed just before the end, and arrived now.
    let late = ledger.record(&second, &mut stale, Phase::Deleting).await;
    assert!(matches!(late, Err(LedgerError::Overtaken { .. })));
    assert_eq!(ledger.open(stale.id()).await.unwrap().phase(), Phase::Unlinking);
}

#[tokio::test]
async fn g3_half_a_generation_is_an_error_and_never_a_shorter_list() {
    let memory = MemoryStore::new();
    let (held, ledger) = (held(&memory).await, ledger(memory.clone()));
    let mut generation = ledger.begin(&held, time(1)).await.unwrap();
    for number in 0..2 {
        ledger.append(&held, &mut generation, &[condemned(number), condemned(9)]).await.unwrap();
    }
    let segment = format!("{BASE}{}/entries-001.jsonl", generation.id());
    let whole = memory.snapshot();
    let one = whole[&format!("{BASE}{}/entries-000.jsonl", generation.id())].clone();
    let half = whole[&segment].slice(..whole[&segment].len() / 2);
    let longer = [&whole[&segment][..], b"\n"].concat();
    for damaged in [Some(one), Some(half), Some(longer.into()), None] {
        match damaged {
            Some(content) => memory.put(&segment, content, time(0)),
            None => memory.remove(&segment),
        }
        let read = all_entries(&ledger, &generation).await;
        assert!(matches!(read, Err(LedgerError::Damaged { key, .. }) if *key == *segment));
    }
    memory.put(&format!("{BASE}strange"), "", time(0));
    let read = ledger.generations().await;
    assert!(matches!(read, Err(LedgerError::Damaged { .. })), "it might be one");
}

#[tokio::test]
async fn only_segments_with_entity_tags_have_a_format_that_older_programs_refuse() {
    let memory = MemoryStore::new();
    let (held, ledger) = (held(&memory).await, ledger(memory.clone()));
    let mut generation = ledger.begin(&held, time(1)).await.unwrap();
    let tag = Some("9b2cf535f27731c974343645a3985328-2".into());
    let entries = [condemned(1), tagged(condemned(2), tag)];
    for entry in &entries {
        ledger.append(&held, &mut generation, std::slice::from_ref(entry)).await.unwrap();
    }
    assert_eq!(all_entries(&ledger, &generation).await.unwrap(), entries);
    let documents = memory.snapshot();
    let segment = |number| format!("{BASE}{}/entries-{number:03}.jsonl", generation.id());
    for (key, format) in [
        (segment(0), "\"format\":1}"),
        (segment(1), "\"format\":2}"),
        (format!("{BASE}{}.json", generation.id()), "\"format\":1}"),
    ] {
        let text = String::from_utf8_lossy(&documents[&key]);
        assert!(text.lines().next().is_some_and(|head| head.ends_with(format)), "{text}");
        assert_eq!(text.contains("etag"), format.contains('2'), "{text}");
    }
}

/// There are stores on which none holds that was true.
#[tokio::test]
async fn where_a_lock_of_this_machine_has_to_do_no_condition_is_asked_for() {
    let (memory, folder) = (MemoryStore::new(), tempfile::tempdir().unwrap());
    let lock = folder.path().join("lease");
    let (lease, _) = LocalLease::acquire(&lock, "one", LocalClock::system()).unwrap();
    let (held, ledger) = (lease.guard(), ledger(memory.clone()));
    let mut generation = ledger.begin(&held, time(1)).await.unwrap();
    let mut same = ledger.open(generation.id()).await.unwrap();
    ledger.record(&held, &mut same, Phase::Unlinking).await.unwrap();
    ledger.record(&held, &mut generation, Phase::Purging).await.unwrap();
    assert_eq!(ledger.open(generation.id()).await.unwrap().phase(), Phase::Purging);
}

#[tokio::test]
async fn where_a_lock_of_this_machine_has_to_do_entries_that_no_document_names_any_more_stay() {
    let (memory, folder) = (MemoryStore::new(), tempfile::tempdir().unwrap());
    let lock = folder.path().join("lease");
    let (lease, _) = LocalLease::acquire(&lock, "one", LocalClock::system()).unwrap();
    let (held, ledger) = (lease.guard(), ledger(memory.clone()));
    let mut generation = ledger.begin(&held, time(1)).await.unwrap();
    let before = memory.snapshot();
    ledger.append(&held, &mut generation, &[condemned(1)]).await.unwrap();
    // A write that was held up on its way puts itself over what was written since.
    let (key, content) = before.into_iter().next().unwrap();
    memory.put(&key, content, time(2));
    let mut shortened = ledger.open(generation.id()).await.unwrap();
    ledger.append(&held, &mut shortened, &[condemned(2)]).await.unwrap();
    assert_eq!(all_entries(&ledger, &generation).await.unwrap(), [condemned(1)]);
    assert_eq!(all_entries(&ledger, &shortened).await.unwrap(), [condemned(2)]);
}
