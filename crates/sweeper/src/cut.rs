//! Cutting the rows of a stage into batches.
//!
//! Rows are taken a few at a time from several places in turn, segments or stretches of the one segment of a small
//! stage, so that every batch, and the batches in flight together, are spread over the shards and with them over the
//! store's partitions. One stream of rows is cut, so that `n` rows make `n / batch` requests, rounded up once.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use planner::{Part, Row, RowKind, Segment, Stage};
use store::{DeleteBatch, Doomed};
use tokio::sync::mpsc::Sender;

use crate::journal::{JournalState, Span, joined};
use crate::obstacles::Obstacles;
use crate::source::Source;
use crate::{Cause, Count};

/// From how many places rows are taken in turn: as many as make the load even, few enough for memory (G12).
const LANES: usize = 16;

/// Where a row stands in the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The position of its segment.
    pub(crate) segment: u32,
    /// Its position in the segment.
    pub(crate) ordinal: u32,
}

impl Place {
    /// The span of this row alone.
    pub(crate) const fn span(self) -> Span {
        Span { segment: self.segment, start: self.ordinal, length: 1 }
    }
}

/// Rows that go in one request.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) rows: Vec<Row>,
    /// As many as rows.
    pub(crate) places: Vec<Place>,
    /// The same rows, as the store gets them.
    pub(crate) request: DeleteBatch,
}

impl Batch {
    /// The rows as the journal names them.
    pub(crate) fn spans(&self) -> Vec<Span> {
        joined(self.places.iter().map(|place| place.span()))
    }
}

/// Rows that were passed over, by segment and kind.
pub(crate) type HeldBack = BTreeMap<(u32, RowKind), Count>;

/// What is to be cut.
#[derive(Debug)]
pub(crate) struct Cut<P> {
    pub(crate) source: Arc<P>,
    pub(crate) stage: Stage,
    /// Rows that have their outcome are left out.
    pub(crate) state: Arc<JournalState>,
    /// G8: what these protect is left out, and counted.
    pub(crate) obstacles: Obstacles,
    /// Rows in a batch at most; at least one.
    pub(crate) size: usize,
}

impl<P: Source> Cut<P> {
    /// Sends every batch of the stage, until nobody takes them. Blocks: reading and sending.
    pub(crate) fn run(&self, batches: &Sender<Batch>) -> Result<HeldBack, Cause> {
        let mut open = Open { rows: Vec::new(), places: Vec::new(), held_back: HeldBack::new() };
        let mut waiting = self.segments().into_iter();
        let mut lanes = VecDeque::new();
        loop {
            while lanes.len() < LANES
                && let Some((number, segment)) = waiting.next()
            {
                lanes.extend(self.lanes(number, segment)?);
            }
            let Some(mut lane) = lanes.pop_front() else { break };
            let turn = self.size.div_ceil(LANES).min(self.size - open.rows.len());
            if self.take_turn(&mut lane, turn, &mut open)? {
                lanes.push_back(lane);
            }
            if open.rows.len() == self.size && batches.blocking_send(open.close()?).is_err() {
                return Ok(open.held_back);
            }
        }
        if !open.rows.is_empty() {
            // Where nobody takes it, the sweep has ended early and says so itself.
            drop(batches.blocking_send(open.close()?));
        }
        Ok(open.held_back)
    }

    /// The segments that have rows left, far apart from each other: neighbouring shards share a partition.
    fn segments(&self) -> Vec<(u32, &Segment)> {
        let of_stage = (0..).zip(self.source.segments()).filter(|(number, segment)| {
            segment.stage == self.stage && self.state.done_rows(*number) < segment.rows
        });
        let mut segments: Vec<_> = of_stage.collect();
        segments.sort_by_key(|(_, segment)| match segment.part {
            Part::All => 0,
            Part::Shard(shard) => shard.0.reverse_bits(),
        });
        segments
    }

    /// A segment being read: as one lane, or, where it is a small stage ordered by shard, in stretches side by side.
    fn lanes<'a>(&'a self, number: u32, segment: &'a Segment) -> Result<Vec<Lane<'a>>, Cause> {
        let rows = self.source.rows(segment).map_err(Cause::Plan)?;
        let done = self.state.done(number);
        let numbered = (0_u64..).zip(rows).map(move |(ordinal, row)| {
            let ordinal = u32::try_from(ordinal);
            let ordinal = ordinal.map_err(|_| Cause::Oversized { file: segment.file() })?;
            row.map(|row| (Place { segment: number, ordinal }, row)).map_err(Cause::Plan)
        });
        let left = numbered.filter(move |row: &Result<(Place, Row), Cause>| {
            !row.as_ref()
                .is_ok_and(|(place, _)| done.is_some_and(|done| done.contains(place.ordinal)))
        });
        match segment.part {
            Part::Shard(_) => Ok(vec![Box::new(left)]),
            Part::All => Ok(stretches(left.collect::<Result<_, _>>()?)),
        }
    }

    /// Takes up to `turn` rows from a lane; says whether there may be more.
    fn take_turn(&self, lane: &mut Lane<'_>, turn: usize, open: &mut Open) -> Result<bool, Cause> {
        let full = open.rows.len() + turn;
        while open.rows.len() < full {
            let Some((place, row)) = lane.next().transpose()? else { return Ok(false) };
            if self.obstacles.protect(&row) {
                open.hold_back(place, &row);
            } else {
                open.push(place, row);
            }
        }
        Ok(true)
    }
}

/// Rows that have no outcome yet.
type Lane<'a> = Box<dyn Iterator<Item = Result<(Place, Row), Cause>> + 'a>;

/// Cuts the rows of a small stage into as many stretches as there are lanes. Holds them in memory: they are few (G12).
fn stretches<'a>(rows: Vec<(Place, Row)>) -> Vec<Lane<'a>> {
    let length = rows.len().div_ceil(LANES);
    let mut rows = rows.into_iter();
    let mut stretches: Vec<Lane<'a>> = Vec::new();
    while !rows.as_slice().is_empty() {
        let stretch: Vec<_> = rows.by_ref().take(length).collect();
        stretches.push(Box::new(stretch.into_iter().map(Ok)));
    }
    stretches
}

/// The batch being filled, and what was passed over.
struct Open {
    rows: Vec<Row>,
    places: Vec<Place>,
    held_back: HeldBack,
}

impl Open {
    fn push(&mut self, place: Place, row: Row) {
        self.places.push(place);
        self.rows.push(row);
    }

    fn hold_back(&mut self, place: Place, row: &Row) {
        *self.held_back.entry((place.segment, row.kind)).or_default() += Count::one(row.bytes);
    }

    fn close(&mut self) -> Result<Batch, Cause> {
        let rows = std::mem::take(&mut self.rows);
        let doomed = |row: &Row| Doomed { key: row.key.clone(), modified: row.modified };
        let request = DeleteBatch::new(rows.iter().map(doomed).collect()).map_err(Cause::Batch)?;
        Ok(Batch { rows, places: std::mem::take(&mut self.places), request })
    }
}
