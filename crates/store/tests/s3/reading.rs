//! Reading objects.

use super::*;

#[tokio::test]
async fn g7_odd_keys_are_read_whole_by_one_request_each() {
    let server = server_with(ODD_KEYS);
    let store = store_of(&server).await;
    for key in ODD_KEYS {
        assert_eq!(store.get(key, 100).await.unwrap(), key.as_bytes(), "{key:?}");
    }
    let asked: Vec<_> = server.requests().into_iter().map(|request| request.subject).collect();
    assert_eq!(asked, ODD_KEYS);
}

#[tokio::test]
async fn an_object_is_read_up_to_the_bound_and_not_beyond() {
    let server = server_with([]);
    server.put("large", vec![7; 100_000], T);
    server.put("empty", "", T);
    let store = store_of(&server).await;
    assert_eq!(store.get("large", 100_000).await.unwrap().len(), 100_000);
    assert_eq!(kind_of(store.get("large", 99_999).await), Some(ErrorKind::TooLarge));
    assert_eq!(store.get("empty", 0).await.unwrap(), "");
}

#[tokio::test]
async fn g4_only_the_servers_own_word_says_that_an_object_is_not_there() {
    let server = server_with(["a"]);
    let store = store_of(&server).await;
    assert_eq!(kind_of(store.get("b", 10).await), Some(ErrorKind::NotFound));
    let elsewhere = S3Error { code: "Gateway", status: 404, message: "no route" };
    for (fault, kind) in [
        (Fault::Refuse(elsewhere), ErrorKind::Fatal),
        (Fault::Refuse(S3Error::NO_SUCH_BUCKET), ErrorKind::NoContainer),
        (Fault::Refuse(S3Error::ACCESS_DENIED), ErrorKind::Denied),
        (Fault::Refuse(S3Error::SLOW_DOWN), ErrorKind::Throttled),
        (Fault::Refuse(S3Error::INTERNAL_ERROR), ErrorKind::Transient),
        (Fault::HangUpBefore, ErrorKind::Transient),
    ] {
        server.set_faults(one_fault(Kind::Get, When::Always, fault.clone()));
        assert_eq!(kind_of(store.get("a", 10).await), Some(kind), "{fault:?}");
    }
}

#[tokio::test]
async fn g4_a_body_that_ends_early_is_an_error_and_never_a_short_answer() {
    let server = server_with(["0123456789"]);
    server.put("large", vec![7; 1_000_000], T);
    let store = store_of(&server).await;
    server.set_faults(one_fault(Kind::Get, When::First(2), Fault::BreakBody));
    assert_eq!(kind_of(store.get("0123456789", 10).await), Some(ErrorKind::Transient));
    assert_eq!(kind_of(store.get("large", 1_000_000).await), Some(ErrorKind::Transient));
    assert_eq!(store.get("0123456789", 10).await.unwrap(), "0123456789");
}

#[tokio::test]
async fn a_server_that_takes_too_long_is_left() {
    let server = server_with(["a"]);
    let mut config = config(&server);
    config.timeouts.read = std::time::Duration::from_millis(50);
    let store = store(config).await;
    let for_ever = Fault::Delay(std::time::Duration::from_hours(1));
    server.set_faults(one_fault(Kind::Get, When::Always, for_ever));
    assert_eq!(kind_of(store.get("a", 10).await), Some(ErrorKind::Transient));
}
