//! Faults break what they name, and nothing else.

use simstore::{Fault, Faults, Kind, S3Error, When, Which};

use crate::by_hand::{get, status, texts};
use crate::server::{DELETE, delete, keys_of, server_with};

#[test]
fn errors_and_hang_ups_come_before_the_effect_and_lost_answers_after_it() {
    for (fault, answer_status, is_deleted) in [
        (Fault::Refuse(S3Error::SLOW_DOWN), "503", false),
        (Fault::RefuseWithin200(S3Error::INTERNAL_ERROR), "200", false),
        (Fault::ForeignBody, "200", false),
        (Fault::HangUpBefore, "none", false),
        (Fault::HangUpAfter, "none", true),
        (Fault::BreakBody, "200", true),
        (Fault::HalfBody, "200", true),
    ] {
        let server = server_with(&["a"]);
        server.set_faults(Faults::none().on(Kind::Delete, When::Nth(1), fault.clone()));
        assert_eq!(status(&delete(&server, DELETE)), answer_status, "{fault:?}");
        assert_eq!(server.keys().is_empty(), is_deleted, "{fault:?}");
        assert_eq!(status(&delete(&server, DELETE)), "200", "{fault:?} strikes once");
    }
}

#[test]
fn a_broken_body_says_how_long_it_would_have_been() {
    let server = server_with(&["0123456789"]);
    server.set_faults(Faults::none().on(Kind::Get, When::Nth(1), Fault::BreakBody).on(
        Kind::Get,
        When::Nth(2),
        Fault::HalfBody,
    ));
    let broken = get(&server, "/registry/0123456789");
    assert!(
        broken.contains("content-length: 10\r\n") && broken.ends_with("\r\n\r\n01234"),
        "{broken}"
    );
    let half = get(&server, "/registry/0123456789");
    assert!(half.contains("content-length: 5\r\n") && half.ends_with("\r\n\r\n01234"), "{half}");
}

/// What a listing of `a`, `b`, `c`, `d` from `start-after=a`, two at a time, looks like under a fault.
fn spoilt(fault: Fault) -> String {
    let server = server_with(&["a", "b", "c", "d"]);
    server.set_faults(Faults::none().on(Kind::List, When::Always, fault));
    get(&server, "/registry?list-type=2&max-keys=2&start-after=a&encoding-type=url")
}

#[test]
fn each_fault_of_listings_breaks_what_it_names() {
    for (fault, keys) in [
        (Fault::NoDate, vec!["b", "c"]),
        (Fault::ShortPage(1), vec!["b"]),
        (Fault::EmptyPage, vec![]),
        (Fault::StuckPage, vec![]),
        (Fault::Unordered, vec!["c", "b"]),
        (Fault::Repeated, vec!["b", "c", "c"]),
        (Fault::IgnoreStartAfter, vec!["a", "b"]),
        (Fault::InclusiveStartAfter, vec!["a", "b", "c"]),
        (Fault::OutsidePrefix, vec!["%01b", "c"]),
        (Fault::BrokenEscape, vec!["b%", "c"]),
    ] {
        let answer = spoilt(fault.clone());
        assert_eq!(keys_of(&answer), keys, "{fault:?}");
        assert_eq!(texts(&answer, "IsTruncated"), ["true"], "{fault:?}");
        assert_eq!(texts(&answer, "NextContinuationToken").len(), 1, "{fault:?}");
        assert_eq!(answer.contains("\r\ndate: "), fault != Fault::NoDate, "{fault:?}");
    }
    for (fault, element, found) in [
        (Fault::WrongPrefixEcho, "Prefix", vec!["another/"]),
        (Fault::WrongStartAfterEcho, "StartAfter", vec!["another/"]),
        (Fault::NoToken, "NextContinuationToken", vec![]),
        (Fault::NoIsTruncated, "IsTruncated", vec![]),
        (Fault::OddIsTruncated, "IsTruncated", vec!["perhaps"]),
        (Fault::WrongKeyCount, "KeyCount", vec!["3"]),
        (Fault::IgnoreEncoding, "EncodingType", vec![]),
        (Fault::EchoEncodingOnly, "EncodingType", vec!["url"]),
        (Fault::NoEtags, "ETag", vec![]),
        (Fault::NoTimes, "LastModified", vec![]),
        (Fault::OddTimes, "LastModified", vec!["soon", "soon"]),
        (Fault::NoSizes, "Size", vec![]),
        (Fault::OddSizes, "Size", vec!["soon", "soon"]),
    ] {
        assert_eq!(texts(&spoilt(fault.clone()), element), found, "{fault:?}");
    }
}

#[test]
fn empty_pages_have_fresh_tokens_that_lead_on_and_stuck_pages_do_not() {
    let server = server_with(&["a"]);
    let mut seen = vec![String::new()];
    server.set_faults(Faults::none().on(Kind::List, When::First(12), Fault::EmptyPage));
    for _ in 0..12 {
        let token = seen.last().unwrap();
        let sent = if token.is_empty() { "" } else { &format!("&continuation-token={token}") };
        let answer = get(&server, &format!("/registry?list-type=2{sent}"));
        let token = texts(&answer, "NextContinuationToken")[0].to_owned();
        assert!(!seen.contains(&token), "{token}");
        seen.push(token);
    }
    let target = format!("/registry?list-type=2&continuation-token={}", seen[12]);
    assert_eq!(keys_of(&get(&server, &target)), ["a"]);
    server.set_faults(Faults::none().on(Kind::List, When::Always, Fault::StuckPage));
    assert_eq!(texts(&get(&server, &target), "NextContinuationToken"), [seen[12].as_str()]);
    server.set_faults(Faults::none().on(Kind::List, When::Always, Fault::IgnoreToken));
    assert_eq!(keys_of(&get(&server, &target)), ["a"]);
}

#[test]
fn encodings_differ_as_servers_differ() {
    let server = server_with(&["a/b c"]);
    for (fault, key) in [
        (Fault::PercentSpaces, "a/b%20c"),
        (Fault::PercentSlashes, "a%2Fb%20c"),
        (Fault::IgnoreEncoding, "a/b c"),
        (Fault::EchoEncodingOnly, "a/b c"),
    ] {
        server.set_faults(Faults::none().on(Kind::List, When::Always, fault.clone()));
        let answer = get(&server, "/registry?list-type=2&encoding-type=url");
        assert_eq!(keys_of(&answer), [key], "{fault:?}");
    }
}

#[test]
fn keys_fail_go_unmentioned_or_are_mentioned_twice_inside_a_200() {
    let failed = Fault::FailKeys(Which::Containing("b".into()), S3Error::ACCESS_DENIED);
    for (fault, mentioned, left) in [
        (failed, vec!["a", "b"], vec!["b"]),
        (Fault::OmitKeys(Which::Every(2)), vec!["b"], vec![]),
        (Fault::ExtraKey, vec!["a", "b", "a key that nobody asked for"], vec![]),
        (Fault::TwiceMentioned, vec!["a", "b", "a"], vec![]),
    ] {
        let server = server_with(&["a", "b"]);
        server.set_faults(Faults::none().on(Kind::Delete, When::Always, fault.clone()));
        assert_eq!(keys_of(&delete(&server, DELETE)), mentioned, "{fault:?}");
        assert_eq!(server.keys(), left, "{fault:?}");
    }
}
