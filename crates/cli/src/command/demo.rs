//! `regsweep demo`: makes a registry, collects it, and proves the result against an independent model.

mod registry_files;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use planner::{Amount, Breaker, Limits, Plan, Policy};
use store::{RestoreStore, Share};
use sweeper::SweepReport;
use world::{Mode, Size, World};

use super::{Context, Wish, plan_of};
use crate::args::{DemoArgs, ResourceArgs, StoreArgs, SweepArgs};
use crate::carry_out::carry_out;
use crate::identify::Truth;
use crate::location::Location;
use crate::open::{Access, DeletePace, Detail, Open, Work, with_registry};
use crate::progress::Words;
use crate::registry_cache::RegistryCache;
use crate::render::{Summary, count, plan_table, sweep_table};
use crate::{Failure, clock};

/// Makes, collects and proves.
///
/// # Errors
/// [`Failure::Disproved`] where anything live went or anything dead stayed.
pub(crate) async fn demo(args: &DemoArgs, context: &Context<'_>) -> Result<(), Failure> {
    let scratch = tempfile::tempdir().map_err(|source| file(&std::env::temp_dir(), source))?;
    let root = args.dir.clone().unwrap_or_else(|| scratch.path().join("registry"));
    let world = world::sample(clock::now(), args.seed, &Size::default());
    registry_files::write(&world, &root).map_err(|source| file(&root, source))?;
    let say = |text: String| if context.output.json { Ok(()) } else { context.data(&text) };
    say(format!(
        "A registry of {} objects in {}\n\n{}\n\n",
        count(objects(&world)),
        root.display(),
        world.summary()
    ))?;

    let location = Location::resolve(&root.to_string_lossy(), &StoreArgs::default(), [])?;
    let plans = scratch.path().join("plan");
    let work = Collecting { source: &location.source, out: &plans, context };
    let store = StoreArgs::default();
    let access = Access {
        location: &location,
        store: &store,
        deletes: DeletePace::default(),
        detail: Detail::FULL,
        truth: Truth::Links,
    };
    let (plan, summary, report) = with_registry(access, &context.watch, work).await?;
    say(format!(
        "{}\n{}\n",
        plan_table(&plan, None, context.console),
        sweep_table(&report, Amount::default(), None)
    ))?;
    let proof = prove(world, &root)?;
    if context.output.json {
        return context.report(summary, None, &report);
    }
    say(proof)
}

/// What the demo collects: manifests without tags too, nothing younger than a day.
const POLICY: Policy = Policy {
    untagged: true,
    grace: Duration::from_hours(24),
    uploads_older_than: Duration::from_hours(7 * 24),
};

struct Collecting<'a> {
    source: &'a str,
    out: &'a Path,
    context: &'a Context<'a>,
}

impl Work for Collecting<'_> {
    type Out = (Plan, Summary, SweepReport);

    async fn run<S: RestoreStore>(self, open: Open<S>) -> Result<Self::Out, Failure> {
        let accepted = BTreeSet::from([Breaker::UntaggedShare]);
        let limits = Limits { max_delete_share_percent: Some(100), accepted };
        let (source, out) = (self.source, self.out);
        let options = StoreArgs::default().options();
        let resources = &ResourceArgs::forgetful();
        let wish = Wish {
            source,
            options,
            policy: POLICY,
            retention: None,
            multipart: true,
            keep_list: None,
            limits,
            out,
            is_scratch: false,
            listener: None,
            resources,
        };
        let progress = self.context.progress(Words::Files);
        let plan = plan_of(&open, wish, self.context).await?;
        let summary = Summary::of(&plan, plan.header().requests);
        let sweep = SweepArgs {
            offline: true,
            registry_cache: None,
            max_deletes_per_second: None,
            share: Share::ALL,
            trash: false,
            trash_for: Duration::ZERO,
            audit_log: None,
            max_age: POLICY.grace,
        };
        let shown = Plan::open(self.out)?;
        let (cache, Context { watch, console, .. }) = (&mut RegistryCache::none(), self.context);
        let swept = carry_out(&open, plan, &sweep, cache, &(), watch, *console).await?;
        drop(progress);
        Ok((shown, summary, swept.whole()?))
    }
}

/// Compares what is left with what the model says, key by key and pull by pull.
fn prove(mut world: World, root: &Path) -> Result<String, Failure> {
    let mode = Mode {
        untagged: POLICY.untagged,
        grace: POLICY.grace,
        uploads_older_than: POLICY.uploads_older_than,
    };
    // What is in neither set may stay or go: a signature, say, of a manifest that was deleted.
    let (pulls, mut live, mut garbage) =
        (world.pulls(&mode), world.expected_live(&mode), world.garbage(&mode));
    // Directory markers exist in buckets only.
    let is_file = |key: &String| !key.ends_with('/');
    live.retain(is_file);
    garbage.retain(is_file);
    let before: BTreeSet<String> =
        world.objects().keys().filter(|key| is_file(key)).cloned().collect();
    let left = registry_files::keys(root).map_err(|source| file(root, source))?;
    let lost: Vec<&String> = live.difference(&left).collect();
    let stayed: Vec<&String> = left.intersection(&garbage).collect();
    let gone: Vec<&str> = before.difference(&left).map(String::as_str).collect();
    world.note_deleted(gone.iter().copied());
    let broken = world.broken_pulls(&pulls);
    if let Some(problem) = [
        lost.first().map(|key| format!("`{key}` was live and is gone")),
        stayed.first().map(|key| format!("`{key}` was dead and is there")),
        broken.first().map(|pull| format!("{pull} does not pull any more")),
    ]
    .into_iter()
    .flatten()
    .next()
    {
        return Err(Failure::Disproved(problem));
    }
    Ok(format!(
        "Proved against an independent model: all {} dead objects are gone, all {} live ones are there, all {} pulls work.\n",
        count(garbage.len() as u64),
        count(live.len() as u64),
        count(pulls.len() as u64),
    ))
}

fn objects(world: &World) -> u64 {
    world.objects().len() as u64
}

fn file(path: &Path, source: std::io::Error) -> Failure {
    Failure::File { path: path.to_owned(), source }
}
