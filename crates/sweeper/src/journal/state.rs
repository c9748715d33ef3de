//! What a journal adds up to.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use planner::{RowKind, Segment, Stage};
use registry::Timestamp;
use roaring::RoaringBitmap;

use super::record::{Fate, Marked, Nonsense, Record, Run, Span};
use crate::{Count, Fates};

/// What is known of a sweep that was begun.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JournalState {
    segments: BTreeMap<u32, SegmentState>,
    ended: BTreeSet<Stage>,
    next_batch: u64,
    open: BTreeMap<u64, Vec<Span>>,
    sweeps: Vec<Period>,
    marked: u64,
    trashed: u64,
    used_trash: bool,
    is_finished: bool,
    is_undone: bool,
}

/// When a sweep was at work, by the store's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Period {
    /// When it began.
    pub(crate) began: Timestamp,
    /// When it was last heard of: it may have gone on, and requests may have been on their way.
    pub(crate) last: Timestamp,
}

/// What is known of one segment.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct SegmentState {
    /// Ordinals of the rows that were ever about to be deleted.
    pub(crate) intended: RoaringBitmap,
    /// Ordinals of the rows that were asked for more than once, since no answer before was final.
    again: RoaringBitmap,
    /// How many of these were then not there: the request before may have deleted them.
    doubtful: u64,
    /// Ordinals of the rows that have a final outcome.
    pub(crate) done: RoaringBitmap,
    /// The same rows by kind; nothing here has failed.
    pub(crate) fates: BTreeMap<RowKind, Fates>,
}

/// What became of all rows, for who brings some back.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Worth {
    /// Objects that were deleted.
    pub(crate) deleted: Count,
    /// Objects that may or may not be deleted.
    pub(crate) unsettled: u64,
    /// Multipart uploads that were aborted.
    pub(crate) aborted: Count,
    /// Broken links that were written anew, and stay so.
    pub(crate) rewritten: Count,
}

impl SegmentState {
    /// How many rows may or may not be deleted.
    fn unsettled(&self) -> u64 {
        self.intended.len() - self.done.len() + self.doubtful
    }
}

impl JournalState {
    /// Every row that has a final outcome: deleted, already gone or spared. Rows that failed are tried again.
    #[must_use]
    pub fn fates(&self) -> Fates {
        let mut sum = Fates::default();
        self.segments.values().flat_map(|segment| segment.fates.values()).for_each(|f| sum += *f);
        sum
    }

    /// How many rows were about to be deleted when the sweep was cut off: each may or may not be deleted.
    #[must_use]
    pub fn uncertain_rows(&self) -> u64 {
        self.open.values().flatten().map(|span| u64::from(span.length)).sum()
    }

    /// Whether every row of the plan has a final outcome.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.is_finished
    }

    /// Whether what was deleted was taken back, or began to be.
    #[must_use]
    pub fn is_undone(&self) -> bool {
        self.is_undone
    }

    /// How many delete markers it names.
    #[must_use]
    pub fn marked_rows(&self) -> u64 {
        self.marked
    }

    /// How many rows went to the trash.
    #[must_use]
    pub fn trashed_rows(&self) -> u64 {
        self.trashed
    }

    /// Whether any sweep used the trash.
    #[must_use]
    pub fn used_trash(&self) -> bool {
        self.used_trash
    }

    /// How many rows were about to be deleted and have no final outcome, or were gone when they were asked for again:
    /// each may or may not be deleted.
    #[must_use]
    pub fn unsettled_rows(&self) -> u64 {
        self.segments.values().map(SegmentState::unsettled).sum()
    }

    /// What may come back: all that was deleted but for uploads, which are gone with their parts.
    pub(crate) fn worth(&self, segments: &[Segment]) -> Worth {
        let mut worth = Worth::default();
        for (number, state) in &self.segments {
            let stage = segments.get(*number as usize).map(|segment| segment.stage);
            let deleted = state.fates.values().map(|fates| fates.deleted).sum::<Count>();
            match stage {
                Some(Stage::Multipart) => worth.aborted += deleted,
                Some(Stage::Repairs) => {
                    worth.rewritten += state.fates.values().map(|fates| fates.rewritten).sum();
                }
                _ => {
                    worth.deleted += deleted;
                    worth.unsettled += state.unsettled();
                }
            }
        }
        worth
    }

    /// When sweeps were at work, in their order.
    pub(crate) fn sweeps(&self) -> &[Period] {
        &self.sweeps
    }

    pub(crate) fn has_ended(&self, stage: Stage) -> bool {
        self.ended.contains(&stage)
    }

    pub(crate) fn next_batch(&self) -> u64 {
        self.next_batch
    }

    pub(crate) fn segments(&self) -> &BTreeMap<u32, SegmentState> {
        &self.segments
    }

    /// The ordinals of a segment that have a final outcome.
    pub(crate) fn done(&self, segment: u32) -> Option<&RoaringBitmap> {
        self.segments.get(&segment).map(|state| &state.done)
    }

    /// How many they are.
    pub(crate) fn done_rows(&self, segment: u32) -> u64 {
        self.done(segment).map_or(0, RoaringBitmap::len)
    }

    /// Adds a record that follows the header.
    pub(crate) fn apply(&mut self, record: &Record) -> Result<(), Nonsense> {
        if self.is_undone || (self.is_finished && *record != Record::Undone) {
            return Err("a record after the last");
        }
        match record {
            Record::Header { .. } => Err("a second header"),
            Record::Began { now, trash } => {
                self.sweeps.push(Period { began: *now, last: *now });
                self.used_trash |= trash;
                Ok(())
            }
            Record::Intent { batch, after, spans } => {
                self.go_on(*after)?;
                self.intend(*batch, spans)
            }
            Record::Markers { batch, markers } => self.mark(*batch, markers),
            Record::Outcome { batch, after, runs } => {
                self.go_on(*after)?;
                self.settle(*batch, runs)
            }
            Record::Ended(stage) => self.end(*stage),
            Record::Finished(fates) => self.finish(*fates),
            Record::Undone => {
                self.is_undone = true;
                Ok(())
            }
        }
    }

    fn go_on(&mut self, after: u64) -> Result<(), Nonsense> {
        let sweep = self.sweeps.last_mut().ok_or("a batch before a sweep began")?;
        sweep.last = sweep.last.max(sweep.began.after(Duration::from_secs(after)));
        Ok(())
    }

    fn mark(&mut self, batch: u64, markers: &[Marked]) -> Result<(), Nonsense> {
        let spans = self.open.get(&batch).ok_or("markers without an intent")?;
        if !markers.iter().all(|marked| spans.iter().any(|span| span.holds(marked))) {
            return Err("markers for other rows than intended");
        }
        self.marked = self.marked.saturating_add(markers.len() as u64);
        Ok(())
    }

    fn intend(&mut self, batch: u64, spans: &[Span]) -> Result<(), Nonsense> {
        if batch < self.next_batch {
            return Err("a batch that was there before");
        }
        if spans.iter().any(|span| self.touches_done(*span)) {
            return Err("an intent for a row that has its outcome");
        }
        self.next_batch = batch.checked_add(1).ok_or("a batch number without a next")?;
        for span in spans {
            let segment = self.segments.entry(span.segment).or_default();
            let mut rows = RoaringBitmap::new();
            rows.insert_range(span.start..span.end());
            segment.again |= rows & &segment.intended;
            segment.intended.insert_range(span.start..span.end());
        }
        self.open.insert(batch, spans.to_vec());
        Ok(())
    }

    fn touches_done(&self, span: Span) -> bool {
        let segment = self.segments.get(&span.segment);
        segment.is_some_and(|segment| segment.done.range_cardinality(span.start..span.end()) > 0)
    }

    fn settle(&mut self, batch: u64, runs: &[Run]) -> Result<(), Nonsense> {
        let spans = self.open.remove(&batch).ok_or("an outcome without an intent")?;
        if !spans.into_iter().eq(joined(runs.iter().map(|run| run.span))) {
            return Err("an outcome for other rows than intended");
        }
        if runs.iter().any(|run| self.ended.contains(&run.kind.stage())) {
            return Err("an outcome in a stage that had ended");
        }
        runs.iter().try_for_each(|run| self.add(run))
    }

    fn add(&mut self, run: &Run) -> Result<(), Nonsense> {
        if matches!(run.fate, Fate::Failed(_)) {
            return Ok(());
        }
        let segment = self.segments.entry(run.span.segment).or_default();
        let length = u64::from(run.span.length);
        if segment.done.insert_range(run.span.start..run.span.end()) != length {
            return Err("two outcomes for one row");
        }
        if run.fate == Fate::Gone {
            segment.doubtful += segment.again.range_cardinality(run.span.start..run.span.end());
        }
        *segment.fates.entry(run.kind).or_default() += run.fates();
        if run.fate == Fate::Trashed {
            self.trashed = self.trashed.saturating_add(length);
        }
        Ok(())
    }

    fn end(&mut self, stage: Stage) -> Result<(), Nonsense> {
        if self.ended.insert(stage) { Ok(()) } else { Err("a stage that ends twice") }
    }

    fn finish(&mut self, fates: Fates) -> Result<(), Nonsense> {
        if fates != self.fates() {
            return Err("totals that are not the sum of the outcomes");
        }
        self.is_finished = true;
        Ok(())
    }

    /// Makes the sets of ordinals small; nothing else changes.
    pub(crate) fn compact(&mut self) {
        for segment in self.segments.values_mut() {
            segment.done.optimize();
            segment.intended.optimize();
            segment.again.optimize();
        }
    }
}

impl Run {
    /// The run as counts.
    pub(crate) fn fates(&self) -> Fates {
        let count = Count { objects: u64::from(self.span.length), bytes: self.bytes };
        let mut fates = Fates::default();
        match self.fate {
            Fate::Deleted | Fate::Trashed => fates.deleted = count,
            Fate::Rewritten => fates.rewritten = count,
            Fate::Gone => fates.already_gone = count,
            Fate::Spared => fates.spared = count,
            Fate::Failed(_) => fates.failed = count,
        }
        fates
    }
}

/// The same rows in as few spans as their order allows.
pub(crate) fn joined(spans: impl IntoIterator<Item = Span>) -> Vec<Span> {
    let mut joined: Vec<Span> = Vec::new();
    for span in spans {
        match joined.last_mut() {
            Some(last) if last.meets(span) => last.length += span.length,
            _ => joined.push(span),
        }
    }
    joined
}

#[cfg(test)]
mod tests;
