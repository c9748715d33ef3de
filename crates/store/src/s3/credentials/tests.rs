use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use tokio::sync::Semaphore;

use super::*;

const MINUTE: u64 = 60;

/// What a source of credentials does when it is asked.
#[derive(Clone, Copy, Debug)]
enum Does {
    /// Gives this key, which ends so many seconds after the epoch.
    Gives(&'static str, Option<u64>),
    Fails,
    Hangs,
}

#[derive(Debug)]
struct Source {
    script: std::sync::Mutex<VecDeque<Does>>,
    asked: AtomicUsize,
    /// Answers wait for this.
    open: Semaphore,
}

impl Source {
    async fn answer(&self) -> Result<Credentials, CredentialsError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let next = self.script.lock().unwrap().pop_front();
        drop(self.open.acquire().await);
        match next.unwrap_or(Does::Fails) {
            Does::Gives(key, end) => Ok(Credentials::new(key, "secret", None, end.map(at), "test")),
            Does::Fails => Err(CredentialsError::not_loaded("nobody")),
            Does::Hangs => std::future::pending().await,
        }
    }
}

#[derive(Clone, Debug)]
struct Script(Arc<Source>);

impl ProvideCredentials for Script {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.0.answer())
    }
}

/// Seconds since the epoch, set by hand.
#[derive(Clone, Debug, Default)]
struct Watch(Arc<AtomicU64>);

impl TimeSource for Watch {
    fn now(&self) -> SystemTime {
        at(self.0.load(Ordering::Relaxed))
    }
}

fn at(second: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(second)
}

struct Fixture {
    keyring: Keyring,
    source: Arc<Source>,
    watch: Watch,
}

impl Fixture {
    async fn new(script: &[Does]) -> Self {
        let source = Arc::new(Source {
            script: std::sync::Mutex::new(script.iter().copied().collect()),
            asked: AtomicUsize::new(0),
            open: Semaphore::new(1),
        });
        let watch = Watch::default();
        let provider = SharedCredentialsProvider::new(Script(Arc::clone(&source)));
        let scope = Scope { region: "eu-west-1".into(), service: "s3".into() };
        let clock = Clock::new(SharedTimeSource::new(watch.clone()));
        let keyring = Keyring::open(provider, scope, clock).await.unwrap();
        Self { keyring, source, watch }
    }

    /// The key that a request at this second is signed with.
    async fn key_at(&self, second: u64) -> String {
        self.watch.0.store(second, Ordering::Relaxed);
        self.keyring.signer().await.map_or_else(|_| "none".into(), |signer| key_of(&signer))
    }

    fn asked(&self) -> usize {
        self.source.asked.load(Ordering::Relaxed)
    }
}

fn key_of(signer: &Signer) -> String {
    let shown = format!("{signer:?}");
    shown.split('"').nth(1).unwrap().to_owned()
}

#[tokio::test]
async fn credentials_are_renewed_five_minutes_before_they_end_and_not_earlier() {
    let end = |minutes: u64| Some(minutes * MINUTE);
    let fixture =
        Fixture::new(&[Does::Gives("first", end(60)), Does::Gives("second", end(120))]).await;
    assert_eq!(fixture.key_at(55 * MINUTE - 1).await, "first");
    assert_eq!(fixture.asked(), 1);
    assert_eq!(fixture.key_at(55 * MINUTE).await, "second");
    assert_eq!(fixture.key_at(115 * MINUTE - 1).await, "second");
    assert_eq!(fixture.asked(), 2);
}

#[tokio::test]
async fn short_lived_credentials_are_renewed_at_half_of_what_is_left() {
    let script = [Does::Gives("first", Some(60)), Does::Gives("second", Some(90))];
    let fixture = Fixture::new(&script).await;
    assert_eq!(fixture.key_at(29).await, "first");
    assert_eq!(fixture.key_at(30).await, "second");
    assert_eq!(fixture.key_at(59).await, "second");
    assert_eq!(fixture.asked(), 2);
}

#[tokio::test]
async fn credentials_without_an_end_are_asked_for_again_and_kept_where_there_are_none() {
    let fixture = Fixture::new(&[Does::Gives("first", None), Does::Fails]).await;
    assert_eq!(fixture.key_at(15 * MINUTE - 1).await, "first");
    assert_eq!(fixture.asked(), 1);
    assert_eq!(fixture.key_at(15 * MINUTE).await, "first");
    assert_eq!(fixture.key_at(30 * MINUTE - 1).await, "first");
    assert_eq!(fixture.asked(), 2);
}

#[tokio::test]
async fn a_source_that_fails_is_asked_seldom_while_credentials_last_and_is_an_error_after() {
    let script = [Does::Gives("first", Some(20 * MINUTE)), Does::Fails, Does::Fails];
    let fixture = Fixture::new(&script).await;
    for second in 15 * MINUTE..17 * MINUTE {
        assert_eq!(fixture.key_at(second).await, "first");
    }
    assert_eq!(fixture.asked(), 2);
    assert_eq!(fixture.key_at(20 * MINUTE).await, "none");
    assert_eq!(fixture.asked(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_hangs_does_not_hold_up_what_can_go_on() {
    let fixture = Fixture::new(&[Does::Gives("first", Some(20 * MINUTE)), Does::Hangs]).await;
    assert_eq!(fixture.key_at(16 * MINUTE).await, "first");
    assert_eq!(fixture.asked(), 2);
}

#[tokio::test]
async fn one_request_asks_while_the_others_go_on_with_what_is_valid() {
    let script = [Does::Gives("first", Some(60)), Does::Gives("second", Some(6000))];
    let fixture = Fixture::new(&script).await;
    let shut = fixture.source.open.acquire().await.unwrap();
    let (asking, others) = tokio::join!(fixture.key_at(40), async {
        let others = [fixture.key_at(40).await, fixture.key_at(59).await];
        drop(shut);
        others
    });
    assert_eq!(asking, "second");
    assert_eq!(others, ["first", "first"]);
    assert_eq!(fixture.asked(), 2);
}

#[tokio::test]
async fn where_nothing_is_valid_all_wait_for_the_one_that_asks() {
    let script = [Does::Gives("first", Some(60)), Does::Gives("second", Some(6000))];
    let fixture = Fixture::new(&script).await;
    let shut = fixture.source.open.acquire().await.unwrap();
    let (one, other, ()) =
        tokio::join!(fixture.key_at(60), fixture.key_at(60), async { drop(shut) });
    assert_eq!([one, other], ["second", "second"]);
    assert_eq!(fixture.asked(), 2);
}

#[tokio::test]
async fn what_the_server_calls_expired_is_replaced_once() {
    let script = [Does::Gives("first", None), Does::Gives("second", None)];
    let fixture = Fixture::new(&script).await;
    let first = fixture.keyring.signer().await.unwrap();
    assert!(fixture.keyring.replace(&first).await);
    assert!(fixture.keyring.replace(&first).await, "another request has replaced it");
    assert_eq!(fixture.asked(), 2);
    assert_eq!(fixture.key_at(0).await, "second");
    let second = fixture.keyring.signer().await.unwrap();
    assert!(!fixture.keyring.replace(&second).await, "there is nothing else");
}

#[tokio::test]
async fn the_same_credentials_again_replace_nothing() {
    let script = [Does::Gives("first", None), Does::Gives("first", None)];
    let fixture = Fixture::new(&script).await;
    let first = fixture.keyring.signer().await.unwrap();
    assert!(!fixture.keyring.replace(&first).await);
}
