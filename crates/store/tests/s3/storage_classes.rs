//! Copies of objects of other storage classes than the usual one.

use store::{DeleteBatch, DeleteStore as _, Doomed, Kept, KeyOutcome, PutBack, Trash, Trashed};

use super::*;

const KEY: &str = "base/a";
const PLACE: &str = "own/trash/a";
const CONTENT: &str = "nine byte";

fn bucket(class: &str) -> Server {
    let server = Server::start(Options { smallest_part: 1, ..Options::default() }).unwrap();
    server.put_in_class(KEY, CONTENT, T, class).unwrap();
    server
}

/// At once, and in parts.
fn ways(server: &Server) -> [(Kind, S3Config); 2] {
    [(Kind::Copy, config(server)), (Kind::Upload, S3Config { copy_limit: 4, ..config(server) })]
}

fn batch() -> DeleteBatch {
    let batch =
        DeleteBatch::new(vec![Doomed { key: KEY.into(), modified: T, upload: None }]).unwrap();
    batch.into_trash(Trash::new("base/", "own/trash/"))
}

fn trashed() -> [Trashed; 1] {
    [Trashed { key: KEY.into(), trash: PLACE.into() }]
}

#[tokio::test]
async fn copies_have_the_class_of_their_original_on_the_way_there_and_back() {
    for class in [
        "STANDARD",
        "REDUCED_REDUNDANCY",
        "STANDARD_IA",
        "ONEZONE_IA",
        "INTELLIGENT_TIERING",
        "GLACIER_IR",
    ] {
        for way in [0, 1] {
            let server = bucket(class);
            let (kind, config) = ways(&server).into_iter().nth(way).unwrap();
            let store = store(config).await;
            let outcomes = store.delete(&batch()).await.unwrap();
            assert_eq!(outcomes, [KeyOutcome::Deleted(Kept::Trash)], "{class} {kind:?}");
            assert_eq!(server.class(PLACE), Some(class), "{kind:?}");
            assert_eq!(server.class(KEY), None);
            assert_eq!(store.put_back(&trashed()).await.unwrap(), [Ok(PutBack::Restored)]);
            assert_eq!(server.class(KEY), Some(class), "{kind:?}");
            assert_eq!(server.content(KEY).unwrap(), CONTENT);
            let looks = server.count(Kind::List);
            assert_eq!(looks, 5, "the listing that looks at an object tells its class");
            assert_eq!(server.count(Kind::Head), 0);
        }
    }
}

#[tokio::test]
async fn what_is_archived_cannot_be_copied_and_is_kept() {
    for class in ["GLACIER", "DEEP_ARCHIVE"] {
        for way in [0, 1] {
            let server = bucket(class);
            let (kind, config) = ways(&server).into_iter().nth(way).unwrap();
            let outcomes = store(config).await.delete(&batch()).await.unwrap();
            let KeyOutcome::Failed(why) = &outcomes[0] else { panic!("{outcomes:?}") };
            assert!(why.message.contains("storage class"), "{kind:?}: {}", why.message);
            assert_eq!(server.keys(), [KEY], "{kind:?}");
            assert_eq!(server.class(KEY), Some(class));
            assert_eq!(server.open_uploads(), [""; 0]);
            assert_eq!(server.count(Kind::Delete), 0);
        }
    }
}

#[tokio::test]
async fn a_store_that_does_not_take_the_class_that_it_tells_copies_all_the_same() {
    for way in [0, 1] {
        let server = bucket("STANDARD_IA");
        let (kind, config) = ways(&server).into_iter().nth(way).unwrap();
        let store = store(config).await;
        let refused = Fault::Refuse(S3Error::INVALID_STORAGE_CLASS);
        server.set_faults(one_fault(kind, When::Nth(1), refused));
        let outcomes = store.delete(&batch()).await.unwrap();
        assert_eq!(outcomes, [KeyOutcome::Deleted(Kept::Trash)], "{kind:?}");
        assert_eq!(server.content(PLACE).unwrap(), CONTENT);
        assert_eq!(server.class(PLACE), Some("STANDARD"));
    }
}
