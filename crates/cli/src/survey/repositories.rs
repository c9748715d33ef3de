//! Repositories: listed, marked and shown as they come.

use std::sync::Arc;

use lister::{Complete, RepositoryTree, list_repositories};
use marker::{Follow, MarkSetBuilder, Marked, Marker, Rules};
use monitor::{Counter, Monitor, Stop};
use policy::Retention;
use store::ReadStore;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

use super::answers::ask;
use super::{Answers, Questions, Survey, sole};
use crate::Failure;

/// How many repositories wait between the lister and the marker.
const WAITING: usize = 16;
/// How many repositories are marked at once; their manifests share one limit.
const AT_ONCE: usize = 16;

/// Sees repositories, one after the other.
pub(crate) trait SeesRepositories: Send + 'static {
    /// Takes a repository with what it keeps alive.
    ///
    /// # Errors
    /// Nothing more is shown then, to anybody.
    fn see(&mut self, marked: Marked) -> Result<(), Failure>;

    /// The keys that have to be asked for before it is seen, whatever was listed; the answers are heard first.
    ///
    /// # Errors
    /// Nothing more is shown then, to anybody.
    fn questions(&mut self, _marked: &Marked) -> Result<Questions, Failure> {
        Ok(Questions::default())
    }

    /// Hears the answers to the questions, where there were any.
    fn hear(&mut self, _answers: Answers) {}
}

/// What is marked, and told.
#[derive(Clone, Debug)]
pub(crate) struct Marking {
    pub(crate) rules: Rules,
    /// Which tags go, where a policy says so.
    pub(crate) retention: Option<Arc<Retention>>,
    /// Of which repositories it is found out what every tag points to.
    pub(crate) follow: Follow,
    /// Whether visitors hear how the marking went, step by step ([`Marked::events`]).
    pub(crate) tells: bool,
    /// Whether manifests keep what they claim of what they name.
    pub(crate) closely: bool,
}

impl Marking {
    /// By these rules alone; tags are followed as `follow` says.
    pub(crate) const fn following(rules: Rules, follow: Follow) -> Self {
        Self { rules, retention: None, follow, tells: false, closely: false }
    }
}

/// Lists and marks every repository, and shows each to one of the visitors that `new_visitor` makes. Gives them back when
/// all was seen.
///
/// # Errors
/// Where any repository may have been missed (G3, G4), or a visitor fails.
pub(crate) async fn visit_repositories<S: ReadStore, V: SeesRepositories>(
    survey: Survey<'_, S>,
    marks: &Arc<MarkSetBuilder>,
    marking: Marking,
    new_visitor: impl Fn() -> V,
) -> Result<(Complete, Vec<V>), Failure> {
    let (sender, receiver) = mpsc::channel(WAITING);
    let work = Arc::new(Work {
        marker: marker(survey, marks, marking),
        trees: Mutex::new(receiver),
        store: Arc::clone(survey.store),
        width: survey.width,
        monitor: Arc::clone(survey.monitor),
        stop: Arc::clone(survey.stop),
    });
    let mut group = JoinSet::new();
    for _ in 0..AT_ONCE {
        group.spawn(Arc::clone(&work).run(new_visitor()));
    }
    let crew = gather(group, Arc::clone(&work));
    let (store, monitor, stop) =
        (Arc::clone(survey.store), Arc::clone(survey.monitor), Arc::clone(survey.stop));
    let listing = list_repositories(store, survey.layout, survey.width, sender, monitor, stop);
    let (listed, visitors) = tokio::join!(listing, crew);
    // A visitor's own failure explains why the lister found nobody to take its repositories.
    let visitors = visitors?;
    let complete = listed?;
    // So many manifests take their time to go, and nobody waits for that.
    let library = sole(work, "a marker is left")?.marker.into_library();
    drop(tokio::task::spawn_blocking(move || drop(library)));
    Ok((complete, visitors))
}

fn marker<S: ReadStore>(
    survey: Survey<'_, S>,
    marks: &Arc<MarkSetBuilder>,
    marking: Marking,
) -> Marker<S> {
    let (store, monitor) = (Arc::clone(survey.store), Arc::clone(survey.monitor));
    let Marking { rules, retention, follow, tells, closely } = marking;
    Marker::new(store, survey.layout, survey.width, Arc::clone(marks), rules, monitor)
        .retaining(retention)
        .stopped_by(survey.stop)
        .holding(survey.memory / 4)
        .telling(tells)
        .following(follow)
        .reading(closely)
        .remembering(survey.cache.cloned())
}

/// Waits for every task. The first failure, or panic, takes in nothing more, so that the lister does not wait for ever.
async fn gather<S: ReadStore, V: SeesRepositories>(
    mut group: JoinSet<Result<V, Failure>>,
    work: Arc<Work<S>>,
) -> Result<Vec<V>, Failure> {
    let mut outcome = Ok(Vec::new());
    while let Some(joined) = group.join_next().await {
        let ended = joined.map_err(lost).and_then(|ended| ended);
        match (&mut outcome, ended) {
            (Ok(visitors), Ok(visitor)) => visitors.push(visitor),
            (Ok(_), Err(failure)) => {
                work.trees.lock().await.close();
                outcome = Err(failure);
            }
            (Err(_), _) => {}
        }
    }
    outcome
}

pub(crate) fn lost(error: tokio::task::JoinError) -> Failure {
    Failure::Internal { what: "a task ended early", source: error.into() }
}

/// What each task shares.
struct Work<S> {
    marker: Marker<S>,
    trees: Mutex<mpsc::Receiver<RepositoryTree>>,
    store: Arc<S>,
    /// How many questions are asked at once.
    width: usize,
    monitor: Arc<Monitor>,
    stop: Arc<Stop>,
}

impl<S: ReadStore> Work<S> {
    /// Marks until nothing comes any more.
    async fn run<V: SeesRepositories>(self: Arc<Self>, mut visitor: V) -> Result<V, Failure> {
        loop {
            let next = self.trees.lock().await.recv().await;
            let Some(tree) = next else { return Ok(visitor) };
            // Who waits for the next one was just woken, and where this processor goes on with the work no other takes
            // over what it woke last.
            tokio::task::yield_now().await;
            self.count(&tree);
            let marked = self.marker.mark(tree).await?;
            let questions = visitor.questions(&marked)?;
            if !questions.is_empty() {
                let name = &marked.tree.name;
                let asked = ask(&self.store, name, questions, self.width, &self.stop);
                visitor.hear(asked.await?);
            }
            visitor.see(marked)?;
        }
    }

    fn count(&self, tree: &RepositoryTree) {
        let tags = tree.tags.iter().filter(|tag| tag.current.is_some()).count();
        self.monitor.count(Counter::Repositories, 1);
        self.monitor.count(Counter::Revisions, tree.revisions.len() as u64);
        self.monitor.count(Counter::Tags, tags as u64);
    }
}
