//! Storage classes over the wire.

use crate::by_hand::{ask, body, get, header, status, texts};
use registry::Timestamp;
use simstore::{Options, Server};

#[test]
fn a_class_is_told_by_heads_and_listings_and_the_usual_one_by_listings_alone() {
    let server = Server::start(Options::default()).unwrap();
    for (key, class) in [("a", "STANDARD_IA"), ("b", "STANDARD"), ("c", "GLACIER")] {
        let named = format!("x-amz-storage-class: {class}\r\n");
        let answer = ask(&server, "PUT", &format!("/registry/{key}"), &named, "x");
        assert_eq!(status(&answer), "200");
    }
    ask(&server, "PUT", "/registry/d", "", "x");
    let listed = get(&server, "/registry?list-type=2");
    let classes = ["STANDARD_IA", "STANDARD", "GLACIER", "STANDARD"];
    assert_eq!(texts(&listed, "StorageClass"), classes);
    // Otherwise than page by page.
    let listed = get(&server, "/registry?list-type=2&delimiter=/");
    assert_eq!(texts(&listed, "StorageClass"), classes);
    let told = |key: &str| {
        let head = ask(&server, "HEAD", &format!("/registry/{key}"), "", "");
        header(&head, "x-amz-storage-class").map(str::to_owned)
    };
    assert_eq!(told("a").as_deref(), Some("STANDARD_IA"));
    assert_eq!(told("b"), None);
    assert_eq!(told("c").as_deref(), Some("GLACIER"));
}

#[test]
fn a_class_that_is_not_known_is_refused() {
    let server = Server::start(Options::default()).unwrap();
    let answer = ask(&server, "PUT", "/registry/a", "x-amz-storage-class: COLD\r\n", "x");
    assert_eq!((status(&answer), texts(&answer, "Code")), ("400", vec!["InvalidStorageClass"]));
    assert!(server.keys().is_empty());
}

#[test]
fn a_copy_is_of_the_usual_class_unless_it_is_asked_for_and_none_of_an_archive() {
    let server = Server::start(Options::default()).unwrap();
    let time = Timestamp::from_seconds(1_787_000_000);
    server.put_in_class("a", "x", time, "ONEZONE_IA").unwrap();
    server.put_in_class("z", "x", time, "DEEP_ARCHIVE").unwrap();
    let copy = |from: &str, more: &str| {
        let headers = format!("x-amz-copy-source: /registry/{from}\r\n{more}");
        ask(&server, "PUT", "/registry/copy", &headers, "")
    };
    copy("a", "");
    assert_eq!(server.class("copy"), Some("STANDARD"));
    copy("a", "x-amz-storage-class: GLACIER_IR\r\n");
    assert_eq!(server.class("copy"), Some("GLACIER_IR"));
    let refused = copy("z", "");
    assert_eq!((status(&refused), texts(&refused, "Code")), ("403", vec!["InvalidObjectState"]));
    assert_eq!(status(&get(&server, "/registry/z")), "403");
    assert_eq!(body(&get(&server, "/registry/copy")), "x");
}
