//! Carries out a plan that passed every test, or says why not.

use std::sync::Arc;

use planner::{Plan, Severity, allows_sweep};
use store::DeleteStore;
use sweeper::{Ended, Journal, Observer, Settings, SweepReport, sweep};

use crate::args::SweepArgs;
use crate::location::Location;
use crate::open::{Open, Watch};
use crate::{Failure, Refusal};

/// Delete requests in flight at most; the controller finds the store's own limit below that.
const DELETES_IN_FLIGHT: usize = 32;

/// Refuses to delete where somebody may be pushing.
///
/// # Errors
/// [`Refusal::Online`].
pub(crate) fn require_offline(location: &Location, sweep: &SweepArgs) -> Result<(), Failure> {
    if sweep.offline || location.is_readonly() {
        return Ok(());
    }
    Err(Refusal::Online { location: location.describe() }.into())
}

/// Refuses a plan that its audit forbids.
///
/// # Errors
/// [`Refusal::Audit`] with the evidence.
pub(crate) fn require_sound(plan: &Plan) -> Result<(), Failure> {
    let notes = &plan.header().notes;
    if allows_sweep(notes) {
        return Ok(());
    }
    let notes = notes.iter().filter(|note| note.severity == Severity::Fatal).cloned().collect();
    Err(Refusal::Audit { notes }.into())
}

/// Carries out `plan`: checks that it is for this store, fresh, sound and not applied yet, then sweeps.
///
/// # Errors
/// Whatever forbids it, before anything is deleted; [`Failure::Sweep`] where the sweep broke off.
pub(crate) async fn carry_out<S: DeleteStore>(
    open: &Open<S>,
    plan: Plan,
    sweep_args: &SweepArgs,
    observer: &dyn Observer,
    watch: &Watch,
) -> Result<SweepReport, Failure> {
    require_sound(&plan)?;
    plan.check_location(open.store.identity())?;
    let now = open.store.now().await;
    let now = now.map_err(|source| Failure::Store { location: open.store.identity().to_owned(), source })?;
    plan.check_fresh(now, sweep_args.max_age)?;
    let journal = Journal::open(plan.dir(), plan.id()).map_err(Failure::Journal)?;
    let settings = Settings {
        concurrency: open.width.min(DELETES_IN_FLIGHT),
        ..Settings::default()
    };
    let store = Arc::clone(&open.store);
    Ok(sweep(store, plan, journal, settings, observer, &watch.monitor, &watch.stop).await?)
}

/// Turns a report into the program's verdict: done, partial or stopped.
///
/// # Errors
/// [`Failure::Stopped`] and [`Failure::Partial`], both with `again`, the command that goes on.
pub(crate) fn verdict(report: &SweepReport, again: &str) -> Result<(), Failure> {
    let again = again.to_owned();
    if report.ended == Ended::Stopped {
        return Err(Failure::Stopped { again });
    }
    if report.is_clean() {
        return Ok(());
    }
    let first = report.failures.first();
    let first = first.map(|failed| format!("{}: {}", failed.key, failed.failure));
    let spared = report.total.fates.spared.objects;
    Err(Failure::Partial { failed: report.total.fates.failed.objects, spared, first, again })
}
