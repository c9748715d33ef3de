use super::double::{Double, Reply, error, integer, well};
use super::{SECRET, entries, hasty, secret, single};
use crate::{Limits, PurgeError, Purger};

#[tokio::test]
async fn everything_is_asked_for_once_and_counted() {
    let server = Double::start(|_, words| match words.split(' ').next() {
        // Every third digest is not there.
        Some("HDEL") => integer(3),
        _ => integer(0),
    })
    .await;
    let entries = entries(Purger::BATCH * 2 + 500);
    let mut purger = Purger::connect(&single(server.port), hasty()).await.unwrap();
    assert_eq!(purger.forget(&entries).await.unwrap(), 2500);
    assert_eq!(purger.forget(&[]).await.unwrap(), 0);
    let seen = server.seen();
    let asked = |what: &str| seen.iter().filter(|words| words.starts_with(what)).count();
    assert_eq!((asked("SREM"), asked("DEL "), asked("HDEL")), (1250, 1250, 2500));
    for entry in &entries {
        let hash = format!("HDEL blobs::{} digest size mediatype length", entry.digest);
        assert!(seen.contains(&hash), "{hash}");
    }
}

#[tokio::test]
async fn an_entry_that_was_not_there_is_not_counted() {
    let server = Double::start(|number, _| integer(u64::from(number == 4))).await;
    let mut purger = Purger::connect(&single(server.port), hasty()).await.unwrap();
    // Four answers for the first two entries, then three and one.
    assert_eq!(purger.forget(&entries(4)).await.unwrap(), 1);
}

#[tokio::test]
async fn g12_no_more_is_under_way_than_a_batch() {
    // Never answers, so nothing follows the first batch.
    let server = Double::start(|_, _| Reply::Silence).await;
    let limits = Limits { answer: std::time::Duration::from_millis(300), attempts: 1, ..hasty() };
    let mut purger = Purger::connect(&single(server.port), limits).await.unwrap();
    assert!(purger.forget(&entries(Purger::BATCH * 3)).await.is_err());
    assert!(server.seen().len() <= Purger::BATCH * 2, "{}", server.seen().len());
}

#[tokio::test]
async fn a_check_takes_nothing_away_and_asks_for_all_that_is_needed() {
    let server = Double::start(|_, words| match words {
        "PING" => well(words),
        _ => integer(0),
    })
    .await;
    let mut purger = Purger::connect(&single(server.port), hasty()).await.unwrap();
    purger.check().await.unwrap();
    let seen = server.seen();
    let commands: Vec<&str> = seen.iter().filter_map(|words| words.split(' ').next()).collect();
    assert_eq!(commands, ["PING", "SREM", "DEL", "HDEL"]);
    assert!(seen[1].starts_with("SREM repository::regsweep/probe::blobs sha256:"));
}

#[tokio::test]
async fn a_check_survives_a_connection_that_waited_too_long() {
    let server = Double::start(|number, words| match number {
        0 => Reply::HangUp,
        _ => well(words),
    })
    .await;
    let mut purger = Purger::connect(&single(server.port), hasty()).await.unwrap();
    purger.check().await.unwrap();
    assert_eq!(server.seen().len(), 1 + 4);
}

#[tokio::test]
async fn a_connection_lost_in_the_middle_is_made_anew_and_nothing_is_left_out() {
    let server = Double::start(|number, words| match number {
        700 | 1500 => Reply::HangUp,
        _ => well(words),
    })
    .await;
    let entries = entries(Purger::BATCH + 10);
    let mut purger = Purger::connect(&single(server.port), hasty()).await.unwrap();
    assert_eq!(purger.forget(&entries).await.unwrap(), entries.len() as u64);
    let seen = server.seen();
    for entry in &entries {
        let hash = format!("HDEL blobs::{} ", entry.digest);
        let last = seen.iter().rposition(|words| words.starts_with(&hash)).unwrap();
        assert!(last != 700 && last != 1500, "asked again after it was lost");
    }
}

#[tokio::test]
async fn a_server_that_always_hangs_up_is_given_up() {
    let server = Double::start(|_, _| Reply::HangUp).await;
    let limits = Limits { attempts: 3, ..hasty() };
    let mut purger = Purger::connect(&single(server.port), limits).await.unwrap();
    let failed = purger.forget(&entries(1)).await.unwrap_err();
    assert!(matches!(failed, PurgeError::Unreachable { .. }), "{failed:?}");
    assert_eq!(server.seen().len(), 3, "once for each attempt: the rest is not read");
    let server = format!("127.0.0.1:{}", server.port);
    assert!(failed.to_string().starts_with(&format!("cannot reach redis at {server}: ")));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_is_given_up_in_time() {
    let server = Double::start(|_, _| Reply::Silence).await;
    let began = tokio::time::Instant::now();
    let mut purger = Purger::connect(&single(server.port), Limits::default()).await.unwrap();
    let failed = purger.check().await.unwrap_err();
    assert!(matches!(failed, PurgeError::Unreachable { .. }), "{failed:?}");
    assert!(began.elapsed() <= Limits::default().answer * 3, "{:?}", began.elapsed());
}

#[tokio::test]
async fn nobody_there_is_told_at_once() {
    let port = {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.local_addr().unwrap().port()
    };
    let failed = Purger::connect(&single(port), hasty()).await.unwrap_err();
    assert!(matches!(failed, PurgeError::Unreachable { .. }), "{failed:?}");
    let message = failed.to_string();
    assert!(
        message.starts_with(&format!("cannot reach redis at 127.0.0.1:{port}: Connection refused")),
        "{message}"
    );
}

#[tokio::test]
async fn a_server_that_is_no_redis_is_an_error() {
    let page = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
    let server = Double::start(|_, _| Reply::Say(page.to_owned())).await;
    let mut purger = Purger::connect(&single(server.port), hasty()).await.unwrap();
    let failed = purger.check().await.unwrap_err();
    assert!(
        matches!(failed, PurgeError::Answer { .. } | PurgeError::Unreachable { .. }),
        "{failed:?}"
    );
}

#[tokio::test]
async fn what_is_not_permitted_is_told_in_the_servers_words_and_not_asked_twice() {
    for (answer, is_denied) in [
        ("NOPERM this user has no permissions to run the 'hdel' command", true),
        ("NOAUTH Authentication required.", true),
        ("WRONGTYPE Operation against a key holding the wrong kind of value", false),
    ] {
        let server = Double::start(move |_, _| error(answer)).await;
        let mut purger = Purger::connect(&single(server.port), hasty()).await.unwrap();
        let failed = purger.forget(&entries(1)).await.unwrap_err();
        assert_eq!(matches!(failed, PurgeError::Denied { .. }), is_denied, "{failed:?}");
        assert!(failed.to_string().ends_with(answer), "{failed}");
        assert_eq!(server.seen().len(), 3);
    }
}

#[tokio::test]
async fn a_server_that_is_not_ready_is_asked_again() {
    for answer in ["LOADING Redis is loading the dataset in memory", "READONLY You can't write"] {
        let server = Double::start(move |number, words| match number {
            0..3 => error(answer),
            _ => well(words),
        })
        .await;
        let mut purger = Purger::connect(&single(server.port), hasty()).await.unwrap();
        assert_eq!(purger.forget(&entries(1)).await.unwrap(), 1);
        let failed = {
            let server = Double::start(move |_, _| error(answer)).await;
            let mut purger = Purger::connect(&single(server.port), hasty()).await.unwrap();
            purger.check().await.unwrap_err()
        };
        assert!(matches!(failed, PurgeError::NotReady { .. }), "{failed:?}");
    }
}

#[tokio::test]
async fn no_error_shows_the_password() {
    let server = Double::start(|_, words| match words.split(' ').next() {
        Some("AUTH") => error("WRONGPASS invalid username-password pair or user is disabled."),
        _ => well(words),
    })
    .await;
    let redis = config::Redis { password: Some(secret()), ..single(server.port) };
    let failed = Purger::connect(&redis, hasty()).await.unwrap_err();
    assert!(matches!(failed, PurgeError::Denied { .. }), "{failed:?}");
    assert!(!format!("{failed} {failed:?}").contains(SECRET));
    assert!(server.seen()[0].contains(SECRET), "it was sent");
}

#[tokio::test]
async fn a_database_that_is_not_to_be_had_is_told_in_the_servers_words() {
    for (answer, words) in [
        ("NOAUTH Authentication required.", "does not permit it: Authentication required."),
        ("ERR DB index is out of range", "answers: DB index is out of range"),
    ] {
        let server = Double::start(move |_, _| error(answer)).await;
        let redis = config::Redis { database: 99, ..single(server.port) };
        let failed = Purger::connect(&redis, hasty()).await.unwrap_err();
        assert!(failed.to_string().ends_with(words), "{failed}");
    }
}

#[tokio::test]
async fn a_purger_does_not_show_the_password() {
    let server = Double::start(|_, words| well(words)).await;
    let redis = config::Redis { password: Some(secret()), database: 4, ..single(server.port) };
    let purger = Purger::connect(&redis, hasty()).await.unwrap();
    assert!(!format!("{purger:?}").contains(SECRET));
    assert_eq!(server.seen(), [format!("AUTH {SECRET}"), "SELECT 4".to_owned()]);
}
