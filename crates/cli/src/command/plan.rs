//! `regsweep plan`: writes a plan and deletes nothing.

use planner::Plan;
use store::RestoreStore;

use super::{Context, Wish, keep_list, limits, plan_of, policy};
use crate::args::PlanArgs;
use crate::carry_out::require_sound;
use crate::command_line::quoted;
use crate::identify::Truth;
use crate::location::Location;
use crate::open::{Access, DeletePace, Detail, Open, Work, with_registry};
use crate::reporting::{Reporting, conclude};
use crate::retaining::Retaining;
use crate::{Failure, KeepList};

/// Makes a plan in a new directory and shows it.
///
/// # Errors
/// Where no whole plan can be made; [`Failure::Refused`] after it is written, where its audit forbids a sweep.
pub(crate) async fn plan(args: &PlanArgs, context: &Context<'_>) -> Result<(), Failure> {
    let reporting = Reporting::begin(&args.report, Some(&args.out), &context.watch)?;
    let location = context.locate(&args.location, &args.store)?;
    let retention = Retaining::named(args.policy.file.as_deref())?;
    let keep_list = keep_list(&args.policy)?;
    let truth = Truth::of(keep_list.as_ref().map(|list| &list.record));
    let progress = context.progress(&location.place);
    let work = Planning { args, location: &location, retention, keep_list, context };
    let (store, deletes) = (&args.store, DeletePace::default());
    let access = Access { location: &location, store, deletes, detail: Detail::FULL, truth };
    let plan = with_registry(access, &context.watch, work).await?;
    drop(progress);
    context.show(&plan, reporting.bill(&plan)?)?;
    let written = reporting.planned(&plan);
    conclude(require_sound(&plan), written, context.console)?;
    if plan.totals().all().count > 0 {
        let dir = quoted(&args.out.to_string_lossy());
        let offline = if location.is_readonly() { "" } else { " --offline" };
        context
            .tip(&format!("nothing was deleted; `regsweep apply {dir}{offline}` carries it out"));
    }
    Ok(())
}

struct Planning<'a> {
    args: &'a PlanArgs,
    location: &'a Location,
    retention: Option<Retaining>,
    keep_list: Option<KeepList>,
    context: &'a Context<'a>,
}

impl Work for Planning<'_> {
    type Out = Plan;

    async fn run<S: RestoreStore>(self, open: Open<S>) -> Result<Plan, Failure> {
        let wish = Wish {
            source: &self.location.source,
            options: self.location.options.clone(),
            policy: policy(&self.args.policy),
            retention: self.retention,
            multipart: true,
            keep_list: self.keep_list,
            limits: limits(&self.args.policy),
            out: &self.args.out,
            is_scratch: false,
            listener: None,
            resources: &self.args.resources,
        };
        plan_of(&open, wish, self.context).await
    }
}
