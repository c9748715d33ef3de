//! What to do next, for every way to fail.

use ledger::LedgerError;
use lister::ListError;
use marker::MarkError;
use planner::PlanError;
use store::{ErrorKind, StoreError};
use sweeper::{Cause, JournalError};

use super::Failure;
use crate::keep_list::{KeepListError, LineError};
use crate::registry_cache::BY_HAND;

const BUG: &str = "this is a bug: please report it";
const KEEP: &str = "turn on the bucket's versioning, or collect with --trash, so that the next one can be taken back";
const NEW_PLAN: &str = "make a new plan with `regsweep plan`";

impl Failure {
    /// What to do next, a sentence each; `again` is the command that was typed.
    #[must_use]
    pub fn hints(&self, again: &str) -> Vec<String> {
        match self {
            Self::Refused(refusal) => refusal.hints(again),
            Self::Sweep(error) => sweep_hints(&error.cause, again),
            Self::Undo(error) => sweep_hints(&error.cause, again),
            Self::Partial { needs_new_plan: false, .. }
            | Self::NotBack { may_go_on: true, .. }
            | Self::Stopped { is_sweeping: true } => {
                vec![resuming(again)]
            }
            Self::Stopped { is_sweeping: false } => vec![format!("`{again}` starts over")],
            Self::Uncleared { can_repeat: true, .. } => vec![format!("`{again}` clears it")],
            Self::Uncleared { can_repeat: false, .. } => vec![BY_HAND.to_owned()],
            Self::Unlogged { .. } => {
                vec!["check that its disk has room".to_owned(), resuming(again)]
            }
            Self::TrashUnlogged { .. } => vec![
                "check that its disk has room".to_owned(),
                "the next run with --trash empties what is left".to_owned(),
            ],
            Self::Changed(_) => {
                vec![format!("make the registry read-only, then run `{again}` again")]
            }
            _ => self.hint().into_iter().map(str::to_owned).collect(),
        }
    }

    /// The hint of those that have one at most and the same whatever was typed.
    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Location { .. } => Some(
                "a location is a registry's config.yml, a directory, or s3://bucket/rootdirectory",
            ),
            Self::Policy { .. } => Some(
                "`regsweep policy check FILE` says what a policy means; examples lie in examples/policies",
            ),
            Self::KeepList { source, .. } => keep_list_hint(source),
            Self::Store { location, source } => store_hint(source, location.starts_with("s3://")),
            Self::List(error) => list_hint(error),
            Self::Mark(error) => mark_hint(error),
            Self::Plan(error) => Some(plan_hint(error)),
            Self::Journal(error) => Some(journal_hint(error)),
            Self::Ledger(error) => ledger_hint(error),
            Self::Lease { .. } => Some("give --lease more, ten minutes are usual"),
            Self::Waits(_) => Some(
                "give --quarantine more, or --longest-push or --restarted-every less if that is true",
            ),
            Self::Busy { .. } => Some("wait for it to end; two at once would only be slower"),
            Self::Partial { .. } => Some(
                "only a new plan can tell what goes now: `regsweep plan`, or the same `regsweep gc` again",
            ),
            Self::NotBack { .. } => Some("what is back stays; what is lost has to be pushed again"),
            Self::Unreported { has_plan: true, .. } => {
                Some("`regsweep show PLAN --report FILE` writes what the plan says")
            }
            Self::Unreported { has_plan: false, .. } => {
                Some("nothing else is amiss; the summary has the same numbers")
            }
            Self::Listen { .. } => Some(
                "give --metrics-listen an address of this machine with a port that is free; port 0 takes one",
            ),
            Self::Damaged { .. } => Some(
                "each kind says what mends it; what regsweep deleted, `regsweep undo` may bring back",
            ),
            Self::Disproved(_) | Self::Internal { .. } => Some(BUG),
            Self::File { .. }
            | Self::Output(_)
            | Self::Config { .. }
            | Self::Refused(_)
            | Self::Changed(_)
            | Self::Sweep(_)
            | Self::Uncleared { .. }
            | Self::Unlogged { .. }
            | Self::TrashUnlogged { .. }
            | Self::Undo(_)
            | Self::NotReady { .. }
            | Self::Stopped { .. } => None,
        }
    }
}

fn keep_list_hint(error: &KeepListError) -> Option<&'static str> {
    match error {
        KeepListError::Line { what: LineError::Digest { .. } | LineError::Text, .. } => Some(
            "one digest a line, as `sha256:` and hex digits: `psql -At` writes neither a header nor a footer",
        ),
        KeepListError::NoEnd => Some(
            "let the query that exports it count too, as the book's page on databases has it, and from the primary",
        ),
        KeepListError::Line { .. }
        | KeepListError::TwoEnds { .. }
        | KeepListError::NotWhole { .. }
        | KeepListError::Empty
        | KeepListError::Changed => {
            Some("export it again, and look whether the query went through")
        }
        KeepListError::NotAFile => Some("write it to a file first: its age and its length count"),
        KeepListError::Read(_) => None,
    }
}

fn resuming(again: &str) -> String {
    format!("`{again}` goes on where this ended")
}

fn ledger_hint(error: &LedgerError) -> Option<&'static str> {
    match error {
        LedgerError::Lost(_) | LedgerError::Overtaken { .. } => {
            Some("run it again: it goes on where this ended")
        }
        LedgerError::Locked { .. } => Some("wait for it to end; two at once would only be slower"),
        LedgerError::Damaged { .. } => Some(
            "nothing is deleted as long as it is there: bring the object back as it was, from an older version",
        ),
        LedgerError::UnknownFormat { .. } => Some("use the version that wrote it, or a newer one"),
        LedgerError::Store(error) => store_hint(error, true),
        _ => None,
    }
}

fn list_hint(error: &ListError) -> Option<&'static str> {
    match error {
        ListError::Store { source, .. } | ListError::Uploads { source, .. } => {
            store_hint(source, true)
        }
        ListError::LostWorker { .. } => Some(BUG),
        _ => None,
    }
}

fn mark_hint(error: &MarkError) -> Option<&'static str> {
    match error {
        MarkError::Manifest { source, .. }
        | MarkError::Link { source, .. }
        | MarkError::Look { source, .. }
        | MarkError::List { source, .. } => store_hint(source, true),
        MarkError::Spill(_) => Some("check that the disk there has room, or raise --memory"),
        MarkError::LostReader { .. } => Some(BUG),
        _ => None,
    }
}

fn plan_hint(error: &PlanError) -> &'static str {
    match error {
        PlanError::NotAPlan { .. } => "`regsweep plan LOCATION --out DIR` writes a plan",
        PlanError::Io { .. } => "check that the directory exists, is writable, and has room",
        PlanError::Occupied { .. } => "give --out a new directory",
        PlanError::OtherFormat { .. } => "use the version that wrote it, or make a new plan",
        PlanError::OtherLocation { .. } => "make a plan for this registry with `regsweep plan`",
        _ => NEW_PLAN,
    }
}

/// What ended a sweep or an undo, and that it can be taken up again where it can.
fn sweep_hints(cause: &Cause, again: &str) -> Vec<String> {
    let (own, is_resumable) = match cause {
        Cause::Store(source) => (store_hint(source, true), true),
        Cause::AlreadyApplied | Cause::TakenBack => {
            (Some("make a new plan to see what goes now"), false)
        }
        Cause::NothingDeleted => (None, false),
        Cause::NothingKept { .. } => (Some(KEEP), false),
        Cause::Plan(error) => (Some(plan_hint(error)), matches!(error, PlanError::Io { .. })),
        Cause::Journal(error) => {
            (Some(journal_hint(error)), matches!(error, JournalError::Io { .. }))
        }
        Cause::Panicked(_)
        | Cause::Unaccounted(_)
        | Cause::Miscounted { .. }
        | Cause::JournalClosed => (Some(BUG), false),
        _ => (Some(NEW_PLAN), false),
    };
    own.map(str::to_owned).into_iter().chain(is_resumable.then(|| resuming(again))).collect()
}

fn journal_hint(error: &JournalError) -> &'static str {
    match error {
        JournalError::Locked { .. } => "another regsweep carries out this plan; wait for it to end",
        JournalError::Io { .. } => "check that the plan's directory is writable and has room",
        _ => "make a new plan with `regsweep plan`, in another directory",
    }
}

/// What helps against the store's error; `may_be_bucket` where options and variables of buckets may be at fault.
fn store_hint(error: &StoreError, may_be_bucket: bool) -> Option<&'static str> {
    match error.kind {
        ErrorKind::NoContainer if may_be_bucket => {
            Some("check the name of the bucket, and --endpoint-url")
        }
        ErrorKind::NoContainer => Some("check the directory; config.yml calls it rootdirectory"),
        ErrorKind::Denied if may_be_bucket => {
            Some("whoever runs this must be allowed to list, read and delete here")
        }
        ErrorKind::Denied => Some("run as the user of the registry, or as root"),
        ErrorKind::Credentials => {
            Some("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE")
        }
        ErrorKind::Unreachable => Some("check --endpoint-url, and that the store runs"),
        ErrorKind::WrongAddress => Some("give the bucket's own --region or --endpoint-url"),
        ErrorKind::Throttled | ErrorKind::Transient => Some(
            "the store failed all the while; try again later, with a lower --max-in-flight, or with more --patience",
        ),
        ErrorKind::Malformed if may_be_bucket => Some("the store does not answer as S3 does"),
        _ => None,
    }
}
