//! Repositories: listed, marked and judged as they come.

use std::sync::Arc;

use lister::{Complete, RepositoryTree, list_repositories};
use marker::{DigestSet, DigestSetBuilder, Event, MarkSetBuilder, Marked, Marker, Rules};
use monitor::{Counter, Monitor};
use planner::{Cutoffs, Doubt, Doubts, Facts, Judged, PlanWriter, judge_repository};
use registry::{Digest, RepositoryName};
use store::ReadStore;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

use super::Stage;
use super::by_rule::ByRule;
use crate::Failure;

/// How many repositories wait between the lister and the marker.
const WAITING: usize = 16;
/// How many repositories are marked at once; their manifests share one limit.
const AT_ONCE: usize = 16;

/// How the marking of one repository went.
#[derive(Debug)]
pub struct Told {
    /// The repository.
    pub repository: RepositoryName,
    /// Every step, in order.
    pub events: Vec<Event>,
    /// Manifests that go.
    pub dead: Vec<Digest>,
    /// Its tags, in key order.
    pub tags: Vec<Box<str>>,
    /// Whether it has anything but layers and uploads.
    pub has_manifests: bool,
}

/// What marking all repositories gave.
#[derive(Debug)]
pub(super) struct AllMarked {
    pub(super) complete: Complete,
    pub(super) facts: Facts,
    pub(super) doubts: Doubts,
    pub(super) unlinked: DigestSet,
    pub(super) told: Vec<Told>,
    pub(super) pinned: Vec<RepositoryName>,
    pub(super) by_rule: ByRule,
}

/// Lists and marks every repository, and writes the rows of their dead links.
pub(super) async fn mark_repositories<S: ReadStore>(
    stage: &Stage<'_, S>,
    marks: &Arc<MarkSetBuilder>,
    rules: Rules,
) -> Result<AllMarked, Failure> {
    let (sender, receiver) = mpsc::channel(WAITING);
    let work = Work::new(stage, Arc::clone(marks), rules, receiver)?;
    let mut group = JoinSet::new();
    for _ in 0..AT_ONCE {
        group.spawn(Arc::clone(&work).run());
    }
    let crew = gather(group, Arc::clone(&work));
    let (store, monitor, stop) =
        (Arc::clone(stage.store), Arc::clone(stage.monitor), Arc::clone(stage.stop));
    let width = stage.ask.width;
    let listing = list_repositories(store, stage.ask.layout, width, sender, monitor, stop);
    let (listed, seen) = tokio::join!(listing, crew);
    // A marker's own failure explains why the lister found nobody to take its repositories.
    let mut seen = seen?;
    let complete = listed?;
    seen.facts.foreign_keys += complete.foreign;
    seen.facts.stray_links += complete.stray_links;
    let Work { marker, unlinked, .. } = super::sole(work, "a marker is left")?;
    // So many manifests take their time to go, and nobody waits for that.
    let library = marker.into_library();
    drop(tokio::task::spawn_blocking(move || drop(library)));
    let unlinked = unlinked.finish()?;
    let Seen { facts, doubts, told, pinned, by_rule } = seen;
    let doubts = sorted(&doubts);
    Ok(AllMarked { complete, facts, doubts, unlinked, told, pinned, by_rule })
}

/// Waits for every marking task. The first failure, or panic, takes in nothing more, so that the lister does not wait for
/// ever.
async fn gather<S: ReadStore>(
    mut group: JoinSet<Result<Seen, Failure>>,
    work: Arc<Work<S>>,
) -> Result<Seen, Failure> {
    let mut outcome = Ok(Seen::default());
    while let Some(joined) = group.join_next().await {
        let ended = joined.map_err(lost).and_then(|ended| ended);
        match (&mut outcome, ended) {
            (Ok(seen), Ok(more)) => seen.merge(more),
            (Ok(_), Err(failure)) => {
                work.trees.lock().await.close();
                outcome = Err(failure);
            }
            (Err(_), _) => {}
        }
    }
    outcome
}

/// The same registry gives the same plan, whichever repository was marked first.
fn sorted(doubts: &Doubts) -> Doubts {
    let mut sample = doubts.sample().to_vec();
    sample.sort_unstable_by(|a, b| (&a.repository, &a.what).cmp(&(&b.repository, &b.what)));
    let unseen = doubts.total() - sample.len() as u64;
    let mut sorted = Doubts::default();
    for doubt in sample {
        sorted.add(doubt);
    }
    sorted.add_unseen(unseen);
    sorted
}

pub(super) fn lost(error: tokio::task::JoinError) -> Failure {
    Failure::Internal { what: "a task ended early", source: error.into() }
}

/// What each marking task shares.
struct Work<S> {
    marker: Marker<S>,
    trees: Mutex<mpsc::Receiver<RepositoryTree>>,
    cutoffs: Cutoffs,
    writer: Arc<PlanWriter>,
    unlinked: DigestSetBuilder,
    monitor: Arc<Monitor>,
    tell: bool,
}

/// What one marking task saw.
#[derive(Default)]
struct Seen {
    facts: Facts,
    doubts: Doubts,
    told: Vec<Told>,
    pinned: Vec<RepositoryName>,
    by_rule: ByRule,
}

impl Seen {
    fn merge(&mut self, more: Self) {
        self.facts.merge(&more.facts);
        let unseen = more.doubts.total() - more.doubts.sample().len() as u64;
        more.doubts.sample().iter().for_each(|doubt| self.doubts.add(doubt.clone()));
        self.doubts.add_unseen(unseen);
        self.told.extend(more.told);
        self.pinned.extend(more.pinned);
        self.by_rule.merge(more.by_rule);
    }
}

impl<S: ReadStore> Work<S> {
    fn new(
        stage: &Stage<'_, S>,
        marks: Arc<MarkSetBuilder>,
        rules: Rules,
        trees: mpsc::Receiver<RepositoryTree>,
    ) -> Result<Arc<Self>, Failure> {
        let (store, monitor) = (Arc::clone(stage.store), Arc::clone(stage.monitor));
        let (layout, width) = (stage.ask.layout, stage.ask.width);
        let unlinked = DigestSetBuilder::limited(&stage.ask.in_memory(stage.ask.memory / 8))?;
        let marker = Marker::new(store, layout, width, marks, rules, monitor)
            .retaining(stage.ask.retention.as_ref().map(|kept| Arc::clone(&kept.policy)))
            .stopped_by(stage.stop)
            .holding(stage.ask.memory / 4)
            .telling(stage.ask.listener.is_some())
            .remembering(stage.ask.cache.clone());
        Ok(Arc::new(Self {
            marker,
            trees: Mutex::new(trees),
            cutoffs: stage.cutoffs,
            writer: Arc::clone(stage.writer),
            unlinked,
            monitor: Arc::clone(stage.monitor),
            tell: stage.ask.listener.is_some(),
        }))
    }

    /// Marks until nothing comes any more.
    async fn run(self: Arc<Self>) -> Result<Seen, Failure> {
        let mut seen = Seen::default();
        loop {
            let next = self.trees.lock().await.recv().await;
            let Some(tree) = next else { return Ok(seen) };
            self.mark(tree, &mut seen).await?;
        }
    }

    async fn mark(&self, tree: RepositoryTree, seen: &mut Seen) -> Result<(), Failure> {
        self.count(&tree);
        let marked = self.marker.mark(tree).await?;
        let judged = judge_repository(&marked, &self.cutoffs);
        self.take(marked, judged, seen)
    }

    fn count(&self, tree: &RepositoryTree) {
        let tags = tree.tags.iter().filter(|tag| tag.current.is_some()).count();
        self.monitor.count(Counter::Repositories, 1);
        self.monitor.count(Counter::Revisions, tree.revisions.len() as u64);
        self.monitor.count(Counter::Tags, tags as u64);
    }

    fn take(&self, marked: Marked, judged: Judged, seen: &mut Seen) -> Result<(), Failure> {
        seen.facts.merge(&judged.facts);
        seen.by_rule.see(marked.expiry.as_ref(), &judged.rows);
        seen.pinned.extend(marked.reach.is_pinned().then(|| marked.tree.name.clone()));
        let repository = marked.tree.name.to_string();
        for what in &marked.reach.doubts {
            let (about, message) = (what.subject(), what.to_string());
            seen.doubts.add(Doubt { repository: repository.clone(), what: about, message });
        }
        if self.tell {
            seen.told.push(told(marked, &self.cutoffs));
        }
        self.unlinked.add(judged.rows.iter().filter_map(|row| row.digest))?;
        self.monitor.count(Counter::PlannedObjects, judged.rows.len() as u64);
        self.monitor.count(Counter::PlannedBytes, judged.rows.iter().map(|row| row.bytes).sum());
        Ok(self.writer.add(judged.rows)?)
    }
}

fn told(marked: Marked, cutoffs: &Cutoffs) -> Told {
    let Marked { tree, reach, events, .. } = marked;
    let is_dead = |link: &&lister::Link| {
        cutoffs.untagged
            && !reach.is_pinned()
            && !reach.manifests.contains(&link.digest)
            && link.modified().is_some_and(|modified| modified < cutoffs.objects)
    };
    Told {
        repository: tree.name.clone(),
        events,
        dead: tree.revisions.iter().filter(is_dead).map(|link| link.digest).collect(),
        tags: tree.tags.iter().map(|tag| tag.name.clone()).collect(),
        has_manifests: !tree.revisions.is_empty()
            || !tree.tags.is_empty()
            || !tree.closed.is_empty(),
    }
}
