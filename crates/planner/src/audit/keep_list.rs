//! Is a keep list of this registry, and whole?

use super::{Breaker, Finding, exceeds};
use crate::Facts;

/// Share of the keep list that is not in the store and trips `keep-list-stranger`. A database names what it never stored
/// (layers that clients get elsewhere) or lost, which is the lesser part; two registries have their base images in
/// common, which is the lesser part too.
const STRANGERS_PERCENT: u64 = 50;

/// Strangers that trip `keep-list-stranger` where some of the list is in the store: fewer are the foreign layers of a few
/// images. Where none of it is, one is enough.
const STRANGERS: u64 = 20;

/// Share of the manifests that were pushed lately, and that the keep list does not know, that trips `keep-list-short`.
/// Whoever pushes tells the database, so a whole list lacks only what was deleted from the database alone.
const KEEP_LIST_GAPS_PERCENT: u64 = 5;

/// Such manifests that trip `keep-list-short`: fewer are one or two images that were deleted in the last 30 days and of
/// which a link stayed, each with its platforms and signatures.
const KEEP_LIST_GAPS: u64 = 10;

/// Says nothing of a store without blobs, of which nothing can go.
pub(super) fn stranger(facts: &Facts) -> Option<Finding> {
    let (found, of) = (facts.keep_list.saturating_sub(facts.keep_list_blobs), facts.keep_list);
    let is_here = facts.keep_list_blobs > 0;
    (facts.blobs.count > 0 && exceeds(found, of, STRANGERS_PERCENT, 100)).then(|| Finding {
        breaker: Breaker::KeepListStranger,
        found,
        of,
        is_past_floor: found >= STRANGERS || !is_here,
        evidence: format!(
            "{found} of {of} digests on the keep list are not in the store: it may be of another registry"
        ),
    })
}

/// Says nothing where no manifest was linked lately, as after GitLab's move to a database: what tells there is
/// `young-orphans`.
pub(super) fn short(facts: &Facts) -> Option<Finding> {
    let (found, of) = (facts.keep_list_gaps, facts.young_revisions);
    exceeds(found, of, KEEP_LIST_GAPS_PERCENT, 100).then(|| Finding {
        breaker: Breaker::KeepListShort,
        found,
        of,
        is_past_floor: found >= KEEP_LIST_GAPS,
        evidence: format!(
            "{found} of {of} manifests younger than 30 days are not on the keep list: it may not be whole, or not of \
             this registry"
        ),
    })
}

/// A single one is fatal: the list was not exported while nobody could push, and where a database has taken the place of
/// links, what somebody pushed again since is as old as it was, and named by nothing in the store.
pub(super) fn outdated(facts: &Facts) -> Option<Finding> {
    let (found, of) = (facts.keep_list_late_blobs, facts.blobs.count);
    (found > 0).then(|| Finding {
        breaker: Breaker::KeepListOutdated,
        found,
        of,
        is_past_floor: true,
        evidence: format!(
            "{found} of {of} blobs were written after the keep list was: it does not have what was pushed since"
        ),
    })
}

#[cfg(test)]
mod tests;
