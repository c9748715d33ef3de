//! The verdict over the tags of a repository: pure.

use std::cmp::Reverse;
use std::time::Duration;

use registry::Timestamp;

use crate::rule::{Action, Expire, Keep, Rule, Scope};
use crate::{Retention, RuleId, Subject};

/// A tag, and when it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaggedAt<'t> {
    /// The tag.
    pub tag: &'t str,
    /// When it was written last; `None` where that is not known: it stays (G4).
    pub written: Option<Timestamp>,
}

/// When it is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The store's time when the run began.
    pub t0: Timestamp,
    /// What was written at or after this is too young to judge (G1).
    pub cutoff: Timestamp,
}

/// What becomes of a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It stays.
    Keep(Kept),
    /// It goes; the first rule of the file that lets it.
    Expire(RuleId),
    /// It stays as long as this manifest does, and goes with it. Where the repository does not have the manifest,
    /// nothing is known of it, and the tag stays (G4).
    Follow(Subject),
}

/// Why a tag stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// A rule keeps it: the first of the file that does.
    ByRule(RuleId),
    /// No rule lets it go.
    ByNone,
    /// It is too young to judge (G1).
    Young,
    /// It is not known when it was written (G4).
    UnknownTime,
}

/// When manifests that no tag reaches go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Untagged {
    /// They were pushed longer ago than this.
    pub after: Duration,
    /// The rule that says so.
    pub rule: RuleId,
}

/// What becomes of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// What becomes of each tag, by its position.
    pub tags: Vec<Verdict>,
    /// When manifests that no tag reaches go; `None`: never. Of several rules, the one that waits longest counts.
    pub untagged: Option<Untagged>,
}

impl Retention {
    /// Decides over `tags`, all that the repository has, each once, in any order. Equal inputs give equal verdicts.
    ///
    /// `None` where no rule lets anything of the repository go: it is left alone.
    #[must_use]
    pub fn judge(
        &self,
        repository: &str,
        tags: &[TaggedAt<'_>],
        moment: &Moment,
    ) -> Option<Judgement> {
        let rules: Vec<(RuleId, &Rule)> = (0..).map(RuleId).zip(self.rules()).collect();
        let rules: Vec<(RuleId, &Rule)> =
            rules.into_iter().filter(|(_, rule)| rule.covers(repository)).collect();
        if !rules.iter().any(|(_, rule)| rule.lets_go()) {
            return None;
        }
        let kept = kept(&rules, tags, moment);
        let verdict =
            |(tagged, kept): (&TaggedAt<'_>, Option<Kept>)| verdict(tagged, kept, &rules, moment);
        let verdicts = tags.iter().zip(kept).map(verdict).collect();
        Some(Judgement { tags: verdicts, untagged: untagged(&rules) })
    }
}

/// What the rules that keep say of each tag.
fn kept(rules: &[(RuleId, &Rule)], tags: &[TaggedAt<'_>], moment: &Moment) -> Vec<Option<Kept>> {
    let mut kept = vec![None; tags.len()];
    for (id, rule) in rules {
        let Action::Keep(scope, keep) = &rule.action else { continue };
        for at in kept_by(scope, *keep, tags, moment) {
            kept[at].get_or_insert(Kept::ByRule(*id));
        }
    }
    kept
}

/// The tags that one rule keeps. Tags that follow a manifest are kept by `always` alone, and take no place among the
/// last; nor do those of which no time is known, which stay anyway.
fn kept_by(scope: &Scope, keep: Keep, tags: &[TaggedAt<'_>], moment: &Moment) -> Vec<usize> {
    let meant = (0..tags.len()).filter(|at| scope.holds(tags[*at].tag));
    let Keep::Some { last, newer_than } = keep else { return meant.collect() };
    let meant = meant.filter(|at| Subject::of_tag(tags[*at].tag).is_none());
    let mut dated: Vec<(Timestamp, &str, usize)> =
        meant.filter_map(|at| Some((tags[at].written?, tags[at].tag, at))).collect();
    dated.sort_unstable_by_key(|(written, tag, _)| Reverse((*written, *tag)));
    let is_new =
        |written: Timestamp| newer_than.is_some_and(|span| written > moment.t0.before(span));
    let is_kept = |place: usize, written| last.is_some_and(|last| place < last) || is_new(written);
    let places = dated.into_iter().enumerate();
    places
        .filter(|(place, (written, ..))| is_kept(*place, *written))
        .map(|(_, (.., at))| at)
        .collect()
}

fn verdict(
    tagged: &TaggedAt<'_>,
    kept: Option<Kept>,
    rules: &[(RuleId, &Rule)],
    moment: &Moment,
) -> Verdict {
    let Some(written) = tagged.written else { return Verdict::Keep(Kept::UnknownTime) };
    if let Some(kept) = kept {
        return Verdict::Keep(kept);
    }
    if written >= moment.cutoff {
        return Verdict::Keep(Kept::Young);
    }
    if let Some(subject) = Subject::of_tag(tagged.tag) {
        return Verdict::Follow(subject);
    }
    let lets_go = |rule: &Rule| match &rule.action {
        Action::Expire(scope, expire) => {
            scope.holds(tagged.tag) && is_past(*expire, written, moment)
        }
        Action::Keep(..) | Action::Untagged(_) => false,
    };
    let decided = rules.iter().find(|(_, rule)| lets_go(rule));
    decided.map_or(Verdict::Keep(Kept::ByNone), |(id, _)| Verdict::Expire(*id))
}

fn is_past(expire: Expire, written: Timestamp, moment: &Moment) -> bool {
    match expire {
        Expire::Always => true,
        Expire::OlderThan(span) => written < moment.t0.before(span),
    }
}

/// The rule that waits longest; of equals the first. A rule that says never outlasts all.
fn untagged(rules: &[(RuleId, &Rule)]) -> Option<Untagged> {
    let mut longest: Option<Untagged> = None;
    for (rule, of) in rules {
        match of.action {
            Action::Untagged(None) => return None,
            Action::Untagged(Some(after)) if longest.is_none_or(|other| other.after < after) => {
                longest = Some(Untagged { after, rule: *rule });
            }
            Action::Untagged(Some(_)) | Action::Keep(..) | Action::Expire(..) => {}
        }
    }
    longest
}
