use super::*;
use crate::conformance::ToBegin;

#[test]
fn the_entity_tag_is_the_md5_of_the_content_where_asked_for() {
    let store = MemoryStore::new();
    store.put("plain", "", Timestamp::default());
    let store = store.with_md5_etags();
    store.put("tagged", "", Timestamp::default());
    let etags: Vec<_> =
        store.page("", "").iter().map(|listed| listed.object().unwrap().etag.clone()).collect();
    assert_eq!(etags, [None, Some("d41d8cd98f00b204e9800998ecf8427e".into())]);
}

#[test]
fn a_fork_shares_nothing_and_a_clone_everything() {
    let store = MemoryStore::new();
    let (clone, fork) = (store.clone(), store.fork());
    store.put("key", "body", Timestamp::default());
    assert_eq!(clone.keys(), ["key"]);
    assert!(fork.keys().is_empty());
    clone.remove("key");
    assert!(store.keys().is_empty());
}

#[tokio::test]
async fn the_store_keeps_its_contract() {
    for page in [1, 2, 1000] {
        for store in [MemoryStore::new(), MemoryStore::new().with_versions()] {
            let store = store.with_page(page);
            let fill = filling(&store);
            crate::conformance::store_contract(&store, &fill).await;
            crate::conformance::odd_keys_contract(&store, &fill).await;
        }
    }
    let store = MemoryStore::new();
    crate::conformance::putting_contract(&store).await;
    crate::conformance::trash_contract(&store, filling(&store)).await;
    let store = MemoryStore::new().with_versions();
    crate::conformance::versions_contract(&store, filling(&store)).await;
    for page in [1, 2, 1000] {
        let store = MemoryStore::new().with_page(page);
        crate::conformance::uploads_contract(&store, beginning(&store)).await;
    }
}

fn beginning(store: &MemoryStore) -> impl AsyncFn(&[ToBegin<'_>]) + use<'_> {
    async |uploads| {
        for (key, parts) in uploads {
            let id = store.begin_upload(key, Timestamp::from_seconds(1_000));
            for bytes in *parts {
                store.add_part(key, &id, *bytes, Timestamp::from_seconds(1_001));
            }
        }
    }
}

fn filling(store: &MemoryStore) -> impl AsyncFn(&[(&str, &[u8])]) + use<'_> {
    async |objects| {
        for (key, body) in objects {
            store.put(key, body.to_vec(), Timestamp::from_seconds(1_000));
        }
    }
}
