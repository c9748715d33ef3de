//! Judges a plan by the numbers: does this look like a registry whose links are the whole truth?
//!
//! Every breaker has a share, which says that something is wrong, and a floor, below which a share means nothing
//! because the registry is small. Past both, the note is fatal and forbids sweeping; past the share alone it is a
//! warning.

mod keep_list;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Amount, Facts, Policy};

/// A test on the facts of a run that can forbid sweeping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Breaker {
    /// Blobs still arrive, but links stopped: a database has taken their place.
    StaleLinks,
    /// Fresh blobs that nobody links: links are kept elsewhere.
    YoungOrphans,
    /// Most manifests have no tag: tags are kept elsewhere.
    UntaggedShare,
    /// A large part of the registry would go.
    DeleteShare,
    /// Keys that no distribution registry writes: another layout, or another program's data.
    ForeignKeys,
    /// Most digests on the keep list are not in the store: it is another database's, or of another bucket.
    KeepListStranger,
    /// Manifests that were pushed lately are not on the keep list: it is not whole, or of another table.
    KeepListShort,
    /// Blobs were written after the keep list was: it was not exported while nobody could push.
    KeepListOutdated,
}

impl Breaker {
    /// Every breaker.
    pub const ALL: [Self; 8] = [
        Self::StaleLinks,
        Self::YoungOrphans,
        Self::UntaggedShare,
        Self::DeleteShare,
        Self::ForeignKeys,
        Self::KeepListStranger,
        Self::KeepListShort,
        Self::KeepListOutdated,
    ];

    /// The name on the command line and in plans.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::StaleLinks => "stale-links",
            Self::YoungOrphans => "young-orphans",
            Self::UntaggedShare => "untagged-share",
            Self::DeleteShare => "delete-share",
            Self::ForeignKeys => "foreign-keys",
            Self::KeepListStranger => "keep-list-stranger",
            Self::KeepListShort => "keep-list-short",
            Self::KeepListOutdated => "keep-list-outdated",
        }
    }
}

impl fmt::Display for Breaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A text that names no breaker.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is none of {}", Breaker::ALL.map(Breaker::name).join(", "))]
pub struct UnknownBreaker {
    /// The text.
    pub name: String,
}

impl FromStr for Breaker {
    type Err = UnknownBreaker;

    fn from_str(name: &str) -> Result<Self, UnknownBreaker> {
        let known = Self::ALL.into_iter().find(|breaker| breaker.name() == name);
        known.ok_or_else(|| UnknownBreaker { name: name.to_owned() })
    }
}

/// What a note means for the sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth a look; sweeping is allowed.
    Warning,
    /// The operator accepted it beforehand; sweeping is allowed.
    Accepted,
    /// Sweeping is refused.
    Fatal,
}

/// One thing that the audit found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// What it means for the sweep.
    pub severity: Severity,
    /// The breaker that found it.
    pub breaker: Breaker,
    /// How many, in the unit that the evidence names.
    pub found: u64,
    /// Out of how many.
    pub of: u64,
    /// The numbers in words, and what they speak for.
    pub evidence: String,
}

/// What the operator allows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// The largest share of all blobs, by count and by bytes, that may go; none: [`Limits::DEFAULT_DELETE_SHARE_PERCENT`]. A share
    /// that the operator named holds for registries of every size; the default spares small ones.
    pub max_delete_share_percent: Option<u8>,
    /// Breakers that do not forbid sweeping.
    pub accepted: BTreeSet<Breaker>,
}

impl Limits {
    /// The share of all blobs that may go where the operator names none, in percent.
    pub const DEFAULT_DELETE_SHARE_PERCENT: u8 = 30;
}

/// Late blobs that trip `stale-links`. A push writes blobs before links, so a healthy registry has next to none; one
/// interrupted push, or a repository whose links were removed by hand, leaves the three or four of one image.
const LATE_BLOBS: u64 = 10;

/// Share of young blobs without a link that trips `young-orphans`: an upload ends by writing a link, so a healthy
/// registry has next to none.
const YOUNG_ORPHANS_PERCENT: u64 = 5;

/// Orphans that trip `young-orphans`: fewer are the blobs of a few images whose repository was removed by hand.
const YOUNG_ORPHANS: u64 = 20;

/// Share of repositories without tags, and of revisions that no tag reaches, that trips `untagged-share`.
const UNTAGGED_PERCENT: u64 = 50;

/// Untagged repositories that trip `untagged-share`: with fewer, half of them is one or two abandoned projects.
const UNTAGGED_REPOSITORIES: u64 = 5;

/// Untagged revisions that trip `untagged-share`: with fewer, half of them is one tag that was pushed a few times.
const UNTAGGED_REVISIONS: u64 = 50;

/// Blobs that must go before the default share trips `delete-share`: about twenty images. Below that a share says
/// how small the registry is.
const DELETED_BLOBS: u64 = 100;

/// Bytes that must go before the default share trips `delete-share`: few blobs can be much data, as models are.
const DELETED_BYTES: u64 = 64 << 30;

/// Foreign keys in a thousand that trip `foreign-keys`.
const FOREIGN_PER_MILLE: u64 = 1;

/// Foreign keys that trip `foreign-keys`: fewer are the odd file that somebody left behind.
const FOREIGN_KEYS: u64 = 10;

/// Judges what a run saw and what its plan deletes.
///
/// Pure. Notes come in the order of [`Breaker::ALL`]; none where nothing is remarkable.
#[must_use]
pub fn audit(facts: &Facts, policy: &Policy, limits: &Limits) -> Vec<Note> {
    let findings = [
        stale_links(facts),
        young_orphans(facts),
        untagged_repositories(facts, policy),
        untagged_revisions(facts, policy),
        deleted_blobs(facts, limits),
        deleted_bytes(facts, limits),
        foreign_keys(facts),
        stray_links(facts),
        keep_list::stranger(facts),
        keep_list::short(facts),
        keep_list::outdated(facts),
    ];
    findings.into_iter().flatten().map(|finding| finding.judge(limits)).collect()
}

/// Whether `notes` allow sweeping.
#[must_use]
pub fn allows_sweep(notes: &[Note]) -> bool {
    notes.iter().all(|note| note.severity != Severity::Fatal)
}

/// A share that was passed.
struct Finding {
    breaker: Breaker,
    found: u64,
    of: u64,
    is_past_floor: bool,
    evidence: String,
}

impl Finding {
    fn judge(self, limits: &Limits) -> Note {
        let severity = match (limits.accepted.contains(&self.breaker), self.is_past_floor) {
            (true, _) => Severity::Accepted,
            (false, true) => Severity::Fatal,
            (false, false) => Severity::Warning,
        };
        let Self { breaker, found, of, evidence, .. } = self;
        Note { severity, breaker, found, of, evidence }
    }
}

/// Whether `found` is more than `parts` in `whole` of `of`; exact, never overflows.
fn exceeds(found: u64, of: u64, parts: u64, whole: u64) -> bool {
    u128::from(found) * u128::from(whole) > u128::from(of) * u128::from(parts)
}

/// Says nothing where a keep list is there: that links are kept elsewhere is why, and what is there they are in it.
fn stale_links(facts: &Facts) -> Option<Finding> {
    if facts.have_keep_list() {
        return None;
    }
    let (found, of) = (facts.late_blobs, facts.blobs.count);
    let since = match facts.newest_link {
        Some(link) => format!("more than an hour after the newest link ({link})"),
        None => "although there is no link at all".to_owned(),
    };
    let newest =
        facts.newest_blob.map(|blob| format!(", the newest at {blob}")).unwrap_or_default();
    (found > 0).then(|| Finding {
        breaker: Breaker::StaleLinks,
        found,
        of,
        is_past_floor: found >= LATE_BLOBS,
        evidence: format!(
            "{found} of {of} blobs were written {since}{newest}: links may be kept elsewhere"
        ),
    })
}

/// Where needed blobs were not looked at, the manifests that were linked in the same time stand for the young ones:
/// each is a blob, and its layers are more. What a keep list names is no orphan: where a database has taken the place of
/// links, this is what tells a list that was cut off.
fn young_orphans(facts: &Facts) -> Option<Finding> {
    let unseen = if facts.unweighed_blobs > 0 { facts.young_revisions } else { 0 };
    let (found, of) = (facts.young_orphans, facts.young_blobs + unseen);
    let (nor_listed, why) = if facts.have_keep_list() {
        (" and not on the keep list", "the list may not be whole")
    } else {
        ("", "links may be kept elsewhere")
    };
    exceeds(found, of, YOUNG_ORPHANS_PERCENT, 100).then(|| Finding {
        breaker: Breaker::YoungOrphans,
        found,
        of,
        is_past_floor: found >= YOUNG_ORPHANS,
        evidence: format!(
            "{found} of {of} blobs younger than 30 days are linked by no repository{nor_listed}: {why}"
        ),
    })
}

fn untagged_repositories(facts: &Facts, policy: &Policy) -> Option<Finding> {
    let (found, of) = (facts.untagged_repositories, facts.repositories_with_revisions);
    (policy.untagged && exceeds(found, of, UNTAGGED_PERCENT, 100)).then(|| Finding {
        breaker: Breaker::UntaggedShare,
        found,
        of,
        is_past_floor: found >= UNTAGGED_REPOSITORIES,
        evidence: format!(
            "{found} of {of} repositories with manifests have no tag: tags may be kept elsewhere"
        ),
    })
}

fn untagged_revisions(facts: &Facts, policy: &Policy) -> Option<Finding> {
    let (found, of) = (facts.untagged_revisions, facts.revisions);
    (policy.untagged && exceeds(found, of, UNTAGGED_PERCENT, 100)).then(|| Finding {
        breaker: Breaker::UntaggedShare,
        found,
        of,
        is_past_floor: found >= UNTAGGED_REVISIONS,
        evidence: format!("no tag reaches {found} of {of} manifests: tags may be kept elsewhere"),
    })
}

fn deleted_blobs(facts: &Facts, limits: &Limits) -> Option<Finding> {
    let (found, of) = (facts.deleted_blobs.count, facts.blobs.count);
    delete_share(facts, limits, found, of, "blobs")
}

/// Tells nothing where needed blobs were not weighed.
fn deleted_bytes(facts: &Facts, limits: &Limits) -> Option<Finding> {
    if facts.unweighed_blobs > 0 {
        return None;
    }
    let (found, of) = (facts.deleted_blobs.bytes, facts.blobs.bytes);
    delete_share(facts, limits, found, of, "bytes of blobs")
}

fn delete_share(
    facts: &Facts,
    limits: &Limits,
    found: u64,
    of: u64,
    unit: &str,
) -> Option<Finding> {
    let percent = limits.max_delete_share_percent.unwrap_or(Limits::DEFAULT_DELETE_SHARE_PERCENT);
    exceeds(found, of, percent.into(), 100).then(|| Finding {
        breaker: Breaker::DeleteShare,
        found,
        of,
        is_past_floor: limits.max_delete_share_percent.is_some()
            // However small the registry: the list may be all that keeps its blobs, and a few lines of it cut off.
            || facts.have_keep_list()
            || is_much(facts.deleted_blobs),
        evidence: format!("{found} of {of} {unit} would go, more than {percent} %"),
    })
}

fn is_much(deleted: Amount) -> bool {
    deleted.count >= DELETED_BLOBS || deleted.bytes >= DELETED_BYTES
}

fn foreign_keys(facts: &Facts) -> Option<Finding> {
    let (found, of) = (facts.foreign_keys, facts.keys);
    exceeds(found, of, FOREIGN_PER_MILLE, 1000).then(|| Finding {
        breaker: Breaker::ForeignKeys,
        found,
        of,
        is_past_floor: found >= FOREIGN_KEYS,
        evidence: format!("{found} of {of} keys are no part of the distribution layout"),
    })
}

/// A single one is fatal: no registry writes a link outside a repository, so whoever did may hold links that are not
/// understood here (G4).
fn stray_links(facts: &Facts) -> Option<Finding> {
    let found = facts.stray_links;
    (found > 0).then(|| Finding {
        breaker: Breaker::ForeignKeys,
        found,
        of: facts.keys,
        is_past_floor: true,
        evidence: format!(
            "{found} links lie outside every repository: another program may keep its own"
        ),
    })
}

#[cfg(test)]
mod tests;
