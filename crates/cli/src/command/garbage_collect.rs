//! `regsweep garbage-collect`: the registry's own command, with its flags, its lines and its exit codes.
//!
//! Source: distribution `registry/root.go` and `registry/storage/garbagecollect.go`, version 3.

mod lines;
mod log;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::Duration;

use planner::{Breaker, Limits, Policy};
use store::DeleteStore;

use self::log::DeletionLog;
use super::{Context, Wish, plan_of};
use crate::Failure;
use crate::args::{GarbageCollectArgs, StoreArgs, SweepArgs};
use crate::carry_out::{carry_out, require_sound, verdict};
use crate::location::{Location, Place};
use crate::open::{Open, Work, with_registry};

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
    let Some(config) = &args.config else {
        let problem = "the path of the registry's config.yml is missing".to_owned();
        return Err(Failure::Location { location: String::new(), problem });
    };
    let location = Location::resolve(&config.to_string_lossy(), &StoreArgs::default(), std::env::vars())?;
    if location.configuration.is_none() {
        let problem = "it is no config.yml".to_owned();
        return Err(Failure::Location { location: location.source, problem });
    }
    if !args.dry_run && !location.is_readonly() {
        context.console.talk(
            "regsweep: the registry must be stopped or read-only while this runs, and restarted afterwards: it caches what is deleted here",
        );
    }
    let work = Collecting { args, location: &location, context };
    with_registry(&location, &StoreArgs::default(), None, &context.watch, work).await
}

struct Collecting<'a> {
    args: &'a GarbageCollectArgs,
    location: &'a Location,
    context: &'a Context<'a>,
}

impl Work for Collecting<'_> {
    type Out = ();

    async fn run<S: DeleteStore>(self, open: Open<S>) -> Result<(), Failure> {
        let folder = tempfile::tempdir().map_err(scratch)?;
        let out = folder.path().join("plan");
        let wish = self.wish(&out);
        let progress = self.context.progress();
        let made = plan_of(&open, wish, self.context).await?;
        require_sound(&made.plan)?;
        if !self.context.output.quiet {
            let is_by_key = matches!(self.location.place, Place::Bucket(_));
            lines::print(&made, &open.layout, is_by_key, self.context.console)?;
        }
        if self.args.dry_run {
            return Ok(());
        }
        let log = DeletionLog::new(self.location, *self.context.console, &open.layout);
        let sweep = SweepArgs { offline: true, max_deletes_per_second: None, max_age: NEVER };
        let report = carry_out(&open, made.plan, &sweep, &log, &self.context.watch).await?;
        drop(progress);
        verdict(&report, "regsweep garbage-collect")
    }
}

impl Collecting<'_> {
    /// No grace: the registry's command has none. A large share is what its users ask for; metadata that lives
    /// elsewhere is not.
    fn wish<'w>(&'w self, out: &'w std::path::Path) -> Wish<'w> {
        let accepted = BTreeSet::from([Breaker::DeleteShare, Breaker::UntaggedShare]);
        Wish {
            source: &self.location.source,
            options: BTreeMap::new(),
            policy: Policy {
                untagged: self.args.delete_untagged,
                grace: Duration::ZERO,
                uploads_older_than: NEVER,
            },
            limits: Limits { max_delete_share_percent: None, accepted },
            out,
            tell: !self.context.output.quiet,
        }
    }
}

fn scratch(source: io::Error) -> Failure {
    Failure::File { path: std::env::temp_dir(), source }
}
