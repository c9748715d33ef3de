//! Cutting the rows of a stage into batches.
//!
//! Rows are taken a few at a time from sixteen parts of the digests in turn, so that every batch is spread over the
//! shards, and asks as much of each partition where a store has made up to sixteen. One stream of rows is cut, so that
//! `n` rows make `n / batch` requests, rounded up once.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use planner::{Part, Row, RowKind, Segment, Stage};
use registry::Shard;
use store::{DeleteBatch, Doomed, Trash};
use tokio::sync::mpsc::Sender;

use crate::journal::{JournalState, Span, joined};
use crate::obstacles::Obstacles;
use crate::source::Source;
use crate::{Cause, Count};

/// From how many places rows are taken in turn: as many as make the load even, few enough for memory (G12). Each is for
/// the shards that share their first hexadecimal digit.
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
    /// What is asked of the store.
    pub(crate) request: Request,
}

/// What is asked of the store for the rows of a batch.
#[derive(Debug)]
pub(crate) enum Request {
    /// To delete these.
    Delete(DeleteBatch),
    /// To write them anew: what is not to be deleted never makes a batch of deletions.
    Rewrite,
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
    /// Where objects go, where they are not deleted for good.
    pub(crate) trash: Option<Trash>,
}

impl<P: Source> Cut<P> {
    /// Sends every batch of the stage, until nobody takes them. Blocks: reading and sending.
    pub(crate) fn run(&self, batches: &Sender<Batch>) -> Result<HeldBack, Cause> {
        let (stage, trash) = (self.stage, self.trash.clone());
        let (rows, places, held_back) = <_>::default();
        let mut open = Open { rows, places, held_back, stage, trash };
        let mut lanes = self.lanes()?;
        while let Some(mut lane) = lanes.pop_front() {
            // Rounded down: what fills a batch up comes from another lane each time.
            let turn = (self.size / LANES).max(1).min(self.size - open.rows.len());
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

    /// Where rows are taken from. A lane opens its segments one after the other, so that there are never more lanes in
    /// one part of the digests than in another.
    fn lanes(&self) -> Result<VecDeque<Lane<'_>>, Cause> {
        let mut lanes = VecDeque::new();
        let mut by_digit = BTreeMap::<u8, Vec<_>>::new();
        for (number, segment) in self.segments() {
            match segment.part {
                Part::All => lanes.extend(small_lanes(self.rows(number, segment))?),
                Part::Shard(shard) => {
                    by_digit.entry(digit(shard)).or_default().push((number, segment));
                }
            }
        }
        lanes.extend(by_digit.into_values().map(|segments| self.lane(segments)));
        Ok(lanes)
    }

    fn lane<'a>(&'a self, segments: Vec<(u32, &'a Segment)>) -> Lane<'a> {
        Box::new(segments.into_iter().flat_map(|(number, segment)| self.rows(number, segment)))
    }

    /// The segments that have rows left.
    fn segments(&self) -> impl Iterator<Item = (u32, &Segment)> {
        (0..).zip(self.source.segments()).filter(|(number, segment)| {
            segment.stage == self.stage && self.state.done_rows(*number) < segment.rows
        })
    }

    /// The rows of a segment that have no outcome yet.
    fn rows<'a>(&'a self, number: u32, segment: &'a Segment) -> Lane<'a> {
        let rows = match self.source.rows(segment) {
            Ok(rows) => rows,
            Err(error) => return Box::new(std::iter::once(Err(Cause::Plan(error)))),
        };
        let done = self.state.done(number);
        let numbered = (0_u64..).zip(rows).map(move |(ordinal, row)| {
            let ordinal = u32::try_from(ordinal);
            let ordinal = ordinal.map_err(|_| Cause::Oversized { file: segment.file() })?;
            row.map(|row| (Place { segment: number, ordinal }, row)).map_err(Cause::Plan)
        });
        Box::new(numbered.filter(move |row: &Result<(Place, Row), Cause>| {
            !row.as_ref()
                .is_ok_and(|(place, _)| done.is_some_and(|done| done.contains(place.ordinal)))
        }))
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

/// The lanes of a small stage, which is one segment. Holds its rows in memory: they are few (G12).
fn small_lanes<'a>(rows: Lane<'a>) -> Result<Vec<Lane<'a>>, Cause> {
    let mut by_digit = BTreeMap::<u8, Vec<_>>::new();
    for row in rows {
        let (place, row) = row?;
        by_digit.entry(digit(row.shard())).or_default().push((place, row));
    }
    let lane = |rows: Vec<(Place, Row)>| -> Lane<'a> { Box::new(rows.into_iter().map(Ok)) };
    Ok(by_digit.into_values().map(lane).collect())
}

/// The first hexadecimal digit of what lies in a shard.
const fn digit(shard: Shard) -> u8 {
    shard.0 >> 4
}

/// The batch being filled, and what was passed over.
struct Open {
    rows: Vec<Row>,
    places: Vec<Place>,
    held_back: HeldBack,
    stage: Stage,
    trash: Option<Trash>,
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
        let request = if self.stage == Stage::Repairs {
            Request::Rewrite
        } else {
            Request::Delete(self.deletion(&rows)?)
        };
        Ok(Batch { rows, places: std::mem::take(&mut self.places), request })
    }

    fn deletion(&self, rows: &[Row]) -> Result<DeleteBatch, Cause> {
        let doomed = |row: &Row| Doomed {
            key: row.key.clone(),
            modified: row.modified,
            upload: row.upload.clone(),
        };
        let request = DeleteBatch::new(rows.iter().map(doomed).collect()).map_err(Cause::Batch)?;
        Ok(match &self.trash {
            Some(trash) if !request.is_of_uploads() => request.into_trash(trash.clone()),
            _ => request,
        })
    }
}
