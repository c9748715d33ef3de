//! `regsweep apply`: carries out a reviewed plan; again to resume.

use planner::{Plan, Requests};
use store::RestoreStore;

use super::Context;
use crate::Failure;
use crate::args::{ApplyArgs, StoreArgs};
use crate::carry_out::{CarriedOut, carry_out, require_offline, require_sound};
use crate::identify::Truth;
use crate::no_lease::require_alone;
use crate::open::{Access, Detail, Open, Work, with_registry};
use crate::registry_cache::RegistryCache;
use crate::render::Summary;
use crate::reporting::{Reporting, conclude};
use crate::trash::as_needed;
use crate::unchanged::require_unchanged;

/// Carries out a plan, or what an earlier run left of it.
///
/// # Errors
/// Before anything is deleted: a plan that is damaged, foreign, stale, refused or applied already. Afterwards: what
/// could not be deleted.
pub(crate) async fn apply(args: &ApplyArgs, context: &Context<'_>) -> Result<(), Failure> {
    let reporting = Reporting::begin(&args.report, None, &context.watch)?;
    let plan = Plan::open(&args.dir)?;
    require_sound(&plan)?;
    let remembered = plan.header().location.clone();
    let truth = Truth::of(plan.header().keep_list.as_ref());
    let store = StoreArgs::remembered(&args.store, &remembered.options);
    let location = context.locate(&remembered.source, &store)?;
    let mut cache = RegistryCache::open(&location, args.sweep.registry_cache).await?;
    cache.settle(plan.dir(), context.console).await?;
    require_offline(&location, &args.sweep)?;
    let summary = Summary::of(&plan, plan.header().requests);
    let before = Requests::default();
    let (about, bill) = (reporting.about(&plan, before)?, reporting.running(&plan, before)?);
    let progress = context.progress(&location.place);
    let work = Applying { plan, args, cache: &mut cache, context };
    let deletes = (&args.sweep).into();
    let (location, store) = (&location, &store);
    let access =
        Access { location, store, deletes, detail: Detail { sizes: false, ..Detail::FULL }, truth };
    let swept = with_registry(access, &context.watch, work).await;
    drop(progress);
    let (swept, emptied) = CarriedOut::apart(swept);
    let written = reporting.swept(about, &swept, &context.watch);
    let outcome = context.conclude(summary, bill, swept, cache);
    conclude(conclude(outcome, emptied, context.console), written, context.console)
}

struct Applying<'a> {
    plan: Plan,
    args: &'a ApplyArgs,
    cache: &'a mut RegistryCache,
    context: &'a Context<'a>,
}

impl Work for Applying<'_> {
    type Out = CarriedOut;

    async fn run<S: RestoreStore>(self, open: Open<S>) -> Result<CarriedOut, Failure> {
        self.plan.check_location(open.store.identity())?;
        require_alone(&open).await?;
        require_unchanged(&open, &self.plan, &self.context.watch).await?;
        self.context.expect(&self.plan);
        let Self { plan, args, cache, context } = self;
        let sweep = as_needed(&open, &args.sweep, context.console).await?;
        carry_out(&open, plan, &sweep, cache, &(), &context.watch, context.console).await
    }
}
