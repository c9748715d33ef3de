//! The audit log: one line of JSON for each object that was to be deleted, in a file that only grows.
//!
//! A line is durable before the plan's journal says what became of its object, and an object without an outcome is
//! asked for again: so a run that takes up another writes what that one could not, and may write a line twice (G11).
//! Where people push, the ledger stands in the journal's place, and that holds of blobs alone: links that a killed run
//! had taken are written back, and it may have died before it wrote that they were taken. So it may have before it wrote
//! which multipart uploads it aborted last, and no list shows those any more. Of a trash that is emptied there is no
//! journal: the lines about a request are durable before the next one is sent, so those about the last one of a run that
//! was killed are missing.

mod line;

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use planner::Row;
use registry::Timestamp;
use store::KeyOutcome;
use sweeper::{Observer, Witness};
use tokio::task::spawn_blocking;

use crate::args::SweepArgs;
use crate::{Failure, clock};

pub(crate) use self::line::Subject;

/// The log of one run.
#[derive(Debug)]
pub(crate) struct AuditLog {
    path: PathBuf,
    run: String,
    file: Mutex<File>,
    /// Lines that are not written yet, those of the requests in flight at most (G12); or why one could not be made.
    pending: Mutex<io::Result<Vec<u8>>>,
    clock: fn() -> Timestamp,
}

impl AuditLog {
    /// The log of deletions by `run`, where one is wanted.
    ///
    /// # Errors
    /// As [`AuditLog::open`].
    pub(crate) fn wanted(sweep: &SweepArgs, run: &str) -> Result<Option<Arc<Self>>, Failure> {
        let open = |path: &PathBuf| Self::open(path, run.to_owned()).map(Arc::new);
        sweep.audit_log.as_ref().map(open).transpose()
    }

    /// Opens the log for one run, and makes it where there is none. A last line that a crash has torn is cut off: what
    /// it was about is told again.
    ///
    /// # Errors
    /// [`Failure::File`], also where another process writes it, and where its end is torn and was no line of ours.
    pub(crate) fn open(path: &Path, run: String) -> Result<Self, Failure> {
        let failed = |source| Failure::File { path: path.to_owned(), source };
        let file = File::options().create(true).read(true).append(true).open(path);
        let mut file = file.map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(failed(io::Error::other("another process writes it")));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        cut_torn_line(&mut file).map_err(failed)?;
        let (file, pending) = (Mutex::new(file), Mutex::new(Ok(Vec::new())));
        Ok(Self { path: path.to_owned(), run, file, pending, clock: clock::now })
    }

    /// Writes what became of objects that a run wanted gone; when it returns, that is durable.
    ///
    /// # Errors
    /// [`Failure::Unlogged`]: nothing more may be deleted then.
    pub(crate) fn write<'a>(
        &self,
        run: &str,
        outcomes: impl IntoIterator<Item = (Subject<'a>, &'a KeyOutcome)>,
    ) -> Result<(), Failure> {
        for (subject, outcome) in outcomes {
            self.hear(run, &subject, outcome);
        }
        self.sync().map_err(|source| Failure::Unlogged { path: self.path.clone(), source })
    }

    /// Does this in a thread that may wait.
    ///
    /// # Errors
    /// Its own.
    pub(crate) async fn apart(
        self: Arc<Self>,
        write: impl FnOnce(&Self) -> Result<(), Failure> + Send + 'static,
    ) -> Result<(), Failure> {
        let written = spawn_blocking(move || write(&self)).await;
        written.map_err(|error| Failure::Internal {
            what: "the audit log is not written",
            source: error.into(),
        })?
    }

    fn sync(&self) -> io::Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = std::mem::replace(&mut *self.pending(), Ok(Vec::new()))?;
        if lines.is_empty() {
            return Ok(());
        }
        file.write_all(&lines).and_then(|()| file.sync_data())
    }

    fn hear(&self, run: &str, subject: &Subject<'_>, outcome: &KeyOutcome) {
        let Some(line) = subject.line((self.clock)(), run, outcome) else { return };
        let mut pending = self.pending();
        match (&mut *pending, line) {
            (Ok(lines), Ok(line)) => lines.extend(line),
            (Ok(_), Err(error)) => *pending = Err(error),
            (Err(_), _) => {}
        }
    }

    fn pending(&self) -> MutexGuard<'_, io::Result<Vec<u8>>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for AuditLog {
    fn outcome(&self, row: &Row, outcome: &KeyOutcome) {
        self.hear(&self.run, &row.into(), outcome);
    }
}

impl Witness for AuditLog {
    fn make_durable(&self) -> io::Result<()> {
        // The journal tells of its own file, and this is another one.
        self.sync().map_err(|error| {
            io::Error::new(error.kind(), format!("audit log {}: {error}", self.path.display()))
        })
    }
}

/// How every line begins.
const HEAD: &[u8] = b"{\"time\":\"";

/// No line is longer.
const LONGEST: usize = 1 << 20;

/// Cuts off what follows the last end of a line.
///
/// # Errors
/// Where that is not the beginning of a line of an audit log: the file is another one, and stays as it is.
fn cut_torn_line(file: &mut File) -> io::Result<()> {
    let length = file.seek(SeekFrom::End(0))?;
    let start = file.seek(SeekFrom::Start(length.saturating_sub(LONGEST as u64)))?;
    let mut last = Vec::new();
    file.read_to_end(&mut last)?;
    let end = last.iter().rposition(|byte| *byte == b'\n').map_or(0, |place| place + 1);
    let torn = &last[end..];
    let is_line = torn.starts_with(HEAD) || HEAD.starts_with(torn);
    if !is_line || (end == 0 && start > 0) {
        let what =
            "it is no audit log: its last line has no end, and does not begin as one of ours";
        return Err(io::Error::new(io::ErrorKind::InvalidData, what));
    }
    if !torn.is_empty() {
        tracing::warn!(torn = torn.len(), "the last line of the audit log was torn and is cut off");
        file.set_len(start + end as u64)?;
    }
    file.sync_all()
}

#[cfg(test)]
mod tests;
