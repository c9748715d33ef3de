//! Retention policies: which tags of a registry stay and which may go. Pure: no I/O, no clock.
//!
//! # Words
//! A *rule* names repositories, and either keeps some of their tags, lets some *expire*, or says after what time
//! manifests that no tag reaches go. A repository is *covered* where a rule lets anything of it go. A tag *follows* a
//! manifest where its name says so, as the signatures of cosign and the tags that stand for the referrers API do.
//!
//! # Guarantees
//! Keep wins: what any rule keeps stays, in whatever order the rules stand. What no rule lets go stays, and so does
//! whatever is young (G1) and every tag of which it is not known when it was written (G4). A file that is not
//! understood to its last field is refused, never read in part.
//!
//! # Shape
//! ```text
//! text ─▶ places and values ─▶ Retention: rules ─┐
//!                                                ├─▶ Judgement: a verdict for each tag, with the rule that decided
//! repository, its tags with their times, moment ─┘
//! ```
//!
//! # Cost
//! One pass over the text, of at most a mebibyte. A judgement tries every rule of the repository on each tag, and sorts
//! the tags of those that keep the last few.
//!
//! # Start reading at
//! [`Retention::parse`], then [`Retention::judge`].
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod duration;
mod error;
mod fact;
mod follower;
mod glob;
mod judge;
mod pattern;
mod read;
mod retention;
mod rule;
mod section;
#[cfg(test)]
mod tests;
mod versions;
mod words;
mod yaml;

pub use error::{Place, PolicyError, PolicyErrors, Problem};
pub use fact::Fact;
pub use follower::Subject;
pub use judge::{Judgement, Kept, Moment, TaggedAt, Untagged, Verdict};
pub use pattern::Pattern;
pub use retention::Retention;
pub use rule::{Action, Expire, Keep, Rule, RuleId, Scope};
pub use versions::Versions;
pub use words::span;
