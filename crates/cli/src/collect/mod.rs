//! Makes a plan: list, mark, seal, list again, judge, write.

mod blobs;
mod by_rule;
mod marking;
mod multipart;
mod observing;
mod seen;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::Path;
use std::sync::Arc;

use cache::ManifestCache;
use marker::{Beside, DigestSet, DigestSetBuilder, MarkSet, MarkSetBuilder, Rules, SpillError};
use monitor::{Counter, Garbage, Monitor, Phase, Stop};
use planner::{
    BlobJudge, Cutoffs, Doubts, Draft, Facts, Header, Limits, Plan, PlanError, PlanWriter, Policy,
    Purpose, Requests, Row, audit,
};
use policy::Retention;
use registry::{Digest, Layout, RepositoryName, Timestamp};
use store::{MultipartStore, ReadStore};
use tokio::task::spawn_blocking;

use crate::survey::{self, Survey, sole};
use crate::{Failure, KeepList, Retaining, remembered};

use self::by_rule::ByRule;
use self::marking::AllMarked;

pub use self::multipart::{OldUploads, Uploads};
pub use self::seen::Told;
pub use crate::survey::UploadSource;

/// What to plan, and where the plan goes.
#[derive(Debug)]
pub struct Ask<'a> {
    /// What was typed, for the plan.
    pub source: &'a str,
    /// Options of the store, for the plan.
    pub options: BTreeMap<String, String>,
    /// The registry's keys.
    pub layout: &'a Layout,
    /// What may go.
    pub policy: Policy,
    /// The retention policy beside it.
    pub retention: Option<Retaining>,
    /// What a database still knows: nothing but blobs goes then, and none of these.
    pub keep_list: Option<KeepList>,
    /// What stays beside what manifests need.
    pub beside: Beside,
    /// Blobs that were condemned before, whose links are taken.
    pub held: &'a [Digest],
    /// Whether incomplete multipart uploads are looked for, and go by the rule for uploads.
    pub multipart: bool,
    /// What the operator accepts.
    pub limits: &'a Limits,
    /// How many ranges are listed, and manifests read, at once.
    pub width: usize,
    /// The plan's directory.
    pub out: &'a Path,
    /// Whether the plan goes with this process.
    pub is_scratch: bool,
    /// Who wants to know how the marking went.
    pub listener: Option<Arc<dyn Listener>>,
    /// What earlier runs know of manifests; none where all are to be read.
    pub cache: Option<Arc<ManifestCache>>,
    /// How many bytes marks and manifests may take.
    pub memory: usize,
}

/// Hears how the marking went.
pub trait Listener: Debug + Send + Sync {
    /// Called once, when every repository is marked, in a thread that may wait; blobs are judged meanwhile.
    ///
    /// # Errors
    /// There is no plan then.
    fn hear(&self, told: Vec<Told>) -> Result<(), Failure>;
}

impl Ask<'_> {
    /// A plan that goes with this process is read by nobody who tells entity tags.
    fn writer<S: ReadStore>(&self, store: &S) -> Result<PlanWriter, PlanError> {
        if self.is_scratch { PlanWriter::scratch(self.out) } else { begin_plan(store, self.out) }
    }

    /// By which rules something is marked. Where a database knows more than links, every revision is a root, and no tag
    /// tells what lives.
    fn rules(&self, cutoffs: &Cutoffs) -> Rules {
        let by_links = self.keep_list.is_none();
        let least = if by_links { Beside::Nothing } else { Beside::Aliased };
        let rules = Rules::new(cutoffs.untagged && by_links, cutoffs.objects);
        Rules { beside: self.beside.max(least), t0: cutoffs.t0, ..rules }
    }

    /// The retention policy, under the same condition.
    fn retention(&self) -> Option<Arc<Retention>> {
        let retaining = self.retention.as_ref().filter(|_| self.keep_list.is_none());
        retaining.map(|retaining| Arc::clone(&retaining.policy))
    }
}

/// Begins a plan, with entity tags where the store tells any.
///
/// # Errors
/// As [`PlanWriter::create`].
pub(crate) fn begin_plan<S: ReadStore>(store: &S, out: &Path) -> Result<PlanWriter, PlanError> {
    let writer = PlanWriter::create(out)?;
    Ok(if store.abilities().tells_etags { writer.with_etags() } else { writer })
}

/// What was seen of a registry.
#[derive(Debug)]
pub struct Look {
    /// What nothing needs.
    pub plan: Plan,
    /// What is needed.
    pub marks: MarkSet,
    /// Repositories of which all that is linked is kept, because something there could not be read or understood (G4).
    pub pinned: Vec<RepositoryName>,
}

/// Reads the registry and writes a plan; deletes nothing, and could not.
///
/// # Errors
/// [`Failure`] where any key or manifest may have been missed: there is no plan then.
pub async fn make_plan<S: MultipartStore>(
    store: &Arc<S>,
    ask: &Ask<'_>,
    monitor: &Arc<Monitor>,
    stop: &Arc<Stop>,
) -> Result<Plan, Failure> {
    Ok(look(store, ask, monitor, stop).await?.plan)
}

/// The same for those who only want to be told what would go: no plan is made.
///
/// # Errors
/// As [`make_plan`].
pub async fn make_draft<S: MultipartStore>(
    store: &Arc<S>,
    ask: &Ask<'_>,
    monitor: &Arc<Monitor>,
    stop: &Arc<Stop>,
) -> Result<Draft, Failure> {
    let (writer, Judged { marks, header, .. }) = decide(store, ask, monitor, stop).await?;
    Ok(writer.draft(header, &marks)?)
}

/// The same as [`make_plan`] for those who also ask what is needed.
///
/// # Errors
/// As [`make_plan`].
pub async fn look<S: MultipartStore>(
    store: &Arc<S>,
    ask: &Ask<'_>,
    monitor: &Arc<Monitor>,
    stop: &Arc<Stop>,
) -> Result<Look, Failure> {
    let (writer, Judged { marks, header, pinned }) = decide(store, ask, monitor, stop).await?;
    let plan = writer.finish(&header, &marks)?;
    Ok(Look { plan, marks, pinned })
}

/// Decides what goes; its rows are in the writer.
async fn decide<S: MultipartStore>(
    store: &Arc<S>,
    ask: &Ask<'_>,
    monitor: &Arc<Monitor>,
    stop: &Arc<Stop>,
) -> Result<(PlanWriter, Judged), Failure> {
    let t0 = now(store.as_ref(), ask.source).await?;
    let cutoffs = ask.policy.at(t0);
    let writer = Arc::new(ask.writer(store.as_ref())?);
    let survey = Survey {
        store,
        layout: ask.layout,
        width: ask.width,
        cache: ask.cache.as_ref(),
        memory: ask.memory,
        folder: ask.out,
        monitor,
        stop,
    };
    let marks = Arc::new(MarkSetBuilder::limited(&survey.in_memory(ask.memory / 2))?);
    let rules = ask.rules(&cutoffs);
    let stage = Stage { survey, ask, cutoffs, writer: &writer, before: Listed::by(monitor) };

    monitor.enter(Phase::Marking);
    let marked = marking::mark_repositories(&stage, &marks, rules).await;
    // Also where marking failed: the next try need not read all of it again.
    let remembered = remembered::close(ask.cache.clone());
    let (judged, ()) = tokio::join!(stage.judge(marks, marked), remembered);
    let judged = judged?;
    Ok((sole(writer, "the plan is still being written")?, judged))
}

/// All that was decided, its rows written.
struct Judged {
    marks: MarkSet,
    header: Header,
    pinned: Vec<RepositoryName>,
}

/// What every step of the collection shares.
struct Stage<'a, S> {
    survey: Survey<'a, S>,
    ask: &'a Ask<'a>,
    cutoffs: Cutoffs,
    writer: &'a Arc<PlanWriter>,
    /// What earlier looks of this process have listed.
    before: Listed,
}

/// What was listed up to some time.
#[derive(Clone, Copy, Debug)]
struct Listed {
    keys: u64,
    tags: u64,
}

impl Listed {
    fn by(monitor: &Monitor) -> Self {
        let get = |counter| monitor.get(counter);
        Self {
            keys: get(Counter::RepositoryKeys) + get(Counter::BlobKeys),
            tags: get(Counter::Tags),
        }
    }
}

impl<S: MultipartStore> Stage<'_, S> {
    /// Judges the blobs by what was marked.
    async fn judge(
        &self,
        marks: Arc<MarkSetBuilder>,
        marked: Result<AllMarked, Failure>,
    ) -> Result<Judged, Failure> {
        let marked = marked?;
        self.survey.monitor.enter(Phase::Sealing);
        let marks = sole(marks, "the marks are still in use")?.seal(&marked.complete)?;
        self.survey.monitor.enter(Phase::Planning);
        let mut facts = marked.facts;
        let judge = BlobJudge {
            layout: self.ask.layout.clone(),
            marks,
            keep_list: self.ask.keep_list.as_ref().map(|list| list.known_at(self.cutoffs.t0)),
            unlinked: marked.unlinked,
            held: self.held()?,
            cutoffs: self.cutoffs,
            newest_link: facts.newest_link,
        };
        let told = self.tell(marked.told);
        let (judged, told) = tokio::join!(blobs::judge_blobs(self, judge), told);
        let (judge, seen) = judged?;
        told?;
        let multipart = Box::pin(multipart::judge_uploads(self)).await?;
        facts.merge(&seen);
        facts.marked = judge.marks.len();
        facts.keep_list = self.ask.keep_list.as_ref().map_or(0, |list| list.record.digests);
        let Listed { keys, tags } = Listed::by(self.survey.monitor);
        facts.tags = tags.saturating_sub(self.before.tags);
        facts.keys = keys.saturating_sub(self.before.keys);
        let header = self.header(facts, marked.doubts, &marked.by_rule);
        let header = Header { multipart, ..header };
        Ok(Judged { marks: judge.marks, header, pinned: marked.pinned })
    }

    fn held(&self) -> Result<DigestSet, SpillError> {
        let held = DigestSetBuilder::limited(&self.survey.in_memory(self.ask.memory / 8))?;
        held.add(self.ask.held.iter().copied())?;
        held.finish()
    }

    async fn tell(&self, told: Vec<Told>) -> Result<(), Failure> {
        let Some(listener) = self.ask.listener.clone() else { return Ok(()) };
        spawn_blocking(move || listener.hear(told)).await.map_err(survey::lost)?
    }

    fn header(&self, facts: Facts, doubts: Doubts, by_rule: &ByRule) -> Header {
        let ask = self.ask;
        let retention = ask.retention.as_ref();
        // Where tags are kept elsewhere, a policy finds as few as `--untagged` does.
        let takes = retention.is_some_and(|retaining| retaining.policy.takes_untagged());
        let audited = Policy { untagged: ask.policy.untagged || takes, ..ask.policy };
        Header {
            created_by: env!("CARGO_PKG_VERSION").to_owned(),
            location: planner::Location {
                identity: self.survey.store.identity().to_owned(),
                source: ask.source.to_owned(),
                base: ask.layout.base().to_owned(),
                options: ask.options.clone(),
            },
            purpose: Purpose::Collection,
            policy: ask.policy,
            retention: retention.map(|retaining| by_rule.told(retaining.record.clone())),
            keep_list: ask.keep_list.as_ref().map(|list| list.record.clone()),
            t0: self.cutoffs.t0,
            doubts,
            notes: audit(&facts, &audited, ask.limits),
            facts,
            requests: requests(self.survey.monitor),
            multipart: None,
        }
    }
}

pub(crate) async fn now<S: ReadStore>(store: &S, location: &str) -> Result<Timestamp, Failure> {
    let failed = |source| Failure::Store { location: location.to_owned(), source };
    store.now().await.map_err(failed)
}

/// Counts rows that go into the plan, and remembers the oldest.
fn count_planned(monitor: &Monitor, rows: &[Row]) {
    monitor.count(Counter::PlannedObjects, rows.len() as u64);
    monitor.count(Counter::PlannedBytes, rows.iter().map(|row| row.bytes).sum());
    if let Some(oldest) = rows.iter().map(|row| row.modified).min() {
        monitor.note(Garbage::Planned, oldest.as_millis());
    }
}

/// Requests sent so far.
#[must_use]
pub fn requests(monitor: &Monitor) -> Requests {
    Requests {
        list: monitor.get(Counter::ListRequests),
        get: monitor.get(Counter::GetRequests),
        head: monitor.get(Counter::HeadRequests),
        put: monitor.get(Counter::PutRequests),
        delete: monitor.get(Counter::DeleteRequests),
        manifests: monitor.get(Counter::AskedManifests),
        recalled: monitor.get(Counter::RecalledManifests),
    }
}
