//! Exit codes, and which failure has which. Every way to fail has its place.

use ledger::LedgerError;
use lister::ListError;
use marker::{MarkError, SpillError};
use planner::PlanError;
use store::{ErrorKind, StoreError};
use sweeper::{Cause, JournalError};

use super::Failure;

/// Exit codes, as documented in the README.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// All that was asked is done.
    Done = 0,
    /// A bug, or a standard output that cannot be written.
    Internal = 1,
    /// Arguments or configuration are wrong; nothing was done.
    Usage = 2,
    /// The sweep ended and some objects could not be deleted.
    Partial = 3,
    /// Refused: it could lose data.
    Unsafe = 4,
    /// Bucket, credentials, permission, address.
    Store = 5,
    /// A plan or journal that cannot be used, or a registry that is damaged.
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

impl Failure {
    /// The exit code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Location { .. }
            | Self::Config { .. }
            | Self::Policy { .. }
            | Self::KeepList { .. }
            | Self::File { .. }
            | Self::Lease { .. }
            | Self::Listen { .. }
            | Self::Waits(_) => Code::Usage,
            Self::Refused(_) | Self::Busy { .. } => Code::Unsafe,
            Self::Ledger(error) => ledger_code(error),
            Self::Store { source, .. } => store_code(source),
            Self::List(error) => list_code(error),
            Self::Mark(error) => mark_code(error),
            Self::Changed(_) => Code::Incomplete,
            Self::Plan(error) => plan_code(error),
            Self::Journal(error) => journal_code(error),
            Self::Sweep(error) => sweep_code(&error.cause),
            Self::Undo(error) => sweep_code(&error.cause),
            Self::Partial { .. }
            | Self::NotBack { .. }
            | Self::Uncleared { .. }
            | Self::Unreported { .. }
            | Self::Unlogged { .. }
            | Self::TrashUnlogged { .. } => Code::Partial,
            Self::NotReady { code, .. } => *code,
            Self::Stopped { .. } => Code::Stopped,
            Self::Damaged { .. } => Code::Format,
            Self::Output(_) | Self::Disproved(_) | Self::Internal { .. } => Code::Internal,
        }
    }
}

fn ledger_code(error: &LedgerError) -> Code {
    match error {
        // What was begun is on record, and the next run goes on.
        LedgerError::Lost(_) => Code::Partial,
        LedgerError::Held { .. } | LedgerError::Locked { .. } | LedgerError::Overtaken { .. } => {
            Code::Unsafe
        }
        LedgerError::Store(error) => store_code(error),
        LedgerError::Lock { .. } => Code::Usage,
        _ => Code::Format,
    }
}

fn store_code(error: &StoreError) -> Code {
    if error.kind == ErrorKind::Stopped { Code::Stopped } else { Code::Store }
}

/// A listing or marking that throttling or outages ended is incomplete; one that was never allowed is the store's.
fn reading_code(error: &StoreError) -> Code {
    match error.kind {
        ErrorKind::Throttled | ErrorKind::Transient | ErrorKind::Malformed => Code::Incomplete,
        _ => store_code(error),
    }
}

fn list_code(error: &ListError) -> Code {
    match error {
        ListError::Store { source, .. } | ListError::Uploads { source, .. } => reading_code(source),
        ListError::Stopped { .. } => Code::Stopped,
        ListError::LostWorker { .. } => Code::Internal,
        _ => Code::Incomplete,
    }
}

fn mark_code(error: &MarkError) -> Code {
    match error {
        MarkError::Manifest { source, .. }
        | MarkError::Link { source, .. }
        | MarkError::Look { source, .. }
        | MarkError::List { source, .. } => reading_code(source),
        MarkError::Stopped { .. } => Code::Stopped,
        // The disk on which the plan would have been written.
        MarkError::Spill(SpillError::Write { .. } | SpillError::Read { .. }) => Code::Usage,
        MarkError::LostReader { .. } => Code::Internal,
        _ => Code::Incomplete,
    }
}

fn plan_code(error: &PlanError) -> Code {
    match error {
        PlanError::Stale { .. }
        | PlanError::FromTheFuture { .. }
        | PlanError::OtherLocation { .. } => Code::Unsafe,
        PlanError::Io { .. } | PlanError::Occupied { .. } => Code::Usage,
        _ => Code::Format,
    }
}

fn sweep_code(cause: &Cause) -> Code {
    match cause {
        Cause::Store(source) => store_code(source),
        Cause::AlreadyApplied
        | Cause::TakenBack
        | Cause::NothingDeleted
        | Cause::NothingKept { .. } => Code::Unsafe,
        // The disk failed in the middle: some is done, and the journal knows what.
        Cause::Plan(PlanError::Io { .. }) | Cause::Journal(JournalError::Io { .. }) => {
            Code::Partial
        }
        Cause::Plan(error) => plan_code(error),
        Cause::Journal(error) => journal_code(error),
        Cause::Panicked(_)
        | Cause::Unaccounted(_)
        | Cause::Miscounted { .. }
        | Cause::JournalClosed => Code::Internal,
        _ => Code::Format,
    }
}

fn journal_code(error: &JournalError) -> Code {
    match error {
        JournalError::Locked { .. } => Code::Unsafe,
        JournalError::Io { .. } => Code::Usage,
        _ => Code::Format,
    }
}
