//! Every way to fail: what it says, its exit code and what to type next.

mod code;
mod hint;
mod refusal;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use census::CensusError;
use config::ConfigError;
use ledger::LedgerError;
use lister::ListError;
use marker::{MarkError, SpillError};
use planner::{JudgeError, PlanError, Reappeared};
use policy::PolicyErrors;
use protocol::ProtocolError;
use store::StoreError;
use sweeper::{JournalError, SweepError, UndoError};

use crate::ClearError;
use crate::keep_list::KeepListError;

pub use code::Code;
pub use refusal::Refusal;

/// Everything that can go wrong in a command.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The location cannot be understood.
    #[error("cannot use location `{location}`: {problem}")]
    Location {
        /// What was typed.
        location: String,
        /// What is wrong.
        problem: String,
    },
    /// A file of the operator cannot be read or written.
    #[error("cannot use {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The data cannot be handed on. What was asked may be done all the same.
    #[error("cannot write to standard output")]
    Output(#[source] io::Error),
    /// The registry's configuration is wrong.
    #[error("cannot use {}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: ConfigError,
    },
    /// The retention policy is not understood.
    #[error("cannot use {}", path.display())]
    Policy {
        /// The file.
        path: PathBuf,
        /// All that is wrong.
        #[source]
        source: PolicyErrors,
    },
    /// The keep list cannot be relied upon.
    #[error("cannot use {}", path.display())]
    KeepList {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: Box<KeepListError>,
    },
    /// Refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Another run sweeps the same registry.
    #[error("another regsweep collects this registry; it keeps its plans in {}", dir.display())]
    Busy {
        /// The directory of its runs.
        dir: PathBuf,
    },
    /// What is on record of collections cannot be used, or the lease is lost.
    #[error("the collection cannot go on")]
    Ledger(#[source] LedgerError),
    /// A lease that would be of no use.
    #[error("a lease of {} s is too short to collect by", life.as_secs())]
    Lease {
        /// How long it was to live.
        life: Duration,
    },
    /// Waits that would not be safe.
    #[error("the quarantine is too short")]
    Waits(#[source] ProtocolError),
    /// The store failed.
    #[error("cannot use {location}")]
    Store {
        /// The registry.
        location: String,
        /// What it said.
        #[source]
        source: StoreError,
    },
    /// The listing is not whole.
    #[error("the listing is not whole, so nothing was deleted")]
    List(#[from] ListError),
    /// The marking is not whole.
    #[error("the marking is not whole, so nothing was deleted")]
    Mark(#[source] Box<MarkError>),
    /// The registry changed meanwhile.
    #[error("the registry changed while it was read, so nothing was deleted")]
    Changed(#[from] Reappeared),
    /// The plan cannot be written or used.
    #[error("cannot use the plan")]
    Plan(#[from] PlanError),
    /// The journal of the plan cannot be used.
    #[error("cannot use the journal")]
    Journal(#[source] JournalError),
    /// The sweep could not go on.
    #[error("{}", broken_off(.0))]
    Sweep(#[from] SweepError),
    /// The undo could not go on, or had nothing to do.
    #[error("{}", not_undone(.0))]
    Undo(#[from] UndoError),
    /// The undo ended, and some objects are not back.
    #[error("{}", not_back(*.lost, *.failed))]
    NotBack {
        /// How many cannot be brought back.
        lost: u64,
        /// At how many the store failed.
        failed: u64,
        /// Whether another undo may bring back more.
        may_go_on: bool,
        /// What is known of the first one.
        #[source]
        first: Option<FailedKey>,
    },
    /// The sweep ended with objects left.
    #[error("{}", left_over(*.failed, *.held_back))]
    Partial {
        /// How many failed.
        failed: u64,
        /// How many were kept because a link stays that may lead to them.
        held_back: u64,
        /// What the first one said.
        #[source]
        first: Option<FailedKey>,
        /// Whether only a new plan can tell what becomes of the rest.
        needs_new_plan: bool,
    },
    /// What was deleted is still in the registry's cache.
    #[error("the registry still remembers what was deleted: its cache could not be cleared")]
    Uncleared {
        /// Why not.
        #[source]
        source: ClearError,
        /// Whether the same command clears it.
        can_repeat: bool,
    },
    /// The report cannot be written. What was asked for may be done all the same.
    #[error("the report cannot be written to {}", path.display())]
    Unreported {
        /// The report.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
        /// Whether it is of a plan, which can be shown again.
        has_plan: bool,
    },
    /// The audit log cannot be written any more. Something may be deleted that is not in it.
    #[error("the audit log {} cannot be written", path.display())]
    Unlogged {
        /// The log.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The audit log cannot be written any more while older trash is emptied. Some of it may be gone that is not in it.
    #[error("older trash is not emptied on: the audit log {} cannot be written", path.display())]
    TrashUnlogged {
        /// The log.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The address at which metrics were to be served cannot be had.
    #[error("cannot listen at {address}")]
    Listen {
        /// What was typed.
        address: SocketAddr,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A command would not do what it should.
    #[error("not all that is needed is there: {missing}")]
    NotReady {
        /// The names of what is missing.
        missing: String,
        /// How the command would end.
        code: Code,
    },
    /// Interrupted.
    #[error("{}", stopped(*.is_sweeping))]
    Stopped {
        /// Whether some of a plan may be done.
        is_sweeping: bool,
    },
    /// A check found damage.
    #[error("{}", damaged(*.tags, *.manifests, *.findings))]
    Damaged {
        /// Tags that cannot be pulled.
        tags: u64,
        /// Manifests that cannot be pulled by their digest.
        manifests: u64,
        /// Damage that was found, each once.
        findings: u64,
    },
    /// The demo's own check failed.
    #[error("the demo did not end as the model says: {0}")]
    Disproved(String),
    /// A bug.
    #[error("{what}")]
    Internal {
        /// What happened.
        what: &'static str,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

/// A key that could not be deleted, and what the store said of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{key}`: {message}")]
pub struct FailedKey {
    /// The key.
    pub key: String,
    /// What the store said.
    pub message: String,
}

impl From<MarkError> for Failure {
    fn from(error: MarkError) -> Self {
        Self::Mark(Box::new(error))
    }
}

impl From<SpillError> for Failure {
    fn from(error: SpillError) -> Self {
        MarkError::from(error).into()
    }
}

impl From<CensusError> for Failure {
    fn from(error: CensusError) -> Self {
        match error {
            CensusError::Spill(error) => error.into(),
            other => {
                Self::Internal { what: "the registry is too large to count", source: other.into() }
            }
        }
    }
}

impl From<JudgeError> for Failure {
    fn from(error: JudgeError) -> Self {
        match error {
            JudgeError::Reappeared(reappeared) => reappeared.into(),
            JudgeError::Marks(error) => error.into(),
        }
    }
}

impl Failure {
    /// What it was caused by, from the nearest to the deepest, each told once, without what says nothing.
    #[must_use]
    pub fn causes(&self) -> Vec<String> {
        match self {
            Self::Refused(refusal) => return refusal.causes(),
            Self::Policy { source, .. } => {
                return source.all().iter().map(ToString::to_string).collect();
            }
            _ => {}
        }
        causes_of(self)
    }
}

/// What an error was caused by, as [`Failure::causes`].
pub(crate) fn causes_of(error: &dyn Error) -> Vec<String> {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    let mut causes: Vec<String> = causes.map(ToString::to_string).collect();
    causes.dedup();
    causes.retain(|cause| !EMPTY_WORDS.contains(&cause.as_str()));
    causes
}

/// What clients of HTTP say on the way from the cause to us.
const EMPTY_WORDS: [&str; 4] =
    ["dispatch failure", "io error", "client error (Connect)", "tcp connect error"];

fn damaged(tags: u64, manifests: u64, findings: u64) -> String {
    let some =
        |number: u64, what: &str| format!("{number} {what}{}", if number == 1 { "" } else { "s" });
    match tags + manifests {
        0 => format!("{} of damage, and all images can be pulled", some(findings, "finding")),
        _ => {
            format!("{} and {} cannot be pulled", some(tags, "tag"), some(manifests, "manifest"))
        }
    }
}

fn broken_off(error: &SweepError) -> &'static str {
    if error.cause.says_nothing_to_do() {
        "there is nothing left to do"
    } else {
        "the sweep could not go on"
    }
}

fn not_undone(error: &UndoError) -> &'static str {
    if error.cause.says_nothing_to_do() {
        "there is nothing to take back"
    } else {
        "the undo could not go on"
    }
}

fn objects(number: u64) -> String {
    format!("{number} object{}", if number == 1 { "" } else { "s" })
}

fn not_back(lost: u64, failed: u64) -> String {
    match (lost, failed) {
        (_, 0) => format!("{} cannot be brought back", objects(lost)),
        (0, _) => format!("could not bring back {}", objects(failed)),
        _ => format!(
            "could not bring back {}, and {} cannot be brought back",
            objects(failed),
            objects(lost)
        ),
    }
}

const fn stopped(is_sweeping: bool) -> &'static str {
    if is_sweeping { "stopped before the end" } else { "stopped; nothing was deleted" }
}

fn left_over(failed: u64, held_back: u64) -> String {
    let (failed_objects, kept) = (objects(failed), objects(held_back));
    match (failed, held_back) {
        (0, _) => format!("kept {kept}, because links there were written since the plan was made"),
        (_, 0) => format!("could not delete {failed_objects}"),
        _ => format!("could not delete {failed_objects}, and kept {kept} that they may lead to"),
    }
}
