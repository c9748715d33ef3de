//! Takes a census: list, mark, seal, list again, join. Deletes nothing, and plans nothing.

mod multipart;
mod sees;

use std::path::Path;
use std::sync::Arc;

use cache::ManifestCache;
use census::{Census, CensusBuilder};
use marker::{Follow, MarkSet, MarkSetBuilder, Rules};
use monitor::{Monitor, Phase, Stop};
use planner::Policy;
use policy::Retention;
use registry::{Layout, Timestamp};
use store::{MultipartStore, ReadStore};
use tokio::task::spawn_blocking;

use crate::collect::now;
use crate::survey::{Marking, Survey, lost, sole, visit_blobs, visit_repositories};
use crate::{Failure, remembered};

pub use self::multipart::{MultipartTotals, MultipartUsage};
use self::sees::{Counting, Weighing};

/// Of what to take a census.
#[derive(Debug)]
pub struct Ask<'a> {
    /// What was typed, for failures.
    pub source: &'a str,
    /// The registry's keys.
    pub layout: &'a Layout,
    /// By which rules something is needed.
    pub policy: Policy,
    /// The retention policy beside it.
    pub retention: Option<Arc<Retention>>,
    /// Of which repositories to count by tag too.
    pub follow: Follow,
    /// How many ranges are listed, and manifests read, at once.
    pub width: usize,
    /// What earlier runs know of manifests; none where all are to be read.
    pub cache: Option<Arc<ManifestCache>>,
    /// How many bytes it may take, about.
    pub memory: usize,
    /// Where goes what does not fit.
    pub folder: &'a Path,
}

/// A census, and when it was begun.
#[derive(Clone, Debug)]
pub struct Taken {
    /// What was counted.
    pub census: Census,
    /// Incomplete multipart uploads.
    pub multipart: MultipartUsage,
    /// The time by the store's clock, before anything was listed.
    pub t0: Timestamp,
}

/// Takes the census of a registry.
///
/// # Errors
/// [`Failure`] where any key or manifest may have been missed: there is no census then.
pub async fn take_census<S: MultipartStore>(
    store: &Arc<S>,
    ask: &Ask<'_>,
    monitor: &Arc<Monitor>,
    stop: &Arc<Stop>,
) -> Result<Taken, Failure> {
    let t0 = now(store.as_ref(), ask.source).await?;
    let cutoffs = ask.policy.at(t0);
    let survey = Survey {
        store,
        layout: ask.layout,
        width: ask.width,
        cache: ask.cache.as_ref(),
        memory: ask.memory,
        folder: ask.folder,
        monitor,
        stop,
    };
    let limit = survey.in_memory(ask.memory / 2);
    let builder = Arc::new(CensusBuilder::new(cutoffs, ask.follow.clone(), &limit)?);
    let rules = Rules { t0: cutoffs.t0, ..Rules::new(cutoffs.untagged, cutoffs.objects) };
    let marking = Marking {
        retention: ask.retention.clone(),
        ..Marking::following(rules, ask.follow.clone())
    };
    let marked = mark(survey, marking, &builder).await;
    // Also where marking failed: the next try need not read all of it again.
    remembered::close(ask.cache.clone()).await;
    weigh(survey, Arc::new(marked?), &builder).await?;
    let multipart = Box::pin(multipart::count_uploads(survey, cutoffs)).await?;
    monitor.enter(Phase::Sealing);
    let builder = sole(builder, "somebody still counts")?;
    let census = spawn_blocking(move || builder.finish()).await.map_err(lost)??;
    Ok(Taken { census, multipart, t0 })
}

/// Takes in every repository. The marks prove that none was missed (G5), and know what was missing.
async fn mark<S: ReadStore>(
    survey: Survey<'_, S>,
    marking: Marking,
    builder: &Arc<CensusBuilder>,
) -> Result<MarkSet, Failure> {
    survey.monitor.enter(Phase::Marking);
    let marks = Arc::new(MarkSetBuilder::limited(&survey.in_memory(survey.memory / 4))?);
    let visitor = || Counting { builder: Arc::clone(builder) };
    let (complete, _) = visit_repositories(survey, &marks, marking, visitor).await?;
    survey.monitor.enter(Phase::Sealing);
    Ok(sole(marks, "the marks are still in use")?.seal(&complete)?)
}

/// Takes in every blob.
async fn weigh<S: ReadStore>(
    survey: Survey<'_, S>,
    marks: Arc<MarkSet>,
    builder: &Arc<CensusBuilder>,
) -> Result<(), Failure> {
    survey.monitor.enter(Phase::Weighing);
    let (builder, monitor) = (Arc::clone(builder), Arc::clone(survey.monitor));
    let layout = survey.layout.clone();
    let visitor = move || Weighing {
        layout: layout.clone(),
        marks: Arc::clone(&marks),
        builder: Arc::clone(&builder),
        monitor: Arc::clone(&monitor),
    };
    visit_blobs(survey, visitor).await.map(drop)
}
