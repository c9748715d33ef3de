//! Deleting: one outcome for each key, whatever the answer looks like (G10), and the same end after every loss (G11).

use simstore::Which;
use store::{DeleteBatch, DeleteChecksum, DeleteStore as _, Doomed, KeyFailure, KeyOutcome};

use super::*;

fn batch<'k>(keys: impl IntoIterator<Item = &'k str>) -> DeleteBatch {
    let doomed = |key: &str| Doomed { key: key.into(), modified: T, upload: None };
    DeleteBatch::new(keys.into_iter().map(doomed).collect()).unwrap()
}

/// The kinds of failure, `None` for what is deleted.
fn failures(outcomes: &[KeyOutcome]) -> Vec<Option<ErrorKind>> {
    outcomes
        .iter()
        .map(|outcome| match outcome {
            KeyOutcome::Deleted(_) => None,
            KeyOutcome::Failed(KeyFailure { kind, .. }) => Some(*kind),
            other => panic!("{other:?}"),
        })
        .collect()
}

fn insisting(error: S3Error) -> Server {
    let insists_on_content_md5 = Some(error);
    let server = Server::start(Options { insists_on_content_md5, ..Options::default() }).unwrap();
    server.put("a", "a", T);
    server
}

#[tokio::test]
async fn g7_exactly_the_odd_keys_of_the_batch_are_deleted() {
    let server = server_with(ODD_KEYS);
    let store = store_of(&server).await;
    for key in ODD_KEYS {
        let mut left = server.keys();
        left.retain(|other| other != key);
        let outcomes = store.delete(&batch([key])).await.unwrap();
        assert_eq!((outcomes, server.keys()), (vec![KeyOutcome::DELETED], left), "{key:?}");
    }
}

#[tokio::test]
async fn g10_what_is_not_there_counts_as_deleted_as_s3_says() {
    let server = server_with(["a"]);
    let outcomes = store_of(&server).await.delete(&batch(["b", "a"])).await.unwrap();
    assert_eq!(outcomes, [KeyOutcome::DELETED, KeyOutcome::DELETED]);
}

#[tokio::test]
async fn a_thousand_deletes_cost_one_request() {
    let all: Vec<String> = (0..1000).map(|n| format!("p/{n}")).collect();
    let server = server_with(all.iter().map(String::as_str));
    let store = store_of(&server).await;
    let outcomes = store.delete(&batch(all.iter().map(String::as_str))).await.unwrap();
    assert_eq!(outcomes, vec![KeyOutcome::DELETED; 1000]);
    assert_eq!(server.keys(), [""; 0]);
    assert_eq!(server.requests().len(), 1);
    assert_eq!(server.requests()[0].keys, 1000);
}

#[tokio::test]
async fn g10_errors_inside_a_200_are_told_key_by_key() {
    for (error, kind) in [
        (S3Error::SLOW_DOWN, ErrorKind::Throttled),
        (S3Error::INTERNAL_ERROR, ErrorKind::Transient),
        (S3Error::ACCESS_DENIED, ErrorKind::Denied),
    ] {
        let server = server_with(["a", "b", "c"]);
        let store = store_of(&server).await;
        let fault = Fault::FailKeys(Which::Containing("b".into()), error);
        server.set_faults(one_fault(Kind::Delete, When::Always, fault));
        let outcomes = store.delete(&batch(["c", "b", "a"])).await.unwrap();
        assert_eq!(failures(&outcomes), [None, Some(kind), None]);
        assert_eq!(server.keys(), ["b"]);
    }
}

#[tokio::test]
async fn g10_a_key_that_the_answer_leaves_out_has_failed() {
    let server = server_with(["a", "b", "c"]);
    let store = store_of(&server).await;
    let fault = Fault::OmitKeys(Which::Containing("b".into()));
    server.set_faults(one_fault(Kind::Delete, When::Nth(1), fault));
    let outcomes = store.delete(&batch(["a", "b", "c"])).await.unwrap();
    assert_eq!(failures(&outcomes), [None, Some(ErrorKind::Malformed), None]);
}

#[tokio::test]
async fn g10_an_answer_that_cannot_be_believed_is_refused() {
    for fault in [Fault::ExtraKey, Fault::TwiceMentioned, Fault::HalfBody, Fault::ForeignBody] {
        let server = server_with(["a", "b"]);
        let store = store_of(&server).await;
        server.set_faults(one_fault(Kind::Delete, When::Always, fault.clone()));
        let refused = store.delete(&batch(["a", "b"])).await;
        assert_eq!(kind_of(refused), Some(ErrorKind::Malformed), "{fault:?}");
    }
}

#[tokio::test]
async fn g11_asking_again_after_any_failure_ends_in_the_same_set() {
    for (fault, kind) in [
        (Fault::Refuse(S3Error::SLOW_DOWN), ErrorKind::Throttled),
        (Fault::Refuse(S3Error::INTERNAL_ERROR), ErrorKind::Transient),
        (Fault::RefuseWithin200(S3Error::INTERNAL_ERROR), ErrorKind::Transient),
        (Fault::RefuseWithin200(S3Error::SLOW_DOWN), ErrorKind::Throttled),
        (Fault::HangUpBefore, ErrorKind::Transient),
        (Fault::HangUpAfter, ErrorKind::Transient),
        (Fault::BreakBody, ErrorKind::Transient),
    ] {
        let server = server_with(["a", "b", "keep"]);
        let store = store_of(&server).await;
        server.set_faults(one_fault(Kind::Delete, When::Nth(1), fault.clone()));
        assert_eq!(kind_of(store.delete(&batch(["a", "b"])).await), Some(kind), "{fault:?}");
        assert_eq!(server.count(Kind::Delete), 1, "the store itself asks once: {fault:?}");
        let outcomes = store.delete(&batch(["a", "b"])).await.unwrap();
        assert_eq!(outcomes, [KeyOutcome::DELETED, KeyOutcome::DELETED], "{fault:?}");
        assert_eq!(server.keys(), ["keep"], "{fault:?}");
    }
}

#[tokio::test]
async fn a_server_that_insists_on_content_md5_gets_it_from_then_on() {
    let oss = S3Error {
        code: "InvalidArgument",
        status: 400,
        message: "Missing Some Required Arguments: Content-MD5",
    };
    for error in [S3Error::MISSING_CONTENT_MD5, S3Error::MISSING_CHECKSUM, oss] {
        let server = insisting(error);
        let store = store_of(&server).await;
        for requests in [2, 3] {
            assert_eq!(store.delete(&batch(["a"])).await.unwrap(), [KeyOutcome::DELETED]);
            assert_eq!(server.count(Kind::Delete), requests, "{}", error.code);
        }
        assert!(server.keys().is_empty());
    }
}

#[tokio::test]
async fn the_checksum_can_be_settled_in_advance() {
    let server = insisting(S3Error::MISSING_CONTENT_MD5);
    let md5 = store(S3Config { delete_checksum: DeleteChecksum::Md5, ..config(&server) }).await;
    assert_eq!(md5.delete(&batch(["b"])).await.unwrap(), [KeyOutcome::DELETED]);
    let crc32 = store(S3Config { delete_checksum: DeleteChecksum::Crc32, ..config(&server) }).await;
    assert_eq!(kind_of(crc32.delete(&batch(["a"])).await), Some(ErrorKind::Fatal));
    assert_eq!(server.keys(), ["a"]);
    assert_eq!(server.count(Kind::Delete), 2);
}

#[tokio::test]
async fn other_refusals_do_not_lead_to_another_checksum() {
    let server = server_with(["a"]);
    let store = store_of(&server).await;
    server.set_faults(one_fault(Kind::Delete, When::Always, Fault::Refuse(S3Error::ACCESS_DENIED)));
    assert_eq!(kind_of(store.delete(&batch(["a"])).await), Some(ErrorKind::Denied));
    assert_eq!(server.count(Kind::Delete), 1);
}
