//! Taking back what a plan deleted.

mod evidence;
mod judge;
mod look;
mod report;
mod selection;
mod stage;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use monitor::{Counter, Monitor, Phase, Stop};
use planner::{Plan, RowKind, Stage};
use registry::{Digest, Layout, MANIFEST_LIMIT, Manifest, Role};
use store::{
    Condition, Cursor as _, DeleteBatch, ErrorKind, Listed, RestoreStore, StoreError, Trash,
};

pub use report::{Missing, MissingWhy, Returns, UndoError, UndoReport, Why};
pub use selection::Only;

use selection::Selection;

use crate::journal::{Journal, JournalState, Worth};
use crate::note::{NOTE_LIMIT, UndoState, trash_note, undone_note};
use crate::obstacles::is_link;
use crate::source::Source;
use crate::trash::{layout_of, trash_of};
use crate::{Cause, Count, Ended};

/// What to take back, and how hard to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndoSettings {
    /// What to take back.
    pub only: Only,
    /// Whether to look and change nothing. Of a digest, only itself is then seen: what a manifest refers to is known
    /// when it is back.
    pub is_dry_run: bool,
    /// Requests in flight at most; at least one is.
    pub concurrency: usize,
}

/// Takes back what a plan deleted, or what was asked for of it.
///
/// Uploads that were aborted are gone for good, and links that were written anew stay as they are: nobody misses what they
/// said before. Both are only counted.
///
/// Blobs, layer links, revisions, tags: the order of deletion backwards, and a stage begins only when the one before
/// went through, so that nothing refers to what is not back yet (G8). Nothing is overwritten: what is there is left as
/// it is and counted as present. Doing it again is harmless, whether the first time ended or was cut off (G11).
///
/// Before anything changes, an object below [`Layout::own`] says that the undo has begun, and the journal that the plan
/// was taken back; when it went through, the object says that it ended. Until then nothing may be collected, for blobs
/// may be back to which nothing refers yet; afterwards neither this plan nor any that was made before.
///
/// Needs a tokio runtime. Costs one look for each object that was deleted, and one request for each full batch of them.
/// Memory: some bytes for each row of a part of the plan at a time, and the digests of blobs that are lost (G12).
///
/// # Errors
/// [`UndoError`], with all that was done; [`Cause::NothingDeleted`] and [`Cause::NothingKept`] where there is nothing
/// to take back.
pub async fn undo<S: RestoreStore>(
    store: Arc<S>,
    plan: Plan,
    journal: Journal,
    settings: UndoSettings,
    monitor: &Monitor,
    stop: &Stop,
) -> Result<UndoReport, UndoError> {
    let (layout, trash) = (layout_of(&plan), trash_of(&plan));
    let note = undone_note(&layout, &plan.id().to_string(), &settings.only);
    let filled = trash_note(&layout, &plan.id().to_string());
    let around = Surroundings { layout, trash, note, filled, monitor, stop };
    undo_source(store, Arc::new(plan), journal, settings, around).await
}

/// What an undo needs beside store and plan.
pub(crate) struct Surroundings<'a> {
    pub(crate) layout: Layout,
    /// Where the plan's objects went, if they went to the trash.
    pub(crate) trash: Trash,
    /// The object that says that the plan is taken back, or what is asked for of it.
    pub(crate) note: String,
    /// The object that says when the trash was last in use.
    pub(crate) filled: String,
    pub(crate) monitor: &'a Monitor,
    pub(crate) stop: &'a Stop,
}

pub(crate) async fn undo_source<S: RestoreStore, P: Source>(
    store: Arc<S>,
    source: Arc<P>,
    mut journal: Journal,
    settings: UndoSettings,
    around: Surroundings<'_>,
) -> Result<UndoReport, UndoError> {
    let state = Arc::new(journal.take_state());
    let worth = state.worth(source.segments());
    let counted = worth.deleted.objects + worth.unsettled;
    let is_everything = settings.only.is_everything();
    let report = UndoReport {
        ended: Ended::Broken,
        is_dry_run: settings.is_dry_run,
        deleted: is_everything.then_some(counted),
        aborted: if is_everything { worth.aborted } else { Count::default() },
        rewritten: if is_everything { worth.rewritten } else { Count::default() },
        kinds: BTreeMap::new(),
        missing: Vec::new(),
    };
    let (size, width) = (DeleteBatch::LIMIT, settings.concurrency.max(1));
    let undoing = Undoing {
        store,
        source,
        journal,
        state,
        settings,
        around,
        report,
        lost: HashSet::new(),
        size,
        width,
        has_begun: false,
    };
    undoing.run().await
}

/// An undo under way.
struct Undoing<'a, S, P> {
    store: Arc<S>,
    source: Arc<P>,
    journal: Journal,
    state: Arc<JournalState>,
    settings: UndoSettings,
    around: Surroundings<'a>,
    report: UndoReport,
    /// Blobs that cannot be brought back.
    lost: HashSet<Digest>,
    /// Rows that are judged together at most.
    size: usize,
    /// Looks in flight at most.
    width: usize,
    /// Something may have changed.
    has_begun: bool,
}

/// Why an undo ended early.
enum Halt {
    /// It was asked to.
    Stopped,
    /// Some objects of a stage failed: what refers to them has to wait.
    Failed,
    Cause(Cause),
}

impl From<Cause> for Halt {
    fn from(cause: Cause) -> Self {
        Self::Cause(cause)
    }
}

impl<S: RestoreStore, P: Source> Undoing<'_, S, P> {
    async fn run(mut self) -> Result<UndoReport, UndoError> {
        let went = match self.go().await {
            Ok(()) => self.end().await,
            halted => halted,
        };
        let cause = match went {
            Ok(()) => {
                self.report.ended = Ended::Completed;
                None
            }
            Err(Halt::Failed) => None,
            Err(Halt::Stopped) => {
                self.report.ended = Ended::Stopped;
                None
            }
            Err(Halt::Cause(cause)) => Some(cause),
        };
        self.around.monitor.enter(Phase::Finished);
        match cause.or_else(|| self.report.check().err()) {
            Some(cause) => Err(UndoError { cause, report: Box::new(self.report) }),
            None => Ok(self.report),
        }
    }

    async fn go(&mut self) -> Result<(), Halt> {
        self.check_worth().await?;
        self.around.monitor.enter(Phase::Restoring);
        self.around.monitor.count(Counter::PlannedObjects, self.report.deleted.unwrap_or(0));
        let (only, source) = (self.settings.only.clone(), Arc::clone(&self.source));
        let selection = tokio::task::spawn_blocking(move || Selection::of(only, &*source));
        let mut selection = selection.await.map_err(Cause::Panicked)??;
        if !self.settings.is_dry_run {
            self.begin().await?;
        }
        self.bring_back_blobs(&mut selection).await?;
        let selection = Arc::new(selection);
        for stage in [Stage::Layers, Stage::Revisions, Stage::Tags] {
            self.keep_trash().await?;
            self.bring_back(stage, &selection).await?;
        }
        Ok(())
    }

    /// Refuses where the journal says that there is nothing to bring back, or the trash that it tells of is empty.
    async fn check_worth(&self) -> Result<(), Halt> {
        let worth = self.state.worth(self.source.segments());
        let Worth { deleted, unsettled, aborted, rewritten } = worth;
        if (deleted + aborted + rewritten).objects + unsettled == 0 {
            return Err(Cause::NothingDeleted.into());
        }
        // What was in the trash may be back; uploads cannot be, and links that are right need not.
        if self.state.is_undone() || deleted.objects + unsettled == 0 {
            return Ok(());
        }
        let has_trash = self.state.trashed_rows() > 0 && self.has_trash().await?;
        if unsettled + self.state.marked_rows() == 0 && !has_trash {
            return Err(Cause::NothingKept { deleted }.into());
        }
        Ok(())
    }

    /// Whether anything is in the plan's trash beside the note that says when it was in use. One LIST.
    async fn has_trash(&self) -> Result<bool, Halt> {
        let Some(folder) = self.around.trash.key_of(self.around.layout.root()) else {
            return Ok(true);
        };
        let mut pages = self.store.list(&folder, "");
        while let Some(page) = pages.next().await.map_err(|error| self.halt(error))? {
            if page.iter().any(|found| found.key() != self.around.filled) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Says that the plan is taken back, first where every program sees it, then in the journal.
    async fn begin(&mut self) -> Result<(), Halt> {
        self.note(&self.around.note, UndoState::Begun).await?;
        self.has_begun = true;
        self.keep_trash().await?;
        if self.state.is_undone() {
            return Ok(());
        }
        self.journal.record_undone().map_err(|error| Halt::Cause(Cause::Journal(error)))
    }

    /// Says that the trash is in use, with the promise that was made of it: nobody empties it meanwhile. Where nothing
    /// says so, nobody empties it anyway.
    async fn keep_trash(&self) -> Result<(), Halt> {
        if self.settings.is_dry_run || !self.state.used_trash() {
            return Ok(());
        }
        let note = &self.around.filled;
        let written = match self.store.get(note, NOTE_LIMIT).await {
            Ok(body) => self.store.write(note, body, &Condition::None).await.map(drop),
            Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::TooLarge) => Ok(()),
            Err(error) => Err(error),
        };
        written.map_err(|error| self.halt(error))
    }

    /// Says that it ended, also for earlier ones that were asked for less and cut off.
    async fn end(&mut self) -> Result<(), Halt> {
        if !self.has_begun {
            return Ok(());
        }
        if self.settings.only.is_everything() {
            self.end_others().await?;
        }
        self.note(&self.around.note, UndoState::Ended).await
    }

    async fn end_others(&self) -> Result<(), Halt> {
        let mut notes = self.store.list(&self.around.note, &self.around.note);
        while let Some(page) = notes.next().await.map_err(|error| self.halt(error))? {
            for note in page.iter().filter_map(Listed::object) {
                self.note(&note.key, UndoState::Ended).await?;
            }
        }
        Ok(())
    }

    async fn note(&self, note: &str, state: UndoState) -> Result<(), Halt> {
        let written = self.store.write(note, state.body(), &Condition::None).await;
        written.map(drop).map_err(|error| self.halt(error))
    }

    /// Blobs; and those that the manifests among them name, where one digest is asked for, until no more are named.
    async fn bring_back_blobs(&mut self, selection: &mut Selection) -> Result<(), Halt> {
        let mut manifests: Vec<Digest> = selection.start().into_iter().collect();
        loop {
            let round = Arc::new(std::mem::take(selection));
            let done = self.bring_back(Stage::Blobs, &round).await;
            *selection = Arc::unwrap_or_clone(round);
            done?;
            if !selection.is_growing() {
                return Ok(());
            }
            selection.end_round();
            for manifest in std::mem::take(&mut manifests) {
                manifests.extend(self.follow(manifest, selection).await?);
            }
            // Nothing new is asked for, and a round without anything new would take all that is asked for.
            if !selection.is_growing() {
                return Ok(());
            }
        }
    }

    /// Asks for what a manifest refers to, where it is one and is there; what may be manifests of these.
    async fn follow(&self, digest: Digest, selection: &mut Selection) -> Result<Vec<Digest>, Halt> {
        let read = self.store.get(&self.around.layout.blob(&digest), MANIFEST_LIMIT).await;
        let bytes = match read {
            Ok(bytes) => bytes,
            Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::TooLarge) => {
                return Ok(Vec::new());
            }
            Err(error) => return Err(self.halt(error)),
        };
        // Whatever is no manifest refers to nothing.
        let Ok(manifest) = Manifest::parse(&bytes) else { return Ok(Vec::new()) };
        let new = manifest.references().filter(|edge| selection.add(edge.digest));
        let children = new.filter(|edge| edge.role == Role::Child);
        Ok(children.map(|edge| edge.digest).collect())
    }

    /// A wrapper of the store gives up where a stop was asked for.
    fn halt(&self, error: StoreError) -> Halt {
        if error.kind == ErrorKind::Stopped && self.around.stop.is_asked() {
            return Halt::Stopped;
        }
        Halt::Cause(Cause::Store(error))
    }

    fn count(&self, returns: &Returns) {
        self.around.monitor.count(Counter::SweptObjects, returns.total().objects);
        self.around.monitor.count(Counter::RestoredObjects, returns.restored.objects);
    }
}

/// Whether the row of a link names a blob that is lost.
fn is_dangling(lost: &HashSet<Digest>, row: &planner::Row) -> bool {
    is_link(row.kind) && row.digest.is_some_and(|digest| lost.contains(&digest))
}

fn one(row: &planner::Row) -> Count {
    Count::one(row.bytes)
}

/// Whether links may refer to objects of this kind.
const fn is_referred_to(kind: RowKind) -> bool {
    matches!(kind, RowKind::Blob)
}
