//! `regsweep check`: what is broken, and which images cannot be pulled. Changes nothing.

use checker::{Links, Severity};
use store::RestoreStore;

use super::Context;
use crate::Failure;
use crate::args::CheckArgs;
use crate::check::{Ask, Checked, check as check_registry};
use crate::identify::Truth;
use crate::location::Location;
use crate::open::{Access, DeletePace, Detail, Open, Work, with_registry};
use crate::render::{CheckSummary, check_table};

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
    verdict(&checked)
}

fn verdict(checked: &Checked) -> Result<(), Failure> {
    let report = &checked.report;
    if report.is_sound() {
        return Ok(());
    }
    let (tags, manifests) = (report.broken_tags(), report.broken_manifests());
    Err(Failure::Damaged { tags, manifests, findings: report.count(Severity::Damage) })
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
}

impl Work for Checking<'_> {
    type Out = Checked;

    async fn run<S: RestoreStore>(self, open: Open<S>) -> Result<Checked, Failure> {
        let args = self.args;
        self.context.note_emptiness(&open, &self.location.source);
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
        };
        let watch = &self.context.watch;
        check_registry(&open.store, &ask, &watch.monitor, &watch.stop).await
    }
}
