//! Carrying out a plan.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use monitor::{Asked, Counter, Garbage, Monitor, Phase, Stop};
use planner::{Plan, Row, Stage};
use registry::Timestamp;
use store::{
    DeleteBatch, DeleteStore, ErrorKind, KeyOutcome, Operation, StoreError, Trash, WriteStore,
};
use tokio::sync::mpsc::{self, Receiver};
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

use crate::cut::{Batch, Cut, Request};
use crate::journal::{Durable, Journal, JournalState, Record, Writer};
use crate::ledger::Ledger;
use crate::rewrite::{TOGETHER, rewrite_all};
use crate::runs::{add_run, marked};
use crate::source::Source;
use crate::trash::trash_of;
use crate::{Cause, Ended, Fates, JournalError, SweepError, SweepReport};

/// How hard to sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Delete requests in flight at most; at least one is.
    pub concurrency: usize,
    /// Objects in one request at most. [`DeleteBatch::LIMIT`] and the store's own limit hold too.
    pub batch: usize,
    /// Whether to move objects to the trash of the plan, so that they can be taken back; needless where the store keeps
    /// versions.
    pub trash: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { concurrency: 16, batch: DeleteBatch::LIMIT, trash: false }
    }
}

/// Hears what becomes of each object.
pub trait Observer: Send + Sync {
    /// Called once for every object that gets an outcome in this run, in the order in which requests are answered,
    /// before the journal holds it: after a crash an object may be told again, never forgotten.
    ///
    /// Called on the sweep's own task, so it must not block for long.
    fn outcome(&self, row: &Row, outcome: &KeyOutcome);
}

/// Hears nothing.
impl Observer for () {
    fn outcome(&self, _: &Row, _: &KeyOutcome) {}
}

/// Carries out a plan, or what earlier sweeps left of it.
///
/// Broken links, which are written anew, then tags, revisions, layer links, blobs, multipart uploads: each stage ends before the next begins (G8). An object is asked for only when
/// the intent is durable in the journal, and every object gets exactly one outcome (G10, G11). Where a link stays,
/// because it could not be removed or was written since, nothing it may lead to is touched (G8).
///
/// Asked to drain, it awaits what is in flight; asked to abort, it does not, and what was in flight is asked for again
/// by the next sweep. Dropping the future is like a crash: harmless.
///
/// Needs a tokio runtime with time. Costs one request for each full batch and one for the rest of each stage, and one
/// sync of the journal for all batches that wait for one.
///
/// # Errors
/// [`SweepError`], with all that was done; [`Cause::AlreadyApplied`] where nothing is left to do.
pub async fn sweep<S: DeleteStore + WriteStore>(
    store: Arc<S>,
    plan: Plan,
    journal: Journal,
    settings: Settings,
    observer: &dyn Observer,
    monitor: &Monitor,
    stop: &Stop,
) -> Result<SweepReport, SweepError> {
    let trash = settings.trash.then(|| trash_of(&plan));
    let around = Around { observer, monitor, stop, trash };
    sweep_source(store, Arc::new(plan), journal, settings, around).await
}

/// Who listens, counts and may ask to stop.
#[derive(Clone)]
pub(crate) struct Around<'a> {
    pub(crate) observer: &'a dyn Observer,
    pub(crate) monitor: &'a Monitor,
    pub(crate) stop: &'a Stop,
    /// Where objects go.
    pub(crate) trash: Option<Trash>,
}

/// The most uploads that are aborted in one batch.
const ABORTS: usize = 64;

/// How often a sweep that waits looks whether it is asked to stop.
const LOOK: Duration = Duration::from_millis(50);

pub(crate) async fn sweep_source<S: DeleteStore + WriteStore, P: Source>(
    store: Arc<S>,
    source: Arc<P>,
    mut journal: Journal,
    settings: Settings,
    around: Around<'_>,
) -> Result<SweepReport, SweepError> {
    let state = Arc::new(journal.take_state());
    let ledger = match Ledger::open(source.segments(), &state) {
        Ok(ledger) if state.is_undone() => return fail(Cause::TakenBack, ledger),
        Ok(ledger) if state.is_finished() => return fail(Cause::AlreadyApplied, ledger),
        Ok(ledger) => ledger,
        Err(cause) => return fail(cause, Ledger::empty()),
    };
    let now = match store.now().await {
        Ok(now) => now,
        Err(error) => return fail(Cause::Store(error), ledger),
    };
    around.monitor.count(Counter::SweptObjects, ledger.fates().total().objects);
    let (writer, path) = journal.into_writer();
    let size = settings.batch.min(DeleteBatch::LIMIT).min(store.abilities().delete_batch).max(1);
    let width = settings.concurrency.max(1);
    let next_batch = state.next_batch();
    let began = Instant::now();
    let sweep = Sweep {
        store,
        source,
        state,
        writer,
        path,
        width,
        size,
        around,
        ledger,
        next_batch,
        began,
    };
    sweep.run(now).await
}

fn fail(cause: Cause, ledger: Ledger) -> Result<SweepReport, SweepError> {
    let ended = if matches!(cause, Cause::AlreadyApplied | Cause::TakenBack) {
        Ended::Completed
    } else {
        Ended::Broken
    };
    Err(SweepError { cause, report: Box::new(ledger.report(ended)) })
}

/// A sweep under way.
struct Sweep<'a, S, P> {
    store: Arc<S>,
    source: Arc<P>,
    /// What earlier sweeps did.
    state: Arc<JournalState>,
    writer: Writer,
    /// The journal's path, for messages.
    path: PathBuf,
    /// Requests in flight at most.
    width: usize,
    /// Rows in a request at most.
    size: usize,
    around: Around<'a>,
    ledger: Ledger,
    next_batch: u64,
    began: Instant,
}

/// Why a stage ended early.
enum Halt {
    /// It was asked to.
    Stopped,
    /// The journal has failed; closing it tells why.
    Journal,
    Cause(Cause),
}

/// A batch whose request was answered.
struct Landed {
    number: u64,
    batch: Batch,
    outcomes: Vec<KeyOutcome>,
}

type Flight = JoinSet<Result<Landed, Halt>>;

impl<S: DeleteStore + WriteStore, P: Source> Sweep<'_, S, P> {
    async fn run(mut self, now: Timestamp) -> Result<SweepReport, SweepError> {
        let began = self.record(Record::Began { now, trash: self.around.trash.is_some() }).await;
        let swept = if began.is_ok() { self.sweep_stages().await } else { began };
        let mut halt = swept.err();
        if halt.is_none() && Stage::ALL.into_iter().all(|stage| self.ledger.is_settled(stage)) {
            let totals = Record::Finished(Fates { failed: <_>::default(), ..self.ledger.fates() });
            halt = self.record(totals).await.err();
        }
        if let Err(source) = self.writer.close().await {
            // Whatever else happened: what is not in the journal cannot be relied on.
            let path = self.path;
            halt = Some(Halt::Cause(Cause::Journal(JournalError::Io { path, source })));
        }
        self.around.monitor.enter(Phase::Finished);
        conclude(halt, self.ledger)
    }

    /// G8: references go before what they refer to.
    async fn sweep_stages(&mut self) -> Result<(), Halt> {
        for stage in Stage::ALL {
            if self.state.has_ended(stage) || !self.ledger.has(stage) {
                continue;
            }
            if stage == Stage::Blobs && self.ledger.obstacles().any() {
                tracing::warn!("links stay that may lead to blobs of the plan: no blob is deleted");
                self.ledger.hold_back_blobs();
                continue;
            }
            self.sweep_stage(stage).await?;
            if self.ledger.is_settled(stage) {
                self.record(Record::Ended(stage)).await?;
            }
        }
        Ok(())
    }

    async fn record(&self, record: Record) -> Result<(), Halt> {
        self.writer.record_durably(record).await.map_err(|_| Halt::Journal)
    }

    async fn sweep_stage(&mut self, stage: Stage) -> Result<(), Halt> {
        self.around.monitor.enter(match stage {
            Stage::Repairs | Stage::Tags | Stage::Revisions | Stage::Layers => Phase::SweepingLinks,
            Stage::Blobs | Stage::Multipart => Phase::SweepingBlobs,
        });
        let (size, width) = self.load(stage);
        let cut = Cut {
            source: Arc::clone(&self.source),
            stage,
            state: Arc::clone(&self.state),
            obstacles: self.ledger.obstacles().clone(),
            size,
            trash: self.around.trash.clone(),
        };
        let (sender, batches) = mpsc::channel(1);
        let cutting = tokio::task::spawn_blocking(move || cut.run(&sender));
        let flown = self.fly(batches, width).await;
        let cut = cutting.await.map_err(panicked)?;
        flown?;
        self.ledger.hold_back(cut.map_err(Halt::Cause)?);
        Ok(())
    }

    /// Rows in a batch, and batches in flight, at most. Uploads are aborted one by one, some of a batch at once, so that
    /// full batches would hold up whoever asks to stop, and as many of them take more requests at once (G12).
    fn load(&self, stage: Stage) -> (usize, usize) {
        match stage {
            Stage::Repairs => (self.size.min(TOGETHER), self.width),
            Stage::Multipart => (self.size.min(ABORTS), self.width.div_ceil(DeleteBatch::COPIES)),
            Stage::Tags | Stage::Revisions | Stage::Layers | Stage::Blobs => {
                (self.size, self.width)
            }
        }
    }

    /// Keeps requests in flight until there are no more batches, or something ends the sweep. Every task is joined.
    async fn fly(&mut self, mut batches: Receiver<Batch>, width: usize) -> Result<(), Halt> {
        let mut flight = Flight::new();
        let mut halt = None;
        let mut is_open = true;
        loop {
            let asked = self.around.stop.asked();
            if asked == Asked::Abort {
                let later = self.abandon(flight).await;
                return Err(halt.or(later).unwrap_or(Halt::Stopped));
            }
            let may_send = is_open && halt.is_none() && asked == Asked::Nothing;
            if !may_send && flight.is_empty() {
                break;
            }
            tokio::select! {
                batch = batches.recv(), if may_send && flight.len() < width => match batch {
                    Some(batch) => self.send(batch, &mut flight),
                    None => is_open = false,
                },
                Some(landed) = flight.join_next() => {
                    halt = halt.or(self.land(landed).err());
                }
                () = tokio::time::sleep(LOOK) => {}
            }
        }
        match halt {
            Some(halt) => Err(halt),
            // Also where every batch was sent: one of them may have been given up on the way.
            None if self.around.stop.is_asked() => Err(Halt::Stopped),
            None => Ok(()),
        }
    }

    /// Leaves at once: takes what has landed, and cancels the rest, whose intents are in the journal.
    async fn abandon(&mut self, mut flight: Flight) -> Option<Halt> {
        let mut halt = None;
        while let Some(landed) = flight.try_join_next() {
            halt = halt.or(self.land(landed).err());
        }
        flight.shutdown().await;
        halt
    }

    fn send(&mut self, batch: Batch, flight: &mut Flight) {
        let number = self.next_batch;
        self.next_batch += 1;
        let durable = self.writer.intend(number, self.began.elapsed().as_secs(), batch.spans());
        flight.spawn(carry_out(Arc::clone(&self.store), durable, number, batch));
    }

    /// Accounts for a batch that came back.
    fn land(&mut self, landed: Result<Result<Landed, Halt>, JoinError>) -> Result<(), Halt> {
        let Landed { number, batch, outcomes } = match landed.map_err(panicked)? {
            Ok(landed) => landed,
            Err(Halt::Cause(Cause::Store(error))) if self.was_given_up(&error) => {
                return Err(Halt::Stopped);
            }
            Err(halt) => return Err(halt),
        };
        let (mut runs, mut markers) = (Vec::new(), Vec::new());
        for ((row, place), outcome) in batch.rows.iter().zip(&batch.places).zip(&outcomes) {
            self.ledger.enter(*place, row, outcome);
            self.around.observer.outcome(row, outcome);
            self.count(row, outcome);
            add_run(&mut runs, *place, row, outcome);
            markers.extend(marked(*place, outcome));
        }
        self.writer.settle(number, self.began.elapsed().as_secs(), markers, runs);
        Ok(())
    }

    /// A wrapper of the store gives up where a stop was asked for.
    fn was_given_up(&self, error: &StoreError) -> bool {
        error.kind == ErrorKind::Stopped && self.around.stop.is_asked()
    }

    fn count(&self, row: &Row, outcome: &KeyOutcome) {
        let monitor = self.around.monitor;
        monitor.count(Counter::SweptObjects, 1);
        match outcome {
            KeyOutcome::Deleted(_) => {
                monitor.count(Counter::DeletedObjects, 1);
                monitor.count(Counter::FreedBytes, row.bytes);
            }
            KeyOutcome::Failed(_) => {
                monitor.count(Counter::FailedObjects, 1);
                monitor.note(Garbage::Failed, row.modified.as_millis());
            }
            KeyOutcome::Rewritten | KeyOutcome::Gone | KeyOutcome::Spared => {}
        }
    }
}

/// One batch on its way: intent, then request (G11).
async fn carry_out<S: DeleteStore + WriteStore>(
    store: Arc<S>,
    durable: Durable,
    number: u64,
    batch: Batch,
) -> Result<Landed, Halt> {
    durable.await.map_err(|_| Halt::Journal)?;
    let outcomes = match &batch.request {
        Request::Delete(request) => store.delete(request).await,
        Request::Rewrite => rewrite_all(store.as_ref(), &batch.rows).await,
    };
    let outcomes = outcomes.map_err(|error| Halt::Cause(Cause::Store(error)))?;
    // G10: an answer that leaves a key out says nothing about any of them.
    if outcomes.len() != batch.rows.len() {
        let error = StoreError::new(Operation::Delete, store.identity(), ErrorKind::Malformed);
        return Err(Halt::Cause(Cause::Store(error)));
    }
    Ok(Landed { number, batch, outcomes })
}

fn panicked(error: JoinError) -> Halt {
    Halt::Cause(Cause::Panicked(error))
}

/// Draws up the report and checks it (G10).
fn conclude(halt: Option<Halt>, ledger: Ledger) -> Result<SweepReport, SweepError> {
    let (ended, cause) = match halt {
        None => (Ended::Completed, None),
        Some(Halt::Stopped) => (Ended::Stopped, None),
        Some(Halt::Cause(cause)) => (Ended::Broken, Some(cause)),
        Some(Halt::Journal) => (Ended::Broken, Some(Cause::JournalClosed)),
    };
    let report = ledger.report(ended);
    match cause.or_else(|| report.check().err().map(Box::new).map(Cause::Unaccounted)) {
        Some(cause) => Err(SweepError { cause, report: Box::new(report) }),
        None => Ok(report),
    }
}
