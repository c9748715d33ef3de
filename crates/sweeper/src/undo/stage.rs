//! One stage of an undo: its rows, judged and brought back a batch at a time.

use std::io::{BufReader, Read};
use std::ops::Range;
use std::sync::Arc;

use planner::{Row, Stage};
use store::{KeyFailure, Marker, PutBack, RestoreStore, Trashed};
use tokio::sync::mpsc::{self, Sender};

use super::evidence::{Evidence, Trace};
use super::judge::{Verdict, judge};
use super::look::look_at_all;
use super::report::{Missing, MissingWhy, Returns, UndoReport, Why};
use super::selection::Selection;
use super::{Halt, Undoing, is_dangling, is_referred_to, one};
use crate::Cause;
use crate::journal::ReadError;
use crate::source::Source;

/// A row, and what the journal says of it.
type Traced = (Row, Trace);

/// What became of a row.
type Outcome = Result<bool, MissingWhy>;

/// How many rows are looked up in the journal at once: each pass over it costs reading all of it (G12).
const ROWS: u64 = 1 << 20;

impl<S: RestoreStore, P: Source> Undoing<'_, S, P> {
    /// Brings back the rows of a stage that are asked for.
    pub(super) async fn bring_back(
        &mut self,
        stage: Stage,
        selection: &Arc<Selection>,
    ) -> Result<(), Halt> {
        let before = self.report.total().failed;
        for segments in groups(self.source.as_ref(), stage) {
            self.bring_back_segments(segments, selection).await?;
        }
        if self.report.total().failed == before { Ok(()) } else { Err(Halt::Failed) }
    }

    async fn bring_back_segments(
        &mut self,
        segments: Range<u32>,
        selection: &Arc<Selection>,
    ) -> Result<(), Halt> {
        let cut = Cut {
            source: Arc::clone(&self.source),
            selection: Arc::clone(selection),
            segments,
            size: self.size,
        };
        let journal = self.journal.reread().map_err(Cause::Journal)?;
        let path = self.journal.path().to_owned();
        let (sender, mut batches) = mpsc::channel(1);
        let cutting = tokio::task::spawn_blocking(move || {
            cut.run(journal, &sender).map_err(|error| error.at(path))
        });
        let mut done = Ok(());
        while let Some(batch) = batches.recv().await {
            done = self.bring_back_batch(batch).await;
            if done.is_err() {
                break;
            }
        }
        drop(batches);
        let cut = cutting.await.map_err(Cause::Panicked)?;
        done.and(cut.map_err(Halt::Cause))
    }

    async fn bring_back_batch(&mut self, batch: Vec<Traced>) -> Result<(), Halt> {
        if self.around.stop.is_asked() {
            return Err(Halt::Stopped);
        }
        let verdicts = self.judge_all(&batch).await?;
        let outcomes = self.carry_out(&batch, verdicts).await?;
        for ((row, _), outcome) in batch.iter().zip(outcomes) {
            self.enter(row, outcome);
        }
        Ok(())
    }

    /// Judges a batch; asks the store only where the journal does not tell.
    async fn judge_all(&self, batch: &[Traced]) -> Result<Vec<Verdict>, Halt> {
        let known = |(row, trace): &Traced| match trace {
            _ if is_dangling(&self.lost, row) => Some(Verdict::Lost(Why::Dangling)),
            Trace::Deleted(ids) if ids.is_empty() => Some(Verdict::Lost(Why::NothingKept)),
            // Whether it is there again shows when it is put back, or looked for.
            Trace::Trashed => Some(Verdict::PutBack),
            _ => None,
        };
        let known: Vec<Option<Verdict>> = batch.iter().map(known).collect();
        let asked = batch.iter().zip(&known).filter(|(_, known)| known.is_none());
        let keys = asked.map(|((row, _), _)| row.key.clone()).collect();
        let told = look_at_all(&self.store, keys, self.width).await;
        let mut told = told.map_err(|error| self.halt(error))?.into_iter();
        let verdict = |((row, trace), known): (&Traced, Option<Verdict>)| {
            known.unwrap_or_else(|| {
                let versions = told.next().unwrap_or_default();
                let verdict = judge(row, trace, &versions, self.state.sweeps());
                match verdict {
                    // The answer to who moved it there may have been lost.
                    Verdict::Lost(Why::NothingKept) if self.state.used_trash() => Verdict::PutBack,
                    verdict => verdict,
                }
            })
        };
        Ok(batch.iter().zip(known).map(verdict).collect())
    }

    /// Brings back what can be: whether each is new, or why it is not back.
    async fn carry_out(
        &self,
        batch: &[Traced],
        verdicts: Vec<Verdict>,
    ) -> Result<Vec<Outcome>, Halt> {
        let mut outcomes = Vec::with_capacity(verdicts.len());
        let (mut markers, mut trashed) = (Vec::new(), Vec::new());
        for (place, verdict) in verdicts.into_iter().enumerate() {
            outcomes.push(match verdict {
                Verdict::Present => Ok(false),
                Verdict::Lost(why) => Err(MissingWhy::Lost(why)),
                Verdict::PutBack => {
                    trashed.extend(self.trashed(place, &batch[place].0));
                    Err(MissingWhy::Lost(Why::TrashEmptied))
                }
                Verdict::Unmark(found) => {
                    markers.push((place, found));
                    Ok(true)
                }
            });
        }
        if self.settings.is_dry_run {
            self.look_into_trash(trashed, &mut outcomes).await?;
        } else {
            self.unmark_all(markers, &mut outcomes).await?;
            self.put_back_all(trashed, &mut outcomes).await?;
        }
        Ok(outcomes)
    }

    /// Where a row is, if it is in the trash.
    fn trashed(&self, place: usize, row: &Row) -> Option<(usize, Trashed)> {
        let trash = self.around.trash.key_of(&row.key)?;
        Some((place, Trashed { key: row.key.clone(), trash: trash.into() }))
    }

    async fn put_back_all(
        &self,
        trashed: Vec<(usize, Trashed)>,
        outcomes: &mut [Outcome],
    ) -> Result<(), Halt> {
        if trashed.is_empty() {
            return Ok(());
        }
        let (places, objects): (Vec<usize>, Vec<Trashed>) = trashed.into_iter().unzip();
        let answers = self.store.put_back(&objects).await.map_err(|error| self.halt(error))?;
        for (place, answer) in places.into_iter().zip(answers) {
            outcomes[place] = match answer {
                Ok(PutBack::Restored) => Ok(true),
                Ok(PutBack::Present) => Ok(false),
                Ok(PutBack::Absent) => Err(MissingWhy::Lost(Why::TrashEmptied)),
                Err(failure) => Err(MissingWhy::Failed(failure)),
            };
        }
        Ok(())
    }

    async fn look_into_trash(
        &self,
        trashed: Vec<(usize, Trashed)>,
        outcomes: &mut [Outcome],
    ) -> Result<(), Halt> {
        let is_there = async |keys: Vec<Box<str>>| {
            self.store.look(keys).await.map_err(|error| self.halt(error))
        };
        let keys = trashed.iter().map(|(_, object)| object.key.clone()).collect();
        let present = is_there(keys).await?;
        let keys = trashed.iter().map(|(_, object)| object.trash.clone()).collect();
        let found = is_there(keys).await?;
        for (((place, _), present), found) in trashed.into_iter().zip(present).zip(found) {
            if present.is_some() {
                outcomes[place] = Ok(false);
            } else if found.is_some() {
                outcomes[place] = Ok(true);
            }
        }
        Ok(())
    }

    /// Removes markers, the oldest of each key first, and of each key one in a request.
    async fn unmark_all(
        &self,
        mut markers: Vec<(usize, Vec<Marker>)>,
        outcomes: &mut [Outcome],
    ) -> Result<(), Halt> {
        while !markers.is_empty() {
            let first: Vec<Marker> =
                markers.iter().filter_map(|(_, of_key)| of_key.first().cloned()).collect();
            let removed = self.store.unmark(&first).await.map_err(|error| self.halt(error))?;
            for ((place, of_key), removed) in markers.iter_mut().zip(removed) {
                of_key.remove(0);
                if let Err(failure) = removed {
                    outcomes[*place] = Err(MissingWhy::Failed(failure));
                    of_key.clear();
                }
            }
            markers.retain(|(_, of_key)| !of_key.is_empty());
        }
        Ok(())
    }

    fn enter(&mut self, row: &Row, outcome: Outcome) {
        let mut returns = Returns::default();
        match &outcome {
            Ok(true) => returns.restored += one(row),
            Ok(false) => returns.present += one(row),
            Err(MissingWhy::Failed(_)) => returns.failed += one(row),
            Err(MissingWhy::Lost(why)) => {
                returns.lost.insert(*why, one(row));
                self.lost.extend(row.digest.filter(|_| is_referred_to(row.kind)));
            }
        }
        self.count(&returns);
        self.report.kinds.entry(row.kind).or_default().add(&returns);
        if let Err(why) = outcome
            && self.report.missing.len() < UndoReport::MISSING
        {
            self.report.missing.push(Missing { key: row.key.clone(), why });
        }
    }
}

/// The segments of a stage, as many neighbours together as have few rows.
fn groups(source: &impl Source, stage: Stage) -> Vec<Range<u32>> {
    let mut groups: Vec<(Range<u32>, u64)> = Vec::new();
    let of_stage = (0..).zip(source.segments()).filter(|(_, segment)| segment.stage == stage);
    for (number, segment) in of_stage {
        match groups.last_mut() {
            Some((range, rows)) if *rows + segment.rows <= ROWS && range.end == number => {
                range.end = number + 1;
                *rows += segment.rows;
            }
            _ => groups.push((number..number + 1, segment.rows)),
        }
    }
    groups.into_iter().map(|(range, _)| range).collect()
}

/// Cuts rows that were deleted, or may have been, into batches. Blocks: reading and sending.
struct Cut<P> {
    source: Arc<P>,
    selection: Arc<Selection>,
    segments: Range<u32>,
    size: usize,
}

/// Why rows could not be read.
enum CutError {
    Journal(ReadError),
    Cause(Cause),
}

impl CutError {
    fn at(self, path: std::path::PathBuf) -> Cause {
        match self {
            Self::Cause(cause) => cause,
            Self::Journal(error) => Cause::Journal(error.at(path)),
        }
    }
}

impl<P: Source> Cut<P> {
    fn run(&self, journal: impl Read, batches: &Sender<Vec<Traced>>) -> Result<(), CutError> {
        let mut journal = BufReader::new(journal);
        let evidence = Evidence::gather(&mut journal, self.segments.clone());
        let mut evidence = evidence.map_err(CutError::Journal)?;
        let mut batch = Vec::new();
        for number in self.segments.clone() {
            let Some(segment) = self.source.segments().get(number as usize) else { continue };
            let failed = |error| CutError::Cause(Cause::Plan(error));
            for (ordinal, row) in (0_u32..).zip(self.source.rows(segment).map_err(failed)?) {
                let row = row.map_err(failed)?;
                let trace = evidence.take(number, ordinal);
                if trace == Trace::Untouched || !self.selection.takes(&row) {
                    continue;
                }
                batch.push((row, trace));
                if batch.len() == self.size
                    && batches.blocking_send(std::mem::take(&mut batch)).is_err()
                {
                    return Ok(());
                }
            }
        }
        if !batch.is_empty() {
            // Where nobody takes it, the undo has ended early and says so itself.
            drop(batches.blocking_send(batch));
        }
        Ok(())
    }
}

impl From<KeyFailure> for MissingWhy {
    fn from(failure: KeyFailure) -> Self {
        Self::Failed(failure)
    }
}
