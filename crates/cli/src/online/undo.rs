//! `regsweep undo LOCATION --generation`: takes back what a collection while people push deleted.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use collector::{Asked, CollectError, Keeper, Undo, UndoSettings, Undone, Which};
use ledger::{GenerationId, Held};
use registry::Layout;
use store::{
    Condition, Cursor as _, ErrorKind, Listed, RestoreStore, StoreError, Trash, WriteStore,
};
use sweeper::{NOTE_LIMIT, Only, Promise, UndoState, trash_note, trash_prefix, undone_note};

use super::failure;
use super::leased::{LeasedWork, Right, with_lease};
use crate::args::UndoArgs;
use crate::command::Context;
use crate::identify::Truth;
use crate::location::Location;
use crate::open::{Access, DeletePace, Detail, Open, Watch, Work, with_registry};
use crate::render::{UndoneSummary, undone_table};
use crate::state::Runs;
use crate::{FailedKey, Failure, Refusal};

/// How long others wait for an undo that was killed.
const LEASE_LIFE: Duration = Duration::from_mins(10);

/// How long the trash of a generation is kept that an undo closed.
const TRASH_FOR: Duration = Duration::from_hours(7 * 24);

/// Takes back what a generation deleted, and the links that it took, or some of it.
///
/// # Errors
/// What refuses it, before anything is changed; what could not be brought back.
pub(crate) async fn take_back(
    args: &UndoArgs,
    which: &Which,
    context: &Context<'_>,
) -> Result<(), Failure> {
    let location = context.locate(&args.place.to_string_lossy(), &args.store)?;
    let (location, store) = (&location, &args.store);
    let access = Access {
        location,
        store,
        deletes: DeletePace::default(),
        detail: Detail::PROVEN,
        truth: Truth::Links,
    };
    let work = TakingBack { args, which, location, context };
    if args.dry_run {
        return with_registry(access, &context.watch, work).await;
    }
    with_lease(access, LEASE_LIFE, &context.watch, context.console, work).await
}

struct TakingBack<'a> {
    args: &'a UndoArgs,
    which: &'a Which,
    location: &'a Location,
    context: &'a Context<'a>,
}

impl Work for TakingBack<'_> {
    type Out = ();

    /// Looks, and changes nothing.
    async fn run<S: RestoreStore>(self, open: Open<S>) -> Result<(), Failure> {
        self.take_back(&open, Right { held: Held::by_nobody(), conditional: true }).await
    }
}

impl LeasedWork for TakingBack<'_> {
    const DELETES: bool = false;
    type Out = ();

    fn lock_folder(&self, identity: &str, base: &str) -> Result<PathBuf, Failure> {
        Ok(Runs::of(self.args.state.as_deref(), identity, base)?.dir().to_owned())
    }

    async fn run<S: RestoreStore + WriteStore>(
        self,
        open: Open<S>,
        right: Right,
    ) -> Result<(), Failure> {
        let state = self.args.state.as_deref();
        let runs = Runs::of(state, open.store.identity(), open.layout.base())?;
        let _lock = runs.lock()?;
        self.take_back(&open, right).await
    }
}

impl TakingBack<'_> {
    async fn take_back<S: RestoreStore>(
        &self,
        open: &Open<S>,
        right: Right,
    ) -> Result<(), Failure> {
        let UndoArgs { digest, repository, dry_run, .. } = self.args;
        let progress = self.context.progress(&self.location.place);
        let settings = UndoSettings {
            width: open.width,
            conditional: right.conditional,
            is_dry_run: *dry_run,
        };
        let only = Only { digest: *digest, repository: repository.clone() };
        let keeper = Notes { open, only };
        let Watch { monitor, stop } = self.context.watch.clone();
        let (store, layout) = (Arc::clone(&open.store), open.layout.clone());
        let undo = Undo::new(store, layout, right.held, keeper, settings, monitor, stop);
        let asked = Asked { digest: *digest, repository: repository.clone() };
        let (report, outcome) = Box::pin(undo.run(self.which, &asked)).await;
        drop(progress);
        if let Err(CollectError::NoGeneration) = outcome {
            return Err(Refusal::NoGeneration { location: self.location.describe() }.into());
        }
        self.tell(&report, outcome.is_ok())?;
        outcome.map_err(failure::of(self.location))?;
        verdict(&report)
    }

    fn tell(&self, report: &Undone, is_complete: bool) -> Result<(), Failure> {
        if self.context.output.json {
            let requests = crate::collect::requests(&self.context.watch.monitor);
            return self.context.object(&UndoneSummary::of(report, is_complete, requests));
        }
        self.context.data(&undone_table(report))
    }
}

/// Whether all came back that was asked for.
fn verdict(report: &Undone) -> Result<(), Failure> {
    if report.lost.count == 0 {
        return Ok(());
    }
    let message = "the store kept nothing of it".to_owned();
    let first = report.missing.first().map(|key| FailedKey { key: key.to_string(), message });
    Err(Failure::NotBack { lost: report.lost.count, failed: 0, may_go_on: false, first })
}

/// Where the data of a generation goes that is not kept as versions.
pub(super) fn trash_of(layout: &Layout, generation: &GenerationId) -> Trash {
    Trash::new(layout.root(), &format!("{}{generation}/", trash_prefix(layout)))
}

/// What an undo writes down where every collection sees it, and what it says of the trash.
struct Notes<'a, S> {
    open: &'a Open<S>,
    only: Only,
}

impl<S: RestoreStore> Keeper for Notes<'_, S> {
    type Error = Failure;

    fn trash_of(&self, generation: &GenerationId) -> Trash {
        trash_of(&self.open.layout, generation)
    }

    async fn begun(&mut self, generation: &GenerationId) -> Result<(), Failure> {
        self.write(&self.note(generation, &self.only), UndoState::Begun).await?;
        // Its time is that of the last use.
        self.promise_again(generation, None).await.map_err(self.failed())
    }

    async fn closed(&mut self, generation: &GenerationId) -> Result<(), Failure> {
        self.promise_again(generation, Some(Promise::For(TRASH_FOR))).await.map_err(self.failed())
    }

    /// Also those end that were asked for less and cut off.
    async fn ended(&mut self, generation: &GenerationId) -> Result<(), Failure> {
        let note = self.note(generation, &self.only);
        if self.only.is_everything() {
            let mut others = self.open.store.list(&note, &note);
            while let Some(page) = others.next().await.map_err(self.failed())? {
                for other in page.iter().filter_map(Listed::object) {
                    self.write(&other.key, UndoState::Ended).await?;
                }
            }
        }
        self.write(&note, UndoState::Ended).await
    }
}

impl<S: RestoreStore> Notes<'_, S> {
    fn note(&self, generation: &GenerationId, only: &Only) -> String {
        undone_note(&self.open.layout, &format!("{GENERATION}{generation}"), only)
    }

    async fn write(&self, note: &str, state: UndoState) -> Result<(), Failure> {
        let written = self.open.store.write(note, state.body(), &Condition::None).await;
        written.map(drop).map_err(self.failed())
    }

    /// Writes the promise of a trash anew, where there is one: as it was, or another.
    async fn promise_again(
        &self,
        generation: &GenerationId,
        promise: Option<Promise>,
    ) -> Result<(), StoreError> {
        let store = &self.open.store;
        let note = trash_note(&self.open.layout, generation.as_str());
        let body = match store.get(&note, NOTE_LIMIT).await {
            Ok(body) => promise.map_or(body, Promise::body),
            Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::TooLarge) => {
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        store.write(&note, body, &Condition::None).await.map(drop)
    }

    fn failed(&self) -> impl Fn(StoreError) -> Failure + use<S> {
        let location = self.open.store.identity().to_owned();
        move |source| Failure::Store { location: location.clone(), source }
    }
}

/// How the notes of generations begin.
const GENERATION: &str = "generation-";

/// The generation that a note is of, if it is of one.
pub(crate) fn generation_of(note: &str) -> Option<&str> {
    let (_, name) = note.rsplit_once('/')?;
    let name = name.strip_prefix(GENERATION)?;
    Some(name.split_once('-').map_or(name, |(id, _)| id))
}
