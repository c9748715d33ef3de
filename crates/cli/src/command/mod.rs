//! The commands, a file each: they wire the crates together and hold no logic of their own.

mod apply;
mod check;
mod completions;
mod demo;
mod doctor;
mod explain;
mod garbage_collect;
mod gc;
mod iam;
mod man;
mod plan;
mod policy_check;
mod show;
mod undo;
mod usage;

pub(crate) use apply::apply;
pub(crate) use check::check;
pub(crate) use completions::completions;
pub(crate) use demo::demo;
pub(crate) use doctor::doctor;
pub(crate) use explain::explain_command as explain;
pub(crate) use garbage_collect::{failure_text as garbage_collect_failure, garbage_collect};
pub(crate) use gc::gc;
pub(crate) use iam::iam;
pub(crate) use man::man;
pub(crate) use plan::plan;
pub(crate) use policy_check::policy_check;
pub(crate) use show::show;
pub(crate) use undo::undo;
pub(crate) use usage::usage;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use marker::Beside;
use monitor::Counter;
use planner::{Amount, Draft, Limits, Plan, Policy};
use report::Bill;
use serde::Serialize;
use store::{DeleteStore, MultipartStore};
use sweeper::SweepReport;

use crate::args::{OutputArgs, PolicyArgs, ResourceArgs, StoreArgs};
use crate::carry_out::verdict;
use crate::collect::{Ask, Listener, make_draft, make_plan, requests};
use crate::identify::Identified;
use crate::location::{Location, environment};
use crate::open::{Open, Watch};
use crate::pricing::Running;
use crate::progress::{Progress, Words};
use crate::registry_cache::RegistryCache;
use crate::render::{Summary, plan_table, sweep_table};
use crate::retaining::Retaining;
use crate::{Console, Failure, KeepList, clock, remembered};

/// What every command has at hand.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) output: &'a OutputArgs,
    pub(crate) console: Console,
    pub(crate) watch: Watch,
}

impl Context<'_> {
    /// Understands a location, and tells what is odd about it.
    pub(crate) fn locate(&self, typed: &str, store: &StoreArgs) -> Result<Location, Failure> {
        let location = Location::resolve(typed, store, environment())?;
        location.warnings().for_each(|warning| self.console.warn(&warning));
        Ok(location)
    }

    pub(crate) fn progress(&self, words: impl Into<Words>) -> Progress {
        Progress::start(self.output, self.console, words.into(), &self.watch.monitor)
    }

    /// Tells those who watch how much is planned, where the plan was made by an earlier run.
    fn expect(&self, plan: &Plan) {
        let all = plan.totals().all();
        self.watch.monitor.count(Counter::PlannedObjects, all.count);
        self.watch.monitor.count(Counter::PlannedBytes, all.bytes);
    }

    /// Writes data, and ends its last line.
    pub(crate) fn data(&self, text: &str) -> Result<(), Failure> {
        let end = if text.ends_with('\n') { "" } else { "\n" };
        let write = |out: &mut dyn Write| {
            [text, end].iter().try_for_each(|part| out.write_all(part.as_bytes()))
        };
        self.console.stream(write).map_err(Failure::Output)
    }

    /// Says what goes on, to people who did not ask for quiet.
    pub(crate) fn tip(&self, message: &str) {
        if !self.output.quiet && !self.output.json {
            self.console.note(message);
        }
    }

    /// Says that there is nothing in a registry yet, where that is so.
    fn note_emptiness<S>(&self, open: &Open<S>, source: &str) {
        if open.identified == Identified::Empty {
            let note = format!("the registry at {source} is empty: nobody has pushed to it yet");
            self.console.note(&note);
        }
    }

    /// The plan, as a table or as the summary object, and what it costs where there are prices.
    fn show(&self, plan: &Plan, bill: Option<Bill>) -> Result<(), Failure> {
        if self.output.json {
            let summary = Summary::of(plan, requests(&self.watch.monitor));
            return self.summary(&summary.cost(bill));
        }
        self.data(&plan_table(plan, bill.as_ref(), self.console))
    }

    /// What became of a plan, as a table or as the summary object made beforehand.
    fn report(
        &self,
        summary: Summary,
        bill: Option<Running>,
        report: &SweepReport,
    ) -> Result<(), Failure> {
        let requests = requests(&self.watch.monitor);
        let bill = bill.map(|bill| bill.ended(requests, report.total.fates.deleted.bytes));
        let get = |counter| self.watch.monitor.get(counter);
        let purged =
            Amount { count: get(Counter::PurgedObjects), bytes: get(Counter::PurgedBytes) };
        if self.output.json {
            let summary = summary.swept(report).purged(purged).requests(requests);
            return self.summary(&summary.cost(bill));
        }
        self.data(&sweep_table(report, purged, bill.as_ref()))
    }

    /// Reports what became of a plan, also where the sweep broke off, and turns it into the verdict.
    fn conclude(
        &self,
        summary: Summary,
        bill: Option<Running>,
        swept: Result<SweepReport, Failure>,
        cache: RegistryCache,
    ) -> Result<(), Failure> {
        let summary = summary.cache(cache.summary());
        let mut has_deleted = false;
        let outcome = swept.and_then(|report| {
            has_deleted = report.total.fates.deleted.objects > 0;
            self.report(summary.clone(), bill.clone(), &report)?;
            verdict(&report)
        });
        if let Err(Failure::Sweep(error)) = &outcome
            && !error.cause.says_nothing_to_do()
        {
            self.report(summary, bill, &error.report)?;
        }
        cache.tip(has_deleted).iter().for_each(|tip| self.tip(tip));
        cache.conclude(outcome, true, self.console)
    }

    fn summary(&self, summary: &Summary) -> Result<(), Failure> {
        self.object(summary)
    }

    /// Writes one JSON object, and ends its line.
    pub(crate) fn object(&self, object: &impl Serialize) -> Result<(), Failure> {
        let write = |out: &mut dyn Write| {
            serde_json::to_writer(&mut *out, object)?;
            out.write_all(b"\n")
        };
        self.console.stream(write).map_err(Failure::Output)
    }
}

fn policy(args: &PolicyArgs) -> Policy {
    let PolicyArgs { untagged, grace, uploads_older_than, .. } = *args;
    Policy { untagged, grace, uploads_older_than }
}

/// What a database still knows, where the operator has a list of that.
fn keep_list(args: &PolicyArgs) -> Result<Option<KeepList>, Failure> {
    KeepList::named(args.keep_list.as_deref(), args.grace, clock::now())
}

pub(crate) fn limits(args: &PolicyArgs) -> Limits {
    let accepted: BTreeSet<_> = args.accept.iter().copied().collect();
    Limits { max_delete_share_percent: args.max_delete_share, accepted }
}

/// What to plan, apart from the registry.
#[derive(Debug)]
struct Wish<'a> {
    source: &'a str,
    options: BTreeMap<String, String>,
    policy: Policy,
    retention: Option<Retaining>,
    /// Whether incomplete multipart uploads may go.
    multipart: bool,
    keep_list: Option<KeepList>,
    limits: Limits,
    out: &'a Path,
    is_scratch: bool,
    listener: Option<Arc<dyn Listener>>,
    resources: &'a ResourceArgs,
}

impl<'a> Wish<'a> {
    /// The question to an open registry; `limits` are those of the wish.
    fn ask<S>(self, open: &'a Open<S>, limits: &'a Limits, context: &Context<'_>) -> Ask<'a> {
        let Self { source, options, policy, retention, multipart, keep_list, .. } = self;
        let Self { out, is_scratch, listener, resources, .. } = self;
        Ask {
            source,
            options,
            layout: &open.layout,
            policy,
            retention,
            // The store is asked for its time right after this.
            keep_list: keep_list.map(|list| list.at(clock::now())),
            beside: Beside::Nothing,
            held: &[],
            multipart,
            limits,
            width: open.width,
            out,
            is_scratch,
            listener,
            cache: remembered::open(resources, context.console),
            memory: resources.memory.in_memory(),
        }
    }
}

/// Makes a plan of an open registry.
async fn plan_of<S: DeleteStore + MultipartStore>(
    open: &Open<S>,
    wish: Wish<'_>,
    context: &Context<'_>,
) -> Result<Plan, Failure> {
    context.note_emptiness(open, wish.source);
    let limits = wish.limits.clone();
    let ask = wish.ask(open, &limits, context);
    let plan = make_plan(&open.store, &ask, &context.watch.monitor, &context.watch.stop).await?;
    let totals = plan.totals().all();
    tracing::info!(
        plan = %plan.dir().display(), id = %plan.id(), t0 = %plan.header().t0,
        objects = totals.count, bytes = totals.bytes, doubts = plan.header().doubts.total(),
        "planned"
    );
    Ok(plan)
}

/// The same where nothing is to be done with it but telling it.
async fn draft_of<S: DeleteStore + MultipartStore>(
    open: &Open<S>,
    wish: Wish<'_>,
    context: &Context<'_>,
) -> Result<Draft, Failure> {
    context.note_emptiness(open, wish.source);
    let limits = wish.limits.clone();
    let ask = wish.ask(open, &limits, context);
    let draft = make_draft(&open.store, &ask, &context.watch.monitor, &context.watch.stop).await?;
    let (header, totals) = (draft.header(), draft.totals().all());
    tracing::info!(
        t0 = %header.t0, objects = totals.count, bytes = totals.bytes,
        doubts = header.doubts.total(), "drafted"
    );
    Ok(draft)
}
