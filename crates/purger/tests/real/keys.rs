//! What goes and what stays.

use purger::{Entry, Limits, Purger};
use registry::{Digest, RepositoryName};

use crate::server::Server;

fn entry(repository: Option<&str>, digest: Digest) -> Entry {
    Entry { repository: repository.map(|name| RepositoryName::new(name).unwrap()), digest }
}

#[tokio::test]
async fn exactly_the_entries_go_and_again_is_harmless() {
    let server = Server::start(&[]);
    let mut client = server.client().await;
    let [gone, shared, kept] = [b"gone".as_slice(), b"shared", b"kept"].map(Digest::sha256);
    for digest in [gone, shared, kept] {
        client.remember("team/app", &digest.to_string()).await;
    }
    client.remember("team/other", &shared.to_string()).await;
    let mut purger = Purger::connect(&server.redis(), Limits::default()).await.unwrap();
    let before = client.keys().await;
    purger.check().await.unwrap();
    assert_eq!(client.keys().await, before, "a check takes nothing away");

    let entries = [entry(Some("team/app"), gone), entry(Some("team/app"), shared)];
    let digests = [gone, shared, kept, Digest::sha256(b"never heard of")];
    assert_eq!(purger.believes(&digests).await.unwrap(), [true, true, true, false]);
    assert_eq!(client.keys().await, before, "nor does a question");
    assert_eq!(purger.forget(&entries).await.unwrap(), 2);
    assert_eq!(purger.believes(&digests).await.unwrap(), [false, false, true, false]);
    let mut left = vec![
        format!("blobs::{kept}"),
        "repository::team/app::blobs".to_owned(),
        format!("repository::team/app::blobs::{kept}"),
        "repository::team/other::blobs".to_owned(),
        format!("repository::team/other::blobs::{shared}"),
    ];
    left.sort_unstable();
    assert_eq!(client.keys().await, left);
    let members: Vec<String> = client.say("SMEMBERS repository::team/app::blobs").await;
    assert_eq!(members, [kept.to_string()]);
    assert_eq!(purger.forget(&entries).await.unwrap(), 0);
    assert_eq!(client.keys().await, left);
}

#[tokio::test]
async fn what_is_known_of_the_store_alone_goes_alone() {
    let server = Server::start(&[]);
    let mut client = server.client().await;
    let digest = Digest::sha256(b"blob");
    client.remember("team/app", &digest.to_string()).await;
    let _: u64 = client.say(&format!("HSET blobs::{digest} note kept")).await;
    let mut purger = Purger::connect(&server.redis(), Limits::default()).await.unwrap();
    assert_eq!(purger.forget(&[entry(None, digest)]).await.unwrap(), 1);
    let fields: Vec<String> = client.say(&format!("HKEYS blobs::{digest}")).await;
    assert_eq!(fields, ["note"], "fields that the registry does not clear stay");
    let is_member: bool =
        client.say(&format!("SISMEMBER repository::team/app::blobs {digest}")).await;
    assert!(is_member);
}

#[tokio::test]
async fn databases_are_apart() {
    let server = Server::start(&[]);
    let mut client = server.client().await;
    let digest = Digest::sha256(b"blob");
    client.remember("team/app", &digest.to_string()).await;
    let elsewhere = config::Redis { database: 5, ..server.redis() };
    let mut purger = Purger::connect(&elsewhere, Limits::default()).await.unwrap();
    assert_eq!(purger.forget(&[entry(Some("team/app"), digest)]).await.unwrap(), 0);
    assert_eq!(client.keys().await.len(), 3);
}

#[tokio::test]
async fn a_hundred_thousand_entries_go() {
    let server = Server::start(&[]);
    let mut client = server.client().await;
    let digests: Vec<Digest> = (0..100_000_u32).map(|n| Digest::sha256(&n.to_be_bytes())).collect();
    for some in digests.chunks(1000) {
        let members: Vec<String> = some.iter().map(ToString::to_string).collect();
        let line = format!("SADD repository::team/app::blobs {}", members.join(" "));
        let added: usize = client.say(&line).await;
        assert_eq!(added, some.len());
    }
    let entries: Vec<Entry> = digests.iter().map(|d| entry(Some("team/app"), *d)).collect();
    let mut purger = Purger::connect(&server.redis(), Limits::default()).await.unwrap();
    // No version answers from what it knows of a repository alone.
    assert_eq!(purger.believes(&digests).await.unwrap(), vec![false; 100_000]);
    assert_eq!(purger.forget(&entries).await.unwrap(), 100_000);
    assert_eq!(client.keys().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_socket_is_an_address_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("redis.sock").to_string_lossy().into_owned();
    let server = Server::start(&["--unixsocket", &path]);
    let mut client = server.client().await;
    let digest = Digest::sha256(b"blob");
    client.remember("team/app", &digest.to_string()).await;
    let address = config::RedisAddress::Socket(path);
    let redis = crate::server::redis_at(config::RedisServers::Single(address));
    let mut purger = Purger::connect(&redis, Limits::default()).await.unwrap();
    assert_eq!(purger.forget(&[entry(Some("team/app"), digest)]).await.unwrap(), 1);
    assert_eq!(client.keys().await, Vec::<String>::new());
}
