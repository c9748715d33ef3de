//! What a retention policy says of the tags that lead to a digest, as a plan by it has it.

use std::sync::Arc;
use std::time::Duration;

use foldhash::HashMap;
use lister::TagTree;
use marker::{Expiry, Marked, tags_to};
use planner::Row;
use policy::{Kept, Retention, RuleId, Subject, Verdict};
use registry::Digest;
use store::Listed;

use super::Gone;

/// What a policy says of a repository.
#[derive(Debug)]
pub(crate) struct Ruled {
    /// Whether any rule lets anything of it go.
    pub(crate) is_covered: bool,
    /// When manifests go that no tag reaches; none: never.
    pub(crate) untagged: Option<UntaggedTold>,
    /// The tags that lead to the digest, whatever becomes of them.
    pub(crate) tags: Vec<TagTold>,
}

/// When manifests go that no tag reaches.
#[derive(Debug)]
pub(crate) struct UntaggedTold {
    pub(crate) rule: Arc<str>,
    /// So long after they were pushed.
    pub(crate) after: Duration,
}

/// What becomes of a tag.
#[derive(Debug)]
pub(crate) struct TagTold {
    pub(crate) name: Box<str>,
    /// Why it goes, where it does.
    pub(crate) goes: Option<Gone>,
    /// What the policy says of it.
    pub(crate) because: Because,
}

/// Why a tag stays or goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Because {
    /// This rule keeps it.
    Kept(Arc<str>),
    /// No rule lets it go.
    NoRule,
    /// It is too young to judge (G1).
    Young,
    /// It is not known when it was written (G4).
    UnknownTime,
    /// This rule lets it go.
    Expired(Arc<str>),
    /// It stays and goes with this manifest.
    Follows(Digest),
    /// Its name says to which manifest it belongs, and the repository does not have that: it stays (G4).
    Stray,
    /// No rule lets anything of the repository go.
    NotCovered,
    /// Something of the repository is in doubt, so that nothing of it goes (G4).
    Doubt,
}

impl Because {
    /// The word for machines.
    pub(crate) const fn word(&self) -> &'static str {
        match self {
            Self::Kept(_) => "kept-by-rule",
            Self::NoRule => "no-rule",
            Self::Young => "young",
            Self::UnknownTime => "unknown-time",
            Self::Expired(_) => "expired-by-rule",
            Self::Follows(_) => "follows",
            Self::Stray => "stray",
            Self::NotCovered => "not-covered",
            Self::Doubt => "doubt",
        }
    }

    /// The rule that decides.
    pub(crate) const fn rule(&self) -> Option<&Arc<str>> {
        match self {
            Self::Kept(rule) | Self::Expired(rule) => Some(rule),
            _ => None,
        }
    }
}

/// The keys that go of a repository.
pub(super) struct Going<'r> {
    rows: HashMap<&'r str, &'r Row>,
}

impl<'r> Going<'r> {
    pub(super) fn of(rows: &'r [Row]) -> Self {
        Self { rows: rows.iter().map(|row| (&*row.key, row)).collect() }
    }

    /// Why a key goes, where it does.
    pub(super) fn of_key(&self, key: &str) -> Option<Gone> {
        self.rows.get(key).map(|row| Gone { reason: row.reason, rule: row.rule.clone() })
    }

    /// Why a tag goes: it is there as long as what says where it points to is.
    fn of_tag(&self, tag: &TagTree) -> Option<Gone> {
        self.of_key(tag.current.as_ref().map(Listed::key)?)
    }
}

impl Ruled {
    pub(super) fn of(
        marked: &Marked,
        policy: &Retention,
        going: &Going<'_>,
        digest: Digest,
    ) -> Self {
        let expiry = marked.expiry.as_ref();
        let telling = Telling { marked, policy };
        let subjects = expiry.map(|expiry| expiry.subjects(&marked.tree)).unwrap_or_default();
        let told = |at: usize| {
            let tag = marked.tree.tags.get(at)?;
            let because = telling.because(at, &subjects);
            Some(TagTold { name: tag.name.clone(), goes: going.of_tag(tag), because })
        };
        let untagged = expiry.and_then(|expiry| expiry.untagged);
        let untagged = untagged
            .map(|found| UntaggedTold { rule: telling.name(found.rule), after: found.after });
        let tags = tags_to(marked, digest).into_iter().filter_map(told).collect();
        Self { is_covered: expiry.is_some(), untagged, tags }
    }
}

/// Puts verdicts into words of the file.
struct Telling<'m> {
    marked: &'m Marked,
    policy: &'m Retention,
}

impl Telling<'_> {
    fn because(&self, tag: usize, subjects: &HashMap<Subject, Digest>) -> Because {
        let Some(Expiry { verdicts, .. }) = &self.marked.expiry else { return Because::NotCovered };
        match verdicts.get(tag) {
            None => Because::Doubt,
            Some(Verdict::Keep(Kept::ByRule(rule))) => Because::Kept(self.name(*rule)),
            Some(Verdict::Keep(Kept::ByNone)) => Because::NoRule,
            Some(Verdict::Keep(Kept::Young)) => Because::Young,
            Some(Verdict::Keep(Kept::UnknownTime)) => Because::UnknownTime,
            Some(Verdict::Expire(rule)) => Because::Expired(self.name(*rule)),
            Some(Verdict::Follow(subject)) => {
                subjects.get(subject).map_or(Because::Stray, |digest| Because::Follows(*digest))
            }
        }
    }

    fn name(&self, rule: RuleId) -> Arc<str> {
        self.policy.rule(rule).map_or_else(|| "".into(), |rule| Arc::clone(&rule.name))
    }
}
