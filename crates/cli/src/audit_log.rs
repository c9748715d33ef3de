//! The audit log: one line of JSON for each object that was to be deleted, in a file that only grows.
//!
//! A line is durable before the plan's journal says what became of its object, and an object without an outcome is
//! asked for again: so a run that takes up another writes what that one could not, and may write a line twice (G11).
//! Where people push, the ledger stands in the journal's place, and that holds of blobs alone: links that a killed run
//! had taken are written back, and it may have died before it wrote that they were taken. So it may have before it wrote
//! which multipart uploads it aborted last, and no list shows those any more.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use planner::Row;
use registry::Timestamp;
use serde::Serialize;
use store::{Kept, KeyOutcome};
use sweeper::{Observer, Witness};

use crate::args::SweepArgs;
use crate::{Failure, clock};

/// A line. Fields are only ever added.
#[derive(Debug, Serialize)]
struct Line<'a> {
    /// When that was heard, by this machine's clock. Where people push, the answers to all requests that were in flight
    /// together are heard at once, when the last of them came.
    time: String,
    /// The plan that said so, or the generation of a collection while people push; `uploads` where it aborts multipart
    /// uploads, which are of no generation.
    run: &'a str,
    key: &'a str,
    kind: &'static str,
    repository: Option<String>,
    digest: Option<String>,
    size: u64,
    last_modified: String,
    reason: &'static str,
    /// The rule of the retention policy that let it go.
    rule: Option<&'a str>,
    /// The id of the multipart upload that was aborted; not there for objects.
    #[serde(skip_serializing_if = "Option::is_none")]
    upload_id: Option<&'a str>,
    /// `deleted`, `rewritten`, `gone`, or `failed`. What was gone may have been deleted by a request of which no answer came.
    outcome: &'static str,
    /// What is left of what this request deleted: `version`, `trash`, or nothing. Of what was gone it is not known.
    kept: Option<&'static str>,
    /// The id of the delete marker that hides it.
    version_id: Option<&'a str>,
    /// Why it failed.
    error: Option<String>,
}

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
    pub(crate) fn write(&self, run: &str, outcomes: &[(Row, KeyOutcome)]) -> Result<(), Failure> {
        for (row, outcome) in outcomes {
            self.hear(run, row, outcome);
        }
        self.sync().map_err(|source| Failure::Unlogged { path: self.path.clone(), source })
    }

    fn sync(&self) -> io::Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = std::mem::replace(&mut *self.pending(), Ok(Vec::new()))?;
        if lines.is_empty() {
            return Ok(());
        }
        file.write_all(&lines).and_then(|()| file.sync_data())
    }

    fn hear(&self, run: &str, row: &Row, outcome: &KeyOutcome) {
        let Some(line) = self.line(run, row, outcome) else { return };
        let mut pending = self.pending();
        match (&mut *pending, line) {
            (Ok(lines), Ok(line)) => lines.extend(line),
            (Ok(_), Err(error)) => *pending = Err(error),
            (Err(_), _) => {}
        }
    }

    fn line(&self, run: &str, row: &Row, outcome: &KeyOutcome) -> Option<io::Result<Vec<u8>>> {
        let (word, kept, error) = match outcome {
            KeyOutcome::Deleted(kept) => ("deleted", Some(kept), None),
            KeyOutcome::Rewritten => ("rewritten", None, None),
            KeyOutcome::Gone => ("gone", None, None),
            KeyOutcome::Failed(failure) => ("failed", None, Some(failure.to_string())),
            KeyOutcome::Spared => return None,
        };
        let line = Line {
            time: (self.clock)().to_string(),
            run,
            key: &row.key,
            kind: row.kind.name(),
            repository: row.repository.as_ref().map(ToString::to_string),
            digest: row.digest.map(|digest| digest.to_string()),
            size: row.bytes,
            last_modified: row.modified.to_string(),
            reason: row.reason.name(),
            rule: row.rule.as_deref(),
            upload_id: row.upload.as_deref(),
            outcome: word,
            kept: kept.and_then(|kept| match kept {
                Kept::Nothing => None,
                Kept::Marker(_) => Some("version"),
                Kept::Trash => Some("trash"),
            }),
            version_id: kept.and_then(|kept| match kept {
                Kept::Marker(id) => Some(&**id),
                Kept::Nothing | Kept::Trash => None,
            }),
            error,
        };
        let ended = |mut line: Vec<u8>| {
            line.push(b'\n');
            line
        };
        Some(serde_json::to_vec(&line).map(ended).map_err(io::Error::from))
    }

    fn pending(&self) -> MutexGuard<'_, io::Result<Vec<u8>>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for AuditLog {
    fn outcome(&self, row: &Row, outcome: &KeyOutcome) {
        self.hear(&self.run, row, outcome);
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
mod tests {
    use planner::{Reason, RowKind};
    use serde_json::Value;
    use store::{ErrorKind, KeyFailure};

    use super::*;

    fn row(key: &str) -> Row {
        Row {
            kind: RowKind::Blob,
            repository: None,
            digest: None,
            key: key.into(),
            bytes: 7,
            modified: Timestamp::from_seconds(0),
            reason: Reason::Unreferenced,
            rule: None,
            upload: None,
        }
    }

    fn lines(path: &Path) -> Vec<Value> {
        let text = std::fs::read_to_string(path).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn each_outcome_has_its_words_and_what_was_spared_has_no_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit");
        let log = AuditLog::open(&path, "run".into()).unwrap();
        let failure = KeyFailure { kind: ErrorKind::Denied, message: "no".into() };
        for outcome in [
            KeyOutcome::Deleted(Kept::Marker("id".into())),
            KeyOutcome::Deleted(Kept::Trash),
            KeyOutcome::DELETED,
            KeyOutcome::Gone,
            KeyOutcome::Spared,
            KeyOutcome::Failed(failure),
        ] {
            log.outcome(&row("a \"key\""), &outcome);
        }
        assert_eq!(lines(&path).len(), 0, "nothing is written before it is asked for");
        log.make_durable().unwrap();
        let told: Vec<String> = lines(&path)
            .iter()
            .map(|line| format!("{} {} {}", line["outcome"], line["kept"], line["version_id"]))
            .collect();
        assert_eq!(
            told,
            [
                "\"deleted\" \"version\" \"id\"",
                "\"deleted\" \"trash\" null",
                "\"deleted\" null null",
                "\"gone\" null null",
                "\"failed\" null null"
            ]
        );
        let first = &lines(&path)[0];
        assert_eq!((&first["key"], &first["run"]), (&"a \"key\"".into(), &"run".into()));
        assert_eq!((&first["size"], &first["reason"]), (&7.into(), &"unreferenced".into()));
    }

    #[test]
    fn a_later_run_appends_and_cuts_off_what_a_crash_has_torn() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit");
        for (torn, left) in [("", 1), ("{\"time\":\"20", 2), ("{\"ti", 3)] {
            let mut file = File::options().create(true).append(true).open(&path).unwrap();
            file.write_all(torn.as_bytes()).unwrap();
            drop(file);
            let log = AuditLog::open(&path, "run".into()).unwrap();
            log.outcome(&row("key"), &KeyOutcome::DELETED);
            log.make_durable().unwrap();
            assert_eq!(lines(&path).len(), left);
        }
    }

    #[test]
    fn a_file_that_ends_otherwise_is_no_audit_log_and_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit");
        let long = format!("{{\"time\":\"{}", " ".repeat(LONGEST));
        for text in ["x", "version: 0.1\nstorage: s3", "a line\n{\"times\":1}", "{ }", &long] {
            std::fs::write(&path, text).unwrap();
            assert!(AuditLog::open(&path, "run".into()).is_err(), "{text:.40}");
            assert!(std::fs::read_to_string(&path).unwrap() == text, "{text:.40}");
        }
    }

    #[test]
    fn two_processes_do_not_write_the_same_log() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit");
        let first = AuditLog::open(&path, "one".into()).unwrap();
        assert!(AuditLog::open(&path, "two".into()).is_err());
        drop(first);
        assert!(AuditLog::open(&path, "two".into()).is_ok());
    }
}
