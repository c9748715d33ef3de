//! One run over all generations.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ledger::{Generation, Held, Ledger};
use monitor::{Monitor, Stop};
use planner::Amount;
use protocol::{Phase, Step, Waits, Work};
use registry::{KeyKind, Layout, RepositoryName, Timestamp};
use store::RestoreStore;
use store::WriteStore;

use crate::blobs::{Blob, Blobs};
use crate::surroundings::{Noted, Remembered};
use crate::{CollectError, Report, Surroundings, Waiting, told};

/// How a run collects.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each says something of its own")]
pub struct Settings {
    /// How long generations wait.
    pub waits: Waits,
    /// How many requests may be in flight.
    pub width: usize,
    /// Whether the store looks at conditions ([`store::heeds_conditions`]): links that are given back then never stand
    /// over another one. Otherwise they do, and say the same.
    pub conditional: bool,
    /// Whether the store promised to keep a version of what is deleted.
    pub keeps_versions: bool,
    /// How long a generation that ended is remembered, from when it began.
    pub remember: Duration,
    /// Whether anything may be condemned. Giving back is always done.
    pub condemns: bool,
    /// Whether generations that are due may be looked at again and deleted, and uploads aborted.
    pub deletes: bool,
    /// Tells how long something takes.
    pub clock: fn() -> Instant,
}

/// Carries every generation that is due as far as it goes, then condemns a new one.
#[derive(Debug)]
pub struct Collector<S, R> {
    pub(crate) store: Arc<S>,
    pub(crate) layout: Layout,
    pub(crate) ledger: Ledger<S>,
    pub(crate) held: Held,
    pub(crate) around: R,
    pub(crate) settings: Settings,
    pub(crate) monitor: Arc<Monitor>,
    pub(crate) stop: Arc<Stop>,
    pub(crate) report: Report,
    /// Whether it was seen what is left of something that was deleted.
    pub(crate) has_proof: bool,
}

/// What a step of a run gives.
pub(crate) type Done<T, R> = Result<T, CollectError<<R as Surroundings>::Error>>;

impl<S, R> Collector<S, R>
where
    S: RestoreStore + WriteStore,
    R: Surroundings,
    R::Error: std::error::Error + 'static,
{
    /// A collector of the registry at `layout`. The store changes nothing once the lease is lost ([`ledger::Fenced`]).
    pub fn new(
        store: Arc<S>,
        layout: Layout,
        held: Held,
        around: R,
        settings: Settings,
        monitor: Arc<Monitor>,
        stop: Arc<Stop>,
    ) -> Self {
        let ledger = Ledger::new(Arc::clone(&store), &layout);
        let report = Report::default();
        let has_proof = false;
        Self { store, layout, ledger, held, around, settings, monitor, stop, report, has_proof }
    }

    /// Runs once. Tells what was done also where it could not go on: the next run does.
    ///
    /// # Errors
    /// [`CollectError`].
    pub async fn run(mut self) -> (Report, Done<(), R>) {
        let mut outcome = self.advance_all().await;
        if outcome.is_ok() {
            outcome = self.forget_old().await;
        }
        let outcome = match self.waiting().await {
            Err(error) if outcome.is_ok() => Err(error),
            _ => outcome,
        };
        (self.report, outcome)
    }

    /// Gives back before it deletes, deletes before it condemns: first whatever an earlier process had begun to condemn,
    /// then in the order of [`Work`]. Uploads go last: nothing leads to them.
    async fn advance_all(&mut self) -> Done<(), R> {
        for work in [Work::Condemn, Work::LookLast, Work::LookAgain, Work::PurgeAgain, Work::Purge]
        {
            for generation in self.due(work).await? {
                self.go_on()?;
                self.advance(generation, work).await?;
            }
        }
        self.go_on()?;
        // What could not come back may be named by what would be condemned.
        let may_condemn = self.settings.condemns && self.report.not_back.is_empty();
        if may_condemn {
            self.condemn().await?;
        }
        if self.settings.deletes { self.abort_uploads().await } else { Ok(()) }
    }

    async fn due(&self, work: Work) -> Done<Vec<Generation>, R> {
        let now = self.store.now().await?;
        let mut generations = self.ledger.generations().await?;
        generations.retain(|generation| generation.phase().work(now, &self.settings.waits) == work);
        Ok(generations)
    }

    async fn advance(&mut self, mut generation: Generation, work: Work) -> Done<(), R> {
        tracing::info!(generation = %generation.id(), ?work, "going on");
        let generation = &mut generation;
        match work {
            Work::LookLast => self.look_last(generation).await,
            Work::LookAgain if self.settings.deletes => self.look_again(generation).await,
            Work::PurgeAgain | Work::Purge => self.purge(generation).await,
            Work::Condemn => self.give_up(generation).await,
            Work::LookAgain => self.leave_for_window(generation).await,
            Work::Wait | Work::Nothing => Ok(()),
        }
    }

    /// Counts what is due and may not be deleted by this run.
    async fn leave_for_window(&mut self, generation: &Generation) -> Done<(), R> {
        let mut blobs = Blobs::of(&self.ledger, generation).await?;
        loop {
            let next = blobs.next(&self.ledger, generation).await?;
            if next.is_empty() {
                return Ok(());
            }
            let waiting = self.report.for_window.get_or_insert_default();
            for blob in next {
                waiting.add(blob.size);
            }
        }
    }

    /// Stops where that was asked for; between two steps nothing is half done.
    pub(crate) fn go_on(&self) -> Done<(), R> {
        if self.stop.is_asked() { Err(CollectError::Stopped) } else { Ok(()) }
    }

    /// Puts a completed step on record.
    pub(crate) async fn step(&self, generation: &mut Generation, step: Step) -> Done<(), R> {
        let phase = generation.phase().advance(step, &self.settings.waits)?;
        self.record(generation, phase).await
    }

    pub(crate) async fn record(&self, generation: &mut Generation, phase: Phase) -> Done<(), R> {
        tracing::info!(generation = %generation.id(), ?phase, "stands");
        Ok(self.ledger.record(&self.held, generation, phase).await?)
    }

    /// A generation whose rest comes to nothing, or has come back.
    pub(crate) async fn close(&mut self, generation: &mut Generation, step: Step) -> Done<(), R> {
        self.around.closed(generation.id()).await.map_err(CollectError::Around)?;
        self.step(generation, step).await?;
        self.report.closed += 1;
        Ok(())
    }

    /// Makes the registry forget whatever is condemned, then waits.
    pub(crate) async fn purge(&mut self, generation: &mut Generation) -> Done<(), R> {
        let mut blobs = Blobs::of(&self.ledger, generation).await?;
        loop {
            let next = blobs.next(&self.ledger, generation).await?;
            if next.is_empty() {
                break;
            }
            let remembered: Vec<_> = next.iter().flat_map(|blob| self.remembered(blob)).collect();
            self.around.purge(&remembered).await.map_err(CollectError::Around)?;
        }
        let at = self.store.now().await?;
        self.step(generation, Step::Purged { at }).await
    }

    /// Tells those who note it what became of a blob.
    pub(crate) fn note(&mut self, what: Noted, blob: &Blob) {
        if !self.around.notes(what) {
            return;
        }
        if let Some((blob, links)) = told::rows(&self.layout, blob) {
            self.around.note(what, &blob, &links);
        }
    }

    fn remembered(&self, blob: &Blob) -> Vec<Remembered> {
        let of_store = Remembered { repository: None, digest: blob.digest };
        let of_links = blob.links.iter().filter_map(|link| match self.layout.classify(&link.key) {
            KeyKind::Layer { repository, digest } | KeyKind::Revision { repository, digest } => {
                let repository = Some(RepositoryName::new(repository).ok()?);
                Some(Remembered { repository, digest })
            }
            _ => None,
        });
        std::iter::once(of_store).chain(of_links).collect()
    }

    /// Forgets generations that ended long ago.
    async fn forget_old(&self) -> Done<(), R> {
        let before = self.store.now().await?.before(self.settings.remember);
        for generation in self.ledger.generations().await? {
            if !generation.is_open() && generation.t0() < before {
                self.ledger.forget(&self.held, &generation).await?;
            }
        }
        Ok(())
    }

    /// Tells which generations wait, and for what.
    async fn waiting(&mut self) -> Done<(), R> {
        let generations = self.ledger.generations().await?;
        let open = generations.iter().filter(|generation| generation.is_open());
        self.report.waiting = open.map(|generation| self.waits(generation)).collect();
        Ok(())
    }

    fn waits(&self, generation: &Generation) -> Waiting {
        let waits = &self.settings.waits;
        let (is_deleted, due): (bool, Option<Timestamp>) = match generation.phase() {
            Phase::Quarantined { purged } => (false, Some(purged.after(waits.quarantine()))),
            Phase::Settling { purged } => (true, Some(purged.after(waits.settle()))),
            Phase::PurgingAgain | Phase::LookingLast | Phase::Closed => (true, None),
            Phase::Marking
            | Phase::Unlinking
            | Phase::Purging
            | Phase::Looking
            | Phase::Deleting => (false, None),
        };
        let counts = generation.counts();
        let condemned = Amount { count: counts.condemned, bytes: counts.condemned_bytes };
        Waiting { generation: generation.id().as_str().into(), is_deleted, condemned, due }
    }
}
