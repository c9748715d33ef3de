//! The plan on disk.
//!
//! A directory: `plan.json`, which says what the plan is and lists its segments with their checksums, and for each stage
//! that has rows either one Parquet file, `<stage>/all.parquet`, where they are at most [`Part::SMALL_STAGE`], or one for
//! each shard that has rows, `<stage>/<shard>.parquet`. Until `plan.json` is there the directory holds
//! `plan.json.unfinished`, and is no plan.
//!
//! Format 2.1, or 3.0 where a keep list decided too, or multipart uploads or broken links are among the rows; 2.2 or 3.1
//! where rows have entity tags. A minor version may add fields that a reader can do without; anything else, also a new
//! name of a kind, a reason or a breaker, is a new major version. Format 2 knows neither the field `keep_list` nor the
//! breakers about such a list, so that who does without them would carry out a plan whose list is past use; and neither
//! the kinds `multipart_upload` and `broken_link`, nor the column `upload`, nor the reason `broken-link`. 2.1 and 3.0
//! know neither the field `etags` nor the column `etag`, by which nothing is decided. 2.0 does not know the fields
//! `multipart` and `purpose`. Format 1 knows neither the reason `expired` nor the column `rule`. All are read as well.
//! `plan.json` holds no fractions, because its id is the SHA-256 of its JSON with sorted keys, without white space, and
//! with an empty id.

mod append;
mod columns;
mod directory;
mod document;
mod draft;
mod header;
mod id;
mod publish;
mod read;
mod schema;
mod segment;
pub(crate) mod time_text;
mod write;

#[cfg(test)]
mod tests;

pub use document::parse_header;
pub use draft::Draft;
pub use header::{
    Doubt, Doubts, Header, KeepList, Location, MultipartSeen, Purpose, Requests, Retention,
    RuleTold, Totals,
};
pub use id::{InvalidPlanId, PlanId};
pub use read::{Plan, Rows, parse_segment};
pub use segment::{Part, Segment};
pub use write::{PlanWriter, Sealed};

/// The file that makes a directory a plan.
const PLAN_FILE: &str = "plan.json";

/// What `plan.json` is called until everything else is written.
const UNFINISHED_FILE: &str = "plan.json.unfinished";

/// Major version of the newest format that is written here, and read.
const FORMAT_MAJOR: u32 = 3;

/// The oldest major version that is read.
const OLDEST_MAJOR: u32 = 1;

/// Major and minor version of a plan by a keep list, or with multipart uploads or broken links.
const NEWEST: (u32, u32) = (FORMAT_MAJOR, 0);

/// Major and minor version of any other plan, which older programs read too.
const USUAL: (u32, u32) = (2, 1);

/// What entity tags add to either minor version.
const ETAGS: u32 = 1;
