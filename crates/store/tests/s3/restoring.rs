//! Bringing back, where the server or somebody else makes it hard.

use std::time::Duration;

use store::{DeleteBatch, DeleteStore as _, Doomed, KeyOutcome, PutBack, Trashed, Version};

use super::*;

fn batch(key: &str) -> DeleteBatch {
    DeleteBatch::new(vec![Doomed { key: key.into(), modified: T, upload: None }]).unwrap()
}

#[tokio::test]
async fn what_is_deleted_while_versioning_is_suspended_is_lost_and_what_is_pushed_then_stays() {
    let server = Server::start(Options { versioned: true, ..Options::default() }).unwrap();
    server.put("a", "listed", T);
    server.suspend_versions();
    let store = store_of(&server).await;
    assert!(!store.keeps_versions().await.unwrap());
    assert_eq!(store.delete(&batch("a")).await.unwrap(), [KeyOutcome::DELETED]);
    // The marker has the id that the next push takes over: nobody is handed it.
    assert_eq!(store.versions("a").await.unwrap(), []);
    server.put("a", "pushed", T);
    let versions = store.versions("a").await.unwrap();
    assert!(matches!(versions[0], Version::Object { size: 6, .. }), "{versions:?}");
}

fn trashed() -> Trashed {
    Trashed { key: "a".into(), trash: "trash/a".into() }
}

fn server_with_trash() -> Server {
    let server = Server::start(Options { smallest_part: 1, ..Options::default() }).unwrap();
    server.put("trash/a", "deleted", T);
    server
}

/// At once, and in parts.
fn ways_to_copy(server: &Server) -> [(Kind, S3Config); 2] {
    [(Kind::Copy, config(server)), (Kind::Upload, S3Config { copy_limit: 4, ..config(server) })]
}

#[tokio::test]
async fn what_is_pushed_between_the_look_and_the_copy_back_is_not_overwritten() {
    for way in [0, 1] {
        let server = server_with_trash();
        let (kind, config) = ways_to_copy(&server).into_iter().nth(way).unwrap();
        let store = store(config).await;
        server.set_faults(one_fault(kind, When::Nth(1), Fault::Delay(Duration::from_millis(500))));
        let push = async {
            // Both have been looked for, and nothing is in its place.
            while server.count(Kind::List) < 2 {
                tokio::task::yield_now().await;
            }
            server.put("a", "pushed", T);
        };
        let objects = [trashed()];
        let (answers, ()) = tokio::join!(store.put_back(&objects), push);
        assert_eq!(answers.unwrap(), [Ok(PutBack::Present)], "{kind:?}");
        assert_eq!(server.content("a").unwrap(), "pushed", "{kind:?}");
    }
}

#[tokio::test]
async fn a_store_that_knows_no_condition_on_copies_gives_back_all_the_same() {
    let server = server_with_trash();
    for fault in [Fault::Refuse, Fault::RefuseWithin200] {
        server.remove("a");
        server.set_faults(one_fault(Kind::Copy, When::Nth(1), fault(S3Error::NOT_IMPLEMENTED)));
        let answers = store_of(&server).await.put_back(&[trashed()]).await.unwrap();
        assert_eq!(answers, [Ok(PutBack::Restored)]);
        assert_eq!(server.content("a").unwrap(), "deleted");
    }
}

#[tokio::test]
async fn whether_versions_are_kept_is_asked_again_and_no_guess() {
    let server = Server::start(Options { versioned: true, ..Options::default() }).unwrap();
    let store = wrapped::wrapped_of(&server).await.store;
    let refuse = |when, error| one_fault(Kind::Bucket, when, Fault::Refuse(error));
    server.set_faults(refuse(When::First(2), S3Error::INTERNAL_ERROR));
    assert!(store.keeps_versions().await.unwrap());
    server.set_faults(refuse(When::Always, S3Error::ACCESS_DENIED));
    assert_eq!(kind_of(store.keeps_versions().await), Some(ErrorKind::Denied));
    server.set_faults(refuse(When::Always, S3Error::NOT_IMPLEMENTED));
    assert!(!store.keeps_versions().await.unwrap());
}

#[tokio::test]
async fn a_copy_that_fails_behind_a_200_is_asked_for_again() {
    let server = server_with_trash();
    let store = wrapped::wrapped_of(&server).await.store;
    let fault = Fault::RefuseWithin200(S3Error::INTERNAL_ERROR);
    server.set_faults(one_fault(Kind::Copy, When::First(2), fault));
    assert_eq!(store.put_back(&[trashed()]).await.unwrap(), [Ok(PutBack::Restored)]);
    assert_eq!(server.count(Kind::Copy), 3);
}

#[tokio::test]
async fn what_a_store_does_not_copy_in_parts_is_copied_at_once() {
    let server = server_with_trash();
    let store = store(S3Config { copy_limit: 4, ..config(&server) }).await;
    let fault = Fault::Refuse(S3Error::NOT_IMPLEMENTED);
    server.set_faults(one_fault(Kind::Upload, When::Always, fault));
    assert_eq!(store.put_back(&[trashed()]).await.unwrap(), [Ok(PutBack::Restored)]);
    assert_eq!(server.content("a").unwrap(), "deleted");
}

#[test]
fn a_copy_by_one_request_ends_in_its_time_at_five_mebibytes_a_second() {
    let config = S3Config::new("b");
    assert!(config.copy_limit / config.timeouts.delete.as_secs() < 5 << 20);
}
