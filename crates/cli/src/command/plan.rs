//! `regsweep plan`: writes a plan and deletes nothing.

use planner::Plan;
use store::DeleteStore;

use super::{Context, Wish, limits, plan_of, policy};
use crate::Failure;
use crate::args::PlanArgs;
use crate::carry_out::require_sound;
use crate::location::Location;
use crate::open::{Open, Work, with_registry};

/// Makes a plan in a new directory and shows it.
///
/// # Errors
/// Where no whole plan can be made; [`Failure::Refused`] after it is written, where its audit forbids a sweep.
pub(crate) async fn plan(args: &PlanArgs, context: &Context<'_>) -> Result<(), Failure> {
    let location = Location::resolve(&args.location, &args.store, std::env::vars())?;
    let progress = context.progress();
    let work = Planning { args, source: &location.source, context };
    let plan = with_registry(&location, &args.store, None, &context.watch, work).await?;
    drop(progress);
    context.show(&plan)?;
    require_sound(&plan)
}

struct Planning<'a> {
    args: &'a PlanArgs,
    source: &'a str,
    context: &'a Context<'a>,
}

impl Work for Planning<'_> {
    type Out = Plan;

    async fn run<S: DeleteStore>(self, open: Open<S>) -> Result<Plan, Failure> {
        let wish = Wish {
            source: self.source,
            options: self.args.store.options(),
            policy: policy(&self.args.policy),
            limits: limits(&self.args.policy),
            out: &self.args.out,
            tell: false,
        };
        let made = plan_of(&open, wish, self.context).await?;
        Ok(made.plan)
    }
}
