//! Incomplete multipart uploads of a bucket, on good days and bad.

use std::sync::atomic::{AtomicUsize, Ordering};

use store::{
    DeleteBatch, DeleteStore as _, Doomed, KeyOutcome, MultipartStep, MultipartStore,
    MultipartWalk, Permit,
};

use super::*;

/// A server with `count` uploads of one part each.
fn server_with_uploads(count: usize) -> Server {
    let server = Server::start(Options::default()).unwrap();
    for number in 0..count {
        let key = format!("p/{:03}", number / 3);
        let id = server.begin_upload(&key, T);
        assert!(server.put_part(&key, &id, 1, "part", T));
    }
    server
}

async fn uploads<S: MultipartStore>(store: &S) -> Vec<Doomed> {
    let (mut walk, mut found) = (MultipartWalk::new("p/"), Vec::new());
    while let MultipartStep::Uploads(uploads) = walk.next(store).await.unwrap() {
        found.extend(uploads);
    }
    let doomed = found.into_iter().map(|upload| Doomed {
        key: upload.key,
        modified: T,
        upload: Some(upload.id),
    });
    doomed.collect()
}

#[tokio::test]
async fn g3_a_bad_day_loses_and_repeats_no_upload_and_aborts_each() {
    let server = server_with_uploads(60);
    let config = S3Config { keys_per_page: 7, ..config(&server) };
    let wrapped = wrapped::wrapped(config, store::PaceSettings::default()).await;
    for kind in [Kind::ListUploads, Kind::ListParts, Kind::Upload] {
        server.set_faults(wrapped::bad_day(kind));
        if kind == Kind::ListUploads {
            assert_eq!(uploads(wrapped.store.as_ref()).await.len(), 60);
        } else {
            let all = uploads(wrapped.store.as_ref()).await;
            let batch = DeleteBatch::new(all[..20].to_vec()).unwrap();
            let outcomes = wrapped.store.delete(&batch).await.unwrap();
            // An abort whose answer was lost finds nothing the next time.
            let is_done = |outcome| matches!(outcome, KeyOutcome::Deleted(_) | KeyOutcome::Gone);
            assert!(outcomes.into_iter().all(is_done));
        }
    }
    server.set_faults(Faults::none());
    assert_eq!(server.open_uploads().len(), 20);
}

#[tokio::test]
async fn a_server_that_does_not_know_the_listing_has_none_that_can_be_told() {
    let server = server_with_uploads(3);
    let refuse = |error| one_fault(Kind::ListUploads, When::Always, Fault::Refuse(error));
    let store = store_of(&server).await;
    for error in [S3Error::NOT_IMPLEMENTED, S3Error::INVALID_ARGUMENT] {
        server.set_faults(refuse(error));
        let step = MultipartWalk::new("p/").next(&store).await.unwrap();
        assert_eq!(step, MultipartStep::Untold);
    }
    server.set_faults(refuse(S3Error::ACCESS_DENIED));
    assert_eq!(kind_of(MultipartWalk::new("p/").next(&store).await), Some(ErrorKind::Denied));
}

#[tokio::test]
async fn m_a_page_costs_one_request_and_an_abort_two() {
    let server = server_with_uploads(30);
    let store = store(S3Config { keys_per_page: 10, ..config(&server) }).await;
    let all = uploads(&store).await;
    assert_eq!((all.len(), server.count(Kind::ListUploads)), (30, 3));
    store.delete(&DeleteBatch::new(all).unwrap()).await.unwrap();
    assert_eq!((server.count(Kind::ListParts), server.count(Kind::Upload)), (30, 30));
    assert!(server.most_in_flight() <= DeleteBatch::COPIES);
}

#[tokio::test]
async fn parts_of_more_than_a_page_are_all_looked_at() {
    let server = Server::start(Options::default()).unwrap();
    let id = server.begin_upload("p/a", T);
    for number in 1..=1001 {
        let modified = if number == 1001 { T } else { Timestamp::from_seconds(1) };
        assert!(server.put_part("p/a", &id, number, "xy", modified));
    }
    let store = store_of(&server).await;
    let upload = MultipartWalk::new("p/").next(&store).await.unwrap();
    let MultipartStep::Uploads(uploads) = upload else { panic!("{upload:?}") };
    let parts = store.parts(&uploads[0]).await.unwrap().unwrap();
    assert_eq!((parts.count, parts.bytes, parts.newest), (1001, 2002, Some(T)));
    assert_eq!(server.count(Kind::ListParts), 2);
}

#[tokio::test]
async fn nothing_is_aborted_once_the_permit_is_gone() {
    let server = server_with_uploads(30);
    let store = store_of(&server).await;
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let permit = Permit::new(move || counted.fetch_add(1, Ordering::SeqCst) < 10);
    let batch = DeleteBatch::new(uploads(&store).await).unwrap().permitted_by(permit);
    let outcomes = store.delete(&batch).await.unwrap();
    let failed = outcomes.iter().filter(|outcome| matches!(outcome, KeyOutcome::Failed(_)));
    assert_eq!((failed.count(), server.open_uploads().len()), (20, 20));
}
