use std::sync::atomic::{AtomicBool, Ordering};

use config::{ClientCertificate, Redis, RedisServers, RedisTls};

use super::double::{Double, Reply, error, well};
use super::{entries, hasty, local, redis, secret, single};
use crate::{PurgeError, Purger};

pub(super) fn sentinels(ports: &[u16]) -> Redis {
    redis(RedisServers::Sentinels {
        master: "main".to_owned(),
        sentinels: ports.iter().copied().map(local).collect(),
        username: None,
        password: None,
    })
}

pub(super) fn master_at(port: u16) -> Reply {
    let text = port.to_string();
    Reply::Say(format!("*2\r\n$9\r\n127.0.0.1\r\n${}\r\n{text}\r\n", text.len()))
}

#[tokio::test]
async fn a_sentinel_tells_where_the_keys_are_after_others_did_not() {
    let server = Double::start(|_, words| well(words)).await;
    let port = server.port;
    let knows = Double::start(move |_, _| master_at(port)).await;
    let knows_not = Double::start(|_, _| Reply::Say("*-1\r\n".to_owned())).await;
    let gone = Double::start(|_, _| Reply::HangUp).await.port;
    let redis = sentinels(&[gone, knows_not.port, knows.port]);
    let mut purger = Purger::connect(&redis, hasty()).await.unwrap();
    assert_eq!(purger.forget(&entries(1)).await.unwrap(), 1);
    assert_eq!(knows.seen(), ["SENTINEL get-master-addr-by-name main"]);
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn sentinels_have_a_password_of_their_own() {
    let server = Double::start(|_, words| well(words)).await;
    let port = server.port;
    let sentinel = Double::start(move |_, words| match words.split(' ').next() {
        Some("SENTINEL") => master_at(port),
        _ => well(words),
    })
    .await;
    let mut redis = Redis { database: 2, ..sentinels(&[]) };
    redis.servers = RedisServers::Sentinels {
        master: "main".to_owned(),
        sentinels: vec![local(sentinel.port)],
        username: Some("watcher".to_owned()),
        password: Some(secret()),
    };
    Purger::connect(&redis, hasty()).await.unwrap();
    assert_eq!(sentinel.seen()[0], format!("AUTH watcher {}", super::SECRET));
    assert_eq!(server.seen(), ["SELECT 2"], "the server is not given the sentinels' password");
}

#[tokio::test]
async fn a_server_that_became_a_replica_is_left_for_the_new_one() {
    static HAS_MOVED: AtomicBool = AtomicBool::new(false);
    let new = Double::start(|_, words| well(words)).await;
    let old = Double::start(|_, _| {
        HAS_MOVED.store(true, Ordering::SeqCst);
        error("READONLY You can't write against a read only replica.")
    })
    .await;
    let (before, after) = (old.port, new.port);
    let sentinel = Double::start(move |_, _| {
        master_at(if HAS_MOVED.load(Ordering::SeqCst) { after } else { before })
    })
    .await;
    let mut purger = Purger::connect(&sentinels(&[sentinel.port]), hasty()).await.unwrap();
    assert_eq!(purger.forget(&entries(10)).await.unwrap(), 10);
    assert_eq!(new.seen().len(), 20);
    assert_eq!(sentinel.seen().len(), 2);
}

#[tokio::test]
async fn where_no_sentinel_knows_each_is_quoted() {
    let knows_not = Double::start(|_, _| Reply::Say("*-1\r\n".to_owned())).await;
    let closed = Double::start(|_, _| error("NOAUTH Authentication required.")).await;
    let redis = sentinels(&[knows_not.port, closed.port]);
    let failed = Purger::connect(&redis, hasty()).await.unwrap_err();
    let (first, second) = (local(knows_not.port), local(closed.port));
    assert_eq!(
        failed.to_string(),
        format!(
            "no sentinel tells where `main` is: {first} does not know it; \
             redis at {second} does not permit it: NOAUTH Authentication required."
        )
    );
}

/// How a cluster of two is divided, at half.
pub(super) fn halves(first: u16, second: u16) -> Reply {
    let share = |from: u16, to: u16, port: u16| {
        format!("*3\r\n:{from}\r\n:{to}\r\n*2\r\n$9\r\n127.0.0.1\r\n:{port}\r\n")
    };
    Reply::Say(format!("*2\r\n{}{}", share(0, 8191, first), share(8192, 16_383, second)))
}

#[tokio::test]
async fn in_a_cluster_each_command_goes_to_the_server_of_its_key() {
    let (low, high) = (Double::start(|_, w| well(w)).await, Double::start(|_, w| well(w)).await);
    let (first, second) = (low.port, high.port);
    let seed = Double::start(move |_, _| halves(first, second)).await;
    let redis = Redis {
        database: 3,
        ..redis(RedisServers::Cluster(vec![local(seed.port), local(seed.port)]))
    };
    let mut purger = Purger::connect(&redis, hasty()).await.unwrap();
    purger.check().await.unwrap();
    assert!(low.seen().contains(&"PING".to_owned()) && high.seen().contains(&"PING".to_owned()));
    let before = low.seen().len() + high.seen().len();
    assert_eq!(purger.forget(&entries(100)).await.unwrap(), 100);
    let (low, high) = (low.seen(), high.seen());
    assert_eq!(low.len() + high.len() - before, 200);
    assert!(low.len() > 50 && high.len() > 50, "{} and {}", low.len(), high.len());
    assert!(low.iter().all(|words| !high.contains(words) || words == "PING"));
    assert_eq!(seed.seen(), ["CLUSTER SLOTS"]);
}

#[tokio::test]
async fn keys_that_moved_are_asked_for_where_they_are() {
    static HAS_MOVED: AtomicBool = AtomicBool::new(false);
    let new = Double::start(|_, words| well(words)).await;
    let old = Double::start(|_, _| {
        HAS_MOVED.store(true, Ordering::SeqCst);
        error("MOVED 3999 127.0.0.1:6381")
    })
    .await;
    let (before, after) = (old.port, new.port);
    let seed = Double::start(move |_, _| {
        let port = if HAS_MOVED.load(Ordering::SeqCst) { after } else { before };
        halves(port, port)
    })
    .await;
    let redis = redis(RedisServers::Cluster(vec![local(seed.port), local(1)]));
    let mut purger = Purger::connect(&redis, hasty()).await.unwrap();
    assert_eq!(purger.forget(&entries(10)).await.unwrap(), 10);
    assert_eq!(new.seen().len(), 20);
}

#[tokio::test]
async fn servers_that_are_no_cluster_are_quoted() {
    let alone = Double::start(|_, _| error("ERR This instance has cluster support disabled")).await;
    let empty = Double::start(|_, _| Reply::Say("*0\r\n".to_owned())).await;
    let seeds = vec![local(alone.port), local(empty.port)];
    let failed = Purger::connect(&redis(RedisServers::Cluster(seeds)), hasty()).await.unwrap_err();
    let (first, second) = (local(alone.port), local(empty.port));
    assert_eq!(
        failed.to_string(),
        format!(
            "no server of the cluster tells where the keys are: redis at {first} answers: ERR This instance has \
             cluster support disabled; {second} knows of no slots"
        )
    );
}

#[tokio::test]
async fn certificates_that_cannot_be_used_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let text = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let with = |tls: RedisTls| Redis { tls: Some(tls), ..single(1) };
    let missing = RedisTls { client: None, root_certificates: vec![text("missing.pem")] };
    let failed = Purger::connect(&with(missing), hasty()).await.unwrap_err();
    assert_eq!(failed.to_string(), format!("cannot read {}", text("missing.pem")));
    std::fs::write(text("broken.pem"), "no certificate").unwrap();
    let broken = RedisTls {
        client: Some(ClientCertificate {
            certificate: text("broken.pem"),
            key: text("broken.pem"),
        }),
        root_certificates: Vec::new(),
    };
    let failed = Purger::connect(&with(broken), hasty()).await.unwrap_err();
    assert!(matches!(failed, PurgeError::Tls { .. }), "{failed:?}");
}

#[tokio::test]
async fn a_server_without_tls_is_not_spoken_to_in_the_clear() {
    let server = Double::start(|_, words| well(words)).await;
    let limits = crate::Limits { connect: std::time::Duration::from_millis(300), ..hasty() };
    let redis = Redis { tls: Some(RedisTls::default()), ..single(server.port) };
    let failed = Purger::connect(&redis, limits).await.unwrap_err();
    assert!(
        matches!(failed, PurgeError::Unreachable { .. } | PurgeError::Tls { .. }),
        "{failed:?}"
    );
    assert_eq!(server.seen(), Vec::<String>::new());
}
