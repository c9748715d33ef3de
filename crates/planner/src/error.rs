//! What can go wrong with a plan.

use std::path::{Path, PathBuf};
use std::time::Duration;

use registry::Timestamp;

use crate::Stage;

/// Why a plan cannot be written or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The directory holds no finished plan.
    #[error("{} holds no finished plan", dir.display())]
    NotAPlan {
        /// Where a plan was looked for.
        dir: PathBuf,
    },
    /// The plan has a format that this program does not read.
    #[error(
        "written by regsweep {written_by} with plan format {major}.{minor}; this regsweep reads up to {reads}.x"
    )]
    OtherFormat {
        /// The version that wrote it.
        written_by: String,
        /// Its format's major version.
        major: u32,
        /// Its format's minor version.
        minor: u32,
        /// The major version that is read here.
        reads: u32,
    },
    /// A file of the plan is not as it was written. Such a plan is never swept: make a new one.
    #[error("{} is damaged: {what}", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        what: Damage,
    },
    /// The file system failed.
    #[error("cannot use {}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The directory is in use for something else.
    #[error("{} already holds {found}; a plan needs a directory of its own", dir.display())]
    Occupied {
        /// The directory.
        dir: PathBuf,
        /// The first thing found there that is no part of an unfinished plan.
        found: String,
    },
    /// A row that a plan cannot hold.
    #[error("key {key:?} {what}")]
    Row {
        /// The row's key.
        key: String,
        /// What is wrong with the row.
        what: RowDamage,
    },
    /// Rows could not be encoded.
    #[error("cannot encode {}", path.display())]
    Encode {
        /// The segment or header that was being written.
        path: PathBuf,
        /// What the encoder says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Rows were added that did not reach their segment, because writing it failed before (G10).
    #[error("{} lacks rows: {added} were added, {written} are written", path.display())]
    Unwritten {
        /// The segment.
        path: PathBuf,
        /// Rows that were added.
        added: u64,
        /// Rows that its row groups hold.
        written: u64,
    },
    /// The plan is too old to be carried out: too much may have been pushed since.
    #[error("the plan is {} old; at most {} are allowed", hours(*age), hours(*max))]
    Stale {
        /// How old it is.
        age: Duration,
        /// How old it may be.
        max: Duration,
    },
    /// The plan claims to be made in the future: one of the two clocks cannot be trusted.
    #[error("the plan was made at {made}, which is later than the store's time {now}")]
    FromTheFuture {
        /// The plan's T0.
        made: Timestamp,
        /// The time that the store tells.
        now: Timestamp,
    },
    /// The plan belongs to another registry.
    #[error("the plan was made for {plan}, not for {given}")]
    OtherLocation {
        /// Identity of the registry it was made for.
        plan: String,
        /// Identity of the registry at hand.
        given: String,
    },
}

/// What is wrong with a file of a plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// It is not there.
    #[error("it is missing")]
    Missing,
    /// It is longer or shorter than the plan says.
    #[error("it has {found} bytes, not {expected}")]
    Length {
        /// Bytes by the plan.
        expected: u64,
        /// Bytes found.
        found: u64,
    },
    /// Its content is not what the plan says.
    #[error("its checksum differs")]
    Checksum,
    /// The header was changed after it was written.
    #[error("its id does not match its content")]
    Id,
    /// The header is no JSON, or not of the shape of its format.
    #[error("{0}")]
    Json(String),
    /// The header contradicts itself about a segment.
    #[error("segment {file} {what}")]
    Entry {
        /// The segment as the header names it.
        file: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The totals are not the sums of the segments (G10).
    #[error("its totals for {} are not the sum of its segments", .0.name())]
    Totals(Stage),
    /// A plan by a keep list deletes something else than blobs.
    #[error("it goes by a keep list, and deletes {} all the same", .0.name())]
    NotOnlyBlobs(Stage),
    /// A segment that the plan does not know.
    #[error("it is no part of the plan")]
    Unlisted,
    /// The segment cannot be decoded.
    #[error("{0}")]
    Decode(String),
    /// The segment's columns are not those of its format.
    #[error("its columns are not those of a plan")]
    Columns,
    /// One row cannot be what was written.
    #[error("row {row} {what}")]
    Row {
        /// Position in the segment, from 0.
        row: u64,
        /// What is wrong with it.
        what: RowDamage,
    },
    /// It holds other rows than the plan says (G10).
    #[error("it holds {found} rows, not {expected}")]
    Rows {
        /// Rows by the plan.
        expected: u64,
        /// Rows found.
        found: u64,
    },
    /// Its rows free another number of bytes than the plan says (G10).
    #[error("its rows hold {found} bytes, not {expected}")]
    Bytes {
        /// Bytes by the plan.
        expected: u64,
        /// Bytes found.
        found: u64,
    },
}

/// What is wrong with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RowDamage {
    /// The key is empty.
    #[error("has an empty key")]
    EmptyKey,
    /// The size is negative or above 2⁶³ − 1.
    #[error("has a size out of range")]
    Size,
    /// The kind is none of [`crate::RowKind`].
    #[error("has an unknown kind")]
    Kind,
    /// The reason is none of [`crate::Reason`].
    #[error("has an unknown reason")]
    Reason,
    /// The digest is none.
    #[error("has an invalid digest")]
    Digest,
    /// The repository is none.
    #[error("has an invalid repository")]
    Repository,
    /// It names an upload and is none, or the other way round.
    #[error("is no upload with an id, or no object without one")]
    Upload,
    /// A text is not UTF-8.
    #[error("has a text that is not UTF-8")]
    Text,
    /// The row belongs to another stage than its segment, or to another shard than the segment's one.
    #[error("belongs to another segment")]
    Segment,
}

impl PlanError {
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        |source| Self::Io { path: path.to_owned(), source }
    }

    pub(crate) fn damaged(file: &Path, what: Damage) -> Self {
        Self::Damaged { file: file.to_owned(), what }
    }
}

/// Ages of plans are told in hours and minutes; seconds decide nothing.
fn hours(age: Duration) -> String {
    let minutes = age.as_secs() / 60;
    format!("{}h {:02}m", minutes / 60, minutes % 60)
}
