//! `regsweep gc`: plan and apply in one; again to resume.

use planner::Plan;
use store::DeleteStore;
use sweeper::SweepReport;

use super::{Context, Wish, limits, plan_of, policy};
use crate::args::GcArgs;
use crate::carry_out::{carry_out, require_offline, require_sound, verdict};
use crate::location::Location;
use crate::open::{Open, Work, with_registry};
use crate::render::Summary;
use crate::state::Runs;
use crate::{Failure, clock};

/// Takes up an unfinished run, or plans and sweeps a new one.
///
/// # Errors
/// Where no whole plan can be made, the plan is refused, or objects could not be deleted.
pub(crate) async fn gc(args: &GcArgs, context: &Context<'_>) -> Result<(), Failure> {
    let location = Location::resolve(&args.location, &args.store, std::env::vars())?;
    if !args.dry_run {
        require_offline(&location, &args.sweep)?;
    }
    let work = Collecting { args, source: &location.source, context };
    let rate = args.sweep.max_deletes_per_second;
    with_registry(&location, &args.store, rate, &context.watch, work).await
}

struct Collecting<'a> {
    args: &'a GcArgs,
    source: &'a str,
    context: &'a Context<'a>,
}

impl Work for Collecting<'_> {
    type Out = ();

    async fn run<S: DeleteStore>(self, open: Open<S>) -> Result<(), Failure> {
        let runs = Runs::of(self.args.state.as_deref(), open.store.identity())?;
        let progress = self.context.progress();
        let plan = match runs.unfinished()?.filter(|_| !self.args.dry_run) {
            Some(plan) => self.resume(plan),
            None => self.plan(&open, &runs).await?,
        };
        if self.args.dry_run {
            drop(progress);
            self.context.show(&plan)?;
            return require_sound(&plan);
        }
        if let Err(refused) = require_sound(&plan) {
            drop(progress);
            self.context.show(&plan)?;
            return Err(refused);
        }
        let summary = Summary::of(&plan, plan.header().requests);
        let report = self.sweep(&open, plan).await?;
        drop(progress);
        self.context.report(summary, &report)?;
        verdict(&report, &self.again())
    }
}

impl Collecting<'_> {
    fn resume(&self, plan: Plan) -> Plan {
        let talk = format!("regsweep: going on with the plan in {}", plan.dir().display());
        self.context.console.talk(&talk);
        plan
    }

    async fn plan<S: DeleteStore>(&self, open: &Open<S>, runs: &Runs) -> Result<Plan, Failure> {
        let out = runs.begin(clock::now())?;
        let wish = Wish {
            source: self.source,
            options: self.args.store.options(),
            policy: policy(&self.args.policy),
            limits: limits(&self.args.policy),
            out: &out,
            tell: false,
        };
        let made = plan_of(open, wish, self.context).await?;
        Ok(made.plan)
    }

    async fn sweep<S: DeleteStore>(&self, open: &Open<S>, plan: Plan) -> Result<SweepReport, Failure> {
        carry_out(open, plan, &self.args.sweep, &(), &self.context.watch).await
    }

    /// The command that goes on: this one.
    fn again(&self) -> String {
        std::env::args().collect::<Vec<_>>().join(" ")
    }
}
