//! Was anything taken back since a plan was made?
//!
//! What an undo brings back has the time at which it was first written, so that it does not look young, and a plan that
//! was made while it was gone does not know that it is needed again. So every undo writes when it was at work.

use planner::Plan;
use store::{Cursor as _, ReadStore};
use sweeper::undone_prefix;

use crate::open::Open;
use crate::{Failure, Refusal};

/// Refuses a plan that was made before the last undo of any plan of the same registry. One LIST.
///
/// # Errors
/// [`Refusal::TakenBack`]; [`Failure::Store`] where the store does not tell.
pub(crate) async fn require_nothing_taken_back<S: ReadStore>(
    open: &Open<S>,
    plan: &Plan,
) -> Result<(), Failure> {
    let failed = |source| Failure::Store { location: open.store.identity().to_owned(), source };
    let mut notes = open.store.list(&undone_prefix(&open.layout), "");
    while let Some(page) = notes.next().await.map_err(failed)? {
        let later = page.iter().filter_map(store::Listed::object);
        let later = later.filter(|note| note.modified >= plan.header().t0);
        if let Some(note) = later.max_by_key(|note| note.modified) {
            let since = plan.header().t0;
            return Err(Refusal::TakenBack { at: note.modified, since }.into());
        }
    }
    Ok(())
}
