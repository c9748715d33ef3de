//! The commands, a file each: they wire the crates together and hold no logic of their own.

mod apply;
mod demo;
mod garbage_collect;
mod gc;
mod plan;
mod show;

pub(crate) use apply::apply;
pub(crate) use demo::demo;
pub(crate) use garbage_collect::garbage_collect;
pub(crate) use gc::gc;
pub(crate) use plan::plan;
pub(crate) use show::show;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use planner::{Limits, Plan, Policy};
use store::DeleteStore;
use sweeper::SweepReport;

use crate::args::{OutputArgs, PolicyArgs};
use crate::collect::{Ask, Made, make_plan, requests};
use crate::identify::Identified;
use crate::open::{Open, Watch};
use crate::progress::Progress;
use crate::render::{Summary, plan_table, sweep_table};
use crate::{Console, Failure};

/// What every command has at hand.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) output: &'a OutputArgs,
    pub(crate) console: &'a Console,
    pub(crate) watch: Watch,
}

impl Context<'_> {
    fn progress(&self) -> Progress {
        Progress::start(self.output, *self.console, &self.watch.monitor)
    }

    fn data(&self, text: &str) -> Result<(), Failure> {
        self.console
            .data(text)
            .map_err(|source| Failure::File { path: "standard output".into(), source })
    }

    /// The plan, as a table or as the summary object.
    fn show(&self, plan: &Plan) -> Result<(), Failure> {
        if self.output.json {
            return self.summary(&Summary::of(plan, requests(&self.watch.monitor)));
        }
        self.data(&plan_table(plan, self.console))
    }

    /// What became of a plan, as a table or as the summary object made beforehand.
    fn report(&self, summary: Summary, report: &SweepReport) -> Result<(), Failure> {
        if self.output.json {
            let requests = requests(&self.watch.monitor);
            return self.summary(&summary.swept(report).requests(requests));
        }
        self.data(&sweep_table(report))
    }

    fn summary(&self, summary: &Summary) -> Result<(), Failure> {
        let text = serde_json::to_string(summary).map_err(|error| Failure::Internal {
            what: "the summary cannot be written",
            source: error.into(),
        })?;
        self.data(&format!("{text}\n"))
    }
}

fn policy(args: &PolicyArgs) -> Policy {
    let PolicyArgs { untagged, grace, uploads_older_than, .. } = *args;
    Policy { untagged, grace, uploads_older_than }
}

fn limits(args: &PolicyArgs) -> Limits {
    let accepted: BTreeSet<_> = args.accept.iter().copied().collect();
    Limits { max_delete_share_percent: args.max_delete_share, accepted }
}

/// What to plan, apart from the registry.
#[derive(Debug)]
struct Wish<'a> {
    source: &'a str,
    options: BTreeMap<String, String>,
    policy: Policy,
    limits: Limits,
    out: &'a Path,
    tell: bool,
}

/// Makes a plan of an open registry.
async fn plan_of<S: DeleteStore>(
    open: &Open<S>,
    wish: Wish<'_>,
    context: &Context<'_>,
) -> Result<Made, Failure> {
    let Wish { source, options, policy, limits, out, tell } = wish;
    if open.identified == Identified::Empty {
        context.console.talk(&format!("regsweep: {source} is empty: nobody has pushed to it yet"));
    }
    let (layout, width, limits) = (&open.layout, open.width, &limits);
    let ask = Ask { source, options, layout, policy, limits, width, out, tell };
    make_plan(&open.store, &ask, &context.watch.monitor, &context.watch.stop).await
}
