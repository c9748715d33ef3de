//! Listing a server that behaves, and what it costs.

use simstore::Kind;
use store::{Cursor as _, Folders, Listed, Object, ReadStore as _};

use super::*;

fn numbered(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("p/{n:05}")).collect()
}

fn server_of(keys: &[String]) -> Server {
    server_with(keys.iter().map(String::as_str))
}

#[tokio::test]
async fn g7_odd_keys_come_out_byte_for_byte_and_in_order() {
    let server = server_with(ODD_KEYS);
    let store = store_of(&server).await;
    let mut expected = ODD_KEYS.map(str::to_owned);
    expected.sort_unstable();
    assert_eq!(keys(&store, "", "").await, expected);
    for key in ODD_KEYS {
        assert!(keys(&store, key, "").await.iter().any(|found| found == key), "{key:?} as prefix");
    }
}

#[tokio::test]
async fn g2_a_listing_resumes_after_every_key_of_every_page() {
    let server = server_with(ODD_KEYS);
    let mut sorted = ODD_KEYS.map(str::to_owned);
    sorted.sort_unstable();
    for keys_per_page in [1, 2, 5] {
        let store = store(S3Config { keys_per_page, ..config(&server) }).await;
        for (place, key) in sorted.iter().enumerate() {
            assert_eq!(keys(&store, "", key).await, sorted[place + 1..], "after {key:?}");
        }
    }
}

#[tokio::test]
async fn objects_are_listed_with_size_time_and_entity_tag() {
    let server = server_with(["p/a"]);
    server.put_as("p/b", "content", T, "d41d8cd98f00b204e9800998ecf8427e-2");
    let store = store_of(&server).await;
    let object = |key: &str, size, etag: &str| Object {
        key: key.into(),
        size,
        modified: T,
        etag: Some(etag.into()),
    };
    assert_eq!(
        list(&store, "p/", "").await.unwrap(),
        [
            object("p/a", 3, "2a0ac099cab6a0404c5b81f54d2737e4"),
            object("p/b", 7, "d41d8cd98f00b204e9800998ecf8427e-2"),
        ]
    );
}

#[tokio::test]
async fn n_keys_cost_one_list_for_each_thousand_begun() {
    for (count, requests) in [(0, 1), (1, 1), (999, 1), (1000, 1), (1001, 2), (2000, 2), (2500, 3)]
    {
        let all = numbered(count);
        let server = server_of(&all);
        let store = store_of(&server).await;
        assert_eq!(keys(&store, "p/", "").await, all);
        assert_eq!(server.count(Kind::List), requests, "{count} keys");
        assert_eq!(server.requests().len() as u64, requests, "and nothing else");
    }
}

#[tokio::test]
async fn nothing_is_asked_before_the_first_page_and_nothing_after_the_last() {
    let server = server_with(["p/a"]);
    let store = store_of(&server).await;
    let mut cursor = store.list("p/", "");
    assert_eq!(server.requests(), []);
    assert_eq!(cursor.next().await.unwrap().map(|page| page.len()), Some(1));
    assert_eq!(cursor.next().await.unwrap(), None);
    assert_eq!(cursor.next().await.unwrap(), None);
    assert_eq!(server.count(Kind::List), 1);
}

#[tokio::test]
async fn what_is_written_and_deleted_meanwhile_leaves_no_gap() {
    let server = server_with(["p/a", "p/b", "p/c", "p/d"]);
    let store = store(S3Config { keys_per_page: 2, ..config(&server) }).await;
    let mut cursor = store.list("p/", "");
    assert_eq!(cursor.next().await.unwrap().map(|page| page.len()), Some(2));
    // The key that the next page goes on from is gone.
    server.remove("p/b");
    server.put("p/bb", "new", T);
    let page: Vec<_> = cursor.next().await.unwrap().unwrap();
    assert_eq!(page.iter().map(Listed::key).collect::<Vec<_>>(), ["p/bb", "p/c"]);
}

#[tokio::test]
async fn folders_cost_one_request_and_say_whether_they_are_all() {
    let server = server_with(["p/a/1", "p/a/2", "p/b/1", "p/c", "q/1"]);
    let folders = |prefixes: &[&str], is_complete| Folders {
        prefixes: prefixes.iter().map(ToString::to_string).collect(),
        is_complete,
    };
    let whole = store_of(&server).await;
    assert_eq!(whole.folders("").await.unwrap(), folders(&["p/", "q/"], true));
    assert_eq!(whole.folders("p/").await.unwrap(), folders(&["p/a/", "p/b/"], true));
    assert_eq!(whole.folders("none/").await.unwrap(), folders(&[], true));
    let short = store(S3Config { keys_per_page: 1, ..config(&server) }).await;
    assert_eq!(short.folders("p/").await.unwrap(), folders(&["p/a/"], false));
    assert_eq!(server.count(Kind::List), 4);
}
