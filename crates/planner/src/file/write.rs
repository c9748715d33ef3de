//! Writing a plan: rows in any order from any thread, the header last.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use parquet::errors::ParquetError;
use parquet::file::writer::SerializedFileWriter;
use registry::Shard;

use crate::file::append::Append;
use crate::file::columns;
use crate::file::draft::{Draft, Drafted};
use crate::file::publish::{publish, side_by_side, sync_all, write_header};
use crate::file::schema::Encoding;
use crate::file::{Header, Part, Plan, Segment, Totals, directory, segment};
use crate::{PlanError, Row, Stage};

/// How many rows wait in memory (G12).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Buffers {
    /// Rows of one row group, at most.
    pub(crate) group_rows: usize,
    /// Rows of one stage that stay together; all stages of them fit into `all_rows`.
    pub(crate) small_stage: u64,
    /// Rows over all segments, at most, plus those of one call for each thread; about 290 bytes each, and
    /// 50 more where they have entity tags.
    pub(crate) all_rows: usize,
}

const BUFFERS: Buffers =
    Buffers { group_rows: 4096, small_stage: Part::SMALL_STAGE, all_rows: 1 << 19 };

/// Proof that marking ended without an unresolved root (G5).
///
/// A plan cannot be finished without one. Implemented by the sealed mark set, which cannot be had otherwise than by
/// sealing; implement it for nothing else.
pub trait Sealed {}

/// A plan that is being written.
///
/// A stage of up to [`Part::SMALL_STAGE`] rows becomes one segment, and a larger one a segment for each shard.
///
/// Holds up to half a million rows in memory, about 150 MB, or 175 MB where they have entity tags, and 4 kB for each row group that is written: 1 byte for
/// each row where rows come by shard, up to 6 where they come mixed over all stages and shards. Opens one file at a time
/// for each thread that adds.
///
/// Dropped before [`PlanWriter::finish`] it leaves a directory that is no plan, and that [`PlanWriter::create`] takes
/// again.
pub struct PlanWriter {
    dir: PathBuf,
    /// By stage, made for the first segment: a draft mostly has none.
    encodings: OnceLock<[Encoding; Stage::ALL.len()]>,
    /// By stage, then shard; those of a small stage are gathered at the end.
    segments: Vec<Mutex<Open>>,
    buffers: Buffers,
    buffered: AtomicUsize,
    /// Rows added so far, by stage.
    stage_rows: [AtomicU64; Stage::ALL.len()],
    /// Whether entity tags are written.
    has_etags: bool,
    /// Whether the plan is to outlive a crash of the machine.
    is_durable: bool,
}

/// A segment that is being written.
struct Open {
    stage: Stage,
    part: Part,
    totals: Totals,
    rows: Vec<Row>,
    /// None before the first row group: most segments of a small plan never have one.
    writer: Option<Box<SerializedFileWriter<Append>>>,
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

    /// Begins a plan that goes with this process, and so need not be durable.
    ///
    /// # Errors
    /// As [`PlanWriter::create`].
    pub fn scratch(dir: &Path) -> Result<Self, PlanError> {
        Ok(Self { is_durable: false, ..Self::create(dir)? })
    }

    /// The same plan with the entity tags of objects, for a store that tells any: it has a format of its own, and is
    /// larger for it. Others leave out what entity tags rows may have.
    #[must_use]
    pub fn with_etags(self) -> Self {
        Self { has_etags: true, ..self }
    }

    pub(crate) fn with_buffers(dir: &Path, buffers: Buffers) -> Result<Self, PlanError> {
        directory::claim(dir)?;
        let places =
            Stage::ALL.into_iter().flat_map(|stage| Shard::all().map(move |shard| (stage, shard)));
        let open = |(stage, shard)| Mutex::new(Open::new(stage, Part::Shard(shard)));
        let mut segments = Vec::with_capacity(Stage::ALL.len() * Shard::COUNT);
        segments.extend(places.map(open));
        Ok(Self {
            dir: dir.to_owned(),
            encodings: OnceLock::new(),
            segments,
            buffers,
            buffered: AtomicUsize::new(0),
            stage_rows: <_>::default(),
            has_etags: false,
            is_durable: true,
        })
    }

    /// Adds rows of any stages and shards. Rows of one shard keep the order in which one caller adds them.
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
        let stage = row.kind.stage();
        let mut open = self.lock(index_of(stage, row.shard()));
        // Counted before it is checked or written, so that a failure shows when the plan is finished.
        open.totals.add(row.kind, row.bytes);
        self.stage_rows[stage as usize].fetch_add(1, Ordering::Relaxed);
        columns::check_row(&row)?;
        open.rows.push(row);
        self.buffered.fetch_add(1, Ordering::Relaxed);
        if open.rows.len() < self.buffers.group_rows || self.is_small(stage) {
            return Ok(());
        }
        self.flush(&mut open)
    }

    /// Whether the rows of a stage stay together. Once they do not, they never do again.
    fn is_small(&self, stage: Stage) -> bool {
        self.stage_rows[stage as usize].load(Ordering::Relaxed) <= self.buffers.small_stage
    }

    /// Makes room in as large pieces as there are, and splits no small stage for it.
    fn flush_longest(&self) -> Result<(), PlanError> {
        let flushable = |index: &usize| {
            let open = self.lock(*index);
            (!open.rows.is_empty() && !self.is_small(open.stage), open.rows.len())
        };
        let longest = (0..self.segments.len()).max_by_key(flushable);
        longest.map_or(Ok(()), |index| self.flush(&mut self.lock(index)))
    }

    fn flush(&self, open: &mut Open) -> Result<(), PlanError> {
        let rows = std::mem::take(&mut open.rows);
        self.buffered.fetch_sub(rows.len(), Ordering::Relaxed);
        if rows.is_empty() {
            return Ok(());
        }
        let path = self.dir.join(segment::file_of(open.stage, open.part));
        let writer = match &mut open.writer {
            Some(writer) => writer,
            none => {
                let begun =
                    self.encoding(open.stage).and_then(|it| it.begin(Append::new(path.clone())));
                none.insert(Box::new(begun.map_err(encode_error(&path))?))
            }
        };
        let mut groups = rows.chunks(self.buffers.group_rows);
        groups.try_for_each(|rows| columns::write_group(writer, rows)).map_err(encode_error(&path))
    }

    fn encoding(&self, stage: Stage) -> Result<&Encoding, ParquetError> {
        if let Some(encodings) = self.encodings.get() {
            return Ok(&encodings[stage as usize]);
        }
        let made = encodings(self.has_etags)?;
        Ok(&self.encodings.get_or_init(|| made)[stage as usize])
    }

    #[cfg(test)]
    pub(crate) fn buffered_rows(&self) -> usize {
        self.buffered.load(Ordering::Relaxed)
    }

    /// A thread that panicked here leaves rows counted and not written, which [`Open::end`] finds.
    fn lock(&self, index: usize) -> MutexGuard<'_, Open> {
        self.segments[index].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what is left, makes it durable unless it is scratch, and puts `plan.json` in place as the last step.
    ///
    /// The plan that is returned was read back from the disk and checked.
    ///
    /// # Errors
    /// [`PlanError::Unwritten`] where an earlier [`PlanWriter::add`] failed; [`PlanError::Io`]. The directory is no
    /// plan then.
    pub fn finish(self, header: &Header, _sealed: &impl Sealed) -> Result<Plan, PlanError> {
        let ended = side_by_side(Stage::ALL, |stage| self.end_stage(stage))?;
        let mut totals = Totals::default();
        let mut segments = Vec::new();
        for (of_stage, segments_of_stage) in ended {
            totals.merge(&of_stage);
            segments.extend(segments_of_stage);
        }
        write_header(&self.dir, header, totals, &segments, self.has_etags)?;
        if self.is_durable {
            sync_all(&self.dir, &segments)?;
        }
        publish(&self.dir)?;
        Plan::open(&self.dir)
    }

    /// What the plan would be, without making one: the rows of small stages are never written.
    ///
    /// # Errors
    /// As [`PlanWriter::finish`].
    pub fn draft(self, header: Header, _sealed: &impl Sealed) -> Result<Draft, PlanError> {
        let (mut totals, mut stages) = (Totals::default(), Vec::new());
        for stage in Stage::ALL {
            let (of_stage, drafted) = self.draft_stage(stage)?;
            totals.merge(&of_stage);
            stages.push(drafted);
        }
        Ok(Draft { header, totals, dir: self.dir, stages })
    }

    /// Whether no row was added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stage_rows.iter().all(|rows| rows.load(Ordering::Relaxed) == 0)
    }

    /// Gives the plan up and leaves nothing behind; the directory too goes where it holds nothing else.
    ///
    /// # Errors
    /// [`PlanError::Io`], [`PlanError::Occupied`] where somebody put something there meanwhile.
    pub fn abandon(self) -> Result<(), PlanError> {
        directory::release(&self.dir)
    }

    /// Writes what is left of a stage.
    fn end_stage(&self, stage: Stage) -> Result<(Totals, Vec<Segment>), PlanError> {
        let shards = self.take_shards(stage);
        let is_held = self.is_held(stage, &shards);
        self.end(if is_held { vec![Open::gather(stage, shards)] } else { shards })
    }

    fn end(&self, opens: Vec<Open>) -> Result<(Totals, Vec<Segment>), PlanError> {
        let mut totals = Totals::default();
        let mut segments = Vec::new();
        for mut open in opens {
            self.flush(&mut open)?;
            totals.merge(&open.totals);
            segments.extend(open.end(&self.dir)?);
        }
        Ok((totals, segments))
    }

    fn draft_stage(&self, stage: Stage) -> Result<(Totals, Drafted), PlanError> {
        let shards = self.take_shards(stage);
        if !self.is_held(stage, &shards) {
            let (totals, segments) = self.end(shards)?;
            return Ok((totals, Drafted::Written(segments)));
        }
        let (mut totals, mut rows) = (Totals::default(), Vec::new());
        for shard in shards {
            totals.merge(&shard.totals);
            rows.push(shard.rows);
        }
        let (added, written) =
            (totals.all().count, rows.iter().map(Vec::len).sum::<usize>() as u64);
        if written != added {
            let path = self.dir.join(segment::file_of(stage, Part::All));
            return Err(PlanError::Unwritten { path, added, written });
        }
        Ok((totals, Drafted::Held(rows)))
    }

    fn take_shards(&self, stage: Stage) -> Vec<Open> {
        let take = |shard| {
            let taken = Open::new(stage, Part::Shard(shard));
            std::mem::replace(&mut *self.lock(index_of(stage, shard)), taken)
        };
        Shard::all().map(take).collect()
    }

    /// Whether a stage has stayed small, so that all of its rows are in memory.
    fn is_held(&self, stage: Stage, shards: &[Open]) -> bool {
        self.is_small(stage) && shards.iter().all(|open| open.writer.is_none())
    }
}

/// By stage.
fn encodings(has_etags: bool) -> Result<[Encoding; Stage::ALL.len()], ParquetError> {
    let uploads = Encoding::of_stage(Stage::Multipart, has_etags)?;
    let objects = Encoding::of_stage(Stage::Blobs, has_etags)?;
    Ok(Stage::ALL
        .map(|stage| if stage == Stage::Multipart { uploads.clone() } else { objects.clone() }))
}

const fn index_of(stage: Stage, shard: Shard) -> usize {
    stage as usize * Shard::COUNT + shard.index()
}

impl std::fmt::Debug for PlanWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PlanWriter").field("dir", &self.dir).finish_non_exhaustive()
    }
}

impl Open {
    fn new(stage: Stage, part: Part) -> Self {
        Self { stage, part, totals: Totals::default(), rows: Vec::new(), writer: None }
    }

    /// All shards of a stage of which none was written to, as one segment.
    fn gather(stage: Stage, shards: Vec<Self>) -> Self {
        let mut all = Self::new(stage, Part::All);
        all.rows.reserve_exact(shards.iter().map(|shard| shard.rows.len()).sum());
        for shard in shards {
            all.totals.merge(&shard.totals);
            all.rows.extend(shard.rows);
        }
        all
    }

    /// Writes the footer; none where the segment has no rows.
    fn end(&mut self, dir: &Path) -> Result<Option<Segment>, PlanError> {
        let path = dir.join(segment::file_of(self.stage, self.part));
        let total = self.totals.all();
        let end = |mut writer: Box<SerializedFileWriter<_>>| Ok((writer.finish()?, writer));
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
            part: self.part,
            rows: total.count,
            bytes: total.bytes,
            file_bytes: file.bytes(),
            xxh3: file.xxh3(),
        }
    }
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
