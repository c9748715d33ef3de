//! `regsweep garbage-collect`: the registry's own command, with its flags, its lines and its exit codes.
//!
//! Source: distribution `registry/root.go` and `registry/storage/garbagecollect.go`, version 3.

mod lines;
mod log;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use planner::{Breaker, Limits, Policy};
use store::{RestoreStore, Share};
use sweeper::SweepReport;

use self::lines::MarkingLines;
use self::log::DeletionLog;
use super::{Context, Wish, draft_of, plan_of};
use crate::Failure;
use crate::args::{GarbageCollectArgs, StoreArgs, SweepArgs};
use crate::carry_out::{CarriedOut, carry_out, require_sound_notes, verdict};
use crate::collect::Listener;
use crate::identify::Truth;
use crate::location::{Location, Place};
use crate::no_lease::require_alone;
use crate::open::{Access, DeletePace, Detail, Open, Work, with_registry};
use crate::registry_cache::RegistryCache;
use crate::render::{Summary, failure_line, hint_lines};
use crate::taken_back::last_undo;

/// Longer than any upload waits: the registry purges its uploads itself.
const NEVER: Duration = Duration::from_secs(u32::MAX as u64);

/// Collects as the registry's command does, without its losses.
///
/// # Errors
/// As for `gc`; all of them are exit code 1.
pub(crate) async fn garbage_collect(
    args: &GarbageCollectArgs,
    context: &Context<'_>,
) -> Result<(), Failure> {
    let location = locate(args.config.as_deref(), context)?;
    let mut cache = RegistryCache::none();
    if !args.dry_run {
        cache = RegistryCache::open(&location, None).await?;
        ask_for_quiet(&location, &cache, context);
    }
    let work = Collecting { args, location: &location, cache, context };
    // The registry's command says nothing of sizes, nor of tags where it keeps all manifests.
    let json = context.output.json;
    let detail = Detail { sizes: json, tags: json || args.delete_untagged, links: false };
    let (store, deletes) = (&StoreArgs::default(), DeletePace::default());
    let access = Access { location: &location, store, deletes, detail, truth: Truth::Links };
    with_registry(access, &context.watch, work).await
}

/// What the registry's command leaves unsaid.
fn ask_for_quiet(location: &Location, cache: &RegistryCache, context: &Context<'_>) {
    const QUIET: &str = "the registry must be stopped or read-only while this runs";
    if location.is_readonly() {
        return;
    }
    let afterwards = if cache.is_in_memory() {
        ", and restarted afterwards: it caches what is deleted here"
    } else {
        ""
    };
    context.console.note(&format!("{QUIET}{afterwards}"));
}

fn locate(config: Option<&Path>, context: &Context<'_>) -> Result<Location, Failure> {
    let wrong = |location: String, problem: &str| {
        Err(Failure::Location { location, problem: problem.to_owned() })
    };
    let Some(config) = config else {
        return wrong(String::new(), "configuration path unspecified");
    };
    let location = context.locate(&config.to_string_lossy(), &StoreArgs::default())?;
    match location.configuration {
        Some(_) => Ok(location),
        None => wrong(location.source, "it is no config.yml"),
    }
}

/// A failure in the words of the registry's command, and what to do next.
pub(crate) fn failure_text(failure: &Failure, again: &str) -> String {
    match failure {
        Failure::Location { location, problem } if location.is_empty() => {
            format!("configuration error: {problem}\n{USAGE}")
        }
        Failure::Location { .. } | Failure::Config { .. } | Failure::File { .. } => {
            format!("configuration error: {}", failure_line(failure))
        }
        _ => {
            let (line, hints) = (failure_line(failure), hint_lines(failure, again));
            format!("failed to garbage collect: {line}\n{hints}").trim_end().to_owned()
        }
    }
}

const USAGE: &str = "Usage: regsweep garbage-collect [OPTIONS] CONFIG";

struct Collecting<'a> {
    args: &'a GarbageCollectArgs,
    location: &'a Location,
    cache: RegistryCache,
    context: &'a Context<'a>,
}

impl Work for Collecting<'_> {
    type Out = ();

    async fn run<S: RestoreStore>(mut self, open: Open<S>) -> Result<(), Failure> {
        if !self.args.dry_run {
            require_alone(&open).await?;
            last_undo(&open).await?;
        }
        let folder = tempfile::tempdir().map_err(scratch)?;
        let out = folder.path().join("plan");
        if self.args.dry_run && !self.context.output.json {
            return self.rehearse(&open, &out).await;
        }
        // Lines of progress among those of the registry's command would be new to whoever reads them.
        let progress = self.shows_progress().then(|| self.context.progress(&self.location.place));
        let marking = self.tells_lines().then(|| Arc::new(self.marking()));
        let plan = plan_of(&open, self.wish(&out, marking.clone()), self.context).await?;
        drop(progress);
        require_sound_notes(&plan.header().notes, None)?;
        if let Some(marking) = marking {
            marking.end(plan.header(), plan.totals(), plan.all_rows())?;
        }
        if self.args.dry_run {
            return self.context.show(&plan, None);
        }
        let log = DeletionLog::new(self.location, self.context.console, &open.layout);
        let sweep = SweepArgs {
            offline: true,
            registry_cache: None,
            max_deletes_per_second: None,
            share: Share::ALL,
            trash: false,
            trash_for: Duration::ZERO,
            audit_log: None,
            max_age: NEVER,
        };
        // The plan goes with this process, and with it what would have to be cleared.
        self.cache.clear_ahead(plan.dir()).await?;
        let summary = Summary::of(&plan, plan.header().requests);
        let (cache, Context { watch, console, .. }) = (&mut self.cache, self.context);
        let swept = carry_out(&open, plan, &sweep, cache, &log, watch, *console).await;
        let swept = swept.and_then(CarriedOut::whole);
        let told = swept.and_then(|report| self.report(summary, &report));
        self.cache.conclude(told, false, self.context.console)
    }
}

impl Collecting<'_> {
    /// Tells what would go.
    async fn rehearse<S: RestoreStore>(&self, open: &Open<S>, out: &Path) -> Result<(), Failure> {
        let progress = self.shows_progress().then(|| self.context.progress(&self.location.place));
        let marking = self.tells_lines().then(|| Arc::new(self.marking()));
        let draft = draft_of(open, self.wish(out, marking.clone()), self.context).await?;
        drop(progress);
        require_sound_notes(&draft.header().notes, None)?;
        let Some(marking) = marking else { return Ok(()) };
        let (header, totals) = (draft.header().clone(), *draft.totals());
        marking.end(&header, &totals, draft.into_rows())
    }

    /// The summary, where it was asked for, and how it ended.
    fn report(&self, summary: Summary, report: &SweepReport) -> Result<(), Failure> {
        if self.context.output.json {
            self.context.report(summary.cache(self.cache.summary()), None, report)?;
        }
        verdict(report)
    }

    fn shows_progress(&self) -> bool {
        self.context.output.progress.is_some() || self.context.console.stderr_is_terminal
    }

    /// Whether the lines of the registry's command are wanted.
    fn tells_lines(&self) -> bool {
        !self.context.output.quiet && !self.context.output.json
    }

    fn marking(&self) -> MarkingLines {
        let is_by_key = matches!(self.location.place, Place::Bucket(_));
        MarkingLines::new(self.context.console, is_by_key)
    }

    /// No grace: the registry's command has none. A large share is what its users ask for; metadata that lives
    /// elsewhere is not.
    fn wish<'w>(&'w self, out: &'w Path, marking: Option<Arc<MarkingLines>>) -> Wish<'w> {
        let accepted = BTreeSet::from([Breaker::DeleteShare, Breaker::UntaggedShare]);
        Wish {
            source: &self.location.source,
            options: BTreeMap::new(),
            policy: Policy {
                untagged: self.args.delete_untagged,
                grace: Duration::ZERO,
                uploads_older_than: NEVER,
            },
            retention: None,
            multipart: false,
            keep_list: None,
            limits: Limits { max_delete_share_percent: None, accepted },
            out,
            is_scratch: true,
            listener: marking.map(|marking| marking as Arc<dyn Listener>),
            resources: &self.args.resources,
        }
    }
}

fn scratch(source: io::Error) -> Failure {
    Failure::File { path: std::env::temp_dir(), source }
}
