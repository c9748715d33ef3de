//! What is looked for, who needs it, and what was found.

use crate::location::{Location, Place};
use crate::permissions::{Bucket, On, Partition, Task, tasks_needing};
use crate::{Code, Failure, command_line};
use ledger::LedgerError;
use registry::Layout;
use store::ErrorKind;

/// Something that commands need; in the order in which they need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Name {
    /// The store answers, and takes the credentials.
    Store,
    List,
    Read,
    /// What is there is a registry, and ours to collect.
    Layout,
    /// The store tells the time.
    Time,
    /// This machine's clock agrees with it. Nothing relies on that, but signatures.
    Clock,
    /// What a database still knows is listed, and lately.
    KeepList,
    /// Nobody pushes meanwhile.
    Offline,
    /// The registry's cache can be cleared.
    Cache,
    /// It can be asked, and nothing is believed for ever.
    CacheOnline,
    /// Nobody else collects.
    Lease,
    /// No collection while people push has begun and not ended.
    Generations,
    /// No undo has begun and not ended.
    UndoEnded,
    /// The store tells whether it keeps versions.
    Versioning,
    /// Incomplete multipart uploads can be listed, and their parts. Without it none goes.
    Multipart,
    /// Older versions can be listed.
    OlderVersions,
    /// What `gc --online` deletes can come back.
    WayBack,
    /// What was deleted is kept.
    Kept,
    Write,
    /// The store looks at conditions.
    Conditions,
    Delete,
    /// Delete markers can be removed.
    TakeBack,
}

impl Name {
    /// As it is told.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Layout => "layout",
            Self::List => "list",
            Self::Read => "read",
            Self::Time => "time",
            Self::Clock => "clock",
            Self::KeepList => "keep-list",
            Self::Offline => "offline",
            Self::Cache => "cache",
            Self::CacheOnline => "cache-online",
            Self::Lease => "lease",
            Self::Generations => "generations",
            Self::UndoEnded => "undo-ended",
            Self::Versioning => "versioning",
            Self::Multipart => "multipart-uploads",
            Self::OlderVersions => "older-versions",
            Self::WayBack => "way-back",
            Self::Kept => "kept",
            Self::Write => "write",
            Self::Conditions => "conditional-writes",
            Self::Delete => "delete",
            Self::TakeBack => "take-back",
        }
    }

    /// The action of S3 that it takes, and on what, where it is one permission.
    pub(crate) const fn permission(self) -> Option<(&'static str, On)> {
        match self {
            Self::List => Some(("s3:ListBucket", On::RegistryKeys)),
            Self::Read => Some(("s3:GetObject", On::Registry)),
            Self::Versioning => Some(("s3:GetBucketVersioning", On::Bucket)),
            Self::Multipart => Some(("s3:ListBucketMultipartUploads", On::Bucket)),
            Self::OlderVersions => Some(("s3:ListBucketVersions", On::RegistryKeys)),
            Self::Write => Some(("s3:PutObject", On::Own)),
            Self::Delete => Some(("s3:DeleteObject", On::Registry)),
            Self::TakeBack => Some(("s3:DeleteObjectVersion", On::Registry)),
            Self::Lease => Some(("s3:GetObject", On::Own)),
            Self::Generations | Self::UndoEnded => Some(("s3:ListBucket", On::OwnKeys)),
            _ => None,
        }
    }

    /// Which tasks need it; none need what is only good to know.
    pub(crate) fn tasks(self) -> Vec<Task> {
        match (self, self.permission()) {
            (Self::Clock | Self::Conditions | Self::Multipart, _) => Vec::new(),
            (Self::Offline | Self::Generations, _) => vec![Task::Gc, Task::Repair],
            (Self::KeepList, _) => vec![Task::Plan, Task::Gc],
            (Self::Cache | Self::UndoEnded, _) => vec![Task::Gc, Task::GcOnline, Task::Repair],
            (Self::CacheOnline | Self::WayBack, _) => vec![Task::GcOnline],
            (Self::Lease, _) => vec![Task::Gc, Task::GcOnline, Task::Undo, Task::Repair],
            (Self::Kept, _) => vec![Task::Undo],
            (_, Some((action, on))) => tasks_needing(action, on),
            (_, None) => Task::ALL.to_vec(),
        }
    }

    /// Whether it is worth looking for where `tasks` are to be run.
    pub(crate) fn matters_to(self, tasks: &[Task]) -> bool {
        let by = match self {
            Self::Clock => return true,
            Self::Conditions => vec![Task::GcOnline],
            Self::Multipart => vec![Task::Plan, Task::Gc, Task::GcOnline],
            _ => self.tasks(),
        };
        by.iter().any(|task| tasks.contains(task))
    }
}

/// One thing that was looked for.
#[derive(Debug)]
pub(crate) struct Check {
    pub(crate) name: Name,
    pub(crate) found: Found,
}

/// What was found.
#[derive(Debug)]
pub(crate) enum Found {
    /// It is there; what is worth knowing of it, which may be nothing.
    There(String),
    /// It is not.
    Missing(Missing),
    /// Nobody knows, and why.
    NotProbed(String),
}

/// What is missing.
#[derive(Debug)]
pub(crate) struct Missing {
    /// What was met.
    pub(crate) what: String,
    /// What to do about it, a sentence each.
    pub(crate) advice: Vec<String>,
    /// How a command ends that meets it.
    pub(crate) code: Code,
}

impl Check {
    pub(crate) fn there(name: Name, detail: impl Into<String>) -> Self {
        Self { name, found: Found::There(detail.into()) }
    }

    pub(crate) fn not_probed(name: Name, why: &str) -> Self {
        Self { name, found: Found::NotProbed(why.to_owned()) }
    }

    /// What is not as it should be, though no command fails of it.
    pub(crate) fn odd(name: Name, what: String, advice: &str) -> Self {
        let advice = vec![advice.to_owned()];
        Self { name, found: Found::Missing(Missing { what, advice, code: Code::Unsafe }) }
    }

    /// What a command would fail of.
    pub(crate) fn failed(name: Name, failure: &Failure, location: &Location) -> Self {
        let advice = permission_advice(name, failure, location)
            .map_or_else(|| failure.hints(&command_line::typed()), |advice| vec![advice]);
        let missing = Missing { what: said(failure), advice, code: failure.code() };
        Self { name, found: Found::Missing(missing) }
    }

    /// The same, where it is missing, with what that means.
    pub(crate) fn meaning(mut self, meaning: &str) -> Self {
        if let Found::Missing(missing) = &mut self.found {
            missing.advice.push(meaning.to_owned());
        }
        self
    }

    /// There, with `detail`, or what a command would fail of.
    pub(crate) fn of<T>(
        name: Name,
        outcome: Result<T, Failure>,
        location: &Location,
        detail: impl FnOnce(T) -> String,
    ) -> Self {
        match outcome {
            Ok(found) => Self::there(name, detail(found)),
            Err(failure) => Self::failed(name, &failure, location),
        }
    }
}

/// What a failure says in one line: that the store cannot be used says less than why.
fn said(failure: &Failure) -> String {
    let own = (!matches!(failure, Failure::Store { .. })).then(|| failure.to_string());
    own.into_iter().chain(failure.causes()).collect::<Vec<_>>().join(": ")
}

/// Where the store says no: what to allow.
fn permission_advice(name: Name, failure: &Failure, location: &Location) -> Option<String> {
    let (Failure::Store { source, .. } | Failure::Ledger(LedgerError::Store(source))) = failure
    else {
        return None;
    };
    if source.kind != ErrorKind::Denied {
        return None;
    }
    let Place::Bucket(config) = &location.place else { return None };
    let (action, on) = name.permission()?;
    let layout = Layout::new(&location.root_directory);
    let partition = Partition::of_region(config.region.as_deref().unwrap_or_default());
    let bucket = Bucket { partition, name: &config.bucket };
    let resource = on.resources(bucket, &layout).join(" and ");
    let of_trial = match name {
        Name::Delete | Name::TakeBack => ", and for this trial those of `regsweep iam doctor`",
        _ => "",
    };
    Some(format!(
        "allow {action} on {resource}: `regsweep iam` writes all that is needed{of_trial}"
    ))
}
