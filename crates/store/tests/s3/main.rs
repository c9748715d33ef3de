//! The S3 store over the wire, against a server that breaks every promise on demand.

#![expect(clippy::unwrap_used, reason = "tests")]

mod deleting;
mod drill;
mod listing;
mod listing_hazards;
mod multipart;
mod opening;
mod reading;
mod restoring;
mod sharing;
mod storage_classes;
mod wrapped;
mod writing;

use std::sync::Arc;

use monitor::Monitor;
use registry::Timestamp;
use simstore::{Fault, Faults, Kind, Options, S3Error, Server, When};
use store::{
    Cursor as _, ErrorKind, Object, ReadStore, RestoreStore as _, S3Config, S3Store,
    StaticCredentials,
};
use store::{StoreError, conformance};

/// When every object of these tests was written.
const T: Timestamp = Timestamp::from_seconds(1_787_000_000);

/// Keys that a bucket may hold and that get hurt on the way: by escaping, by encoding, by sorting.
const ODD_KEYS: [&str; 17] = [
    " begins",
    "%",
    "%2F",
    "+",
    "/",
    "//",
    "/a",
    "<&>\"'",
    "?a=b#c",
    "a b+c%20",
    "a/../b",
    "tab\tcr\rlf\n",
    "\u{1}\u{1f}\u{7f}",
    "ä",
    "日本",
    "\u{ffff}",
    "😀",
];

fn config(server: &Server) -> S3Config {
    let mut config = S3Config::new(server.bucket());
    config.endpoint_url = Some(server.endpoint());
    config.region = Some("us-east-1".into());
    config.path_style = true;
    config.credentials = Some(credentials());
    config
}

fn credentials() -> StaticCredentials {
    StaticCredentials {
        access_key: "ACCESS".into(),
        secret_key: "secret".into(),
        session_token: None,
    }
}

async fn store(config: S3Config) -> S3Store {
    S3Store::connect(config, &Arc::new(Monitor::new())).await.unwrap()
}

async fn store_of(server: &Server) -> S3Store {
    store(config(server)).await
}

/// Each key is its own content.
fn server_with<'k>(keys: impl IntoIterator<Item = &'k str>) -> Server {
    let server = Server::start(Options::default()).unwrap();
    for key in keys {
        server.put(key, key.to_owned(), T);
    }
    server
}

fn one_fault(kind: Kind, when: When, fault: Fault) -> Faults {
    Faults::none().on(kind, when, fault)
}

/// Lists to the end.
async fn list(store: &S3Store, within: &str, after: &str) -> Result<Vec<Object>, StoreError> {
    let mut cursor = store.list(within, after);
    let mut objects = Vec::new();
    while let Some(page) = cursor.next().await? {
        assert!(!page.is_empty());
        objects.extend(page.into_iter().map(|listed| listed.object().cloned().unwrap()));
    }
    Ok(objects)
}

async fn keys(store: &S3Store, within: &str, after: &str) -> Vec<String> {
    let objects = list(store, within, after).await.unwrap();
    objects.into_iter().map(|object| object.key.to_string()).collect()
}

fn kind_of<T>(result: Result<T, StoreError>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind)
}

#[tokio::test]
async fn the_store_keeps_the_contract_of_all_stores() {
    let server = Server::start(Options { smallest_part: 1, ..Options::default() }).unwrap();
    let store = store_of(&server).await;
    let fill = async |objects: &[(&str, &[u8])]| {
        for (key, content) in objects {
            server.put(key, content.to_vec(), server.now());
        }
    };
    conformance::store_contract(&store, fill).await;
    conformance::odd_keys_contract(&store, fill).await;
    conformance::putting_contract(&store).await;
    conformance::trash_contract(&store, fill).await;
    let begin = async |uploads: &[conformance::ToBegin<'_>]| {
        for (key, parts) in uploads {
            let id = server.begin_upload(key, T);
            for (number, bytes) in (1..).zip(*parts) {
                let content = vec![0; usize::try_from(*bytes).unwrap()];
                assert!(server.put_part(key, &id, number, content, T));
            }
        }
    };
    for keys_per_page in [1, 2, 1000] {
        let store = self::store(S3Config { keys_per_page, ..config(&server) }).await;
        conformance::uploads_contract(&store, begin).await;
        server.abort_uploads();
    }
    // Larger objects are copied in parts.
    let parts = self::store(S3Config { copy_limit: 2, ..config(&server) }).await;
    conformance::trash_contract(&parts, fill).await;
}

#[tokio::test]
async fn a_versioned_bucket_keeps_the_contract_of_stores_with_versions() {
    let options = Options { versioned: true, ..Options::default() };
    let server = Server::start(options).unwrap();
    let store = store_of(&server).await;
    let fill = async |objects: &[(&str, &[u8])]| {
        for (key, content) in objects {
            server.put(key, content.to_vec(), server.now());
        }
    };
    assert!(store.keeps_versions().await.unwrap());
    conformance::putting_contract(&store).await;
    conformance::versions_contract(&store, fill).await;
}
