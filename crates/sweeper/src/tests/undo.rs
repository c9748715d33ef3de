//! Taking back: collect, undo, and every object is back byte for byte.

mod crash;
mod drill;
mod refused;

use planner::{RowKind, Stage};
use registry::RepositoryName;

use self::drill::Drill;
use super::world::{GOING, bystanders, everything, row};
use crate::{Cause, Count, Ended, Only, Why};

#[tokio::test]
async fn everything_that_a_plan_deleted_is_back_byte_for_byte() {
    let trash = Drill::with_trash(everything(40));
    for drill in Drill::both(&everything(40)).into_iter().chain([trash]) {
        let before = drill.objects();
        drill.sweep().await.unwrap();
        assert_ne!(drill.objects(), before);
        let report = drill.undo().await.unwrap();
        assert_eq!(drill.objects(), before);
        assert_eq!((report.ended, report.is_clean()), (Ended::Completed, true));
        assert_eq!(report.deleted, Some(200));
        assert_eq!(report.total().restored, drill.planned());
        assert_eq!(report.kinds.len(), GOING.len() - 1);
    }
}

#[tokio::test]
async fn uploads_that_were_aborted_are_counted_apart_and_are_no_loss() {
    for drill in Drill::either(&everything(7)) {
        assert_eq!(drill.memory.upload_keys().len(), 7);
        drill.sweep().await.unwrap();
        assert!(drill.memory.upload_keys().is_empty());
        let report = drill.undo().await.unwrap();
        assert_eq!(report.aborted, (0..7).map(|n| Count::one(n + 1)).sum());
        assert_eq!(report.deleted, Some(report.total().total().objects));
        assert!(report.is_clean() && report.missing.is_empty());
        assert!(drill.memory.upload_keys().is_empty());
    }
}

#[tokio::test]
async fn where_only_uploads_were_aborted_there_is_nothing_to_lose() {
    let drill = Drill::of((0..3).map(|n| row(RowKind::MultipartUpload, n)).collect());
    drill.sweep().await.unwrap();
    let report = drill.undo().await.unwrap();
    assert_eq!((report.aborted.objects, report.deleted), (3, Some(0)));
    assert!(report.is_clean());
    assert!(drill.undo().await.unwrap().is_clean(), "and once more");
}

#[tokio::test]
async fn g11_two_undos_are_as_one() {
    for drill in Drill::either(&everything(9)) {
        let before = drill.objects();
        drill.sweep().await.unwrap();
        drill.undo().await.unwrap();
        let again = drill.undo().await.unwrap();
        assert_eq!(drill.objects(), before);
        assert!(again.is_clean());
        assert_eq!(again.total().restored, Count::default());
        assert_eq!(again.total().present, drill.planned());
    }
}

#[tokio::test]
async fn a_key_that_was_written_again_since_is_not_overwritten() {
    for drill in Drill::either(&everything(5)) {
        drill.sweep().await.unwrap();
        drill.write("tag_link/3", "somebody else's");
        let report = drill.undo().await.unwrap();
        assert_eq!(drill.read("tag_link/3").as_deref(), Some("somebody else's"));
        assert_eq!(report.total().present, Count::one(4));
        assert!(report.is_clean());
    }
}

#[tokio::test]
async fn a_marker_that_is_not_ours_is_not_removed() {
    for (since, until) in [(1, 5), (2, 5), (100_000, 200_000)] {
        let drill = Drill::of(everything(5));
        drill.sweep().await.unwrap();
        // Written again and deleted by somebody else, soon or late.
        drill.pass(since);
        drill.write("blob/3", "pushed again");
        drill.pass(until);
        drill.memory.bury("blob/3");
        let report = drill.undo().await.unwrap();
        assert_eq!(drill.read("blob/3"), None);
        assert_eq!(report.total().lost, [(Why::OtherMarker, Count::one(4))].into());
        assert!(!report.is_clean());
        assert_eq!(&*report.missing[0].key, "blob/3");
    }
}

#[tokio::test]
async fn a_version_that_is_gone_is_reported() {
    let drill = Drill::of(everything(5));
    drill.sweep().await.unwrap();
    drill.memory.expire("blob/3");
    let report = drill.undo().await.unwrap();
    assert_eq!(report.total().lost, [(Why::VersionGone, Count::one(4))].into());
    assert_eq!(drill.objects().len(), 24 + bystanders().len());
}

#[tokio::test]
async fn a_link_to_a_blob_that_cannot_come_back_stays_away() {
    let mut rows = everything(4);
    for link in rows.iter_mut().filter(|link| &*link.key == "layer_link/2") {
        link.digest = row(RowKind::Blob, 2).digest;
    }
    let drill = Drill::of(rows);
    drill.sweep().await.unwrap();
    drill.memory.expire("blob/2");
    let report = drill.undo().await.unwrap();
    let expected = [(Why::VersionGone, Count::one(3)), (Why::Dangling, Count::one(3))];
    assert_eq!(report.total().lost, expected.into());
    assert_eq!(drill.read("layer_link/2"), None);
    assert!(drill.read("layer_link/1").is_some());
}

#[tokio::test]
async fn what_was_spared_or_not_there_is_none_of_its_business() {
    let drill = Drill::with_trash(everything(5));
    drill.write("upload/1", "written since");
    let before = drill.objects();
    drill.sweep().await.unwrap();
    let report = drill.undo().await.unwrap();
    assert_eq!((report.deleted, report.total().total().objects), (Some(24), 24));
    assert_eq!(drill.objects(), before);
}

#[tokio::test]
async fn a_look_changes_nothing_and_tells_what_would_come_back() {
    for drill in Drill::either(&everything(5)) {
        drill.sweep().await.unwrap();
        drill.write("blob/2", "somebody else's");
        let swept = drill.all_keys();
        let report = drill.undo_with(Only::default(), true).await.unwrap();
        assert_eq!(drill.all_keys(), swept);
        assert_eq!(report.total().present, Count::one(3));
        assert_eq!(report.total().restored + Count::one(3), drill.planned());
        assert!(!drill.journal().unwrap().state().is_undone());
    }
}

#[tokio::test]
async fn what_is_not_in_the_trash_any_more_is_reported() {
    let drill = Drill::with_trash(everything(5));
    drill.sweep().await.unwrap();
    drill.memory.remove("regsweep/trash/a plan/blob/3");
    for is_dry_run in [true, false] {
        let report = drill.undo_with(Only::default(), is_dry_run).await.unwrap();
        assert_eq!(report.total().lost, [(Why::TrashEmptied, Count::one(4))].into());
    }
}

#[tokio::test]
async fn one_repository_comes_back_with_the_blobs_that_its_links_name() {
    let mut rows = everything(6);
    for link in rows.iter_mut().filter(|link| &*link.key == "layer_link/4") {
        link.digest = row(RowKind::Blob, 2).digest;
    }
    let drill = Drill::of(rows);
    drill.sweep().await.unwrap();
    let repository = Some(RepositoryName::new("repository1").unwrap());
    let report = drill.undo_with(Only { repository, digest: None }, false).await.unwrap();
    let back = drill.planned_keys_that_are_there();
    let expected = [
        "blob/2",
        "layer_link/1",
        "layer_link/4",
        "revision_link/1",
        "revision_link/4",
        "tag_link/1",
        "tag_link/4",
        "upload/1",
        "upload/4",
    ];
    assert_eq!(back, expected);
    assert_eq!((report.deleted, report.total().restored.objects), (None, 9));
    // The rest can follow.
    assert!(drill.undo().await.unwrap().is_clean());
    assert_eq!(drill.planned_keys_that_are_there().len(), 30);
}

#[tokio::test]
async fn one_digest_comes_back_everywhere() {
    let mut rows = everything(6);
    for link in rows.iter_mut().filter(|link| &*link.key == "layer_link/4") {
        link.digest = row(RowKind::Blob, 2).digest;
    }
    let drill = Drill::of(rows);
    drill.sweep().await.unwrap();
    let digest = row(RowKind::Blob, 2).digest;
    let report = drill.undo_with(Only { digest, repository: None }, false).await.unwrap();
    assert_eq!(drill.planned_keys_that_are_there(), ["blob/2", "layer_link/4"]);
    // Each is counted once.
    let total = report.total();
    assert_eq!((total.restored.objects, total.present.objects), (2, 0));
}

#[tokio::test]
async fn g8_each_stage_comes_back_before_what_refers_to_it() {
    for drill in Drill::either(&everything(8)) {
        drill.sweep().await.unwrap();
        let steps = drill.steps_of_undo().await;
        assert!(steps.len() > 6, "{} steps", steps.len());
        for there in steps {
            let is_there = |key: &&str| there.iter().any(|found| found == key);
            // Stages ascend from what refers to what is referred to; what is aborted last never comes back.
            for pair in Stage::ALL[1..5].windows(2) {
                let is_begun = drill.keys_of(pair[0]).iter().any(is_there);
                assert!(!is_begun || drill.keys_of(pair[1]).iter().all(is_there), "{there:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_plan_that_was_taken_back_is_not_carried_out_again() {
    let drill = Drill::of(everything(5));
    drill.sweep().await.unwrap();
    drill.undo().await.unwrap();
    let before = drill.objects();
    let error = drill.sweep().await.unwrap_err();
    assert!(matches!(error.cause, Cause::TakenBack), "{error:?}");
    assert_eq!(drill.objects(), before);
}
