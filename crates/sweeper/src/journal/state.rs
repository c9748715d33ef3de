//! What a journal adds up to.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use planner::{RowKind, Stage};
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
        let unsettled =
            |segment: &SegmentState| segment.intended.len() - segment.done.len() + segment.doubtful;
        self.segments.values().map(unsettled).sum()
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
            let rows: RoaringBitmap = (span.start..span.end()).collect();
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
mod tests {
    use store::ErrorKind;

    use super::*;

    fn span(segment: u32, start: u32, length: u32) -> Span {
        Span { segment, start, length }
    }

    fn run(span: Span, fate: Fate) -> Run {
        Run { span, kind: RowKind::Blob, fate, bytes: u64::from(span.length) * 10 }
    }

    fn intent(batch: u64, spans: &[Span]) -> Record {
        Record::Intent { batch, after: 0, spans: spans.to_vec() }
    }

    fn outcome(batch: u64, runs: &[Run]) -> Record {
        Record::Outcome { batch, after: 1, runs: runs.to_vec() }
    }

    fn after(records: &[Record]) -> Result<JournalState, Nonsense> {
        let mut state = JournalState::default();
        state.apply(&Record::Began { now: Timestamp::default(), trash: false })?;
        records.iter().try_for_each(|record| state.apply(record))?;
        Ok(state)
    }

    #[test]
    fn rows_that_failed_are_not_done_and_all_others_are() {
        let failed = Fate::Failed(ErrorKind::Denied);
        let state = after(&[
            intent(0, &[span(0, 0, 4), span(3, 7, 2)]),
            outcome(
                0,
                &[
                    run(span(0, 0, 1), Fate::Deleted),
                    run(span(0, 1, 1), failed),
                    run(span(0, 2, 2), Fate::Gone),
                    run(span(3, 7, 2), Fate::Spared),
                ],
            ),
            intent(1, &[span(0, 1, 1)]),
        ])
        .unwrap();
        assert_eq!(state.done(0), Some(&[0, 2, 3].into_iter().collect()));
        assert_eq!(state.done(3), Some(&[7, 8].into_iter().collect()));
        assert_eq!(state.done(4), None);
        assert_eq!((state.done_rows(0), state.done_rows(4)), (3, 0));
        assert_eq!(state.uncertain_rows(), 1);
        assert_eq!(state.next_batch(), 2);
        let fates = state.fates();
        assert_eq!(fates.deleted, Count { objects: 1, bytes: 10 });
        assert_eq!(fates.already_gone, Count { objects: 2, bytes: 20 });
        assert_eq!(fates.spared, Count { objects: 2, bytes: 20 });
        assert_eq!(fates.failed, Count::default());
    }

    #[test]
    fn g4_a_row_that_was_gone_when_it_was_asked_for_again_may_have_been_deleted_by_us() {
        let failed = run(span(0, 1, 1), Fate::Failed(ErrorKind::Transient));
        let first = [intent(0, &[span(0, 0, 1)]), intent(1, &[span(0, 1, 1)])];
        let again = [outcome(1, &[failed]), intent(2, &[span(0, 0, 3)])];
        let state = after(&[&first[..], &again[..]].concat()).unwrap();
        assert_eq!(state.unsettled_rows(), 3);
        let gone = outcome(2, &[run(span(0, 0, 3), Fate::Gone)]);
        let state = after(&[&first[..], &again[..], &[gone]].concat()).unwrap();
        assert_eq!((state.done_rows(0), state.unsettled_rows()), (3, 2));
    }

    #[test]
    fn what_contradicts_itself_is_nonsense() {
        let row = span(0, 0, 1);
        let deleted = run(row, Fate::Deleted);
        let done = || vec![intent(0, &[row]), outcome(0, &[deleted])];
        let with = |more: Vec<Record>| after(&[done(), more].concat()).unwrap_err();
        assert_eq!(with(vec![intent(0, &[span(0, 1, 1)])]), "a batch that was there before");
        assert_eq!(with(vec![intent(1, &[row])]), "an intent for a row that has its outcome");
        assert_eq!(with(vec![outcome(1, &[deleted])]), "an outcome without an intent");
        assert_eq!(
            with(vec![intent(1, &[span(0, 1, 2)]), outcome(1, &[run(span(0, 1, 1), Fate::Gone)])]),
            "an outcome for other rows than intended"
        );
        let again = span(0, 5, 1);
        let twice = [intent(1, &[again]), intent(2, &[again])];
        let settled = |batch| outcome(batch, &[run(again, Fate::Gone)]);
        assert_eq!(
            with([twice.to_vec(), vec![settled(1), settled(2)]].concat()),
            "two outcomes for one row"
        );
        let ended = Record::Ended(Stage::Blobs);
        assert_eq!(with(vec![ended.clone(), ended.clone()]), "a stage that ends twice");
        assert_eq!(
            with(vec![intent(1, &[again]), ended, settled(1)]),
            "an outcome in a stage that had ended"
        );
        let header = Record::Header { format: 1, plan: "p".into() };
        assert_eq!(with(vec![header]), "a second header");
        let totals = Record::Finished(Fates::default());
        assert_eq!(with(vec![totals]), "totals that are not the sum of the outcomes");
        let totals = Record::Finished(after(&done()).unwrap().fates());
        assert_eq!(with(vec![totals.clone(), totals.clone()]), "a record after the last");
        let undone = Record::Undone;
        assert_eq!(with(vec![totals, undone.clone(), undone]), "a record after the last");
        let marked = Marked { segment: 0, ordinal: 0, id: "m".into() };
        let markers = Record::Markers { batch: 0, markers: vec![marked] };
        assert_eq!(with(vec![markers]), "markers without an intent");
        assert_eq!(
            JournalState::default().apply(&intent(0, &[row])),
            Err("a batch before a sweep began")
        );
    }

    #[test]
    fn neighbours_are_joined_and_nothing_else_is() {
        let spans = [span(0, 0, 2), span(0, 2, 1), span(0, 4, 1), span(1, 5, 1), span(1, 3, 2)];
        assert_eq!(joined(spans), [span(0, 0, 3), span(0, 4, 1), span(1, 5, 1), span(1, 3, 2)]);
    }
}
