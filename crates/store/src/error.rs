//! What can go wrong with a store, split by what the caller does next.

use std::error::Error;
use std::fmt;

/// What was asked of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Opening it: credentials, endpoint, the bucket or directory itself.
    Open,
    /// Listing keys.
    List,
    /// Looking whether objects are there.
    Look,
    /// Reading an object.
    Get,
    /// Deleting objects.
    Delete,
    /// Bringing objects back.
    Restore,
    /// Writing an object.
    Write,
    /// Listing incomplete multipart uploads, or their parts.
    ListUploads,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "open",
            Self::List => "list",
            Self::Look => "look into",
            Self::Get => "read",
            Self::Delete => "delete from",
            Self::Restore => "restore",
            Self::Write => "write",
            Self::ListUploads => "list the multipart uploads of",
        })
    }
}

/// What the caller can do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The object is not there: a definite answer.
    NotFound,
    /// The bucket or directory itself is not there.
    NoContainer,
    /// The store knows who asks and says no.
    Denied,
    /// No credentials, or credentials that the store does not accept.
    Credentials,
    /// The store asks us to slow down: try again later.
    Throttled,
    /// May pass: 5xx, reset, timeout. Try again.
    Transient,
    /// Nobody answers at the address.
    Unreachable,
    /// The bucket lives in another region or under another address.
    WrongAddress,
    /// The object is larger than the caller accepts.
    TooLarge,
    /// The answer breaks the protocol; believing it could lose data (G3).
    Malformed,
    /// The run was asked to stop.
    Stopped,
    /// Anything else; asking again will not help.
    Fatal,
    /// What a write was made to depend on does not hold, so that nothing was written: somebody else was first.
    Precondition,
}

impl ErrorKind {
    /// Whether the same request may succeed later.
    #[must_use]
    pub const fn may_pass(self) -> bool {
        matches!(self, Self::Throttled | Self::Transient)
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFound => "it does not exist",
            Self::NoContainer => "no such bucket or directory",
            Self::Denied => "permission denied",
            Self::Credentials => "no credentials, or not accepted",
            Self::Throttled => "the store asks to slow down",
            Self::Transient => "the store failed for the moment",
            Self::Unreachable => "nobody answers at this address",
            Self::WrongAddress => "the bucket is at another region or address",
            Self::TooLarge => "it is larger than expected",
            Self::Malformed => "the answer breaks the protocol",
            Self::Stopped => "the run was asked to stop",
            Self::Fatal => "the store refused",
            Self::Precondition => "somebody else wrote it first",
        })
    }
}

/// A request that did not succeed.
#[derive(Debug)]
pub struct StoreError {
    /// What was asked.
    pub operation: Operation,
    /// The key, prefix, bucket or directory it was asked of.
    pub subject: Box<str>,
    /// What the caller can do.
    pub kind: ErrorKind,
    /// What the store or the system said, where it said anything.
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

impl StoreError {
    /// An error without a deeper cause.
    #[must_use]
    pub fn new(operation: Operation, subject: &str, kind: ErrorKind) -> Self {
        Self { operation, subject: subject.into(), kind, source: None }
    }

    /// The same error with its cause.
    #[must_use]
    pub fn because(self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { source: Some(source.into()), ..self }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`: {}", self.operation, self.subject, self.kind)
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}
