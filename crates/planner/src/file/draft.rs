//! What a plan would hold, for those who only want to be told.

use std::path::PathBuf;

use crate::file::read::rows_of_all;
use crate::file::{Header, Segment, Totals};
use crate::{PlanError, Row};

/// What would go, and why. It has no id and no place on disk: nothing can be carried out by it.
#[derive(Debug)]
pub struct Draft {
    pub(crate) header: Header,
    pub(crate) totals: Totals,
    pub(crate) dir: PathBuf,
    /// In the order of sweeping.
    pub(crate) stages: Vec<Drafted>,
}

/// The rows of a stage.
#[derive(Debug)]
pub(crate) enum Drafted {
    /// All of a small one, by shard.
    Held(Vec<Vec<Row>>),
    /// A larger one's, which did not fit into memory.
    Written(Vec<Segment>),
}

impl Draft {
    /// What the plan would say about itself.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// What the plan would delete, by kind.
    #[must_use]
    pub const fn totals(&self) -> &Totals {
        &self.totals
    }

    /// The rows, in the order of the plan.
    ///
    /// # Errors
    /// As [`Plan::rows`](crate::Plan::rows), where rows had to go to disk; each in its place, and the rows behind it in its
    /// segment are missing.
    pub fn into_rows(self) -> impl Iterator<Item = Result<Row, PlanError>> {
        let Self { dir, stages, .. } = self;
        stages.into_iter().flat_map(move |stage| -> Box<dyn Iterator<Item = _>> {
            match stage {
                Drafted::Held(rows) => Box::new(rows.into_iter().flatten().map(Ok)),
                Drafted::Written(segments) => Box::new(rows_of_all(dir.clone(), segments)),
            }
        })
    }
}
