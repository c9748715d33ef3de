//! Every way to fail: its exit code and what to type next.

use std::error::Error;
use std::path::PathBuf;

use config::ConfigError;
use lister::ListError;
use marker::MarkError;
use planner::{Breaker, Note, PlanError, Reappeared};
use store::{ErrorKind, StoreError};
use sweeper::{Cause, JournalError, SweepError};

/// Exit codes, as documented in the README.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// All that was asked is done.
    Done = 0,
    /// A bug.
    Internal = 1,
    /// Arguments or configuration are wrong; nothing was done.
    Usage = 2,
    /// The sweep ended and some objects could not be deleted.
    Partial = 3,
    /// Refused: it could lose data.
    Unsafe = 4,
    /// Bucket, credentials, permission, address.
    Store = 5,
    /// A plan or journal that cannot be used.
    Format = 6,
    /// Listing or marking could not be completed; nothing was deleted.
    Incomplete = 7,
    /// Interrupted; run again to resume.
    Stopped = 130,
}

impl Code {
    /// The name in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Internal => "internal",
            Self::Usage => "usage",
            Self::Partial => "partial",
            Self::Unsafe => "unsafe",
            Self::Store => "store",
            Self::Format => "format",
            Self::Incomplete => "incomplete",
            Self::Stopped => "stopped",
        }
    }
}

impl From<Code> for std::process::ExitCode {
    fn from(code: Code) -> Self {
        Self::from(code as u8)
    }
}

/// Why a layout is not ours to collect.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Nobody promised that no one pushes.
    #[error("the registry at {location} may be accepting pushes, which a sweep could lose")]
    Online {
        /// The registry.
        location: String,
    },
    /// Another system keeps the truth about this data.
    #[error("{location} belongs to {system}: {evidence}")]
    Foreign {
        /// The registry.
        location: String,
        /// What it is.
        system: &'static str,
        /// What was seen.
        evidence: String,
    },
    /// There is no registry here.
    #[error("{location} is not a registry: {evidence}")]
    NotARegistry {
        /// Where we looked.
        location: String,
        /// What was seen.
        evidence: String,
    },
    /// The audit of a plan says no.
    #[error("the plan looks wrong: {}", evidence(.notes))]
    Audit {
        /// What it found.
        notes: Vec<Note>,
    },
}

fn evidence(notes: &[Note]) -> String {
    let texts: Vec<String> =
        notes.iter().map(|note| format!("{}: {}", note.breaker, note.evidence)).collect();
    texts.join("; ")
}

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
        source: std::io::Error,
    },
    /// The registry's configuration is wrong.
    #[error("cannot use {}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: ConfigError,
    },
    /// Refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
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
    #[error("the listing is not whole")]
    List(#[from] ListError),
    /// The marking is not whole.
    #[error("the marking is not whole")]
    Mark(#[from] MarkError),
    /// The registry changed meanwhile.
    #[error("the registry changed while it was read")]
    Changed(#[from] Reappeared),
    /// The plan cannot be written or used.
    #[error("cannot use the plan")]
    Plan(#[from] PlanError),
    /// The journal of the plan cannot be used.
    #[error("cannot use the journal")]
    Journal(#[source] JournalError),
    /// The sweep could not go on.
    #[error("the sweep could not go on")]
    Sweep(#[from] SweepError),
    /// The sweep ended with objects left.
    #[error("{failed} objects could not be deleted, {spared} were spared")]
    Partial {
        /// How many failed.
        failed: u64,
        /// How many were kept because of it.
        spared: u64,
        /// What the first one said.
        first: Option<String>,
        /// What to type to try again.
        again: String,
    },
    /// Interrupted.
    #[error("stopped before the end")]
    Stopped {
        /// What to type to go on.
        again: String,
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

impl Failure {
    /// The exit code. Every way to fail has its place.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Location { .. } | Self::Config { .. } => Code::Usage,
            Self::File { .. } => Code::Usage,
            Self::Refused(_) => Code::Unsafe,
            Self::Store { source, .. } => store_code(source),
            Self::List(ListError::Store { source, .. }) => listing_code(source),
            Self::List(ListError::Stopped { .. }) | Self::Stopped { .. } => Code::Stopped,
            Self::List(ListError::LostWorker { .. }) => Code::Internal,
            Self::List(_) | Self::Changed(_) => Code::Incomplete,
            Self::Mark(MarkError::Manifest { source, .. } | MarkError::Link { source, .. }) => {
                listing_code(source)
            }
            Self::Mark(MarkError::LostReader { .. }) => Code::Internal,
            Self::Mark(_) => Code::Incomplete,
            Self::Plan(error) => plan_code(error),
            Self::Journal(error) => journal_code(error),
            Self::Sweep(error) => sweep_code(&error.cause),
            Self::Partial { .. } => Code::Partial,
            Self::Disproved(_) | Self::Internal { .. } => Code::Internal,
        }
    }

    /// What to do next, a sentence each.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::Location { .. } => {
                "a location is a registry's config.yml, a directory, or s3://bucket/rootdirectory"
            }
            Self::Refused(refusal) => return refusal.hints(),
            Self::Store { source, .. }
            | Self::List(ListError::Store { source, .. })
            | Self::Mark(MarkError::Manifest { source, .. } | MarkError::Link { source, .. }) => {
                return store_hint(source.kind).map(str::to_owned).into_iter().collect();
            }
            Self::Changed(_) => "make the registry read-only, then run the same command again",
            Self::Plan(error) => plan_hint(error),
            Self::Journal(error) => journal_hint(error),
            Self::Sweep(error) => sweep_hint(&error.cause),
            Self::Partial { again, .. } | Self::Stopped { again } => {
                return vec![format!("`{again}` goes on where this ended")];
            }
            Self::Disproved(_) | Self::Internal { .. } => "this is a bug: please report it",
            Self::File { .. } | Self::Config { .. } | Self::List(_) | Self::Mark(_) => {
                return Vec::new();
            }
        };
        vec![hint.to_owned()]
    }
}

impl Refusal {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Online { .. } => vec![
                "set `maintenance: readonly: enabled: true` in the registry's config.yml, restart it, and give that file as the location".to_owned(),
                "or make sure yourself that nobody pushes, and say so with --offline".to_owned(),
            ],
            Self::Foreign { .. } => vec!["collect it with that system's own tools".to_owned()],
            Self::NotARegistry { .. } => vec![
                "the location is the folder or prefix that holds `docker/registry/v2`; config.yml calls it rootdirectory".to_owned(),
            ],
            Self::Audit { notes } => notes
                .iter()
                .map(|note| match note.breaker {
                    Breaker::DeleteShare => "look at it with `regsweep show`; if it is right, give --max-delete-share or --accept delete-share".to_owned(),
                    breaker => format!("look at it with `regsweep show`; if it is right, give --accept {breaker}"),
                })
                .collect(),
        }
    }
}

fn store_code(error: &StoreError) -> Code {
    if error.kind == ErrorKind::Stopped { Code::Stopped } else { Code::Store }
}

/// A listing or marking that throttling or outages ended is incomplete; one that was never allowed is the store's.
fn listing_code(error: &StoreError) -> Code {
    match error.kind {
        ErrorKind::Stopped => Code::Stopped,
        ErrorKind::Throttled | ErrorKind::Transient | ErrorKind::Malformed => Code::Incomplete,
        _ => Code::Store,
    }
}

fn plan_code(error: &PlanError) -> Code {
    match error {
        PlanError::Stale { .. } | PlanError::FromTheFuture { .. } | PlanError::OtherLocation { .. } => {
            Code::Unsafe
        }
        PlanError::Io { .. } | PlanError::Occupied { .. } => Code::Usage,
        _ => Code::Format,
    }
}

fn plan_hint(error: &PlanError) -> &'static str {
    match error {
        PlanError::NotAPlan { .. } => "`regsweep plan LOCATION --out DIR` writes a plan",
        PlanError::Io { .. } => "check that the directory exists, is writable, and has room",
        PlanError::Occupied { .. } => "give --out a new directory",
        PlanError::OtherFormat { .. } => "use the version that wrote it, or make a new plan",
        PlanError::OtherLocation { .. } => "make a plan for this registry with `regsweep plan`",
        _ => "make a new plan with `regsweep plan`",
    }
}

fn sweep_code(cause: &Cause) -> Code {
    match cause {
        Cause::Store(source) => store_code(source),
        Cause::AlreadyApplied => Code::Unsafe,
        Cause::Plan(error) => plan_code(error),
        Cause::Journal(error) => journal_code(error),
        Cause::Panicked(_) | Cause::Unaccounted(_) => Code::Internal,
        _ => Code::Format,
    }
}

fn sweep_hint(cause: &Cause) -> &'static str {
    match cause {
        Cause::Store(source) => {
            store_hint(source.kind).unwrap_or("run the same command again to resume")
        }
        Cause::AlreadyApplied => "there is nothing left to do; make a new plan",
        Cause::Plan(error) => plan_hint(error),
        Cause::Journal(error) => journal_hint(error),
        Cause::Panicked(_) | Cause::Unaccounted(_) => "this is a bug: please report it",
        _ => "make a new plan with `regsweep plan`",
    }
}

fn journal_code(error: &JournalError) -> Code {
    match error {
        JournalError::Locked { .. } => Code::Unsafe,
        JournalError::Io { .. } => Code::Usage,
        _ => Code::Format,
    }
}

fn journal_hint(error: &JournalError) -> &'static str {
    match error {
        JournalError::Locked { .. } => "another regsweep carries out this plan; wait for it to end",
        JournalError::Io { .. } => "check that the plan's directory is writable and has room",
        _ => "make a new plan with `regsweep plan`, in another directory",
    }
}

fn store_hint(kind: ErrorKind) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::NoContainer => "check the name of the bucket or directory, and --endpoint-url",
        ErrorKind::Denied => "the credentials or the user need permission to list, read and delete here",
        ErrorKind::Credentials => "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
        ErrorKind::Unreachable => "check --endpoint-url, and that the store runs",
        ErrorKind::WrongAddress => "give the bucket's own --region or --endpoint-url",
        ErrorKind::Throttled | ErrorKind::Transient => {
            "the store failed for minutes on end; try again later, or with a lower --max-in-flight"
        }
        ErrorKind::Malformed => "the store does not answer as S3 does; nothing was deleted",
        ErrorKind::Stopped | ErrorKind::NotFound | ErrorKind::TooLarge | ErrorKind::Fatal => {
            return None;
        }
        _ => return None,
    })
}
