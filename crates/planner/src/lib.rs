//! Decides what goes: pure verdicts, the plan on disk, and the audit of a plan.

mod policy;
mod row;

pub use policy::{Cutoffs, Policy};
pub use row::{Reason, Row, RowKind, Stage};
