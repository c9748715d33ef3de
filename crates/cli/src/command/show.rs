//! `regsweep show`: what a plan would do, and why.

use std::io::{BufWriter, stdout};

use planner::Plan;
use report::Bill;

use super::Context;
use crate::Failure;
use crate::args::{ShowArgs, ShowFormat};
use crate::render::{Summary, plan_table, write_csv};
use crate::reporting::Reporting;

/// Shows a plan that was made before; asks no store.
///
/// # Errors
/// Where there is no whole plan.
pub(crate) fn show(args: &ShowArgs, context: &Context<'_>) -> Result<(), Failure> {
    let reporting = Reporting::of(&args.report, None)?;
    let plan = Plan::open(&args.dir)?;
    data(args, &plan, reporting.bill(&plan)?, context)?;
    reporting.planned(&plan)
}

fn data(
    args: &ShowArgs,
    plan: &Plan,
    bill: Option<Bill>,
    context: &Context<'_>,
) -> Result<(), Failure> {
    match args.format {
        ShowFormat::Csv => write_csv(plan, &mut BufWriter::new(stdout().lock())),
        ShowFormat::Table if !context.output.json => {
            context.data(&plan_table(plan, bill.as_ref(), context.console))
        }
        ShowFormat::Table | ShowFormat::Json => {
            context.summary(&Summary::of(plan, plan.header().requests).cost(bill))
        }
    }
}
