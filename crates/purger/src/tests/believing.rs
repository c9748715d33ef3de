use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use config::{RedisAddress, RedisServers};
use registry::Digest;

use super::double::{Double, Reply, error, integer, well};
use super::route::{halves, master_at, sentinels};
use super::{entries, hasty, local, redis, single};
use crate::{Entry, PurgeError, Purger};

/// Keys that a double has, as long as nobody takes them away.
type Keys = Arc<Mutex<BTreeSet<String>>>;

/// Remembers of every `step`th digest of `entries` what a registry remembers of it.
fn remembered(entries: &[Entry], step: usize) -> Keys {
    let hashes = entries.iter().step_by(step).map(|entry| format!("blobs::{}", entry.digest));
    Arc::new(Mutex::new(hashes.collect()))
}

fn answered(keys: &Keys, words: &str) -> Reply {
    let mut keys = keys.lock().unwrap();
    let mut words = words.split(' ');
    match (words.next(), words.next()) {
        (Some("EXISTS"), Some(key)) => integer(u64::from(keys.contains(key))),
        (Some("HDEL"), Some(key)) => integer(u64::from(keys.remove(key))),
        _ => integer(0),
    }
}

async fn double_with(keys: &Keys) -> Double {
    let keys = Arc::clone(keys);
    Double::start(move |_, words| answered(&keys, words)).await
}

fn digests(entries: &[Entry]) -> Vec<Digest> {
    entries.iter().map(|entry| entry.digest).collect()
}

fn every(count: usize, step: usize) -> Vec<bool> {
    (0..count).map(|at| at.is_multiple_of(step)).collect()
}

#[tokio::test]
async fn each_digest_has_its_own_answer_whatever_batch_it_is_in() {
    let entries = entries(Purger::BATCH * 2 + 500);
    let server = double_with(&remembered(&entries, 3)).await;
    let mut purger = Purger::connect(&single(server.port), hasty()).await.unwrap();
    assert_eq!(purger.believes(&digests(&entries)).await.unwrap(), every(entries.len(), 3));
    assert_eq!(server.seen().len(), entries.len() + 3, "a command each, and one a batch");
    assert_eq!(purger.believes(&[]).await.unwrap(), [false; 0]);
    assert_eq!(server.seen().len(), entries.len() + 3);
    let twice = [entries[0].digest, entries[1].digest, entries[0].digest];
    assert_eq!(purger.believes(&twice).await.unwrap(), [true, false, true]);
}

#[tokio::test]
async fn asking_takes_nothing_away() {
    let entries = entries(20);
    let keys = remembered(&entries, 2);
    let before = keys.lock().unwrap().clone();
    let server = double_with(&keys).await;
    let mut purger = Purger::connect(&single(server.port), hasty()).await.unwrap();
    purger.believes(&digests(&entries)).await.unwrap();
    assert_eq!(*keys.lock().unwrap(), before);
}

#[tokio::test]
async fn what_is_forgotten_is_not_believed_and_all_else_is_as_it_was() {
    for (first, count) in [(0, 0), (0, 1), (3, 7), (0, 40), (39, 1)] {
        let entries = entries(40);
        let server = double_with(&remembered(&entries, 3)).await;
        let mut purger = Purger::connect(&single(server.port), hasty()).await.unwrap();
        let forgotten = first..first + count;
        purger.forget(&entries[forgotten.clone()]).await.unwrap();
        let believed = purger.believes(&digests(&entries)).await.unwrap();
        let left = |at: usize| at.is_multiple_of(3) && !forgotten.contains(&at);
        assert_eq!(believed, (0..40).map(left).collect::<Vec<_>>(), "{forgotten:?}");
    }
}

#[tokio::test]
async fn a_connection_lost_in_the_middle_is_made_anew_and_every_answer_is_its_own() {
    let entries = entries(Purger::BATCH + 10);
    let keys = remembered(&entries, 3);
    let server = Double::start(move |number, words| match number {
        700 | 1800 => Reply::HangUp,
        _ => answered(&keys, words),
    })
    .await;
    let mut purger = Purger::connect(&single(server.port), hasty()).await.unwrap();
    assert_eq!(purger.believes(&digests(&entries)).await.unwrap(), every(entries.len(), 3));
}

#[tokio::test]
async fn g4_where_one_is_not_answered_none_is() {
    let server = Double::start(|number, words| match number {
        5 => error("NOPERM this user has no permissions to run the 'exists' command"),
        _ => well(words),
    })
    .await;
    let mut purger = Purger::connect(&single(server.port), hasty()).await.unwrap();
    let failed = purger.believes(&digests(&entries(20))).await.unwrap_err();
    assert!(matches!(failed, PurgeError::Denied { .. }), "{failed:?}");
}

/// A replica answers questions, from what it was told so far.
#[tokio::test]
async fn a_server_that_became_a_replica_is_not_asked() {
    let entries = entries(10);
    let new = double_with(&remembered(&entries, 1)).await;
    let asked_of = Arc::new(Mutex::new(None));
    let moved = Arc::clone(&asked_of);
    let port = new.port;
    let old = Double::start(move |_, words| match words.split(' ').next() {
        Some("HDEL") => {
            *moved.lock().unwrap() = Some(port);
            error("READONLY You can't write against a read only replica.")
        }
        _ => integer(0),
    })
    .await;
    let first = old.port;
    let sentinel = Double::start(move |_, _| master_at(asked_of.lock().unwrap().unwrap_or(first)));
    let sentinel = sentinel.await;
    let mut purger = Purger::connect(&sentinels(&[sentinel.port]), hasty()).await.unwrap();
    assert_eq!(purger.believes(&digests(&entries)).await.unwrap(), [true; 10]);
    assert!(!old.seen().is_empty(), "it was asked first");
}

#[tokio::test]
async fn in_a_cluster_each_digest_is_asked_of_one_server_and_answers_keep_their_order() {
    let entries = entries(200);
    let keys = remembered(&entries, 3);
    let (low, high) = (double_with(&keys).await, double_with(&keys).await);
    let (first, second) = (low.port, high.port);
    let seed = Double::start(move |_, _| halves(first, second)).await;
    let seeds: Vec<RedisAddress> = [seed.port; 2].into_iter().map(local).collect();
    let redis = redis(RedisServers::Cluster(seeds));
    let mut purger = Purger::connect(&redis, hasty()).await.unwrap();
    assert_eq!(purger.believes(&digests(&entries)).await.unwrap(), every(200, 3));
    let (low, high) = (low.seen(), high.seen());
    assert_eq!(low.len() + high.len(), 201);
    assert!(low.len() > 50 && high.len() > 50, "{} and {}", low.len(), high.len());
}
