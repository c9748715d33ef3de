//! `regsweep explain`: who keeps something, or why it would go.

use std::sync::Arc;

use planner::Policy;
use policy::Retention;
use store::DeleteStore;

use super::Context;
use crate::args::ExplainArgs;
use crate::explain::{Asked, Explanation, explain};
use crate::identify::Truth;
use crate::open::{Access, DeletePace, Detail, Open, Work, with_registry};
use crate::render::{ExplanationObject, explanation_text};
use crate::survey::Survey;
use crate::{Failure, Retaining, remembered};

/// Explains what becomes of a digest or an image; changes nothing.
///
/// # Errors
/// Where the registry cannot be read whole.
pub(crate) async fn explain_command(
    args: &ExplainArgs,
    context: &Context<'_>,
) -> Result<(), Failure> {
    let location = context.locate(&args.location, &args.store)?;
    let retention = Retaining::named(args.policy.as_deref())?.map(|retaining| retaining.policy);
    let progress = context.progress(&location.place);
    let (store, deletes) = (&args.store, DeletePace::default());
    let access =
        Access { location: &location, store, deletes, detail: Detail::PROVEN, truth: Truth::Links };
    let explaining = Explaining { args, retention, context };
    let explanation = with_registry(access, &context.watch, explaining).await?;
    drop(progress);
    if context.output.json {
        return context.object(&ExplanationObject::of(&explanation));
    }
    context.data(&explanation_text(&explanation, context.console))
}

struct Explaining<'a> {
    args: &'a ExplainArgs,
    retention: Option<Arc<Retention>>,
    context: &'a Context<'a>,
}

impl Work for Explaining<'_> {
    type Out = Explanation;

    async fn run<S: DeleteStore>(self, open: Open<S>) -> Result<Explanation, Failure> {
        let Self { args, retention, context } = self;
        context.note_emptiness(&open, &args.location);
        let policy =
            Policy { untagged: args.untagged, grace: args.grace, uploads_older_than: args.grace };
        let cutoffs = policy.at(open.now().await?);
        let scratch = std::env::temp_dir();
        let folder = tempfile::tempdir_in(&scratch)
            .map_err(|source| Failure::File { path: scratch, source })?;
        let cache = remembered::open(&args.resources, context.console);
        let survey = Survey {
            store: &open.store,
            layout: &open.layout,
            width: open.width,
            cache: cache.as_ref(),
            memory: args.resources.memory.in_memory(),
            folder: folder.path(),
            monitor: &context.watch.monitor,
            stop: &context.watch.stop,
        };
        let asked = Asked { subject: args.subject.clone(), cutoffs, retention };
        let explained = explain(survey, asked).await;
        remembered::close(cache).await;
        explained
    }
}
