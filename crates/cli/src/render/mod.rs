//! Views of plans, reports and failures.

mod check;
mod csv;
mod doctor;
mod explanation;
mod explanation_object;
mod failure;
mod online;
mod plan_table;
mod policy;
mod summary;
mod undo;
mod undone;
mod usage;
mod usage_rows;
mod usage_table;

pub use self::policy::{PolicySummary, TagsJudged, policy_table};
pub(crate) use check::{CheckSummary, check_table};
pub use csv::write_csv;
pub(crate) use doctor::{DiagnosisSummary, diagnosis_table};
pub(crate) use explanation::explanation_text;
pub(crate) use explanation_object::ExplanationObject;
pub use failure::{failure_json, failure_line, failure_text, hint_lines};
pub use online::OnlineSummary;
pub(crate) use online::online_table;
pub use plan_table::{plan_table, sweep_table};
pub use report::{count, size};
pub use summary::{Summary, Swept};
pub use undo::{UndoSummary, undo_table};
pub use undone::{UndoneSummary, undone_table};
pub use usage::{UsageSummary, UsageView};
pub use usage_rows::write_usage_csv;
pub use usage_table::usage_table;
