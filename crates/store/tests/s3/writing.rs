//! Writing over the wire: conditions, and answers that are lost.

use bytes::Bytes;
use monitor::Stop;
use store::{Condition, Retried, RetrySettings, Versioned, WriteStore as _, heeds_conditions};

use super::*;

const KEY: &str = "regsweep/lease.json";

async fn retried(server: &Server) -> Retried<S3Store> {
    let (monitor, stop) = (Arc::new(Monitor::new()), Arc::new(Stop::new()));
    let pause = std::time::Duration::from_micros(10);
    let settings = RetrySettings { first_pause: pause, ..RetrySettings::default() };
    Retried::new(store_of(server).await, settings, &monitor, &stop)
}

fn body(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

#[tokio::test]
async fn a_bucket_keeps_the_contract_of_writing() {
    let server = server_with([]);
    conformance::writing_contract(&store_of(&server).await).await;
}

#[tokio::test]
async fn a_bucket_keeps_the_contract_of_writing_on_a_bad_day() {
    let server = server_with([]);
    let store = retried(&server).await;
    let faults = Faults::none().seed(20_260_818);
    server.set_faults(
        [
            Fault::Refuse(S3Error::SLOW_DOWN),
            Fault::Refuse(S3Error::INTERNAL_ERROR),
            Fault::HangUpBefore,
            Fault::HangUpAfter,
        ]
        .into_iter()
        .fold(faults, |faults, fault| faults.on(Kind::Put, When::Chance(0.1), fault)),
    );
    conformance::writing_contract(&store).await;
    assert!(server.count(Kind::Put) > 30, "the faults struck");
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_is_our_own_and_not_somebody_elses() {
    let server = server_with([]);
    let store = retried(&server).await;
    server.set_faults(one_fault(Kind::Put, When::Nth(1), Fault::HangUpAfter));
    let token = store.write(KEY, body("ours"), &Condition::Absent).await.unwrap();
    let found = store.read(KEY, 9).await.unwrap();
    assert_eq!(found, Versioned { content: body("ours"), token });
    assert_eq!(server.count(Kind::Put), 1, "it was read, not written again");
}

#[tokio::test]
async fn a_write_without_an_answer_is_lost_where_somebody_elses_came_first() {
    let server = server_with([]);
    let store = retried(&server).await;
    server.set_faults(one_fault(Kind::Put, When::Nth(1), Fault::HangUpBefore));
    server.put(KEY, "theirs", T);
    let answer = store.write(KEY, body("ours"), &Condition::Absent).await;
    assert_eq!(kind_of(answer), Some(ErrorKind::Precondition));
    assert_eq!(store.read(KEY, 9).await.unwrap().content, "theirs");
}

#[tokio::test]
async fn a_bucket_that_looks_at_conditions_is_told_from_one_that_does_not() {
    let unknown_header = Fault::Refuse(S3Error::NOT_IMPLEMENTED);
    // It compares tags in another form than it tells them.
    let never_holds = Fault::Refuse(S3Error::PRECONDITION_FAILED);
    for (fault, after, heeds) in [
        (None, 1, true),
        (Some(Fault::IgnoreConditions), 1, false),
        (Some(unknown_header), 1, false),
        (Some(never_holds), 3, false),
    ] {
        let server = server_with([]);
        let faults = fault.clone().map(|fault| one_fault(Kind::Put, When::After(after), fault));
        server.set_faults(faults.unwrap_or_else(Faults::none));
        let store = store_of(&server).await;
        assert_eq!(store.conditional_puts(), None);
        assert_eq!(heeds_conditions(&store, "regsweep/probe").await.unwrap(), heeds, "{fault:?}");
        assert_eq!(server.keys(), ["regsweep/probe"]);
    }
}

#[tokio::test]
async fn a_probe_without_an_answer_says_nothing() {
    let server = server_with([]);
    let store = store_of(&server).await;
    let fault = Fault::Refuse(S3Error::SLOW_DOWN);
    server.set_faults(one_fault(Kind::Put, When::After(1), fault));
    let answer = heeds_conditions(&store, "regsweep/probe").await;
    assert_eq!(kind_of(answer), Some(ErrorKind::Throttled));
}
