//! Was anything taken back since a plan was made, or is it still being taken back?
//!
//! What an undo brings back has the time at which it was first written, so that it does not look young, and a plan that
//! was made while it was gone does not know that it is needed again. So every undo writes that it has begun, and that it
//! ended: until then blobs may be back to which no link leads yet, and which any collection would take for garbage.

use planner::Plan;
use registry::Timestamp;
use store::{Cursor as _, ErrorKind, Listed, Object, ReadStore, StoreError};
use sweeper::{NOTE_LIMIT, UndoState, undone_prefix};

use crate::open::Open;
use crate::{Failure, Refusal};

/// Refuses any collection while an undo has not ended, and a plan that was made before the last undo of any plan of the
/// same registry. One LIST, and a GET for each undo.
///
/// # Errors
/// [`Refusal::Undoing`], [`Refusal::TakenBack`]; [`Failure::Store`] where the store does not tell.
pub(crate) async fn require_nothing_taken_back<S: ReadStore>(
    open: &Open<S>,
    plan: &Plan,
) -> Result<(), Failure> {
    let (last, since) = (last_undo(open).await?, plan.header().t0);
    match last {
        Some(at) if at >= since => Err(Refusal::TakenBack { at, since }.into()),
        _ => Ok(()),
    }
}

/// When an undo last ended.
///
/// # Errors
/// [`Refusal::Undoing`] where one did not; [`Failure::Store`] where the store does not tell.
pub(crate) async fn last_undo<S: ReadStore>(open: &Open<S>) -> Result<Option<Timestamp>, Failure> {
    let failed = |source| Failure::Store { location: open.store.identity().to_owned(), source };
    let mut notes = open.store.list(&undone_prefix(&open.layout), "");
    let mut last = None;
    while let Some(page) = notes.next().await.map_err(failed)? {
        for note in page.iter().filter_map(Listed::object) {
            match state(open, note).await.map_err(failed)? {
                Some(UndoState::Begun) => {
                    return Err(Refusal::Undoing { note: note.key.to_string() }.into());
                }
                Some(UndoState::Ended) => last = last.max(Some(note.modified)),
                None => {}
            }
        }
    }
    Ok(last)
}

/// What a note says; nothing where it was removed meanwhile.
async fn state<S: ReadStore>(
    open: &Open<S>,
    note: &Object,
) -> Result<Option<UndoState>, StoreError> {
    match open.store.get(&note.key, NOTE_LIMIT).await {
        Ok(body) => Ok(Some(UndoState::read(&body))),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        // It is none of ours, or of another version: doubt keeps (G4).
        Err(error) if error.kind == ErrorKind::TooLarge => Ok(Some(UndoState::Begun)),
        Err(error) => Err(error),
    }
}
