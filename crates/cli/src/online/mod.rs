//! `regsweep gc --online`: collects while people push.

mod around;
mod chronicle;
mod failure;
mod leased;
mod undo;
mod window;

pub(crate) use undo::{generation_of, take_back};
pub(crate) use window::Forecast;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use collector::{CollectError, Collector, Report, Settings};
use planner::{Policy, Requests};
use protocol::Waits;
use report::{NightBill, NightRules};
use store::{RestoreStore, WriteStore};

use self::around::{Around, Wishes};
use self::chronicle::Chronicle;
use self::leased::{LeasedWork, Right, with_lease};
use self::window::Window;
use crate::args::{GcArgs, OnlineArgs};
use crate::audit_log::AuditLog;
use crate::command::{Context, limits};
use crate::command_line::quoted;
use crate::identify::Truth;
use crate::location::Location;
use crate::open::{Access, Detail, Open, Watch};
use crate::registry_cache::RegistryCache;
use crate::render::{OnlineSummary, online_table};
use crate::reporting::{Reporting, conclude};
use crate::state::Runs;
use crate::taken_back::last_undo;
use crate::trash::empty_others;
use crate::{Failure, Refusal, clock, command_line};

/// The name of no plan and no generation.
const NO_PLAN: &str = "";

/// Takes every generation as far as it goes, and condemns a new one.
///
/// # Errors
/// What refuses it, before anything is changed; what ended it, and what could not be deleted or brought back.
pub(crate) async fn collect(args: &GcArgs, context: &Context<'_>) -> Result<(), Failure> {
    let reporting = Reporting::begin(&args.report, None, &context.watch)?;
    let location = context.locate(&args.location, &args.store)?;
    let waits = waits(&args.online)?;
    let audit = AuditLog::wanted(&args.sweep, NO_PLAN)?;
    let mut cache = RegistryCache::open(&location, args.sweep.registry_cache).await?;
    cache.require_askable().await?;
    require_forgetting(&cache, args.online.restarted_every)?;
    let window = Window::of(args, &location);
    let mut chronicle = Chronicle::default();
    let work = Collecting { args, location: &location, context, waits, window, audit };
    let work = Run { work, cache, reporting: &reporting, chronicle: &mut chronicle };
    let deletes = (&args.sweep).into();
    let store = &args.store;
    let access =
        Access { location: &location, store, deletes, detail: Detail::PROVEN, truth: Truth::Links };
    let life = args.online.lease_life();
    let outcome = with_lease(access, life, &context.watch, context.console, work).await;
    // Once the lease is given back: nobody has to wait because a page cannot be written.
    let written = chronicle.write(reporting, &location, rules(args), &outcome);
    conclude(outcome, written, context.console)
}

fn rules(args: &GcArgs) -> NightRules {
    let GcArgs { online, policy, .. } = args;
    NightRules {
        untagged: policy.untagged,
        grace: policy.grace,
        uploads_older_than: policy.uploads_older_than.max(online.longest_push),
        quarantine: online.quarantine,
        longest_push: online.longest_push,
        windowed: online.windowed,
    }
}

/// Refuses where the registry may believe in what is gone, and nobody can make it forget.
///
/// # Errors
/// [`Refusal::CacheUnproven`].
pub(crate) fn require_forgetting(
    cache: &RegistryCache,
    restarted_every: Option<Duration>,
) -> Result<(), Failure> {
    if restarted_every.is_none_or(|_| !cache.forgets_by_restart())
        && let Some(why) = cache.cannot_forget()
    {
        return Err(Refusal::CacheUnproven { why }.into());
    }
    Ok(())
}

/// What is wished of a collection that what it deletes can come back.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    /// Whether a trash may be used.
    pub(crate) trash: bool,
    /// Whether manifests without a tag are condemned.
    pub(crate) untagged: bool,
    /// Whether what is deleted has to be able to come back.
    pub(crate) needs_undo: bool,
    /// Whether the store moves what goes to a trash. A link that is copied and then deleted may be written in between,
    /// and nobody sees that.
    pub(crate) renames: bool,
}

/// Whether what is deleted goes to a trash. A bucket that keeps versions needs none.
///
/// # Errors
/// [`Refusal::OnlineUntagged`], [`Refusal::NoUndo`].
pub(crate) fn require_way_back(
    wanted: Wanted,
    keeps_versions: bool,
    location: &Location,
) -> Result<bool, Failure> {
    let Wanted { trash, untagged, needs_undo, renames } = wanted;
    if untagged && !keeps_versions && !(trash && renames) {
        return Err(Refusal::OnlineUntagged { location: location.describe() }.into());
    }
    if !keeps_versions && !trash && needs_undo {
        return Err(Refusal::NoUndo { location: location.describe() }.into());
    }
    Ok(trash && !keeps_versions)
}

fn waits(online: &OnlineArgs) -> Result<Waits, Failure> {
    let cache_life = online.restarted_every.unwrap_or_default();
    Waits::new(online.quarantine, online.longest_push, cache_life).map_err(Failure::Waits)
}

/// What is done, the cache that is purged, and what is noted of it.
struct Run<'a> {
    work: Collecting<'a>,
    cache: RegistryCache,
    reporting: &'a Reporting,
    chronicle: &'a mut Chronicle,
}

/// How long a generation is remembered that ended: as long as most that could come back is kept.
const REMEMBERED: Duration = Duration::from_hours(30 * 24);

struct Collecting<'a> {
    args: &'a GcArgs,
    location: &'a Location,
    context: &'a Context<'a>,
    waits: Waits,
    window: Window,
    audit: Option<Arc<AuditLog>>,
}

impl LeasedWork for Run<'_> {
    const DELETES: bool = true;
    type Out = ();

    fn lock_folder(&self, identity: &str, base: &str) -> Result<PathBuf, Failure> {
        Ok(Runs::of(self.work.args.state.as_deref(), identity, base)?.dir().to_owned())
    }

    async fn run<S: RestoreStore + WriteStore>(
        self,
        open: Open<S>,
        right: Right,
    ) -> Result<(), Failure> {
        let Self { work, mut cache, reporting, chronicle } = self;
        let state = work.args.state.as_deref();
        let runs = Runs::of(state, open.store.identity(), open.layout.base())?;
        let _lock = runs.lock()?;
        last_undo(&open).await?;
        chronicle.begin(&open, reporting).await?;
        let collected = work.collect(&open, &runs, &mut cache, chronicle, right).await;
        let (report, outcome) = collected?;
        let requests = crate::collect::requests(&work.context.watch.monitor);
        let bill = chronicle.ended(&report, requests);
        work.tell(&report, &cache, requests, bill)?;
        work.tell_the_way_back(&open, &report).await?;
        outcome.map_err(failure::of(work.location))?;
        let emptied = work.empty_trash(&open).await;
        conclude(failure::verdict(&report), emptied, work.context.console)
    }
}

impl Collecting<'_> {
    async fn collect<S: RestoreStore + WriteStore>(
        &self,
        open: &Open<S>,
        runs: &Runs,
        cache: &mut RegistryCache,
        chronicle: &mut Chronicle,
        right: Right,
    ) -> Result<(Report, Result<(), CollectError<Failure>>), Failure> {
        let uses_trash = self.uses_trash(open).await?;
        let keeps_versions = self.needs_undo() && self.keeps_versions(open).await?;
        let progress = self.context.progress(&self.location.place);
        let settings = Settings {
            waits: self.waits,
            width: open.width,
            conditional: right.conditional,
            keeps_versions,
            remember: REMEMBERED.max(self.args.sweep.trash_for),
            condemns: self.window.condemns(),
            deletes: self.window.deletes(),
            clock: clock::start,
        };
        let around = Around {
            open,
            runs,
            ask: self.wishes(),
            cache,
            uses_trash,
            trash_for: self.args.sweep.trash_for,
            audit: self.audit.clone(),
            context: self.context,
            chronicle,
            uploads: None,
            scratch: None,
        };
        let Watch { monitor, stop } = self.context.watch.clone();
        let (store, layout) = (Arc::clone(&open.store), open.layout.clone());
        let collector = Collector::new(store, layout, right.held, around, settings, monitor, stop);
        let done = Box::pin(collector.run()).await;
        drop(progress);
        Ok(done)
    }

    /// Empties what is past its time of the trash; a window is not kept open for that.
    async fn empty_trash<S: RestoreStore>(&self, open: &Open<S>) -> Result<(), Failure> {
        let has_time = self.window != Window::Open;
        if has_time && self.args.sweep.trash && !self.keeps_versions(open).await? {
            let (kept, Context { watch, console, .. }) = (self.args.sweep.trash_for, self.context);
            let audit = self.audit.clone();
            empty_others(open, NO_PLAN, kept, audit, watch, *console).await?;
        }
        Ok(())
    }

    /// Whether what is deleted has to be able to come back.
    fn needs_undo(&self) -> bool {
        self.window.needs_undo() && !self.args.online.without_undo
    }

    /// Whether what is deleted goes to a trash.
    async fn uses_trash<S: RestoreStore>(&self, open: &Open<S>) -> Result<bool, Failure> {
        let keeps_versions = self.keeps_versions(open).await?;
        let wanted = Wanted {
            trash: self.args.sweep.trash,
            untagged: self.args.policy.untagged && self.window.condemns(),
            needs_undo: self.needs_undo(),
            renames: open.store.abilities().reads_in_place,
        };
        require_way_back(wanted, keeps_versions, self.location)
    }

    fn wishes(&self) -> Wishes<'_> {
        let GcArgs { policy, resources, online, .. } = self.args;
        let wished = Policy {
            untagged: policy.untagged,
            grace: policy.grace,
            uploads_older_than: policy.uploads_older_than,
        };
        // A push adds to what it uploads for no longer than that.
        let longest = wished.uploads_older_than.max(online.longest_push);
        Wishes {
            source: &self.location.source,
            policy: wished,
            uploads: Policy { uploads_older_than: longest, ..wished },
            limits: limits(policy),
            resources,
        }
    }

    /// Tells how what was deleted comes back, where it was kept.
    async fn tell_the_way_back<S: RestoreStore>(
        &self,
        open: &Open<S>,
        report: &Report,
    ) -> Result<(), Failure> {
        if report.deleted_by.is_empty()
            || !(self.args.sweep.trash || self.keeps_versions(open).await?)
        {
            return Ok(());
        }
        let state = self
            .args
            .state
            .as_ref()
            .map(|state| format!(" --state {}", quoted(&state.to_string_lossy())));
        for id in &report.deleted_by {
            let location = self.location.typed();
            let state = state.as_deref().unwrap_or_default();
            self.context.tip(&format!(
                "`regsweep undo {location} --generation {id}{state}` takes back what was deleted"
            ));
        }
        Ok(())
    }

    async fn keeps_versions<S: RestoreStore>(&self, open: &Open<S>) -> Result<bool, Failure> {
        let keeps_versions = open.store.keeps_versions().await;
        keeps_versions.map_err(crate::open::failed_at(self.location))
    }

    fn tell(
        &self,
        report: &Report,
        cache: &RegistryCache,
        requests: Requests,
        bill: Option<NightBill>,
    ) -> Result<(), Failure> {
        let forecast = Forecast::of(report);
        if self.context.output.json {
            let summary = OnlineSummary::of(report, forecast, cache.summary(), requests);
            return self.context.object(&summary.with_cost(bill));
        }
        let table = online_table(report, self.args.online.windowed, forecast);
        let cost = bill.map_or_else(String::new, |bill| format!("{}\n", bill.charged()));
        self.context.data(&(table + &cost))?;
        if forecast.is_some() {
            let again = command_line::typed();
            self.context.tip(&format!(
                "when nobody can push any more, `{again} --offline` deletes what waits for that"
            ));
        }
        Ok(())
    }
}
