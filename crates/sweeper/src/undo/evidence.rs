//! What a journal says about rows, a part of the plan at a time.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::ops::Range;

use roaring::RoaringBitmap;

use crate::journal::{Fate, Marked, ReadError, Record, Run, Span, replay_to};

/// What is known of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trace {
    /// It was never asked for, or the store said that it spared it or did not have it.
    Untouched,
    /// The store said that it deleted it.
    Deleted(Vec<Box<str>>),
    /// It went to the trash.
    Trashed,
    /// It was asked for, and no final answer is known: it may or may not be deleted.
    Unsettled(Vec<Box<str>>),
}

/// What a journal says about the rows of some neighbouring segments. Some bits for each row, and the version ids.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    segments: BTreeMap<u32, OfSegment>,
}

#[derive(Debug, Default)]
struct OfSegment {
    intended: RoaringBitmap,
    /// Asked for more than once, since no answer before was final: the first request may have deleted it.
    again: RoaringBitmap,
    settled: RoaringBitmap,
    deleted: RoaringBitmap,
    trashed: RoaringBitmap,
    /// By ordinal, in the order in which they were made.
    markers: HashMap<u32, Vec<Box<str>>>,
}

impl Evidence {
    /// Reads a journal from its beginning.
    pub(super) fn gather(journal: &mut impl Read, segments: Range<u32>) -> Result<Self, ReadError> {
        let mut evidence = Self::default();
        replay_to(journal, &mut |record| evidence.hear(record, &segments))?;
        Ok(evidence)
    }

    fn hear(&mut self, record: &Record, wanted: &Range<u32>) {
        match record {
            Record::Intent { spans, .. } => {
                let spans = spans.iter().filter(|span| wanted.contains(&span.segment));
                spans.for_each(|span| self.at(span.segment).intend(*span));
            }
            Record::Outcome { runs, .. } => {
                let runs = runs.iter().filter(|run| wanted.contains(&run.span.segment));
                runs.for_each(|run| self.settle(run));
            }
            Record::Markers { markers, .. } => {
                for Marked { segment, ordinal, id } in markers {
                    if wanted.contains(segment) {
                        self.at(*segment).markers.entry(*ordinal).or_default().push(id.clone());
                    }
                }
            }
            Record::Header { .. }
            | Record::Began { .. }
            | Record::Ended(_)
            | Record::Finished(_)
            | Record::Undone => {}
        }
    }

    fn settle(&mut self, run: &Run) {
        let segment = self.at(run.span.segment);
        match run.fate {
            Fate::Deleted => {
                add(&mut segment.settled, run.span);
                add(&mut segment.deleted, run.span);
            }
            Fate::Trashed => {
                add(&mut segment.settled, run.span);
                add(&mut segment.trashed, run.span);
            }
            // Gone by the request before, whose answer was lost, or by somebody else.
            Fate::Gone => segment.settled |= &rows_of(run.span) - &segment.again,
            Fate::Spared | Fate::Rewritten => add(&mut segment.settled, run.span),
            // A store may delete what it says it could not.
            Fate::Failed(_) => {}
        }
    }

    fn at(&mut self, segment: u32) -> &mut OfSegment {
        self.segments.entry(segment).or_default()
    }

    /// What is known of a row; each row is asked for once.
    pub(super) fn take(&mut self, segment: u32, ordinal: u32) -> Trace {
        let Some(known) = self.segments.get_mut(&segment) else { return Trace::Untouched };
        let ids = known.markers.remove(&ordinal).unwrap_or_default();
        if known.trashed.contains(ordinal) {
            Trace::Trashed
        } else if known.deleted.contains(ordinal) {
            Trace::Deleted(ids)
        } else if known.intended.contains(ordinal) && !known.settled.contains(ordinal) {
            Trace::Unsettled(ids)
        } else {
            Trace::Untouched
        }
    }
}

impl OfSegment {
    fn intend(&mut self, span: Span) {
        self.again |= rows_of(span) & &self.intended;
        add(&mut self.intended, span);
    }
}

fn rows_of(span: Span) -> RoaringBitmap {
    (span.start..span.end()).collect()
}

fn add(rows: &mut RoaringBitmap, span: Span) {
    rows.insert_range(span.start..span.end());
}

#[cfg(test)]
mod tests {
    use planner::RowKind;

    use super::*;

    #[test]
    fn g4_a_row_that_was_gone_when_it_was_asked_for_again_may_have_been_deleted_by_us() {
        let span = |start, length| Span { segment: 0, start, length };
        let intent = |batch, span| Record::Intent { batch, after: 0, spans: vec![span] };
        let gone = Run { span: span(0, 2), kind: RowKind::Blob, fate: Fate::Gone, bytes: 0 };
        let mut evidence = Evidence::default();
        for record in [
            intent(0, span(0, 1)),
            intent(1, span(0, 2)),
            Record::Outcome { batch: 1, after: 0, runs: vec![gone] },
        ] {
            evidence.hear(&record, &(0..1));
        }
        assert_eq!(evidence.take(0, 0), Trace::Unsettled(Vec::new()));
        assert_eq!(evidence.take(0, 1), Trace::Untouched);
    }
}
