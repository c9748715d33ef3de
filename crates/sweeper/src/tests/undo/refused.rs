//! Where there is nothing to take back.

use store::MemoryStore;

use super::drill::Drill;
use crate::tests::world::everything;
use crate::{Cause, Count, Only};

#[tokio::test]
async fn a_store_that_kept_nothing_is_told_of_and_not_asked() {
    let drill = Drill::over(MemoryStore::new(), everything(5));
    drill.sweep().await.unwrap();
    let left = drill.all_keys();
    let error = drill.undo().await.unwrap_err();
    let Cause::NothingKept { deleted } = error.cause else { panic!("{error:?}") };
    assert_eq!(deleted, drill.planned());
    assert_eq!(drill.all_keys(), left);
    assert!(!drill.journal().unwrap().state().is_undone());
}

#[tokio::test]
async fn a_plan_that_deleted_nothing_is_not_taken_back() {
    let drill = Drill::of(everything(5));
    let error = drill.undo().await.unwrap_err();
    assert!(matches!(error.cause, Cause::NothingDeleted), "{error:?}");
    let empty = Drill::of(vec![]);
    empty.sweep().await.unwrap();
    assert!(matches!(empty.undo().await.unwrap_err().cause, Cause::NothingDeleted));
    assert_eq!(empty.undo().await.unwrap_err().report.total().total(), Count::default());
}

#[tokio::test]
async fn a_trash_that_was_emptied_is_a_refusal() {
    let drill = Drill::with_trash(everything(5));
    drill.sweep().await.unwrap();
    let trash = drill.all_keys().into_iter().filter(|key| key.starts_with("regsweep/trash/"));
    trash.for_each(|key| drill.memory.remove(&key));
    for is_dry_run in [true, false] {
        let error = drill.undo_with(Only::default(), is_dry_run).await.unwrap_err();
        assert!(matches!(error.cause, Cause::NothingKept { .. }), "{error:?}");
    }
    assert!(!drill.journal().unwrap().state().is_undone());
}
