//! Where the store cannot keep two collectors apart.

use std::fmt;
use std::fs::File;
use std::path::Path;

use rustix::fs::FlockOperation;
use rustix::io::Errno;

use crate::{Held, LedgerError, LocalClock};

/// The right to collect, as far as this machine knows: a lock on a file, given back when dropped, also by dying.
#[derive(Debug)]
pub struct LocalLease {
    held: Held,
    _locked: File,
}

/// A warning to show: only this machine's collectors are kept apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HereOnly {
    /// The lock file.
    pub lock: Box<str>,
}

impl fmt::Display for HereOnly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "this store does not look at conditions, so that it cannot keep two collectors apart; the lock `{}` does, \
             on this machine alone: never collect from another one",
            self.lock
        )
    }
}

impl LocalLease {
    /// Takes the lock `path`, whose folder is there.
    ///
    /// # Errors
    /// [`LedgerError::Locked`] where another process has it; [`LedgerError::Lock`] where it cannot be used.
    pub fn acquire(
        path: &Path,
        holder: &str,
        clock: LocalClock,
    ) -> Result<(Self, HereOnly), LedgerError> {
        let lock: Box<str> = path.to_string_lossy().into();
        let failed = |source| LedgerError::Lock { path: lock.clone(), source };
        let file = File::options().write(true).create(true).truncate(false).open(path);
        let file = file.map_err(failed)?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Err(LedgerError::Locked { path: lock }),
            Err(errno) => return Err(failed(errno.into())),
        }
        let held = Held::new(holder, clock);
        held.always();
        Ok((Self { held, _locked: file }, HereOnly { lock }))
    }

    /// What to ask before each request that changes something.
    #[must_use]
    pub fn guard(&self) -> Held {
        self.held.clone()
    }
}

impl Drop for LocalLease {
    fn drop(&mut self) {
        self.held.lose();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_collectors_of_a_machine_one_collects_and_says_what_it_cannot_know() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let (first, warning) = LocalLease::acquire(&path, "a", LocalClock::system()).unwrap();
        assert!(warning.to_string().contains("never collect from another one"));
        let second = LocalLease::acquire(&path, "b", LocalClock::system());
        assert!(matches!(second, Err(LedgerError::Locked { .. })));
        let held = first.guard();
        assert!(held.check_now().is_ok());
        drop(first);
        assert!(held.check_now().is_err(), "what was held is held no longer");
        assert!(LocalLease::acquire(&path, "b", LocalClock::system()).is_ok());
        let nowhere = folder.path().join("absent/lock");
        let error = LocalLease::acquire(&nowhere, "a", LocalClock::system()).unwrap_err();
        assert!(matches!(error, LedgerError::Lock { .. }));
    }
}
