//! Who is asked, as whom, and what it means when nobody answers.

use std::process::Command;

use super::*;

async fn kind_of_opening(config: S3Config) -> Option<ErrorKind> {
    kind_of(store(config).await.now().await)
}

#[tokio::test]
async fn g1_the_time_is_the_servers() {
    let server = server_with(["a"]);
    let store = store_of(&server).await;
    server.set_now(Some(T));
    assert_eq!(store.now().await.unwrap(), T);
    server.set_faults(one_fault(Kind::List, When::Always, Fault::NoDate));
    assert_eq!(kind_of(store.now().await), Some(ErrorKind::Malformed));
}

#[tokio::test]
async fn credentials_that_are_not_accepted_say_so() {
    let refused_access_keys = vec!["ACCESS".into()];
    let server = Server::start(Options { refused_access_keys, ..Options::default() }).unwrap();
    assert_eq!(kind_of_opening(config(&server)).await, Some(ErrorKind::Credentials));
}

#[tokio::test]
async fn refusals_have_the_kind_that_says_what_to_do() {
    for (error, kind) in [
        (S3Error::SIGNATURE_DOES_NOT_MATCH, ErrorKind::Credentials),
        (S3Error::EXPIRED_TOKEN, ErrorKind::Credentials),
        (S3Error::REQUEST_TIME_TOO_SKEWED, ErrorKind::Credentials),
        (S3Error::ACCESS_DENIED, ErrorKind::Denied),
        (S3Error::PERMANENT_REDIRECT, ErrorKind::WrongAddress),
        (S3Error::METHOD_NOT_ALLOWED, ErrorKind::Fatal),
        (S3Error::NOT_IMPLEMENTED, ErrorKind::Fatal),
    ] {
        let server = server_with([]);
        server.set_faults(one_fault(Kind::List, When::Always, Fault::Refuse(error)));
        assert_eq!(kind_of_opening(config(&server)).await, Some(kind), "{}", error.code);
    }
}

#[tokio::test]
async fn a_bucket_that_is_not_there_says_so() {
    let server = server_with([]);
    let config = S3Config { bucket: "another".into(), ..config(&server) };
    assert_eq!(kind_of_opening(config).await, Some(ErrorKind::NoContainer));
}

#[tokio::test]
async fn a_bucket_of_another_region_says_so() {
    let region = Some("eu-west-1".into());
    let server = Server::start(Options { region, ..Options::default() }).unwrap();
    assert_eq!(kind_of_opening(config(&server)).await, Some(ErrorKind::WrongAddress));
    let right = S3Config { region: Some("eu-west-1".into()), ..config(&server) };
    assert_eq!(kind_of_opening(right).await, None);
}

#[tokio::test]
async fn an_address_where_nobody_listens_says_so() {
    let server = server_with([]);
    let config = config(&server);
    drop(server);
    assert_eq!(kind_of_opening(config).await, Some(ErrorKind::Unreachable));
}

#[tokio::test]
async fn path_style_puts_the_bucket_into_the_path() {
    let server = server_with(["a"]);
    assert_eq!(keys(&store_of(&server).await, "", "").await, ["a"]);
    assert_eq!(server.requests()[0].host, server.address().to_string());
}

/// Names the endpoint to the process of its own in which the test below does its requests.
const ENDPOINT: &str = "S3_TEST_ENDPOINT";

/// The server is its own proxy, so that no name needs to be looked up; proxies are set in the environment, hence a
/// second process: this test again, with the endpoint set.
#[tokio::test]
async fn virtual_host_style_puts_the_bucket_into_the_host() {
    if let Ok(endpoint) = std::env::var(ENDPOINT) {
        return ask_by_way_of_a_proxy(endpoint).await;
    }
    let server = server_with(["a b", "a/b"]);
    let host = format!("localhost:{}", server.address().port());
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "opening::virtual_host_style_puts_the_bucket_into_the_host"])
        .env(ENDPOINT, format!("http://{host}"))
        .envs([("HTTP_PROXY", server.endpoint()), ("http_proxy", server.endpoint())])
        .envs([("NO_PROXY", ""), ("no_proxy", "")])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let requests = server.requests();
    let kinds: Vec<Kind> = requests.iter().map(|request| request.kind).collect();
    assert_eq!(kinds, [Kind::List, Kind::Get, Kind::Delete]);
    let hosts = requests.iter().map(|request| &request.host);
    assert!(hosts.eq([&format!("{}.{host}", server.bucket()); 3]), "{requests:?}");
    assert_eq!(server.keys(), ["a b"]);
}

async fn ask_by_way_of_a_proxy(endpoint: String) {
    use store::{DeleteBatch, DeleteStore as _, Doomed, KeyOutcome};

    let mut config = S3Config::new("registry");
    config.endpoint_url = Some(endpoint);
    config.credentials = Some(credentials());
    let store = store(config).await;
    assert_eq!(keys(&store, "", "").await, ["a b", "a/b"]);
    assert_eq!(store.get("a b", 9).await.unwrap(), "a b");
    let batch =
        DeleteBatch::new(vec![Doomed { key: "a/b".into(), modified: T, upload: None }]).unwrap();
    assert_eq!(store.delete(&batch).await.unwrap(), [KeyOutcome::DELETED]);
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_set_by_the_servers_and_the_request_sent_again() {
    let server = server_with(["a"]);
    let config = config(&server);
    let monitor = Arc::new(Monitor::new());
    let store = S3Store::connect(config, &monitor).await.unwrap();
    server.set_now(Some(T));
    let skewed = Fault::Refuse(S3Error::REQUEST_TIME_TOO_SKEWED);
    server.set_faults(one_fault(Kind::List, When::First(1), skewed));
    assert_eq!(keys(&store, "", "").await, ["a"]);
    assert_eq!(server.count(Kind::List), 2);
    assert_eq!(monitor.get(monitor::Counter::ListRequests), 2, "each attempt counts");
    assert_eq!(keys(&store, "", "").await, ["a"]);
    assert_eq!(server.count(Kind::List), 3, "the clock stays right");
}

#[tokio::test]
async fn a_clock_that_is_right_is_no_reason_to_send_again() {
    let server = server_with(["a"]);
    let store = store_of(&server).await;
    for error in [S3Error::REQUEST_TIME_TOO_SKEWED, S3Error::EXPIRED_TOKEN] {
        server.set_faults(one_fault(Kind::Get, When::Always, Fault::Refuse(error)));
        let asked = server.count(Kind::Get);
        assert_eq!(kind_of(store.get("a", 9).await), Some(ErrorKind::Credentials));
        assert_eq!(server.count(Kind::Get), asked + 1, "{}", error.code);
    }
}

#[tokio::test]
async fn a_bucket_of_another_region_is_told_by_its_region() {
    let region = Some("eu-west-1".into());
    let server = Server::start(Options { region, ..Options::default() }).unwrap();
    let error = store(config(&server)).await.now().await.unwrap_err();
    let said = std::error::Error::source(&error).unwrap().to_string();
    assert!(said.contains("the bucket is in region `eu-west-1`"), "{said}");
}
