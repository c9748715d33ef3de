//! `regsweep undo`: takes back what a plan, or a generation, deleted; again to go on.

use planner::Plan;
use store::RestoreStore;
use sweeper::{Ended, Journal, Only, UndoError, UndoReport, UndoSettings, undo as take_back};

use super::Context;
use crate::args::{StoreArgs, UndoArgs};
use crate::carry_out::check_place;
use crate::collect::requests;
use crate::identify::Truth;
use crate::no_lease::require_no_lease;
use crate::open::{Access, DeletePace, Detail, Open, Work, with_registry};
use crate::render::{UndoSummary, undo_table};
use crate::state::Runs;
use crate::{FailedKey, Failure, online};

/// Takes back what a plan deleted, or a generation, or some of it.
///
/// The registry may be in use: nothing is overwritten, and nothing refers to what is not back yet.
///
/// # Errors
/// Where there is nothing to take back, the plan or its journal cannot be used, or some objects are not back.
pub(crate) async fn undo(args: &UndoArgs, context: &Context<'_>) -> Result<(), Failure> {
    if let Some(which) = &args.generation {
        return Box::pin(online::take_back(args, which, context)).await;
    }
    let plan = Plan::open(&args.place)?;
    let _lock = Runs::lock_around(&args.place)?;
    let remembered = plan.header().location.clone();
    let truth = Truth::Anywhere;
    let store = StoreArgs::remembered(&args.store, &remembered.options);
    let location = context.locate(&remembered.source, &store)?;
    let (dir, id) = (plan.dir().display().to_string(), plan.id().to_string());
    let progress = context.progress(&location.place);
    let (location, store) = (&location, &store);
    let detail = Detail { sizes: false, ..Detail::FULL };
    let access = Access { location, store, deletes: DeletePace::default(), detail, truth };
    let undone = with_registry(access, &context.watch, Undoing { plan, args, context }).await;
    drop(progress);
    let report = match &undone {
        Ok(report) => Some(report),
        Err(Failure::Undo(error)) if error.report.total().total().objects > 0 => {
            Some(&*error.report)
        }
        Err(_) => None,
    };
    if let Some(report) = report {
        let summary = UndoSummary::of(report, dir, id, requests(&context.watch.monitor));
        tell(report, &summary, context)?;
    }
    verdict(&undone?)
}

struct Undoing<'a> {
    plan: Plan,
    args: &'a UndoArgs,
    context: &'a Context<'a>,
}

impl Work for Undoing<'_> {
    type Out = UndoReport;

    async fn run<S: RestoreStore>(self, open: Open<S>) -> Result<UndoReport, Failure> {
        check_place(&self.plan, &open)?;
        if !self.args.dry_run {
            require_no_lease(&open).await?;
        }
        let journal = Journal::open_existing(self.plan.dir(), self.plan.id());
        let Some(journal) = journal.map_err(Failure::Journal)? else {
            return Err(UndoError::nothing_deleted().into());
        };
        let UndoArgs { digest, repository, dry_run, .. } = self.args;
        let settings = UndoSettings {
            only: Only { digest: *digest, repository: repository.clone() },
            is_dry_run: *dry_run,
            concurrency: open.width,
        };
        let watch = &self.context.watch;
        let undone =
            take_back(open.store, self.plan, journal, settings, &watch.monitor, &watch.stop).await;
        Ok(undone?)
    }
}

fn tell(report: &UndoReport, summary: &UndoSummary, context: &Context<'_>) -> Result<(), Failure> {
    if context.output.json {
        return context.object(summary);
    }
    context.data(&undo_table(report))
}

/// Turns a report into the program's verdict: done, partial or stopped.
fn verdict(report: &UndoReport) -> Result<(), Failure> {
    if report.ended == Ended::Stopped {
        return Err(Failure::Stopped { is_sweeping: true });
    }
    if report.is_clean() {
        return Ok(());
    }
    let first = report.missing.first().map(|missing| FailedKey {
        key: missing.key.to_string(),
        message: missing.why.to_string(),
    });
    let total = report.total();
    Err(Failure::NotBack {
        lost: total.all_lost().objects,
        failed: total.failed.objects,
        may_go_on: total.failed.objects > 0,
        first,
    })
}
