//! What a retention policy lets go of a repository: pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use foldhash::{HashMap, HashMapExt as _, HashSet};
use lister::{RepositoryTree, TagTree};
use policy::{Judgement, Kept, Moment, Retention, RuleId, Subject, TaggedAt, Untagged, Verdict};
use registry::{Digest, Timestamp};

use crate::Evidence;

/// What a retention policy lets go of one repository that it covers.
#[derive(Clone, Debug)]
pub struct Expiry {
    /// The policy.
    pub policy: Arc<Retention>,
    /// Tags that go, by position in [`RepositoryTree::tags`], each with the rule that lets it.
    pub tags: BTreeMap<usize, RuleId>,
    /// What the policy says of each tag, by position in [`RepositoryTree::tags`]; nothing where doubt keeps them all.
    pub verdicts: Vec<Verdict>,
    /// Manifests that tags reach, none of which stays, each with the rule that let one of these tags go.
    pub manifests: HashMap<Digest, RuleId>,
    /// When manifests go that no tag reaches; `None`: never.
    pub untagged: Option<Untagged>,
}

impl Expiry {
    /// Rules that keep tags, once for each tag.
    pub fn keeping(&self) -> impl Iterator<Item = RuleId> + '_ {
        self.verdicts.iter().filter_map(|verdict| match verdict {
            Verdict::Keep(Kept::ByRule(rule)) => Some(*rule),
            Verdict::Keep(_) | Verdict::Expire(_) | Verdict::Follow(_) => None,
        })
    }

    /// The manifests of the repository to which tags belong by their names, where any does.
    #[must_use]
    pub fn subjects(&self, tree: &RepositoryTree) -> HashMap<Subject, Digest> {
        subjects(&self.verdicts, tree).collect()
    }
}

/// The manifests that a repository has a revision link of, where any tag hangs on one.
fn subjects<'t>(
    verdicts: &[Verdict],
    tree: &'t RepositoryTree,
) -> impl Iterator<Item = (Subject, Digest)> + use<'t> {
    let hangs = verdicts.iter().any(|verdict| matches!(verdict, Verdict::Follow(_)));
    let revisions = tree.revisions.iter().filter(move |_| hangs);
    revisions.map(|link| (Subject::of_digest(&link.digest), link.digest))
}

/// What the policy says of the tags of a repository, before it is known what they reach.
#[derive(Clone, Debug)]
pub(crate) struct Verdicts {
    pub(crate) policy: Arc<Retention>,
    /// By position in [`RepositoryTree::tags`].
    tags: Vec<Verdict>,
    pub(crate) untagged: Option<Untagged>,
}

impl Verdicts {
    /// What `policy` says of the tags of `tree` at `moment`; `None` where it does not cover the repository.
    ///
    /// What is only the history of a tag is no tag and takes no place among those that a rule keeps. A registry shows it
    /// as one, so it is judged all the same, beside the others.
    pub(crate) fn of(
        tree: &RepositoryTree,
        policy: &Arc<Retention>,
        moment: &Moment,
    ) -> Option<Self> {
        let judge = |with: &dyn Fn(&TagTree) -> bool| {
            let tags: Vec<TaggedAt<'_>> =
                tree.tags.iter().filter(|tag| with(tag)).map(tagged).collect();
            policy.judge(tree.name.as_str(), &tags, moment)
        };
        let Judgement { tags, untagged } = judge(&|tag| tag.current.is_some())?;
        let all = if tags.len() == tree.tags.len() { tags.clone() } else { judge(&|_| true)?.tags };
        let mut real = tags.into_iter();
        let pick = |(tag, beside): (&TagTree, Verdict)| match tag.current {
            Some(_) => real.next().unwrap_or(Verdict::Keep(Kept::ByNone)),
            None => beside,
        };
        let tags = tree.tags.iter().zip(all).map(pick).collect();
        Some(Self { policy: Arc::clone(policy), tags, untagged })
    }

    /// Whether a tag at this position is no root: it goes, or hangs on a manifest that is known here.
    pub(crate) fn is_no_root(&self, tag: usize, revisions: &HashSet<Subject>) -> bool {
        match self.tags.get(tag) {
            Some(Verdict::Expire(_)) => true,
            Some(Verdict::Follow(subject)) => revisions.contains(subject),
            Some(Verdict::Keep(_)) | None => false,
        }
    }

    /// The manifests that this repository has a revision link of, where any tag hangs on one.
    pub(crate) fn subjects(&self, tree: &RepositoryTree) -> HashSet<Subject> {
        subjects(&self.tags, tree).map(|(subject, _)| subject).collect()
    }

    /// What tags point to that hang on manifests, by these.
    pub(crate) fn followers(&self, evidence: &Evidence) -> HashMap<Subject, Vec<Digest>> {
        let mut followers: HashMap<Subject, Vec<Digest>> = HashMap::new();
        for target in &evidence.targets {
            if let Some(Verdict::Follow(subject)) = self.tags.get(target.tag) {
                followers.entry(*subject).or_default().push(target.digest);
            }
        }
        followers
    }

    /// The tags that a rule lets go, with what they point to.
    pub(crate) fn expiring<'e>(
        &'e self,
        evidence: &'e Evidence,
    ) -> impl Iterator<Item = (Digest, RuleId)> + 'e {
        evidence.targets.iter().filter_map(|target| match self.tags.get(target.tag) {
            Some(Verdict::Expire(rule)) => Some((target.digest, *rule)),
            Some(Verdict::Keep(_) | Verdict::Follow(_)) | None => None,
        })
    }

    /// What goes at last. `kept` are the manifests that stay, `manifests` those that only tags reached which go.
    pub(crate) fn settled(
        self,
        tree: &RepositoryTree,
        kept: &HashSet<Digest>,
        manifests: HashMap<Digest, RuleId>,
    ) -> Expiry {
        let subjects = self.subjects(tree);
        let hangs = !subjects.is_empty();
        let alive: HashSet<Subject> =
            kept.iter().filter(|_| hangs).map(Subject::of_digest).collect();
        let gone: HashMap<Subject, RuleId> = manifests
            .iter()
            .filter(|_| hangs)
            .map(|(digest, rule)| (Subject::of_digest(digest), *rule))
            .collect();
        let rule_of = |verdict: &Verdict| match verdict {
            Verdict::Expire(rule) => Some(*rule),
            Verdict::Follow(subject) if subjects.contains(subject) && !alive.contains(subject) => {
                gone.get(subject).copied().or(self.untagged.map(|untagged| untagged.rule))
            }
            Verdict::Follow(_) | Verdict::Keep(_) => None,
        };
        let tags = self.tags.iter().enumerate();
        let tags = tags.filter_map(|(at, verdict)| Some((at, rule_of(verdict)?))).collect();
        let Self { policy, tags: verdicts, untagged } = self;
        Expiry { policy, tags, verdicts, manifests, untagged }
    }

    /// What goes of a repository in doubt: nothing (G4).
    pub(crate) fn pinned(self) -> Expiry {
        let (tags, verdicts, manifests) = (BTreeMap::new(), Vec::new(), HashMap::new());
        Expiry { policy: self.policy, tags, verdicts, manifests, untagged: None }
    }
}

/// A tag with the time at which anything of it was written last: a push writes its history first. Not known where
/// anything of it was not looked at.
fn tagged(tag: &TagTree) -> TaggedAt<'_> {
    let entries = tag.current.iter().chain(tag.index.iter().map(|link| &link.listed));
    let times = entries.map(|listed| Some(listed.object()?.modified));
    let times: Option<Vec<Timestamp>> = times.collect();
    TaggedAt { tag: &tag.name, written: times.and_then(|times| times.into_iter().max()) }
}

#[cfg(test)]
mod tests;
