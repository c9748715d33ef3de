//! Writing a plan: rows in any order from any thread, the header last.

use std::fs::{self, File};
use std::io::Write;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use parquet::errors::ParquetError;
use parquet::file::writer::SerializedFileWriter;
use registry::Shard;

use crate::file::append::Append;
use crate::file::columns::{self, Encoding};
use crate::file::{
    Header, PLAN_FILE, Plan, Segment, Totals, UNFINISHED_FILE, directory, document, segment,
};
use crate::{PlanError, Row, Stage};

/// How many rows wait in memory (G12).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Buffers {
    /// Rows of one row group, at most.
    pub(crate) group_rows: usize,
    /// Rows over all segments, at most, plus those of one call for each thread; about 270 bytes each.
    pub(crate) all_rows: usize,
}

const BUFFERS: Buffers = Buffers { group_rows: 4096, all_rows: 1 << 19 };

/// Segments that are made durable at once.
const SYNC_THREADS: usize = 8;

/// Proof that marking ended without an unresolved root (G5).
///
/// A plan cannot be finished without one. Implemented by the sealed mark set, which cannot be had otherwise than by
/// sealing; implement it for nothing else.
pub trait Sealed {}

/// A plan that is being written.
///
/// Holds up to half a million rows in memory, about 140 MB, and 4 kB for each row group that is written: 1 byte for
/// each row where rows come by shard, up to 6 where they come mixed over all stages and shards. Opens one file at a time
/// for each thread that adds.
///
/// Dropped before [`PlanWriter::finish`] it leaves a directory that is no plan, and that [`PlanWriter::create`] takes
/// again.
pub struct PlanWriter {
    dir: PathBuf,
    encoding: Encoding,
    /// By stage, then shard.
    segments: Vec<Mutex<Open>>,
    buffers: Buffers,
    buffered: AtomicUsize,
}

/// A segment that is being written.
struct Open {
    stage: Stage,
    shard: Shard,
    totals: Totals,
    rows: Vec<Row>,
    writer: Option<SerializedFileWriter<Append>>,
}

impl PlanWriter {
    /// Begins a plan in `dir`, which is created where it is missing.
    ///
    /// # Errors
    /// [`PlanError::Occupied`] where the directory holds anything but what an earlier writer left unfinished, which is
    /// removed; [`PlanError::Io`].
    pub fn create(dir: &Path) -> Result<Self, PlanError> {
        Self::with_buffers(dir, BUFFERS)
    }

    pub(crate) fn with_buffers(dir: &Path, buffers: Buffers) -> Result<Self, PlanError> {
        let encoding = Encoding::new().map_err(encode_error(dir))?;
        directory::claim(dir)?;
        let places =
            Stage::ALL.into_iter().flat_map(|stage| Shard::all().map(move |shard| (stage, shard)));
        let segments = places.map(|(stage, shard)| Mutex::new(Open::new(stage, shard))).collect();
        Ok(Self { dir: dir.to_owned(), encoding, segments, buffers, buffered: AtomicUsize::new(0) })
    }

    /// Adds rows of any stages and shards. Rows of one segment keep the order in which one caller adds them.
    ///
    /// # Errors
    /// [`PlanError::Row`] for a row that a plan cannot hold; [`PlanError::Io`] where a segment cannot be written. After
    /// an error the plan cannot be finished.
    pub fn add(&self, rows: Vec<Row>) -> Result<(), PlanError> {
        for row in rows {
            self.push(row)?;
        }
        while self.buffered.load(Ordering::Relaxed) > self.buffers.all_rows {
            self.flush_longest()?;
        }
        Ok(())
    }

    fn push(&self, row: Row) -> Result<(), PlanError> {
        let mut open = self.lock(row.kind.stage() as usize * Shard::COUNT + row.shard().index());
        // Counted before it is checked or written, so that a failure shows when the plan is finished.
        open.totals.add(row.kind, row.bytes);
        columns::check_row(&row)?;
        open.rows.push(row);
        self.buffered.fetch_add(1, Ordering::Relaxed);
        if open.rows.len() < self.buffers.group_rows { Ok(()) } else { self.flush(&mut open) }
    }

    /// Makes room in as large pieces as there are.
    fn flush_longest(&self) -> Result<(), PlanError> {
        let longest = (0..self.segments.len()).max_by_key(|index| self.lock(*index).rows.len());
        longest.map_or(Ok(()), |index| self.flush(&mut self.lock(index)))
    }

    fn flush(&self, open: &mut Open) -> Result<(), PlanError> {
        let rows = std::mem::take(&mut open.rows);
        self.buffered.fetch_sub(rows.len(), Ordering::Relaxed);
        if rows.is_empty() {
            return Ok(());
        }
        let path = self.dir.join(segment::file_of(open.stage, open.shard));
        let writer = match &mut open.writer {
            Some(writer) => writer,
            none => {
                let writer =
                    self.encoding.begin(Append::new(path.clone())).map_err(encode_error(&path))?;
                none.insert(writer)
            }
        };
        columns::write_group(writer, &rows).map_err(encode_error(&path))
    }

    #[cfg(test)]
    pub(crate) fn buffered_rows(&self) -> usize {
        self.buffered.load(Ordering::Relaxed)
    }

    /// A thread that panicked here leaves rows counted and not written, which [`Open::end`] finds.
    fn lock(&self, index: usize) -> MutexGuard<'_, Open> {
        self.segments[index].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what is left, makes it durable, and puts `plan.json` in place as the last step.
    ///
    /// The plan that is returned was read back from the disk and checked.
    ///
    /// # Errors
    /// [`PlanError::Unwritten`] where an earlier [`PlanWriter::add`] failed; [`PlanError::Io`]. The directory is no
    /// plan then.
    pub fn finish(self, header: &Header, _sealed: &impl Sealed) -> Result<Plan, PlanError> {
        let mut totals = Totals::default();
        let mut segments = Vec::new();
        for index in 0..self.segments.len() {
            let mut open = self.lock(index);
            self.flush(&mut open)?;
            totals.merge(&open.totals);
            segments.extend(open.end(&self.dir)?);
        }
        sync_all(&self.dir, &segments)?;
        write_header(&self.dir, header, totals, &segments)?;
        Plan::open(&self.dir)
    }
}

impl std::fmt::Debug for PlanWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PlanWriter").field("dir", &self.dir).finish_non_exhaustive()
    }
}

impl Open {
    fn new(stage: Stage, shard: Shard) -> Self {
        Self { stage, shard, totals: Totals::default(), rows: Vec::new(), writer: None }
    }

    /// Writes the footer; none where the segment has no rows.
    fn end(&mut self, dir: &Path) -> Result<Option<Segment>, PlanError> {
        let path = dir.join(segment::file_of(self.stage, self.shard));
        let total = self.totals.all();
        let end = |mut writer: SerializedFileWriter<Append>| Ok((writer.finish()?, writer));
        let ended = self.writer.take().map(end).transpose().map_err(encode_error(&path))?;
        let written = ended.as_ref().map_or(0, |(metadata, _)| metadata.file_metadata().num_rows());
        let written = u64::try_from(written).unwrap_or(0);
        if written != total.count {
            return Err(PlanError::Unwritten { path, added: total.count, written });
        }
        Ok(ended.map(|(_, writer)| self.segment(writer.inner())))
    }

    fn segment(&self, file: &Append) -> Segment {
        let total = self.totals.all();
        Segment {
            stage: self.stage,
            shard: self.shard,
            rows: total.count,
            bytes: total.bytes,
            file_bytes: file.bytes(),
            xxh3: file.xxh3(),
        }
    }
}

/// Makes the segments and their names durable. Side by side, because file systems settle many such requests in one
/// go, and one after the other a thousand of them take seconds.
fn sync_all(dir: &Path, segments: &[Segment]) -> Result<(), PlanError> {
    let parts = segments.chunks(segments.len().div_ceil(SYNC_THREADS).max(1));
    thread::scope(|scope| {
        let threads: Vec<_> = parts.map(|part| scope.spawn(move || sync_part(dir, part))).collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)))
    })?;
    let mut stages: Vec<Stage> = segments.iter().map(|segment| segment.stage).collect();
    stages.dedup();
    stages.into_iter().try_for_each(|stage| directory::sync(&dir.join(stage.name())))
}

fn sync_part(dir: &Path, segments: &[Segment]) -> Result<(), PlanError> {
    segments.iter().map(|segment| segment.path(dir)).try_for_each(|path| {
        File::open(&path).and_then(|file| file.sync_all()).map_err(PlanError::io(&path))
    })
}

/// The rename is the moment at which the directory becomes a plan (G11).
fn write_header(
    dir: &Path,
    header: &Header,
    totals: Totals,
    segments: &[Segment],
) -> Result<(), PlanError> {
    let (unfinished, path) = (dir.join(UNFINISHED_FILE), dir.join(PLAN_FILE));
    let text = document::render(header, totals, segments)
        .map_err(|source| PlanError::Encode { path: path.clone(), source: Box::new(source) })?;
    let write = |mut file: File| file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    File::create(&unfinished).and_then(write).map_err(PlanError::io(&unfinished))?;
    fs::rename(&unfinished, &path).map_err(PlanError::io(&path))?;
    directory::sync(dir)
}

fn encode_error(path: &Path) -> impl Fn(ParquetError) -> PlanError + '_ {
    |error| match error {
        ParquetError::External(source) => match source.downcast::<std::io::Error>() {
            Ok(source) => PlanError::Io { path: path.to_owned(), source: *source },
            Err(source) => PlanError::Encode { path: path.to_owned(), source },
        },
        error => PlanError::Encode { path: path.to_owned(), source: Box::new(error) },
    }
}
