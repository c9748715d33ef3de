//! One test for each way in which servers are known to get listings wrong: refused, or handled right (G3).

use store::{Cursor as _, Listed};

use super::*;

const KEYS: [&str; 5] = ["p/a", "p/b", "p/c", "p/d", "p/e"];

/// What listing [`KEYS`] by pages of two gives under faults.
async fn listed(faults: Faults) -> Result<Vec<String>, ErrorKind> {
    listed_of(&KEYS, faults).await
}

async fn listed_of(all: &[&str], faults: Faults) -> Result<Vec<String>, ErrorKind> {
    let server = server_with(all.iter().copied());
    server.put("o", "before the prefix", T);
    server.put("q", "behind the prefix", T);
    let store = store(S3Config { keys_per_page: 2, ..config(&server) }).await;
    server.set_faults(faults);
    let objects = list(&store, "p/", "").await.map_err(|error| error.kind)?;
    Ok(objects.into_iter().map(|object| object.key.to_string()).collect())
}

/// The fault on the first page, and on the second, is refused.
async fn assert_refused(fault: Fault) {
    for page in [1, 2] {
        let faults = one_fault(Kind::List, When::Nth(page), fault.clone());
        assert_eq!(listed(faults).await, Err(ErrorKind::Malformed), "{fault:?} on page {page}");
    }
}

async fn assert_whole(faults: Faults) {
    let found = listed(faults.clone()).await;
    assert_eq!(found, Ok(KEYS.map(str::to_owned).to_vec()), "{faults:?}");
}

#[tokio::test]
async fn g3_keys_out_of_order_are_refused() {
    assert_refused(Fault::Unordered).await;
}

#[tokio::test]
async fn g3_a_key_that_comes_twice_in_a_page_is_refused() {
    let faults = one_fault(Kind::List, When::Nth(2), Fault::ShortPage(1));
    let faults = faults.on(Kind::List, When::Nth(2), Fault::Repeated);
    assert_eq!(listed(faults).await, Err(ErrorKind::Malformed));
}

#[tokio::test]
async fn g3_more_keys_than_asked_for_are_refused() {
    assert_refused(Fault::Repeated).await;
}

#[tokio::test]
async fn g3_a_key_that_comes_again_on_the_next_page_is_refused() {
    let faults = one_fault(Kind::List, When::Nth(2), Fault::InclusiveStartAfter);
    let faults = faults.on(Kind::List, When::Nth(2), Fault::ShortPage(1));
    assert_eq!(listed(faults).await, Err(ErrorKind::Malformed));
}

#[tokio::test]
async fn g3_a_server_that_ignores_start_after_is_refused_and_not_listed_for_ever() {
    let faults = one_fault(Kind::List, When::Always, Fault::IgnoreStartAfter);
    assert_eq!(listed(faults).await, Err(ErrorKind::Malformed));
}

#[tokio::test]
async fn g3_a_server_that_ignores_the_token_is_refused_and_not_listed_for_ever() {
    let faults = one_fault(Kind::List, When::Nth(2), Fault::EmptyPage);
    let faults = faults.on(Kind::List, When::Always, Fault::IgnoreToken);
    assert_eq!(listed(faults).await, Err(ErrorKind::Malformed));
}

#[tokio::test]
async fn g3_a_key_outside_the_prefix_is_refused() {
    assert_refused(Fault::OutsidePrefix).await;
}

#[tokio::test]
async fn g3_a_page_of_another_prefix_is_refused() {
    assert_refused(Fault::WrongPrefixEcho).await;
}

#[tokio::test]
async fn g3_a_page_from_another_key_on_is_refused() {
    let faults = one_fault(Kind::List, When::Nth(2), Fault::WrongStartAfterEcho);
    assert_eq!(listed(faults).await, Err(ErrorKind::Malformed));
}

#[tokio::test]
async fn g3_an_empty_page_that_says_there_is_more_and_not_where_is_refused() {
    for page in [1, 2, 3] {
        let faults = one_fault(Kind::List, When::Nth(page), Fault::EmptyPage);
        let faults = faults.on(Kind::List, When::Nth(page), Fault::NoToken);
        assert_eq!(listed(faults).await, Err(ErrorKind::Malformed), "page {page}");
    }
}

#[tokio::test]
async fn g3_an_empty_page_that_leads_to_itself_is_refused() {
    for page in [1, 2, 3] {
        let faults = one_fault(Kind::List, When::After(page - 1), Fault::StuckPage);
        assert_eq!(listed(faults).await, Err(ErrorKind::Malformed), "page {page}");
    }
}

#[tokio::test]
async fn g3_a_page_that_does_not_say_whether_there_is_more_is_refused() {
    assert_refused(Fault::NoIsTruncated).await;
    assert_refused(Fault::OddIsTruncated).await;
}

#[tokio::test]
async fn g3_fewer_keys_than_the_server_says_it_sent_are_refused() {
    assert_refused(Fault::WrongKeyCount).await;
}

#[tokio::test]
async fn g3_half_a_page_is_refused() {
    assert_refused(Fault::HalfBody).await;
}

#[tokio::test]
async fn g3_a_page_of_something_else_is_refused() {
    assert_refused(Fault::ForeignBody).await;
}

#[tokio::test]
async fn g7_a_broken_escape_is_refused() {
    assert_refused(Fault::BrokenEscape).await;
}

#[tokio::test]
async fn g1_an_object_without_a_time_that_can_be_read_is_refused() {
    assert_refused(Fault::NoTimes).await;
    assert_refused(Fault::OddTimes).await;
}

#[tokio::test]
async fn an_object_without_a_size_that_can_be_read_is_refused() {
    assert_refused(Fault::NoSizes).await;
    assert_refused(Fault::OddSizes).await;
}

#[tokio::test]
async fn g7_keys_are_not_decoded_where_the_server_only_echoes_the_encoding() {
    for key in ["p/ä", "p/a b", "p/%", "p/a%zz"] {
        let faults = one_fault(Kind::List, When::Always, Fault::EchoEncodingOnly);
        assert_eq!(listed_of(&[key], faults).await, Err(ErrorKind::Malformed), "{key}");
    }
    assert_whole(one_fault(Kind::List, When::Always, Fault::EchoEncodingOnly)).await;
}

#[tokio::test]
async fn g7_keys_are_not_decoded_where_the_server_ignores_the_encoding() {
    let odd = ["p/%2F", "p/%41", "p/&<>", "p/+", "p/a b", "p/cr\r", "p/ä", "p/😀"];
    let found = listed_of(&odd, one_fault(Kind::List, When::Always, Fault::IgnoreEncoding)).await;
    assert_eq!(found, Ok(odd.map(str::to_owned).to_vec()));
}

#[tokio::test]
async fn g7_keys_are_decoded_however_the_server_writes_spaces_and_slashes() {
    let odd = ["p/%20", "p/+", "p/a b", "p/a/b"];
    for fault in [Fault::PercentSpaces, Fault::PercentSlashes] {
        let faults = one_fault(Kind::List, When::Always, fault.clone());
        assert_eq!(listed_of(&odd, faults).await, Ok(odd.map(str::to_owned).to_vec()), "{fault:?}");
    }
}

#[tokio::test]
async fn g3_short_pages_are_not_the_end() {
    assert_whole(one_fault(Kind::List, When::Always, Fault::ShortPage(1))).await;
}

#[tokio::test]
async fn g3_empty_pages_are_not_the_end() {
    assert_whole(one_fault(Kind::List, When::First(10), Fault::EmptyPage)).await;
    assert_whole(one_fault(Kind::List, When::Nth(3), Fault::EmptyPage)).await;
    // A token that is not looked at leads to the beginning, which is where the listing stands.
    let faults = one_fault(Kind::List, When::Nth(1), Fault::EmptyPage);
    assert_whole(faults.on(Kind::List, When::Nth(2), Fault::IgnoreToken)).await;
}

#[tokio::test]
async fn g3_a_token_is_not_needed_where_there_are_keys_to_go_on_from() {
    assert_whole(one_fault(Kind::List, When::Always, Fault::NoToken)).await;
}

#[tokio::test]
async fn entity_tags_may_be_missing() {
    assert_whole(one_fault(Kind::List, When::Always, Fault::NoEtags)).await;
}

#[tokio::test]
async fn g3_what_may_pass_is_said_to_and_the_cursor_goes_on_where_it_stood() {
    for (fault, kind) in [
        (Fault::Refuse(S3Error::SLOW_DOWN), ErrorKind::Throttled),
        (Fault::Refuse(S3Error::INTERNAL_ERROR), ErrorKind::Transient),
        (Fault::RefuseWithin200(S3Error::SLOW_DOWN), ErrorKind::Throttled),
        (Fault::RefuseWithin200(S3Error::INTERNAL_ERROR), ErrorKind::Transient),
        (Fault::HangUpBefore, ErrorKind::Transient),
        (Fault::HangUpAfter, ErrorKind::Transient),
        (Fault::BreakBody, ErrorKind::Transient),
        (Fault::Refuse(S3Error::ACCESS_DENIED), ErrorKind::Denied),
        (Fault::Unordered, ErrorKind::Malformed),
    ] {
        let server = server_with(KEYS);
        let store = store(S3Config { keys_per_page: 2, ..config(&server) }).await;
        server.set_faults(one_fault(Kind::List, When::Nth(2), fault.clone()));
        let mut cursor = store.list("p/", "");
        let mut found = cursor.next().await.unwrap().unwrap();
        assert_eq!(kind_of(cursor.next().await), Some(kind), "{fault:?}");
        while let Some(page) = cursor.next().await.unwrap() {
            found.extend(page);
        }
        assert_eq!(found.iter().map(Listed::key).collect::<Vec<_>>(), KEYS, "{fault:?}");
        assert_eq!(server.count(Kind::List), 4, "the store itself asks once: {fault:?}");
    }
}

#[tokio::test]
async fn g3_folders_are_checked_like_keys() {
    for (fault, kind) in [
        (Fault::Unordered, ErrorKind::Malformed),
        (Fault::Repeated, ErrorKind::Malformed),
        (Fault::WrongPrefixEcho, ErrorKind::Malformed),
        (Fault::WrongKeyCount, ErrorKind::Malformed),
        (Fault::NoIsTruncated, ErrorKind::Malformed),
        (Fault::HalfBody, ErrorKind::Malformed),
        (Fault::Refuse(S3Error::SLOW_DOWN), ErrorKind::Throttled),
        (Fault::BreakBody, ErrorKind::Transient),
    ] {
        let server = server_with(["p/a/1", "p/b/1"]);
        let store = store_of(&server).await;
        server.set_faults(one_fault(Kind::List, When::Always, fault.clone()));
        assert_eq!(kind_of(store.folders("p/").await), Some(kind), "{fault:?}");
    }
}
