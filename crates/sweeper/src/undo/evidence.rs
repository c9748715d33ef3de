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
                spans.for_each(|span| add(&mut self.at(span.segment).intended, *span));
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
            Fate::Gone | Fate::Spared => add(&mut segment.settled, run.span),
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

fn add(rows: &mut RoaringBitmap, span: Span) {
    rows.insert_range(span.start..span.end());
}
