//! `regsweep gc`: plan and apply in one; again to resume.

use planner::Plan;
use store::RestoreStore;

use super::{Context, Wish, keep_list, limits, plan_of, policy};
use crate::args::GcArgs;
use crate::carry_out::{
    CarriedOut, carry_out, require_list_in_use, require_offline, require_sound,
};
use crate::collect::requests;
use crate::command_line::quoted;
use crate::identify::Truth;
use crate::location::Location;
use crate::no_lease::require_alone;
use crate::open::{Access, Detail, Open, Work, with_registry};
use crate::progress::Progress;
use crate::registry_cache::RegistryCache;
use crate::render::Summary;
use crate::reporting::{Reporting, conclude};
use crate::retaining::Retaining;
use crate::state::{Kind, Runs, Unfinished};
use crate::taken_back::{last_undo, require_nothing_taken_back};
use crate::trash::as_needed;
use crate::unchanged::require_unchanged;
use crate::{Failure, KeepList, clock, online};

/// Takes up an unfinished run, or plans and sweeps a new one.
///
/// # Errors
/// Where no whole plan can be made, the plan is refused, or objects could not be deleted.
pub(crate) async fn gc(args: &GcArgs, context: &Context<'_>) -> Result<(), Failure> {
    if args.online.online {
        return Box::pin(online::collect(args, context)).await;
    }
    let reporting = Reporting::begin(&args.report, None, &context.watch)?;
    let location = context.locate(&args.location, &args.store)?;
    let retention = Retaining::named(args.policy.file.as_deref())?;
    let keep_list = keep_list(&args.policy)?;
    let truth = Truth::of(keep_list.as_ref().map(|list| &list.record));
    let mut cache = RegistryCache::none();
    if !args.dry_run {
        require_offline(&location, &args.sweep)?;
        cache = RegistryCache::open(&location, args.sweep.registry_cache).await?;
    }
    let work = Collecting { args, location: &location, retention, keep_list, context };
    let work = Run { work, cache, reporting };
    let deletes = (&args.sweep).into();
    let (location, store) = (&location, &args.store);
    let access = Access { location, store, deletes, detail: Detail::FULL, truth };
    with_registry(access, &context.watch, work).await
}

struct Collecting<'a> {
    args: &'a GcArgs,
    location: &'a Location,
    retention: Option<Retaining>,
    keep_list: Option<KeepList>,
    context: &'a Context<'a>,
}

/// What is done, the cache that is cleared of it, and the report of it.
struct Run<'a> {
    work: Collecting<'a>,
    cache: RegistryCache,
    reporting: Reporting,
}

impl Work for Run<'_> {
    type Out = ();

    async fn run<S: RestoreStore>(self, open: Open<S>) -> Result<(), Failure> {
        let Self { work, cache, reporting } = self;
        let state = work.args.state.as_deref();
        let runs = Runs::of(state, open.store.identity(), open.layout.base())?;
        if work.args.dry_run {
            work.look(&open, &runs, reporting).await
        } else {
            work.collect(&open, &runs, cache, reporting).await
        }
    }
}

impl Collecting<'_> {
    /// Plans and shows, and deletes nothing.
    async fn look<S: RestoreStore>(
        &self,
        open: &Open<S>,
        runs: &Runs,
        reporting: Reporting,
    ) -> Result<(), Failure> {
        let progress = self.progress();
        let plan = self.plan(open, runs, Kind::DryRun).await?;
        drop(progress);
        self.context.show(&plan, reporting.bill(&plan)?)?;
        let written = reporting.planned(&plan);
        conclude(require_sound(&plan), written, self.context.console)?;
        let dir = plan.dir().to_string_lossy();
        self.context.tip(&format!("nothing was deleted; the plan is in {}", quoted(&dir)));
        Ok(())
    }

    /// Sweeps what is left of the last run, or all that a new plan says. Nobody else sweeps meanwhile.
    async fn collect<S: RestoreStore>(
        &self,
        open: &Open<S>,
        runs: &Runs,
        mut cache: RegistryCache,
        reporting: Reporting,
    ) -> Result<(), Failure> {
        let _lock = runs.lock()?;
        // Said again when the plan is there: before, so that nobody waits for a plan that is refused.
        last_undo(open).await?;
        require_alone(open).await?;
        for run in runs.uncleared()? {
            cache.settle(&run, self.context.console).await?;
        }
        let resumed = self.resumed(open, runs).await?;
        let progress = self.progress();
        let plan = match resumed {
            Some(plan) => {
                self.context.expect(&plan);
                plan
            }
            None => self.plan(open, runs, Kind::Sweep).await?,
        };
        if let Err(refused) = require_sound(&plan) {
            drop(progress);
            self.context.show(&plan, reporting.bill(&plan)?)?;
            let written = reporting.planned(&plan);
            return conclude(Err(refused), written, self.context.console);
        }
        self.sweep(open, plan, cache, progress, reporting).await
    }

    async fn resumed<S: RestoreStore>(
        &self,
        open: &Open<S>,
        runs: &Runs,
    ) -> Result<Option<Plan>, Failure> {
        let now = open.now().await?;
        let policy = policy(&self.args.policy);
        let retention = self.retention.as_ref().map(|retaining| &*retaining.record.sha256);
        let keep_list = self.keep_list.as_ref().map(|list| &*list.record.sha256);
        let max_age = self.args.sweep.max_age;
        let unfinished = runs.unfinished(&policy, retention, keep_list, now, max_age)?;
        let console = self.context.console;
        match unfinished {
            Unfinished::None => Ok(None),
            Unfinished::Resumable(plan) => self.still_true(open, *plan).await,
            Unfinished::Outdated { dir, why } => {
                let dir = dir.display();
                console.note(&format!("the last run did not end, and {dir} is past use: {why}"));
                Ok(None)
            }
        }
    }

    /// The plan, where nobody pushed or took anything back since it was made.
    async fn still_true<S: RestoreStore>(
        &self,
        open: &Open<S>,
        plan: Plan,
    ) -> Result<Option<Plan>, Failure> {
        let (console, dir) = (self.context.console, plan.dir().display());
        let unchanged = require_unchanged(open, &plan, &self.context.watch).await;
        let still_true = match unchanged.and_then(|()| require_list_in_use(&plan)) {
            Ok(()) => require_nothing_taken_back(open, &plan).await,
            changed => changed,
        };
        match still_true {
            Ok(()) => {
                console.note(&format!("going on with the plan in {dir}"));
                Ok(Some(plan))
            }
            Err(Failure::Refused(why)) => {
                console.note(&format!("the last run did not end, and {dir} is past use: {why}"));
                Ok(None)
            }
            Err(failure) => Err(failure),
        }
    }

    async fn plan<S: RestoreStore>(
        &self,
        open: &Open<S>,
        runs: &Runs,
        kind: Kind,
    ) -> Result<Plan, Failure> {
        let out = runs.begin(kind, clock::now())?;
        let wish = Wish {
            source: &self.location.source,
            options: self.location.options.clone(),
            policy: policy(&self.args.policy),
            retention: self.retention.clone(),
            multipart: true,
            keep_list: self.keep_list.clone(),
            limits: limits(&self.args.policy),
            out: &out,
            is_scratch: false,
            listener: None,
            resources: &self.args.resources,
        };
        plan_of(open, wish, self.context).await
    }

    async fn sweep<S: RestoreStore>(
        &self,
        open: &Open<S>,
        plan: Plan,
        mut cache: RegistryCache,
        progress: Progress,
        reporting: Reporting,
    ) -> Result<(), Failure> {
        let (summary, dir) = (Summary::of(&plan, plan.header().requests), plan.dir().to_owned());
        let sweep = as_needed(open, &self.args.sweep, self.context.console).await?;
        let Context { watch, console, .. } = self.context;
        let before = requests(&watch.monitor);
        let (about, bill) = (reporting.about(&plan, before)?, reporting.running(&plan, before)?);
        let swept = carry_out(open, plan, &sweep, &mut cache, &(), watch, *console).await;
        drop(progress);
        let (swept, emptied) = CarriedOut::apart(swept);
        let written = reporting.swept(about, &swept, watch);
        let outcome = self.context.conclude(summary, bill, swept, cache);
        if matches!(outcome, Err(Failure::Partial { needs_new_plan: true, .. })) {
            Runs::give_up(&dir)?;
        }
        conclude(conclude(outcome, emptied, *console), written, *console)
    }

    fn progress(&self) -> Progress {
        self.context.progress(&self.location.place)
    }
}
