use proptest::prelude::*;
use registry::{Digest, Timestamp};

use super::*;

const CUT: Timestamp = Timestamp::from_seconds(500);

fn cutoffs() -> Cutoffs {
    let objects = Timestamp::from_seconds(900);
    Cutoffs { t0: Timestamp::from_seconds(1000), untagged: false, objects, uploads: CUT }
}

fn layout() -> Layout {
    Layout::new("root")
}

fn of_repository(name: &str) -> String {
    format!("{}repositories/{name}/_uploads/8c2f/data", layout().base())
}

fn of_blob() -> String {
    layout().blob(&Digest::sha256(b"x"))
}

fn upload(key: &str, initiated: i64) -> MultipartUpload {
    let initiated = Timestamp::from_seconds(initiated);
    MultipartUpload { key: key.into(), id: "id".into(), initiated }
}

fn parts(newest: Option<i64>) -> Parts {
    let count = u64::from(newest.is_some());
    Parts { count, bytes: 7 * count, newest: newest.map(Timestamp::from_seconds) }
}

fn judged(key: &str, initiated: i64, newest: Option<i64>) -> Option<Row> {
    judge_multipart(&layout(), &upload(key, initiated), &parts(newest), &cutoffs())
}

#[test]
fn what_a_registry_began_and_left_goes_with_its_id_and_the_bytes_of_its_parts() {
    let row = judged(&of_repository("a/b"), 10, Some(20)).unwrap();
    assert_eq!(row.repository.unwrap().as_str(), "a/b");
    assert_eq!((row.upload.as_deref(), row.bytes, row.digest), (Some("id"), 7, None));
    assert_eq!((row.modified, row.reason), (Timestamp::from_seconds(20), Reason::StaleUpload));
    let row = judged(&of_blob(), 10, None).unwrap();
    assert_eq!((row.repository, row.bytes), (None, 0));
    assert_eq!(row.modified, Timestamp::from_seconds(10));
}

#[test]
fn g4_an_upload_to_any_other_key_is_foreign_and_stays_however_old_it_is() {
    let base = layout().base().to_owned();
    for key in [
        "somebody/elses".to_owned(),
        "root/regsweep/trash/plan/x".to_owned(),
        format!("{base}backup.tar"),
        format!("{base}blobs/backup.tar"),
        format!("{base}repositories/a/_uploads/8c2f/startedat"),
        format!("{base}repositories/a/_uploads/8c2f/hashstates/sha256/_uploads/8c2f/data"),
        format!("{base}repositories/a/_uploads/8c2f/data/data"),
        format!("{base}repositories/a/_layers/sha256/{}/link", Digest::sha256(b"x").hex()),
        format!("{base}repositories/a//b/_uploads/8c2f/data"),
        format!("{}x", of_blob()),
    ] {
        let upload = upload(&key, 1);
        assert_eq!(standing(&layout(), &upload, &cutoffs()), Standing::Foreign, "{key}");
        assert_eq!(judged(&key, 1, None), None, "{key}");
    }
}

fn second() -> impl Strategy<Value = i64> {
    prop_oneof![0..1000i64, 498..503i64]
}

proptest! {
    #[test]
    fn g1_nothing_goes_of_which_anything_is_as_young_as_the_cut_off(
        initiated in second(), newest in prop::option::of(second()), is_blob: bool,
    ) {
        let key = if is_blob { of_blob() } else { of_repository("hashstates/a") };
        let is_old = initiated < 500 && newest.is_none_or(|newest| newest < 500);
        let row = judged(&key, initiated, newest);
        prop_assert_eq!(row.is_some(), is_old);
        if let Some(row) = row {
            prop_assert!(row.modified < CUT && *row.key == *key, "G7");
            // What is spared by a sweep is what got a part after this.
            prop_assert!(newest.is_none_or(|newest| Timestamp::from_seconds(newest) <= row.modified));
        }
    }

    #[test]
    fn g1_parts_are_asked_for_wherever_they_could_let_an_upload_go(
        initiated in second(), newest in prop::option::of(second()), is_own: bool,
    ) {
        let key = if is_own { of_repository("a") } else { "x".to_owned() };
        let said = standing(&layout(), &upload(&key, initiated), &cutoffs());
        if judged(&key, initiated, newest).is_some() {
            prop_assert_eq!(said, Standing::Old);
        }
        if said == Standing::Old {
            prop_assert!(judged(&key, initiated, None).is_some());
        }
    }
}
