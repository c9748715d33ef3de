//! Where rows come from.

use planner::{Plan, PlanError, Row, Segment};

/// What the sweeper needs of a plan.
pub(crate) trait Source: Send + Sync + 'static {
    /// All segments, always in the same order: their positions stand in the journal.
    fn segments(&self) -> &[Segment];

    /// The rows of a segment, always in the same order: their positions stand in the journal.
    fn rows<'a>(&'a self, segment: &'a Segment) -> Result<Rows<'a>, PlanError>;
}

/// Rows as they are read.
pub(crate) type Rows<'a> = Box<dyn Iterator<Item = Result<Row, PlanError>> + 'a>;

impl Source for Plan {
    fn segments(&self) -> &[Segment] {
        self.segments()
    }

    fn rows<'a>(&'a self, segment: &'a Segment) -> Result<Rows<'a>, PlanError> {
        Ok(Box::new(self.rows(segment)?))
    }
}
