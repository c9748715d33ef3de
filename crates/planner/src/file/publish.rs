//! The last steps of writing a plan: its header, what makes it outlive a crash, and the name that makes it a plan.

use std::fs;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread;

use crate::file::{Header, PLAN_FILE, Segment, Totals, UNFINISHED_FILE, directory, document};
use crate::{PlanError, Stage};

/// Files and directories that are made durable at once.
const SYNC_THREADS: usize = 8;

/// Writes the header under its unfinished name.
pub(crate) fn write_header(
    dir: &Path,
    header: &Header,
    totals: Totals,
    segments: &[Segment],
    has_etags: bool,
) -> Result<(), PlanError> {
    let path = dir.join(UNFINISHED_FILE);
    let text = document::render(header, totals, segments, has_etags)
        .map_err(|source| PlanError::Encode { path: path.clone(), source: Box::new(source) })?;
    fs::write(&path, text).map_err(PlanError::io(&path))
}

/// Makes the segments, their names and the header durable. Side by side, because file systems settle many such requests
/// in one go, and one after the other a thousand of them take seconds.
pub(crate) fn sync_all(dir: &Path, segments: &[Segment]) -> Result<(), PlanError> {
    let mut stages: Vec<Stage> = segments.iter().map(|segment| segment.stage).collect();
    stages.dedup();
    let mut paths: Vec<PathBuf> = stages.iter().map(|stage| dir.join(stage.name())).collect();
    paths.extend(segments.iter().map(|segment| segment.path(dir)));
    paths.extend([dir.join(UNFINISHED_FILE), dir.to_owned()]);
    let parts = paths.chunks(paths.len().div_ceil(SYNC_THREADS));
    side_by_side(parts, |part| part.iter().try_for_each(|path| directory::sync(path))).map(drop)
}

/// The rename is the moment at which the directory becomes a plan (G11); everything is durable before it.
pub(crate) fn publish(dir: &Path) -> Result<(), PlanError> {
    let path = dir.join(PLAN_FILE);
    fs::rename(dir.join(UNFINISHED_FILE), &path).map_err(PlanError::io(&path))?;
    directory::sync(dir)
}

/// Does the same with each of a few things, each in a thread of its own.
pub(crate) fn side_by_side<T: Send, R: Send>(
    things: impl IntoIterator<Item = T>,
    work: impl Fn(T) -> Result<R, PlanError> + Sync,
) -> Result<Vec<R>, PlanError> {
    let work = &work;
    thread::scope(|scope| {
        let things = things.into_iter();
        let threads: Vec<_> = things.map(|thing| scope.spawn(move || work(thing))).collect();
        let join = |thread: thread::ScopedJoinHandle<'_, _>| {
            thread.join().unwrap_or_else(|panic| resume_unwind(panic))
        };
        threads.into_iter().map(join).collect()
    })
}
