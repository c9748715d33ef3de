//! Replicas, sentinels, clusters.

use std::time::Duration;

use config::RedisServers;
use purger::{Entry, Limits, PurgeError, Purger};
use registry::Digest;

use crate::server::{Connection, Server, free_port, redis_at};

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

/// A server that may become part of a cluster, and the port at which the others of it speak with it.
fn in_cluster_mode() -> (Server, u16) {
    let bus = free_port();
    let bus_text = bus.to_string();
    (Server::start(&["--cluster-enabled", "yes", "--cluster-port", &bus_text]), bus)
}

/// Waits until a server finds the cluster whole.
async fn becomes_whole(client: &mut Connection) {
    for _ in 0..3000 {
        let info: String = client.say("CLUSTER INFO").await;
        if info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:2") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the cluster does not become whole");
}

#[tokio::test]
async fn in_a_cluster_keys_go_wherever_they_are() {
    let ((one, _), (other, bus)) = (in_cluster_mode(), in_cluster_mode());
    let (mut first, mut second) = (one.client().await, other.client().await);
    let () = first.say("CLUSTER ADDSLOTSRANGE 0 8191").await;
    let () = second.say("CLUSTER ADDSLOTSRANGE 8192 16383").await;
    let () = first.say(&format!("CLUSTER MEET 127.0.0.1 {} {bus}", other.port)).await;
    becomes_whole(&mut first).await;
    becomes_whole(&mut second).await;
    let digests: Vec<Digest> = (0..100_u8).map(|number| Digest::sha256(&[number])).collect();
    for digest in &digests {
        let command = format!("HSET blobs::{digest} digest {digest} size 7");
        if first.try_say::<u64>(&command).await.is_err() {
            let _: u64 = second.say(&command).await;
        }
    }
    let before = (first.keys().await.len(), second.keys().await.len());
    assert!(before.0 > 20 && before.1 > 20, "{before:?}");

    let redis = redis_at(RedisServers::Cluster(vec![other.address(), one.address()]));
    let mut purger = Purger::connect(&redis, Limits::default()).await.unwrap();
    purger.check().await.unwrap();
    let entry = |digest: &Digest| Entry { repository: None, digest: *digest };
    let entries: Vec<Entry> = digests.iter().map(entry).collect();
    assert_eq!(purger.forget(&entries).await.unwrap(), 100);
    assert!(first.keys().await.is_empty() && second.keys().await.is_empty());
}
