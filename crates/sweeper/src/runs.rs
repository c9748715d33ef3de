//! What became of rows, as the journal keeps it.

use planner::Row;
use store::{Kept, KeyOutcome};

use crate::cut::Place;
use crate::journal::{Fate, Marked, Run};

/// The delete marker that hides a row now.
pub(crate) fn marked(place: Place, outcome: &KeyOutcome) -> Option<Marked> {
    let KeyOutcome::Deleted(Kept::Marker(id)) = outcome else { return None };
    let Place { segment, ordinal } = place;
    Some(Marked { segment, ordinal, id: id.clone() })
}

/// Appends a row to the last run where it continues it.
pub(crate) fn add_run(runs: &mut Vec<Run>, place: Place, row: &Row, outcome: &KeyOutcome) {
    let fate = match outcome {
        KeyOutcome::Deleted(Kept::Trash) => Fate::Trashed,
        KeyOutcome::Deleted(Kept::Nothing | Kept::Marker(_)) => Fate::Deleted,
        KeyOutcome::Rewritten => Fate::Rewritten,
        KeyOutcome::Gone => Fate::Gone,
        KeyOutcome::Spared => Fate::Spared,
        KeyOutcome::Failed(failure) => Fate::Failed(failure.kind),
    };
    let run = Run { span: place.span(), kind: row.kind, fate, bytes: row.bytes };
    match runs.last_mut() {
        Some(last) if last.is_continued_by(&run) => {
            last.span.length += 1;
            last.bytes = last.bytes.saturating_add(run.bytes);
        }
        _ => runs.push(run),
    }
}
