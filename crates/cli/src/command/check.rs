//! `regsweep check`: what is broken, and which images cannot be pulled. Changes nothing; what can be repaired is planned.

use checker::{Links, Severity};
use store::{PartStore, RestoreStore};

use super::Context;
use crate::Failure;
use crate::args::CheckArgs;
use crate::check::{Ask, Checked, Mending, check as check_registry};
use crate::command_line::quoted;
use crate::identify::Truth;
use crate::location::Location;
use crate::no_lease::require_alone;
use crate::open::{Access, DeletePace, Detail, Open, Work, with_registry};
use crate::render::{CheckSummary, check_table};
use crate::taken_back::last_undo;

/// So many findings of each kind are shown to people.
const SHOWN: usize = 10;
/// So many are told to machines.
const TOLD: usize = 1000;

/// Checks a registry and tells what is wrong.
///
/// # Errors
/// Where it could not be checked; [`Failure::Damaged`] after all was told, where there is damage.
pub(crate) async fn check(args: &CheckArgs, context: &Context<'_>) -> Result<(), Failure> {
    let location = context.locate(&args.location, &args.store)?;
    let progress = context.progress(&location.place);
    let work = Checking { args, location: &location, context };
    let (store, deletes) = (&args.store, DeletePace::default());
    let access =
        Access { location: &location, store, deletes, detail: Detail::PROVEN, truth: Truth::Links };
    let checked = with_registry(access, &context.watch, work).await?;
    drop(progress);
    if context.output.json {
        context.object(&CheckSummary::new(&location.source, &checked))?;
    } else {
        context.data(&check_table(&location.source, &checked, context.console))?;
    }
    tell_of_repairs(args, &location, &checked, context);
    verdict(&checked)
}

/// Says how what was planned is carried out, or that there is nothing to repair.
fn tell_of_repairs(
    args: &CheckArgs,
    location: &Location,
    checked: &Checked,
    context: &Context<'_>,
) {
    let Some(dir) = &args.repair else {
        if checked.mendable > 0 {
            let place = quoted(&args.location);
            let command = format!("`regsweep check {place} --repair DIR`");
            context
                .tip(&format!("some of it can be repaired without asking: {command} plans that"));
        }
        return;
    };
    if checked.repairs.is_none() {
        return context
            .tip("there is nothing that can be repaired without asking: no plan is written");
    }
    let dir = quoted(&dir.to_string_lossy());
    let offline = if location.is_readonly() { "" } else { " --offline" };
    let carried_out = format!("`regsweep apply {dir}{offline}` carries it out");
    context.tip(&format!(
        "nothing was changed; `regsweep show {dir}` shows the repairs, {carried_out}"
    ));
}

fn verdict(checked: &Checked) -> Result<(), Failure> {
    let report = &checked.report;
    if report.is_sound() {
        return Ok(());
    }
    let (tags, manifests) = (report.broken_tags(), report.broken_manifests());
    Err(Failure::Damaged { tags, manifests, findings: report.count(Severity::Damage) })
}

/// Refuses to plan repairs while data may be away that comes back: it was condemned, or is being taken back.
async fn require_everything_back<S: RestoreStore>(open: &Open<S>) -> Result<(), Failure> {
    require_alone(open).await?;
    last_undo(open).await.map(drop)
}

struct Checking<'a> {
    args: &'a CheckArgs,
    location: &'a Location,
    context: &'a Context<'a>,
}

impl Checking<'_> {
    fn most(&self) -> usize {
        match (self.args.all, self.context.output.json) {
            (true, _) => usize::MAX,
            (false, true) => TOLD,
            (false, false) => SHOWN,
        }
    }

    fn mending(&self) -> Option<Mending<'_>> {
        self.args.repair.as_deref().map(|out| Mending {
            source: &self.location.source,
            options: self.location.options.clone(),
            grace: self.args.grace,
            out,
        })
    }
}

impl Work for Checking<'_> {
    type Out = Checked;

    async fn run<S: RestoreStore + PartStore>(self, open: Open<S>) -> Result<Checked, Failure> {
        let args = self.args;
        self.context.note_emptiness(&open, &self.location.source);
        if args.repair.is_some() {
            require_everything_back(&open).await?;
        }
        let folder = tempfile::tempdir()
            .map_err(|source| Failure::File { path: std::env::temp_dir(), source })?;
        let ask = Ask {
            layout: &open.layout,
            width: open.width,
            memory: args.memory.in_memory(),
            folder: folder.path(),
            links: if args.verify_links { Links::All } else { Links::Doubtful },
            percent: args.verify_data,
            most: self.most(),
            mending: self.mending(),
        };
        let watch = &self.context.watch;
        check_registry(&open.store, &ask, &watch.monitor, &watch.stop).await
    }
}
