//! Why something is kept, or would go: by the same marks and verdicts as a plan.

mod ruled;
mod search;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use marker::{DigestSet, DigestSetBuilder, Follow, Ground, Lead, MarkSetBuilder, Path, Rules};
use monitor::Phase;
use planner::{BlobJudge, Cutoffs, Facts, Reason};
use policy::Retention;
use registry::{Digest, KeyKind, LinkError, RepositoryName, Timestamp, parse_link};
use store::{ErrorKind, Object, ReadStore};

pub(crate) use self::ruled::{Because, Ruled, TagTold};
use self::search::Search;
use crate::Failure;
use crate::args::Subject;
use crate::survey::{Marking, Survey, sole, visit_repositories};

/// More than any link has, in bytes.
const LINK_LIMIT: u64 = 1024;

/// What is asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) subject: Subject,
    /// By which times something may go.
    pub(crate) cutoffs: Cutoffs,
    /// By which policy, where there is one.
    pub(crate) retention: Option<Arc<Retention>>,
}

/// What was found out.
#[derive(Debug)]
pub(crate) struct Explanation {
    /// What was asked about.
    pub(crate) subject: Subject,
    /// Its digest; none where there is no such tag, or where it says nothing.
    pub(crate) digest: Option<Digest>,
    /// Its data, where that is there.
    pub(crate) blob: Option<Object>,
    pub(crate) verdict: Verdict,
    /// Before when something must have been written to go.
    pub(crate) cutoffs: Cutoffs,
    /// The repositories that keep it or name it, in the order of their names.
    pub(crate) holdings: Vec<Holding>,
}

impl Explanation {
    /// What becomes of the tag that was asked about, where a policy decides over tags.
    pub(crate) fn tag(&self) -> Option<&TagTold> {
        let Subject::Tagged(repository, tag) = &self.subject else { return None };
        let asked = self.holdings.iter().find(|holding| holding.repository == *repository)?;
        asked.ruled.as_ref()?.tags.iter().find(|told| *told.name == *tag.as_str())
    }

    /// The repository that was asked about, where it has nothing to do with the digest.
    pub(crate) fn stranger(&self) -> Option<&RepositoryName> {
        let (Subject::Tagged(asked, _) | Subject::Manifest(asked, _)) = &self.subject else {
            return None;
        };
        let is_known = self.holdings.iter().any(|holding| holding.repository == *asked);
        (self.digest.is_some() && !is_known).then_some(asked)
    }
}

/// What becomes of data.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// It is needed, or whether it is is not known.
    Kept,
    /// Nothing needs it, and it is too young to go.
    Young,
    /// It goes, for this reason.
    Garbage(Reason),
    /// Something names it, and it is not there.
    Missing,
    /// Nothing names it, and it is not there.
    Unknown,
    /// There is no such tag.
    NoTag,
    /// What the tag's link says is no digest.
    BrokenTag(LinkError),
}

/// What a repository has to do with a digest.
#[derive(Debug)]
pub(crate) struct Holding {
    pub(crate) repository: RepositoryName,
    /// Why it keeps it: ways from what is kept for its own sake.
    pub(crate) paths: Vec<Path>,
    /// What could not be read or understood, where that keeps all that the repository names.
    pub(crate) doubts: Vec<String>,
    /// The keys that name it.
    pub(crate) links: Vec<NamedBy>,
    /// What the policy says here, where there is one.
    pub(crate) ruled: Option<Ruled>,
}

/// A key that names a digest.
#[derive(Debug)]
pub(crate) struct NamedBy {
    pub(crate) key: Box<str>,
    /// When it was written, where that is known.
    pub(crate) modified: Option<Timestamp>,
    /// Why it goes, where it does.
    pub(crate) goes: Option<Gone>,
}

/// Why a key goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Gone {
    pub(crate) reason: Reason,
    /// The rule of the policy, where one decided.
    pub(crate) rule: Option<Arc<str>>,
}

/// Goes through a registry and finds out what becomes of what is asked about.
///
/// # Errors
/// Where anything that could keep it may have been missed (G4).
pub(crate) async fn explain<S: ReadStore>(
    survey: Survey<'_, S>,
    asked: Asked,
) -> Result<Explanation, Failure> {
    let Asked { subject, cutoffs, retention } = asked;
    let digest = match digest_of(&survey, &subject).await? {
        Ok(digest) => digest,
        Err(verdict) => {
            let (blob, holdings) = (None, Vec::new());
            return Ok(Explanation { subject, digest: None, blob, verdict, cutoffs, holdings });
        }
    };
    survey.monitor.enter(Phase::Marking);
    let marks = Arc::new(MarkSetBuilder::limited(&survey.in_memory(survey.memory / 2))?);
    let unlinked = Arc::new(DigestSetBuilder::limited(&survey.in_memory(survey.memory / 8))?);
    let rules = Rules { t0: cutoffs.t0, ..Rules::new(cutoffs.untagged, cutoffs.objects) };
    let marking = Marking { retention, ..Marking::following(rules, Follow::Everything) };
    let search = || {
        let search = Search::new(digest, rules, cutoffs, Arc::clone(&unlinked));
        search.by(marking.retention.as_ref())
    };
    let (complete, searches) = visit_repositories(survey, &marks, marking.clone(), search).await?;
    survey.monitor.enter(Phase::Sealing);
    let marks = sole(marks, "the marks are still in use")?.seal(&complete)?;
    let (mut facts, mut holdings) = (Facts::default(), Vec::new());
    for search in searches {
        facts.merge(&search.facts);
        holdings.extend(search.holdings);
    }
    holdings.sort_unstable_by(|a, b| a.repository.cmp(&b.repository));
    let judge = BlobJudge {
        layout: survey.layout.clone(),
        marks,
        keep_list: None,
        unlinked: sole(unlinked, "a search is left")?.finish()?,
        held: nothing(&survey)?,
        cutoffs,
        newest_link: facts.newest_link,
    };
    let blob = blob(&survey, digest).await?;
    let verdict = verdict(&judge, blob.as_ref(), &holdings)?;
    Ok(Explanation { subject, digest: Some(digest), blob, verdict, cutoffs, holdings })
}

fn nothing<S>(survey: &Survey<'_, S>) -> Result<DigestSet, Failure> {
    Ok(DigestSetBuilder::limited(&survey.in_memory(1 << 20))?.finish()?)
}

/// The digest that is asked about, or why there is none.
async fn digest_of<S: ReadStore>(
    survey: &Survey<'_, S>,
    subject: &Subject,
) -> Result<Result<Digest, Verdict>, Failure> {
    let (repository, tag) = match subject {
        Subject::Digest(digest) | Subject::Manifest(_, digest) => return Ok(Ok(*digest)),
        Subject::Tagged(repository, tag) => (repository.as_str(), tag.as_str()),
    };
    let Some(key) = survey.layout.key_of(&KeyKind::TagCurrent { repository, tag }) else {
        return Ok(Err(Verdict::NoTag));
    };
    match survey.store.get(&key, LINK_LIMIT).await {
        Ok(content) => Ok(parse_link(&content).map_err(Verdict::BrokenTag)),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(Err(Verdict::NoTag)),
        Err(source) => Err(Failure::Store { location: key, source }),
    }
}

async fn blob<S: ReadStore>(
    survey: &Survey<'_, S>,
    digest: Digest,
) -> Result<Option<Object>, Failure> {
    let key = survey.layout.blob(&digest);
    let looked = survey.store.look(vec![key.as_str().into()]).await;
    let looked = looked.map_err(|source| Failure::Store { location: key, source })?;
    Ok(looked.into_iter().flatten().next())
}

/// What a plan would say of the data.
fn verdict(
    judge: &BlobJudge,
    blob: Option<&Object>,
    holdings: &[Holding],
) -> Result<Verdict, Failure> {
    let Some(blob) = blob else {
        return Ok(if holdings.is_empty() { Verdict::Unknown } else { Verdict::Missing });
    };
    let judged = judge.judge(vec![blob.clone().into()])?;
    let is_kept = holdings.iter().any(|holding| !holding.paths.is_empty());
    Ok(match judged.rows.first() {
        Some(row) => Verdict::Garbage(row.reason),
        None if !is_kept && blob.modified >= judge.cutoffs.objects => Verdict::Young,
        None => Verdict::Kept,
    })
}

/// The word for why something is kept, for machines.
pub(crate) const fn ground_word(ground: &Ground) -> &'static str {
    match ground {
        Ground::Tag(_) => "tag",
        Ground::History(_) => "tag-history",
        Ground::ExpiredTag(_) => "expired-tag",
        Ground::Revision => "manifest",
        Ground::Recent { .. } => "pushed-lately",
        Ground::Young => "young-link",
        Ground::Upload => "upload",
        Ground::Linked => "link",
        Ground::Doubt => "doubt",
    }
}

/// The word for how something leads on.
pub(crate) const fn lead_word(lead: Lead) -> &'static str {
    use registry::Role;

    match lead {
        Lead::Names(Role::Config) => "configuration",
        Lead::Names(Role::Layer) => "layer",
        Lead::Names(Role::Child) => "entry",
        Lead::Names(Role::Subject) => "subject",
        Lead::RefersTo => "referrer",
        Lead::Signs => "signature",
        Lead::Follows => "follower",
        Lead::ServedAs => "data",
    }
}
