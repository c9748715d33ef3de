//! The rows of a stage, shard by shard, whether it is one segment or many.

use std::iter::Peekable;

use planner::{Part, Plan, PlanError, Row, Rows, Segment, Stage};
use registry::Shard;

/// Reads a stage shard by shard, in ascending order, each row once.
pub(crate) struct ByShard<'a> {
    plan: &'a Plan,
    segments: Vec<&'a Segment>,
    /// The segment of a small stage, under way: its rows have the order of the shards.
    small: Option<Peekable<Rows>>,
}

impl<'a> ByShard<'a> {
    pub(crate) fn new(plan: &'a Plan, stage: Stage) -> Self {
        let segments = plan.segments().iter().filter(|segment| segment.stage == stage).collect();
        Self { plan, segments, small: None }
    }

    /// Reads the rows of `shard`; those of a small stage up to `shard`.
    pub(crate) fn each(
        &mut self,
        shard: Shard,
        mut take: impl FnMut(&Row),
    ) -> Result<(), PlanError> {
        for segment in &self.segments {
            if segment.part == Part::Shard(shard) {
                self.plan.rows(segment)?.try_for_each(|row| row.map(|row| take(&row)))?;
            } else if segment.part == Part::All && self.small.is_none() {
                self.small = Some(self.plan.rows(segment)?.peekable());
            }
        }
        let Some(rows) = &mut self.small else { return Ok(()) };
        let is_due =
            |row: &Result<Row, PlanError>| row.as_ref().map_or(true, |row| row.shard() <= shard);
        while let Some(row) = rows.next_if(is_due) {
            take(&row?);
        }
        Ok(())
    }
}
