//! The same over HTTP and over files.

use std::sync::Arc;
use std::time::Duration;

use ledger::{
    Entry, Holder, Lease, LeaseTimes, Ledger, LedgerError, LocalClock, LocalLease, probe_key,
};
use monitor::{Monitor, Stop};
use protocol::Phase;
use registry::{Digest, Layout, Timestamp};
use simstore::{Fault, Faults, Kind, Options, S3Error, Server, When};
use store::{
    FileOptions, FileStore, Passage, Retried, RetrySettings, S3Config, S3Store, StaticCredentials,
    WriteStore, heeds_conditions,
};

use crate::generations::all_entries;

fn retried<S>(store: S) -> Arc<Retried<S>> {
    let (monitor, stop) = (Arc::new(Monitor::new()), Arc::new(Stop::new()));
    let first_pause = Duration::from_micros(10);
    let settings = RetrySettings { first_pause, ..RetrySettings::default() };
    Arc::new(Retried::new(store, settings, &monitor, &stop))
}

async fn bucket(server: &Server) -> Arc<Retried<S3Store>> {
    let mut config = S3Config::new(server.bucket());
    config.endpoint_url = Some(server.endpoint());
    config.region = Some("us-east-1".into());
    config.path_style = true;
    let (access_key, secret_key) = ("ACCESS".into(), "secret".into());
    config.credentials = Some(StaticCredentials { access_key, secret_key, session_token: None });
    retried(S3Store::connect(config, &Arc::new(Monitor::new())).await.unwrap())
}

/// Two collectors, of which one collects.
async fn a_night<S: WriteStore + std::fmt::Debug>(store: Arc<S>) {
    let layout = Layout::new("/registry");
    assert!(heeds_conditions(&*store, &probe_key(&layout)).await.unwrap());
    let acquire = async |name: &str| {
        let (holder, times) = (Holder::new(name), LeaseTimes::default());
        Lease::acquire(Arc::clone(&store), &layout, holder, times, LocalClock::system()).await
    };
    let (one, two) = tokio::join!(acquire("one"), acquire("two"));
    assert!(one.is_ok() != two.is_ok(), "one collects: {one:?} {two:?}");
    let is_held = |answer: &Result<_, _>| matches!(answer, Err(LedgerError::Held { .. }));
    assert!(is_held(&one) || is_held(&two));
    let mut lease = one.or(two).unwrap();
    let (held, ledger) = (lease.guard(), Ledger::new(Arc::clone(&store), &layout));
    let mut generation = ledger.begin(&held, Timestamp::from_seconds(1)).await.unwrap();
    let entries: Vec<Entry> =
        (0..20_u8).map(|n| Entry::GivenBack { digest: Digest::sha256(&[n]) }).collect();
    for part in entries.chunks(5) {
        ledger.append(&held, &mut generation, part).await.unwrap();
        lease.renew().await.unwrap();
    }
    ledger.record(&held, &mut generation, Phase::Purging).await.unwrap();
    let found = ledger.generations().await.unwrap().pop().unwrap();
    assert_eq!(found.phase(), Phase::Purging);
    assert_eq!(all_entries(&ledger, &found).await.unwrap(), entries);
    lease.release().await.unwrap();
    assert!(acquire("three").await.is_ok());
}

#[tokio::test]
async fn a_night_on_a_bucket() {
    let server = Server::start(Options::default()).unwrap();
    a_night(bucket(&server).await).await;
    assert!(server.keys().iter().all(|key| key.starts_with("registry/regsweep/")));
}

#[tokio::test]
async fn a_bad_night_on_a_bucket() {
    let server = Server::start(Options::default()).unwrap();
    let faults = Faults::none().seed(7);
    let kinds = [Kind::Put, Kind::Get, Kind::List];
    let bad = [
        Fault::Refuse(S3Error::SLOW_DOWN),
        Fault::Refuse(S3Error::INTERNAL_ERROR),
        Fault::HangUpBefore,
        Fault::HangUpAfter,
    ];
    let rules = kinds.iter().flat_map(|kind| bad.iter().map(move |fault| (*kind, fault.clone())));
    server.set_faults(
        rules.fold(faults, |faults, (kind, fault)| faults.on(kind, When::Chance(0.08), fault)),
    );
    a_night(bucket(&server).await).await;
}

#[tokio::test]
async fn without_conditions_nothing_is_written_after_a_write_that_may_still_arrive() {
    let folder = tempfile::tempdir().unwrap();
    let lock = folder.path().join("lease");
    let (lease, _) = LocalLease::acquire(&lock, "one", LocalClock::system()).unwrap();
    let server = Server::start(Options::default()).unwrap();
    let (held, ledger) =
        (lease.guard(), Ledger::new(bucket(&server).await, &Layout::new("/registry")));
    let mut generation = ledger.begin(&held, Timestamp::from_seconds(1)).await.unwrap();
    for (fault, attempts) in [(Fault::HangUpAfter, 1), (Fault::Refuse(S3Error::SLOW_DOWN), 2)] {
        server.forget_requests();
        server.set_faults(Faults::none().on(Kind::Put, When::First(1), fault.clone()));
        let recorded = ledger.record(&held, &mut generation, Phase::Purging).await;
        assert_eq!(recorded.is_ok(), attempts == 2, "{fault:?}: {recorded:?}");
        assert_eq!(server.count(Kind::Put), attempts, "{fault:?}");
    }
}

#[tokio::test]
async fn a_night_on_files() {
    let folder = tempfile::tempdir().unwrap();
    let options = FileOptions {
        shape_of: Arc::new(|_: &str| None),
        passage_of: Arc::new(|_: &str| Passage::Open),
        keep: Vec::new(),
        clock: || Timestamp::from_seconds(1_787_000_000),
    };
    let store = FileStore::open(folder.path(), options, Arc::default()).unwrap();
    a_night(retried(store)).await;
}
