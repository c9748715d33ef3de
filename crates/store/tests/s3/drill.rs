//! The drill: a trash is filled and given back while the server, or the client, dies at each request in turn. No object
//! is ever lost or changed.

use store::{
    DeleteBatch, DeleteStore as _, Doomed, Kept, KeyOutcome, Permit, PutBack, StoreError, Trash,
    Trashed,
};

use super::*;

/// What is to be deleted: in parts and in one, where objects past four bytes are copied in parts.
const OBJECTS: [(&str, &str); 4] =
    [("base/a", ""), ("base/b", "four"), ("base/c", "nine byte"), ("base/d", "twelve bytes")];

/// What happens to the last request that reaches the server.
const ENDS: [Fault; 2] = [Fault::HangUpBefore, Fault::HangUpAfter];

fn trash() -> Trash {
    Trash::new("base/", "own/trash/")
}

fn place(key: &str) -> String {
    trash().key_of(key).unwrap()
}

fn bucket() -> Server {
    let server = Server::start(Options { smallest_part: 1, ..Options::default() }).unwrap();
    for (key, content) in OBJECTS {
        server.put(key, content, T);
    }
    server
}

/// All at once, and large objects in parts.
fn ways(server: &Server) -> [S3Config; 2] {
    [config(server), S3Config { copy_limit: 4, ..config(server) }]
}

fn batch() -> DeleteBatch {
    let doomed = |(key, _): (&str, &str)| Doomed { key: key.into(), modified: T, upload: None };
    DeleteBatch::new(OBJECTS.map(doomed).to_vec()).unwrap().into_trash(trash())
}

fn trashed() -> [Trashed; 4] {
    OBJECTS.map(|(key, _)| Trashed { key: key.into(), trash: place(key).into() })
}

async fn fill(store: &S3Store) -> Result<Vec<KeyOutcome>, StoreError> {
    store.delete(&batch()).await
}

/// Every object is in its place or in the trash, byte for byte, and nowhere is there anything else of it.
fn nothing_is_lost(server: &Server, when: &str) {
    for (key, content) in OBJECTS {
        let found = [key.to_owned(), place(key)].map(|key| server.content(&key));
        assert!(found.iter().any(Option::is_some), "{when}: {key} is lost");
        assert!(found.iter().flatten().all(|found| found == content), "{when}: {key} is changed");
    }
}

/// All is in the trash, and nothing else anywhere.
fn all_is_in_the_trash(server: &Server, outcomes: &[KeyOutcome], when: &str) {
    let trashed = KeyOutcome::Deleted(Kept::Trash);
    assert!(outcomes.iter().all(|outcome| *outcome == trashed), "{when}: {outcomes:?}");
    assert_eq!(server.keys(), OBJECTS.map(|(key, _)| place(key)), "{when}");
    nothing_is_lost(server, when);
}

fn all_is_back(server: &Server, when: &str) {
    for (key, content) in OBJECTS {
        assert_eq!(server.content(key).unwrap(), content, "{when}: {key}");
    }
}

#[tokio::test]
async fn g11_whenever_a_trash_is_cut_off_while_it_is_filled_the_same_again_fills_it() {
    for way in [0, 1] {
        let mut requests = 1;
        let mut at = 0;
        while at < requests {
            at += 1;
            for end in ENDS {
                let when = format!("way {way}, {end:?} at request {at}");
                let server = bucket();
                let store = store(ways(&server)[way].clone()).await;
                server.set_faults(Faults::none().dies_at(at, end));
                let cut_off = fill(&store).await;
                let is_short =
                    |outcomes: &[KeyOutcome]| !outcomes.iter().all(KeyOutcome::is_deleted);
                assert!(
                    cut_off.is_err() || is_short(&cut_off.unwrap()),
                    "{when}: it did not strike"
                );
                nothing_is_lost(&server, &when);
                server.set_faults(Faults::none());
                server.forget_requests();
                all_is_in_the_trash(&server, &fill(&store).await.unwrap(), &when);
                if at == 1 {
                    requests = server.requests().len() as u64;
                }
                let back = store.put_back(&trashed()).await.unwrap();
                assert_eq!(back, [const { Ok(PutBack::Restored) }; 4], "{when}");
                all_is_back(&server, &when);
            }
        }
        assert!(requests >= 13, "way {way}: {requests} requests");
    }
}

#[tokio::test]
async fn g11_whenever_a_trash_is_cut_off_while_it_is_given_back_the_same_again_gives_it_back() {
    for way in [0, 1] {
        let mut requests = 1;
        let mut at = 0;
        while at < requests {
            at += 1;
            for end in ENDS {
                let when = format!("way {way}, {end:?} at request {at}");
                let server = bucket();
                let store = store(ways(&server)[way].clone()).await;
                all_is_in_the_trash(&server, &fill(&store).await.unwrap(), &when);
                server.set_faults(Faults::none().dies_at(at, end));
                let cut_off = store.put_back(&trashed()).await.unwrap();
                assert!(cut_off.iter().any(Result::is_err), "{when}: it did not strike");
                nothing_is_lost(&server, &when);
                server.set_faults(Faults::none());
                server.forget_requests();
                let back = store.put_back(&trashed()).await.unwrap();
                assert!(back.iter().all(Result::is_ok), "{when}: {back:?}");
                if at == 1 {
                    requests = server.requests().len() as u64;
                }
                all_is_back(&server, &when);
                nothing_is_lost(&server, &when);
            }
        }
        assert!(requests >= 16, "way {way}: {requests} requests");
    }
}

#[tokio::test]
async fn g11_whatever_answer_goes_wrong_once_nothing_is_lost_and_the_same_again_ends_well() {
    let faults = [
        Fault::Refuse(S3Error::INTERNAL_ERROR),
        Fault::RefuseWithin200(S3Error::INTERNAL_ERROR),
        Fault::HangUpBefore,
        Fault::HangUpAfter,
        Fault::BreakBody,
        Fault::HalfBody,
        Fault::ForeignBody,
    ];
    for kind in [Kind::List, Kind::Copy, Kind::Upload, Kind::Delete] {
        for (fault, nth) in faults.iter().flat_map(|fault| (1..=4).map(move |nth| (fault, nth))) {
            let when = format!("{fault:?} at {kind:?} {nth}");
            let server = bucket();
            let store = store(ways(&server)[1].clone()).await;
            server.set_faults(one_fault(kind, When::Nth(nth), fault.clone()));
            drop(fill(&store).await);
            nothing_is_lost(&server, &when);
            server.set_faults(Faults::none());
            all_is_in_the_trash(&server, &fill(&store).await.unwrap(), &when);
            server.set_faults(one_fault(kind, When::Nth(nth), fault.clone()));
            drop(store.put_back(&trashed()).await);
            nothing_is_lost(&server, &when);
            server.set_faults(Faults::none());
            let back = store.put_back(&trashed()).await.unwrap();
            assert!(back.iter().all(Result::is_ok), "{when}: {back:?}");
            all_is_back(&server, &when);
        }
    }
}

#[tokio::test]
async fn a_copy_in_parts_that_fails_gives_up_its_upload() {
    let parts = (1..=3).map(|part| (Kind::Copy, part));
    let ends = [
        Fault::Refuse(S3Error::INTERNAL_ERROR),
        Fault::RefuseWithin200(S3Error::INTERNAL_ERROR),
        Fault::HangUpBefore,
        Fault::HangUpAfter,
        Fault::BreakBody,
    ];
    // The second request of an upload completes it.
    for (kind, nth) in parts.chain([(Kind::Upload, 2)]) {
        for end in &ends {
            let when = format!("{end:?} at {kind:?} {nth}");
            let server = Server::start(Options { smallest_part: 1, ..Options::default() }).unwrap();
            server.put("base/c", "nine byte", T);
            let store = store(ways(&server)[1].clone()).await;
            server.set_faults(one_fault(kind, When::Nth(nth), end.clone()));
            let doomed = Doomed { key: "base/c".into(), modified: T, upload: None };
            let batch = DeleteBatch::new(vec![doomed]).unwrap().into_trash(trash());
            let outcomes = store.delete(&batch).await.unwrap();
            assert!(matches!(outcomes[..], [KeyOutcome::Failed(_)]), "{when}: {outcomes:?}");
            assert_eq!(server.open_uploads(), [""; 0], "{when}");
            assert_eq!(server.content("base/c").unwrap(), "nine byte", "{when}");
        }
    }
}

#[tokio::test]
async fn who_loses_the_right_to_delete_while_he_copies_deletes_nothing() {
    let server = bucket();
    let store = store_of(&server).await;
    let answer = store.delete(&batch().permitted_by(Permit::new(|| false))).await;
    assert_eq!(kind_of(answer), Some(ErrorKind::Fatal));
    assert_eq!(server.count(Kind::Delete), 0);
    for (key, content) in OBJECTS {
        assert_eq!(server.content(key).unwrap(), content, "{key}");
    }
    let permitted = batch().permitted_by(Permit::new(|| true));
    all_is_in_the_trash(&server, &store.delete(&permitted).await.unwrap(), "permitted");
}
