//! Listings, deletions and refusals.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::by_hand::{ask, get, send, status, texts};
use registry::Timestamp;
use simstore::{Fault, Faults, Kind, Options, Request, S3Error, Server, When};

pub(super) const T: Timestamp = Timestamp::from_seconds(1_787_000_000);

/// A deletion of `a` and `b`.
pub(super) const DELETE: &str =
    "<Delete><Object><Key>a</Key></Object><Object><Key>b</Key></Object></Delete>";

pub(super) fn server() -> Server {
    Server::start(Options::default()).unwrap()
}

pub(super) fn server_with(keys: &[&str]) -> Server {
    let server = server();
    for key in keys {
        server.put(key, key.as_bytes().to_vec(), T);
    }
    server
}

pub(super) fn delete(server: &Server, body: &str) -> String {
    ask(server, "POST", "/registry?delete", "x-amz-checksum-sha256: any\r\n", body)
}

pub(super) fn keys_of(answer: &str) -> Vec<&str> {
    texts(answer, "Key")
}

#[test]
fn an_object_that_was_put_is_given_back_with_its_headers() {
    let server = server();
    server.set_now(Some(T));
    let put = ask(&server, "PUT", "/registry/a/b%20c", "", "hello");
    assert_eq!(status(&put), "200");
    assert!(put.contains("etag: \"5d41402abc4b2a76b9719d911017c592\""), "{put}");
    for method in ["GET", "HEAD"] {
        let answer = ask(&server, method, "/registry/a/b%20c", "", "");
        assert!(answer.contains("content-length: 5\r\n"), "{answer}");
        assert!(answer.contains("etag: \"5d41402abc4b2a76b9719d911017c592\"\r\n"));
        assert!(answer.contains("date: Mon, 17 Aug 2026 20:53:20 GMT\r\n"));
        assert!(answer.contains("last-modified: Mon, 17 Aug 2026 20:53:20 GMT\r\n"));
        assert_eq!(answer.ends_with("\r\n\r\nhello"), method == "GET");
    }
    assert_eq!(server.keys(), ["a/b c"]);
    assert_eq!(server.content("a/b c").unwrap(), "hello");
}

#[test]
fn what_is_not_there_is_an_error_document() {
    let server = server_with(&["a"]);
    for (target, code) in [
        ("/registry/b", "NoSuchKey"),
        ("/other/a", "NoSuchBucket"),
        ("/other?list-type=2", "NoSuchBucket"),
        ("/", "NoSuchBucket"),
        ("/registry", "NotImplemented"),
        ("/registry/a?tagging", "NotImplemented"),
        ("/registry?list-type=2&max-keys=x", "InvalidArgument"),
        ("/registry?list-type=2&encoding-type=x", "InvalidArgument"),
        ("/registry?list-type=2&continuation-token=x", "InvalidArgument"),
        ("/registry/%ff", "InvalidArgument"),
    ] {
        assert_eq!(texts(&get(&server, target), "Code"), [code], "{target}");
    }
    let head = ask(&server, "HEAD", "/registry/b", "", "");
    assert!(status(&head) == "404" && head.ends_with("\r\n\r\n"), "{head}");
}

#[test]
fn buckets_answer_to_head_and_tell_their_region() {
    let server =
        Server::start(Options { region: Some("eu-west-1".into()), ..Options::default() }).unwrap();
    assert_eq!(status(&ask(&server, "HEAD", "/registry", "", "")), "200");
    assert_eq!(status(&ask(&server, "HEAD", "/other", "", "")), "404");
    let location = get(&server, "/registry?location");
    assert!(location.ends_with(">eu-west-1</LocationConstraint>"), "{location}");
    assert!(location.contains("x-amz-bucket-region: eu-west-1\r\n"));
}

#[test]
fn the_host_may_name_the_bucket() {
    let server = server_with(&["a"]);
    let get = |host| {
        send(&server, &format!("GET /a HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"))
    };
    assert!(get("registry.localhost:9000").ends_with("\r\n\r\na"));
    assert!(get("registry.127.0.0.1").ends_with("\r\n\r\na"));
    assert_eq!(texts(&get("other.localhost"), "Code"), ["NoSuchBucket"]);
}

#[test]
fn refused_credentials_and_foreign_regions_are_errors() {
    let server = Server::start(Options {
        region: Some("eu-west-1".into()),
        refused_access_keys: vec!["BAD".into()],
        ..Options::default()
    })
    .unwrap();
    let code = |key: &str, region: &str| {
        let header = format!(
            "authorization: AWS4-HMAC-SHA256 Credential={key}/20260818/{region}/s3/aws4_request, SignedHeaders=host\r\n"
        );
        let answer = ask(&server, "HEAD", "/registry", &header, "");
        status(&answer).to_owned()
    };
    assert_eq!(code("GOOD", "eu-west-1"), "200");
    assert_eq!(code("BAD", "eu-west-1"), "403");
    assert_eq!(code("GOOD", "us-east-1"), "400");
}

#[test]
fn pages_follow_each_other_in_byte_order() {
    let server = server_with(&["a", "B", "a/", "é", "\u{1F600}", "\u{FFFD}", "b"]);
    let sorted = ["B", "a", "a/", "b", "é", "\u{FFFD}", "\u{1F600}"];
    let mut found = Vec::new();
    let mut token = String::new();
    for page in 0..4 {
        let answer = get(&server, &format!("/registry?list-type=2&max-keys=2{token}"));
        found.extend(keys_of(&answer).into_iter().map(str::to_owned));
        assert_eq!(texts(&answer, "IsTruncated"), [if page < 3 { "true" } else { "false" }]);
        assert_eq!(texts(&answer, "KeyCount"), [if page < 3 { "2" } else { "1" }]);
        if let [next] = texts(&answer, "NextContinuationToken")[..] {
            token = format!("&continuation-token={}", next.replace('%', "%25"));
        }
    }
    assert_eq!(found, sorted);
    for (after, left) in [("", 7), ("A", 7), ("B", 6), ("a", 5), ("a.", 5), ("zz", 3)] {
        let answer = get(&server, &format!("/registry?list-type=2&start-after={after}"));
        assert_eq!(keys_of(&answer), sorted[7 - left..], "{after}");
        assert_eq!(texts(&answer, "StartAfter"), [after]);
    }
}

#[test]
fn a_full_last_page_is_not_truncated() {
    let server = server_with(&["a", "b"]);
    let page = |size| get(&server, &format!("/registry?list-type=2&max-keys={size}"));
    assert_eq!(texts(&page(2), "IsTruncated"), ["false"]);
    assert_eq!(texts(&page(1), "IsTruncated"), ["true"]);
    assert_eq!(texts(&page(0), "IsTruncated"), ["false"]);
    assert_eq!(keys_of(&page(0)), [""; 0]);
}

#[test]
fn a_delimiter_folds_keys_into_folders() {
    let server = server_with(&["a", "d/1", "d/2", "d/e/3", "d0", "f/1", "g"]);
    let list = |query: &str| get(&server, &format!("/registry?list-type=2&delimiter=/{query}"));
    let answer = list("");
    assert_eq!(keys_of(&answer), ["a", "d0", "g"]);
    assert_eq!(texts(&answer, "Prefix"), ["", "d/", "f/"]);
    assert_eq!(texts(&answer, "KeyCount"), ["5"]);
    let answer = list("&prefix=d/");
    assert_eq!(
        (keys_of(&answer), texts(&answer, "Prefix")),
        (vec!["d/1", "d/2"], vec!["d/", "d/e/"])
    );
    let answer = list("&max-keys=2");
    assert_eq!((keys_of(&answer), texts(&answer, "Prefix")), (vec!["a"], vec!["", "d/"]));
    let token = texts(&answer, "NextContinuationToken")[0].replace('%', "%25");
    let answer = list(&format!("&max-keys=2&continuation-token={token}"));
    assert_eq!((keys_of(&answer), texts(&answer, "Prefix")), (vec!["d0"], vec!["", "f/"]));
}

#[test]
fn keys_are_encoded_where_that_was_asked_for() {
    let server = server_with(&["a/b +%&<é\u{1}"]);
    let list = |query: &str| get(&server, &format!("/registry?list-type=2{query}"));
    assert_eq!(keys_of(&list("")), ["a/b +%&amp;&lt;é&#x1;"]);
    let answer = list("&encoding-type=url");
    assert_eq!(keys_of(&answer), ["a/b+%2B%25%26%3C%C3%A9%01"]);
    assert_eq!(texts(&answer, "EncodingType"), ["url"]);
}

#[test]
fn deletions_answer_for_every_key_and_say_nothing_when_quiet() {
    let server = server_with(&["a", "c"]);
    let answer = delete(&server, DELETE);
    assert_eq!((status(&answer), keys_of(&answer)), ("200", vec!["a", "b"]));
    assert_eq!(answer.matches("<Deleted>").count(), 2);
    assert_eq!(server.keys(), ["c"]);
    let quiet = DELETE.replace("</Delete>", "<Quiet>true</Quiet></Delete>");
    assert_eq!(keys_of(&delete(&server, &quiet)), [""; 0]);
}

#[test]
fn a_condition_on_the_entity_tag_is_kept() {
    let server = server_with(&["a", "b"]);
    let body = DELETE.replace("<Key>a</Key>", "<Key>a</Key><ETag>\"0\"</ETag>");
    let answer = delete(&server, &body);
    assert_eq!(texts(&answer, "Code"), ["PreconditionFailed"]);
    assert_eq!(server.keys(), ["a"]);
}

#[test]
fn deletions_need_a_checksum_that_is_right() {
    let server = server_with(&["a", "b"]);
    let code = |headers: &str, body: &str| {
        let answer = ask(&server, "POST", "/registry?delete", headers, body);
        texts(&answer, "Code").first().map(|code| (*code).to_owned())
    };
    assert_eq!(code("", DELETE).as_deref(), Some("InvalidRequest"));
    assert_eq!(code("content-md5: AAAA\r\n", DELETE).as_deref(), Some("BadDigest"));
    assert_eq!(code("x-amz-checksum-crc32: AAAA\r\n", DELETE).as_deref(), Some("BadDigest"));
    assert_eq!(code("x-amz-checksum-sha1: any\r\n", "<Delete>").as_deref(), Some("MalformedXML"));
    assert_eq!(
        code("x-amz-checksum-sha1: any\r\n", "<Delete></Delete>").as_deref(),
        Some("MalformedXML")
    );
    assert_eq!(server.keys().len(), 2);
    assert_eq!(code("content-md5: gnFQWv8HmHVEQ7mTrck6JQ==\r\n", DELETE), None);
    assert!(server.keys().is_empty());
}

#[test]
fn a_server_may_insist_on_content_md5() {
    let insists_on_content_md5 = Some(S3Error::MISSING_CONTENT_MD5);
    let server = Server::start(Options { insists_on_content_md5, ..Options::default() }).unwrap();
    assert_eq!(texts(&delete(&server, DELETE), "Code"), ["MissingContentMD5"]);
    let right = "content-md5: gnFQWv8HmHVEQ7mTrck6JQ==\r\n";
    assert_eq!(status(&ask(&server, "POST", "/registry?delete", right, DELETE)), "200");
}

#[test]
fn the_log_tells_what_was_asked_and_how_it_ended() {
    let server = server_with(&["a", "b"]);
    get(&server, "/registry?list-type=2&prefix=a");
    delete(&server, DELETE);
    server.set_faults(Faults::none().on(Kind::Get, When::Nth(1), Fault::HangUpBefore));
    get(&server, "/registry/a");
    get(&server, "/registry/a");
    let request = |kind, subject: &str, keys, status| Request {
        kind,
        subject: subject.into(),
        host: "x".into(),
        keys,
        status,
    };
    assert_eq!(
        server.requests(),
        [
            request(Kind::List, "a", 1, Some(200)),
            request(Kind::Delete, "", 2, Some(200)),
            request(Kind::Get, "a", 0, None),
            request(Kind::Get, "a", 0, Some(404)),
        ]
    );
    assert_eq!((server.count(Kind::Get), server.most_in_flight()), (2, 1));
    server.forget_requests();
    assert_eq!(server.requests(), []);
}

#[test]
fn dropping_the_server_ends_answers_under_way_and_frees_the_port() {
    let server = server_with(&["a"]);
    server.set_faults(Faults::none().latency(Duration::from_hours(1)));
    let mut waiting = TcpStream::connect(server.address()).unwrap();
    waiting.write_all(b"GET /registry/a HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    while server.most_in_flight() == 0 {
        std::thread::yield_now();
    }
    let address = server.address();
    drop(server);
    assert_eq!(waiting.read(&mut [0]).unwrap_or(0), 0);
    assert!(TcpStream::connect(address).is_err());
}
