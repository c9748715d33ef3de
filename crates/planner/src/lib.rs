//! Decides what goes: pure verdicts, the plan on disk, and the audit of a plan.
//!
//! # Words
//! A *verdict* is what becomes of one object; only those that go become *rows*. A *segment* is the rows of one
//! stage, or of one shard of it where they are many. *Facts* are the numbers a run saw; a *breaker* judges them and can forbid a sweep.
//!
//! # Guarantees
//! G1: nothing at or past a cut-off goes. G4: of what is in doubt nothing goes. G5: a plan is finished only with a
//! sealed mark set. G6: a row holds all that a sweep needs, so that a sweep decides nothing. G7: keys are those that
//! were listed. G10: totals are those of the rows.
//!
//! # Shape
//! ```text
//! Marked repository ─▶ judge_repository ─┐
//!                                        ├─▶ rows ─▶ PlanWriter ─▶ plan.json + Parquet segments ─▶ Plan
//! page of blobs ─▶ BlobJudge ────────────┤
//! multipart upload ─▶ judge_multipart ────┘
//!                   └─▶ Facts ─▶ audit ─▶ Notes
//! ```
//! Who only wants to be told what would go ends with a [`Draft`], which nobody can carry out.
//!
//! # Cost
//! A verdict is a few comparisons and one look into a sorted list. A plan is a few bytes for each row.
//!
//! # Start reading at
//! [`judge_repository`], [`BlobJudge`], then [`Plan`].
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod audit;
mod blobs;
mod error;
mod facts;
mod file;
mod fresh;
mod judge;
mod keep_list;
mod multipart;
mod policy;
mod row;

pub use audit::{Breaker, Limits, Note, Severity, UnknownBreaker, allows_sweep, audit};
pub use blobs::{BlobJudge, JudgeError, JudgedBlobs, KnownBlobs, Reappeared};
pub use error::{Damage, PlanError, RowDamage};
pub use facts::{Amount, Facts};
pub use file::{
    Doubt, Doubts, Draft, Header, InvalidPlanId, KeepList, Location, MultipartSeen, Part, Plan,
    PlanId, PlanWriter, Purpose, Requests, Retention, Rows, RuleTold, Sealed, Segment, Totals,
    parse_header, parse_segment,
};
pub use fresh::FreshLinks;
pub use judge::{Judged, facts_of, judge_repository};
pub use keep_list::{observe_repository, unneeded_layers};
pub use multipart::{Standing, judge_multipart, standing};
pub use policy::{Cutoffs, Policy};
pub use row::{Reason, Row, RowKind, Stage};

impl Sealed for marker::MarkSet {}
