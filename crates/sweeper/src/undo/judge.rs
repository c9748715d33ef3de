//! Whether a row can be brought back, and by what. Pure.

use std::time::Duration;

use planner::Row;
use registry::Timestamp;
use store::{Marker, Version};

use super::evidence::Trace;
use super::report::Why;
use crate::journal::Period;

/// What to do about a row that was deleted, or may have been.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is there: it was never deleted, brought back before, or written again. Left as it is.
    Present,
    /// Removing these delete markers, oldest first, shows it again. The newest is the one by whose time the others are
    /// known, so that an undo that was cut off between them finds it again.
    Unmark(Vec<Marker>),
    /// It may be in the trash, from where it goes back.
    PutBack,
    /// It cannot be brought back.
    Lost(Why),
}

/// How much earlier than it was the store's clock may have been told: a header has seconds.
const EARLIER: Duration = Duration::from_secs(2);

/// How long a request may be on its way after the journal last heard of its sweep: longer than a store that fails is
/// asked again, and than its answer is waited for.
const ON_ITS_WAY: Duration = Duration::from_mins(10);

/// Judges a row by the history of its key, newest first.
///
/// What hides the object must be ours, all of it: named in the journal, or made for this row by a request whose answer
/// was lost. Those are known by their time. Nobody else deletes while a sweep is at work, and a request whose answer
/// came had no later marker.
pub(super) fn judge(row: &Row, trace: &Trace, versions: &[Version], sweeps: &[Period]) -> Verdict {
    let markers: Vec<&Marker> = versions.iter().map_while(marker).collect();
    if let Some(Version::Object { .. }) = versions.first() {
        return Verdict::Present;
    }
    let ids = match trace {
        Trace::Untouched => return Verdict::Present,
        Trace::Trashed => return Verdict::PutBack,
        Trace::Deleted(ids) | Trace::Unsettled(ids) => ids,
    };
    if versions.is_empty() {
        return Verdict::Lost(if ids.is_empty() { Why::NothingKept } else { Why::VersionGone });
    }
    let is_named = |marker: &Marker| ids.iter().any(|id| **id == *marker.id());
    let named = markers.iter().filter(|marker| is_named(marker)).map(|marker| marker.modified());
    let until = match trace {
        Trace::Unsettled(_) => Some(Timestamp::FAR_FUTURE),
        Trace::Deleted(_) | Trace::Trashed | Trace::Untouched => named.max(),
    };
    let is_lost_answer = |marker: &Marker| {
        until.is_some_and(|until| marker.modified() <= until)
            && sweeps.iter().any(|sweep| sweep.may_have_made(marker))
    };
    if !markers.iter().all(|marker| is_named(marker) || is_lost_answer(marker)) {
        return Verdict::Lost(Why::OtherMarker);
    }
    match versions.get(markers.len()) {
        // An older one would be another content.
        Some(Version::Object { modified, .. }) if *modified >= row.modified => {
            Verdict::Unmark(markers.into_iter().rev().cloned().collect())
        }
        _ => Verdict::Lost(Why::VersionGone),
    }
}

fn marker(version: &Version) -> Option<&Marker> {
    match version {
        Version::Marker(marker) => Some(marker),
        Version::Object { .. } => None,
    }
}

impl Period {
    fn may_have_made(&self, marker: &Marker) -> bool {
        let made = marker.modified();
        self.began.before(EARLIER) <= made && made <= self.last.after(ON_ITS_WAY)
    }
}
