//! Views of plans, reports and failures.

mod check;
mod csv;
mod failure;
mod human;
mod online;
mod plan_table;
mod summary;
mod undo;
mod undone;

pub(crate) use check::{CheckSummary, check_table};
pub use csv::write_csv;
pub use failure::{failure_json, failure_line, failure_text, hint_lines};
pub use human::{count, size};
pub use online::OnlineSummary;
pub(crate) use online::online_table;
pub use plan_table::{plan_table, sweep_table};
pub use summary::{Summary, Swept};
pub use undo::{UndoSummary, undo_table};
pub use undone::{UndoneSummary, undone_table};
