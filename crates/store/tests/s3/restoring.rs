//! Bringing back, where the server or somebody else makes it hard.

use store::{DeleteBatch, DeleteStore as _, Doomed, KeyOutcome, Version};

use super::*;

fn batch(key: &str) -> DeleteBatch {
    DeleteBatch::new(vec![Doomed { key: key.into(), modified: T }]).unwrap()
}

#[tokio::test]
async fn what_is_deleted_while_versioning_is_suspended_is_lost_and_what_is_pushed_then_stays() {
    let server = Server::start(Options { versioned: true, ..Options::default() }).unwrap();
    server.put("a", "listed", T);
    server.suspend_versions();
    let store = store_of(&server).await;
    assert!(!store.keeps_versions().await);
    assert_eq!(store.delete(&batch("a")).await.unwrap(), [KeyOutcome::DELETED]);
    // The marker has the id that the next push takes over: nobody is handed it.
    assert_eq!(store.versions("a").await.unwrap(), []);
    server.put("a", "pushed", T);
    let versions = store.versions("a").await.unwrap();
    assert!(matches!(versions[0], Version::Object { size: 6, .. }), "{versions:?}");
}
