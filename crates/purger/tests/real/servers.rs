//! Replicas and sentinels.

use config::RedisServers;
use purger::{Entry, Limits, PurgeError, Purger};
use registry::Digest;

use crate::server::{Server, redis_at};

#[tokio::test]
async fn a_replica_is_refused_by_the_check() {
    let master = Server::start(&[]);
    let port = master.port.to_string();
    let replica = Server::start(&["--replicaof", "127.0.0.1", &port]);
    let mut purger = Purger::connect(&replica.redis(), Limits::default()).await.unwrap();
    let refused = purger.check().await.unwrap_err();
    assert!(matches!(refused, PurgeError::NotReady { .. }), "{refused:?}");
    assert!(refused.to_string().contains("READONLY"), "{refused}");
}

#[tokio::test]
async fn sentinels_lead_to_the_server_that_is_written_to() {
    let master = Server::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sentinel.conf");
    let sentinel = Server::start_by(|port| {
        let content = format!("port {port}\nsentinel monitor main 127.0.0.1 {} 1\n", master.port);
        std::fs::write(&file, content).unwrap();
        vec![file.to_string_lossy().into_owned(), "--sentinel".to_owned()]
    });
    let mut client = master.client().await;
    let digest = Digest::sha256(b"blob");
    client.remember("team/app", &digest.to_string()).await;
    let redis = |name: &str| {
        redis_at(RedisServers::Sentinels {
            master: name.to_owned(),
            sentinels: vec![sentinel.address()],
            username: None,
            password: None,
        })
    };
    let mut purger = Purger::connect(&redis("main"), Limits::default()).await.unwrap();
    purger.check().await.unwrap();
    assert_eq!(purger.forget(&[Entry { repository: None, digest }]).await.unwrap(), 1);
    assert_eq!(client.keys().await.len(), 2);
    let unknown = Purger::connect(&redis("other"), Limits::default()).await.unwrap_err();
    assert!(matches!(unknown, PurgeError::NoMaster { .. }), "{unknown:?}");
}
