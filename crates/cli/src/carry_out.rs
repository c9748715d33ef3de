//! Carries out a plan that passed every test, or says why not.

use std::path::Path;
use std::sync::Arc;

use planner::{Note, Plan, PlanError, Severity, allows_sweep};
use store::{DeleteBatch, DeleteStore, RestoreStore};
use sweeper::{Cause, Ended, Journal, Observer, Settings, SweepError, SweepReport, Witness, sweep};

use crate::args::SweepArgs;
use crate::audit_log::AuditLog;
use crate::keep_list::require_fresh;
use crate::location::Location;
use crate::no_lease::require_alone;
use crate::open::{Open, Watch};
use crate::registry_cache::RegistryCache;
use crate::taken_back::require_nothing_taken_back;
use crate::{Console, FailedKey, Failure, Refusal, clock, trash};

/// Refuses to delete where somebody may be pushing.
///
/// # Errors
/// [`Refusal::Online`].
pub(crate) fn require_offline(location: &Location, sweep: &SweepArgs) -> Result<(), Failure> {
    require_nobody_pushes(location, sweep.offline)
}

/// The same; `vouched` where the operator makes sure of it.
///
/// # Errors
/// [`Refusal::Online`].
pub(crate) fn require_nobody_pushes(location: &Location, vouched: bool) -> Result<(), Failure> {
    if vouched || location.is_readonly() {
        return Ok(());
    }
    Err(Refusal::Online { location: location.describe() }.into())
}

/// Refuses a plan that its audit forbids.
///
/// # Errors
/// [`Refusal::Audit`] with the evidence.
pub(crate) fn require_sound(plan: &Plan) -> Result<(), Failure> {
    require_sound_notes(&plan.header().notes, Some(plan.dir()))
}

/// Refuses what an audit forbids; `plan` is where it can be looked at.
///
/// # Errors
/// As [`require_sound`].
pub(crate) fn require_sound_notes(notes: &[Note], plan: Option<&Path>) -> Result<(), Failure> {
    if allows_sweep(notes) {
        return Ok(());
    }
    let notes = notes.iter().filter(|note| note.severity == Severity::Fatal).cloned().collect();
    Err(Refusal::Audit { notes, plan: plan.map(Path::to_owned) }.into())
}

/// Refuses a plan by a keep list that is past use by now.
///
/// # Errors
/// [`Refusal::KeepListAge`].
pub(crate) fn require_list_in_use(plan: &Plan) -> Result<(), Failure> {
    let Some(list) = &plan.header().keep_list else { return Ok(()) };
    require_fresh(list, plan.header().policy.grace, clock::now())
}

/// What a sweep did that went as far as it could.
#[derive(Debug)]
pub(crate) struct CarriedOut {
    /// What became of the plan.
    pub(crate) report: SweepReport,
    /// Whether all is in the audit log that was deleted of older trash.
    pub(crate) emptied: Result<(), Failure>,
}

impl CarriedOut {
    /// The report, where nothing went wrong after it.
    ///
    /// # Errors
    /// [`Failure::TrashUnlogged`].
    pub(crate) fn whole(self) -> Result<SweepReport, Failure> {
        self.emptied.map(|()| self.report)
    }

    /// How the sweep ended, and what went wrong afterwards.
    pub(crate) fn apart(
        swept: Result<Self, Failure>,
    ) -> (Result<SweepReport, Failure>, Result<(), Failure>) {
        match swept {
            Ok(Self { report, emptied }) => (Ok(report), emptied),
            Err(failure) => (Err(failure), Ok(())),
        }
    }
}

/// Carries out `plan`: checks that it is for this store, fresh, sound and not applied yet, then sweeps, and clears
/// the registry's cache of it, however the sweep ended. An audit log that is wanted hears of the outcomes in place of
/// `observer`. What goes wrong with the trash of others afterwards is a warning, unless that log ends there: the sweep
/// went through.
///
/// # Errors
/// Whatever forbids it, before anything is deleted; [`Failure::Sweep`] where the sweep broke off.
pub(crate) async fn carry_out<S: RestoreStore>(
    open: &Open<S>,
    plan: Plan,
    sweep_args: &SweepArgs,
    cache: &mut RegistryCache,
    observer: &dyn Observer,
    watch: &Watch,
    console: Console,
) -> Result<CarriedOut, Failure> {
    require_sound(&plan)?;
    check_place(&plan, open)?;
    plan.check_fresh(open.now().await?, sweep_args.max_age)?;
    require_list_in_use(&plan)?;
    require_alone(open).await?;
    require_nothing_taken_back(open, &plan).await?;
    cache.require_clearable().await?;
    let dir = plan.dir().to_owned();
    let id = plan.id().to_string();
    let audit = AuditLog::wanted(sweep_args, &id)?;
    let journal = journal(&plan, audit.as_ref())?;
    let observer = audit.as_deref().map_or(observer, |audit| audit);
    // A sweep that is taken up keeps what it deletes if it did so before.
    let trash = sweep_args.trash || journal.state().used_trash();
    let filling =
        if trash { Some(trash::begin(open, &plan, sweep_args.trash_for).await?) } else { None };
    let settings = Settings { concurrency: concurrency(open, trash), trash, ..Settings::default() };
    let store = Arc::clone(&open.store);
    cache.owe(&dir)?;
    let sweeping = sweep(store, plan, journal, settings, observer, &watch.monitor, &watch.stop);
    let swept = match &filling {
        Some(filling) => filling.during(sweeping).await,
        None => sweeping.await,
    };
    log(&swept);
    cache.clear(&dir).await;
    let report = match swept {
        // Only the cache was left to do.
        Err(SweepError { cause: Cause::AlreadyApplied, report }) if cache.has_settled() => *report,
        swept => swept?,
    };
    let emptied = match filling {
        Some(filling) => {
            let own = (report.ended == Ended::Completed).then_some(&*id);
            trash::conclude(filling, own, sweep_args.trash_for, audit, watch, console).await
        }
        None => Ok(()),
    };
    Ok(CarriedOut { report, emptied })
}

/// The journal of a plan, which waits for the audit log.
fn journal(plan: &Plan, audit: Option<&Arc<AuditLog>>) -> Result<Journal, Failure> {
    let journal = Journal::open(plan.dir(), plan.id()).map_err(Failure::Journal)?;
    Ok(match audit {
        Some(audit) => journal.witnessed(Arc::clone(audit) as Arc<dyn Witness>),
        None => journal,
    })
}

/// Batches in flight: a bucket copies several objects of each where they go to the trash.
fn concurrency<S: RestoreStore>(open: &Open<S>, trash: bool) -> usize {
    let copies = trash && !open.store.abilities().reads_in_place;
    if copies { open.width.div_ceil(DeleteBatch::COPIES) } else { open.width }
}

/// Refuses a plan that was made for another registry. One bucket may hold several.
///
/// # Errors
/// [`PlanError::OtherLocation`].
pub(crate) fn check_place<S: DeleteStore>(plan: &Plan, open: &Open<S>) -> Result<(), PlanError> {
    plan.check_location(open.store.identity())?;
    let (made_for, base) = (&plan.header().location.base, open.layout.base());
    if made_for == base {
        return Ok(());
    }
    let identity = open.store.identity();
    let registry = |base: &str| format!("{identity} below {base}");
    Err(PlanError::OtherLocation { plan: registry(made_for), given: registry(base) })
}

fn log(swept: &Result<SweepReport, SweepError>) {
    let report = swept.as_ref().unwrap_or_else(|error| &error.report);
    let (fates, left) = (report.total.fates, report.total.left.objects);
    tracing::info!(
        deleted = fates.deleted.objects, rewritten = fates.rewritten.objects, bytes = fates.deleted.bytes,
        already_gone = fates.already_gone.objects, spared = fates.spared.objects,
        failed = fates.failed.objects, left, ended = ?report.ended,
        "swept"
    );
}

/// Turns a report into the program's verdict: done, partial or stopped.
///
/// # Errors
/// [`Failure::Stopped`] and [`Failure::Partial`].
pub(crate) fn verdict(report: &SweepReport) -> Result<(), Failure> {
    if report.ended == Ended::Stopped {
        return Err(Failure::Stopped { is_sweeping: true });
    }
    if report.is_clean() {
        return Ok(());
    }
    let first = report.failures.first().map(|failed| FailedKey {
        key: failed.key.to_string(),
        message: failed.failure.to_string(),
    });
    Err(Failure::Partial {
        failed: report.total.fates.failed.objects,
        held_back: report.held_back.values().map(|count| count.objects).sum(),
        first,
        needs_new_plan: report.needs_new_plan(),
    })
}
