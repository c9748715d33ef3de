//! `regsweep usage`: who keeps what, how large it is, and what could go.

use std::io::{BufWriter, stdout};
use std::path::Path;
use std::sync::Arc;

use census::{Census, RepositoryUsage};
use marker::Follow;
use planner::Policy;
use policy::Retention;
use registry::RepositoryName;
use store::RestoreStore;
use tempfile::TempDir;

use super::Context;
use crate::args::{ShowFormat, UsageArgs};
use crate::collect::requests;
use crate::identify::Truth;
use crate::location::Location;
use crate::open::{Access, DeletePace, Detail, Open, Work, with_registry};
use crate::render::{UsageSummary, UsageView, usage_table, write_usage_csv};
use crate::usage::{Ask, Taken, take_census};
use crate::{Failure, Retaining, remembered};

/// Takes the census of a registry and shows it.
///
/// # Errors
/// Where it cannot be read whole, or has no such repository.
pub(crate) async fn usage(args: &UsageArgs, context: &Context<'_>) -> Result<(), Failure> {
    let location = context.locate(&args.location, &args.store)?;
    let follow = follow(args, &location)?;
    let retention = Retaining::named(args.rules.policy.as_deref())?;
    let retention = retention.map(|retaining| retaining.policy);
    let scratch = scratch(args)?;
    let progress = context.progress(&location.place);
    let folder = scratch.path();
    let work = Taking { args, location: &location, retention, follow, folder, context };
    let (store, deletes) = (&args.store, DeletePace::default());
    let access =
        Access { location: &location, store, deletes, detail: Detail::FULL, truth: Truth::Links };
    let Taken { census, multipart, t0 } = with_registry(access, &context.watch, work).await?;
    drop(progress);
    let census = only(args, &location, census)?;
    let (most, policy) = ((!args.all).then_some(args.top.get()), policy(args));
    let (source, order, console) = (&*location.source, args.sort, context.console);
    let (census, multipart) = (&census, &multipart);
    let view = UsageView { source, t0, policy, census, multipart, order, most, console };
    show(args.format, &view, context)
}

fn show(format: ShowFormat, view: &UsageView<'_>, context: &Context<'_>) -> Result<(), Failure> {
    match format {
        ShowFormat::Csv => write_usage_csv(view, &mut BufWriter::new(stdout().lock())),
        ShowFormat::Table if !context.output.json => context.data(&usage_table(view)),
        ShowFormat::Table | ShowFormat::Json => {
            context.object(&UsageSummary::of(view, requests(&context.watch.monitor)))
        }
    }
}

fn policy(args: &UsageArgs) -> Policy {
    let crate::args::UsageRules { untagged, grace, uploads_older_than, .. } = args.rules;
    Policy { untagged, grace, uploads_older_than }
}

/// Whose tags matter.
fn follow(args: &UsageArgs, location: &Location) -> Result<Follow, Failure> {
    let Some(name) = &args.repository else {
        return Ok(if args.tags { Follow::Everything } else { Follow::Nothing });
    };
    RepositoryName::new(name).map(Follow::One).map_err(|_| no_repository(name, location))
}

/// Leaves of the repositories the one that was asked for; the totals stay those of the registry.
fn only(args: &UsageArgs, location: &Location, census: Census) -> Result<Census, Failure> {
    let Some(name) = &args.repository else { return Ok(census) };
    let Census { mut repositories, totals } = census;
    repositories.retain(|usage: &RepositoryUsage| usage.name.as_str() == name);
    if repositories.is_empty() {
        return Err(no_repository(name, location));
    }
    Ok(Census { repositories, totals })
}

fn no_repository(name: &str, location: &Location) -> Failure {
    let problem = format!("it has no repository `{name}`");
    Failure::Location { location: location.source.clone(), problem }
}

/// A place for what does not fit into memory. Nothing of it outlives the run.
fn scratch(args: &UsageArgs) -> Result<TempDir, Failure> {
    let within = args.scratch.clone().unwrap_or_else(std::env::temp_dir);
    let failed = |source| Failure::File { path: within.clone(), source };
    tempfile::tempdir_in(&within).map_err(failed)
}

struct Taking<'a> {
    args: &'a UsageArgs,
    location: &'a Location,
    retention: Option<Arc<Retention>>,
    follow: Follow,
    folder: &'a Path,
    context: &'a Context<'a>,
}

impl Work for Taking<'_> {
    type Out = Taken;

    async fn run<S: RestoreStore>(self, open: Open<S>) -> Result<Taken, Failure> {
        let Self { args, location, retention, follow, folder, context } = self;
        let (source, console, watch) = (&*location.source, context.console, &context.watch);
        context.note_emptiness(&open, source);
        let ask = Ask {
            source,
            layout: &open.layout,
            policy: policy(args),
            retention,
            follow,
            width: open.width,
            cache: remembered::open(&args.resources, console),
            memory: args.resources.memory.in_memory(),
            folder,
        };
        take_census(&open.store, &ask, &watch.monitor, &watch.stop).await
    }
}
