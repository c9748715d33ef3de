//! What the system says, and what we find odd, as store errors.

use std::io;

use rustix::io::Errno;

use crate::{ErrorKind, Operation, StoreError};

/// Things in a tree of files that a registry's tree never holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Oddity {
    #[error(
        "it is a symbolic link, which is never followed, so that what lies behind it would not be \
         seen; mount or move the data there instead"
    )]
    Symlink,
    #[error("it is neither a file nor a folder")]
    Special,
    #[error("its name is not UTF-8")]
    Name,
    #[error("it changed while it was looked at")]
    Changed,
    #[error("it ends before its size")]
    Short,
    #[error("no file has such a key: components must not be empty, `.` or `..`")]
    Key,
}

impl Oddity {
    const fn kind(self) -> ErrorKind {
        match self {
            Self::Symlink | Self::Special | Self::Key => ErrorKind::Fatal,
            Self::Name => ErrorKind::Malformed,
            Self::Changed | Self::Short => ErrorKind::Transient,
        }
    }

    pub(super) fn at(self, operation: Operation, subject: &str) -> StoreError {
        StoreError::new(operation, subject, self.kind()).because(self)
    }
}

pub(super) const fn kind_of(errno: Errno) -> ErrorKind {
    match errno {
        Errno::NOENT => ErrorKind::NotFound,
        Errno::ACCESS | Errno::PERM | Errno::ROFS => ErrorKind::Denied,
        // Out of descriptors or memory for the moment, a network file system that lost its thread, a bad read.
        Errno::INTR
        | Errno::AGAIN
        | Errno::BUSY
        | Errno::IO
        | Errno::MFILE
        | Errno::NFILE
        | Errno::NOMEM
        | Errno::STALE
        | Errno::TIMEDOUT => ErrorKind::Transient,
        _ => ErrorKind::Fatal,
    }
}

pub(super) fn system(operation: Operation, subject: &str, errno: Errno) -> StoreError {
    StoreError::new(operation, subject, kind_of(errno)).because(io::Error::from(errno))
}

/// A task on the blocking pool that did not end: it panicked, or the runtime shuts down.
pub(super) fn unfinished(
    operation: Operation,
    subject: &str,
    error: tokio::task::JoinError,
) -> StoreError {
    StoreError::new(operation, subject, ErrorKind::Fatal).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g3_no_error_of_the_system_but_one_says_that_nothing_is_there() {
        for raw in 1..200 {
            let errno = Errno::from_raw_os_error(raw);
            assert_eq!(kind_of(errno) == ErrorKind::NotFound, errno == Errno::NOENT, "{errno}");
        }
        for denied in [Errno::ACCESS, Errno::PERM, Errno::ROFS] {
            assert_eq!(kind_of(denied), ErrorKind::Denied);
        }
        assert!(kind_of(Errno::STALE).may_pass() && kind_of(Errno::MFILE).may_pass());
    }
}
