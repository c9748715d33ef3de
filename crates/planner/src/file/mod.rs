//! The plan on disk.
//!
//! A directory: `plan.json`, which says what the plan is and lists its segments with their checksums, and for each stage
//! that has rows either one Parquet file, `<stage>/all.parquet`, where they are at most [`Part::SMALL_STAGE`], or one for
//! each shard that has rows, `<stage>/<shard>.parquet`. Until `plan.json` is there the directory holds
//! `plan.json.unfinished`, and is no plan.
//!
//! Format 2.0. A minor version may add fields that a reader can do without; anything else, also a new name of a kind,
//! a reason or a breaker, is a new major version. Format 1 knows neither the reason `expired` nor the column `rule`, and
//! is read as well. `plan.json` holds no fractions, because its id is the SHA-256 of its
//! JSON with sorted keys, without white space, and with an empty id.

mod append;
mod columns;
mod directory;
mod document;
mod header;
mod id;
mod read;
mod segment;
pub(crate) mod time_text;
mod write;

#[cfg(test)]
mod tests;

pub use document::parse_header;
pub use header::{Doubt, Doubts, Header, Location, Purpose, Requests, Retention, RuleTold, Totals};
pub use id::{InvalidPlanId, PlanId};
pub use read::{Plan, Rows, parse_segment};
pub use segment::{Part, Segment};
pub use write::{PlanWriter, Sealed};

/// The file that makes a directory a plan.
const PLAN_FILE: &str = "plan.json";

/// What `plan.json` is called until everything else is written.
const UNFINISHED_FILE: &str = "plan.json.unfinished";

/// Major version of the format that is written here.
const FORMAT_MAJOR: u32 = 2;

/// The oldest major version that is read.
const OLDEST_MAJOR: u32 = 1;

/// Minor version of the format that is written here.
const FORMAT_MINOR: u32 = 0;
