//! Values of labels.

use monitor::{Ending, Phase, RequestKind};

/// A phase.
#[must_use]
pub const fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Opening => "opening",
        Phase::ListingBlobs => "listing_blobs",
        Phase::Verifying => "verifying",
        Phase::Marking => "marking",
        Phase::Sealing => "sealing",
        Phase::Planning => "planning",
        Phase::Weighing => "weighing",
        Phase::SweepingLinks => "sweeping_links",
        Phase::SweepingBlobs => "sweeping_blobs",
        Phase::Restoring => "restoring",
        Phase::Finished => "finished",
    }
}

pub(crate) const fn kind(kind: RequestKind) -> &'static str {
    match kind {
        RequestKind::List => "list",
        RequestKind::Get => "get",
        RequestKind::Head => "head",
        RequestKind::Put => "put",
        RequestKind::Delete => "delete",
    }
}

pub(crate) const fn ending(ending: Ending) -> &'static str {
    match ending {
        Ending::Ok => "ok",
        Ending::Missing => "missing",
        Ending::Throttled => "throttled",
        Ending::Refused => "refused",
        Ending::Failed => "failed",
        Ending::CutOff => "cut_off",
    }
}
