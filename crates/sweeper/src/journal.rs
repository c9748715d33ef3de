//! What was intended and what became of it, on disk, so that a sweep can be cut off at any instant (G11).

mod bytes;
mod disk;
mod frame;
mod read;
mod record;
mod state;
mod witness;
mod write;

use std::fs::{File, TryLockError};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use planner::PlanId;

pub use read::{Replay, ReplayError, parse_journal};
pub use state::JournalState;
pub use witness::Witness;

pub(crate) use disk::Disk;
pub(crate) use read::{ReadError, replay_to};
pub(crate) use record::{Fate, Marked, Record, Run, Span};
pub(crate) use state::{Period, Worth, joined};
pub(crate) use write::{Durable, Writer};

use frame::{framed, put_frame};
use read::replay;
use record::FORMAT;
use witness::Witnessed;

/// The journal of one plan, opened for one sweep.
///
/// While it is open, nobody else can open it: two processes never sweep one plan. Memory: about a bit for each row
/// with an outcome, less where neighbours share it.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    disk: Box<dyn Disk>,
    length: u64,
    state: JournalState,
    torn: u64,
}

/// Why a journal cannot be opened or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// It belongs to another plan.
    #[error("the journal `{}` belongs to plan {found}, not to {expected}", path.display())]
    OtherPlan {
        /// The journal.
        path: PathBuf,
        /// The plan it names.
        found: Box<str>,
        /// The plan it should name.
        expected: Box<str>,
    },
    /// It is no journal that this version can believe.
    #[error("the journal `{}` cannot be used", path.display())]
    Unusable {
        /// The journal.
        path: PathBuf,
        /// What is wrong with it.
        source: ReplayError,
    },
    /// Another process is sweeping the same plan.
    #[error("the journal `{}` is in use by another process", path.display())]
    Locked {
        /// The journal.
        path: PathBuf,
    },
    /// The file system failed.
    #[error("the journal `{}` cannot be read or written", path.display())]
    Io {
        /// The journal.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

impl Journal {
    /// The name of the file in the directory of its plan.
    pub const FILE_NAME: &'static str = "journal";

    /// Opens the journal of a plan in the plan's directory; creates it where there is none.
    ///
    /// What a crash left torn behind the last whole record is cut off, see [`Journal::torn`].
    ///
    /// # Errors
    /// [`JournalError`]; the file is then as it was.
    pub fn open(directory: &Path, plan: PlanId) -> Result<Self, JournalError> {
        let path = directory.join(Self::FILE_NAME);
        let file = lock(&path)?;
        let content = file.try_clone().map_err(|source| io_error(&path, source))?;
        let journal =
            Self::over(Box::new(file), &mut BufReader::new(content), path, &plan.to_string())?;
        journal.sync_directory(directory)?;
        Ok(journal)
    }

    /// The same where there is one: nothing is created, so that a plan that was never carried out stays so.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn open_existing(directory: &Path, plan: PlanId) -> Result<Option<Self>, JournalError> {
        let path = directory.join(Self::FILE_NAME);
        let exists = path.try_exists().map_err(|source| io_error(&path, source))?;
        exists.then(|| Self::open(directory, plan)).transpose()
    }

    /// Takes up the journal whose bytes are `content` and which `disk` goes on writing.
    pub(crate) fn over(
        mut disk: Box<dyn Disk>,
        content: &mut impl Read,
        path: PathBuf,
        plan: &str,
    ) -> Result<Self, JournalError> {
        let replay = replay(content).map_err(|error| error.at(path.clone()))?;
        let length = match replay.plan {
            Some(found) if *found != *plan => {
                return Err(JournalError::OtherPlan { path, found, expected: plan.into() });
            }
            Some(_) => cut(&mut *disk, replay.whole, replay.torn),
            None => begin(&mut *disk, plan),
        };
        let length = length.map_err(|source| io_error(&path, source))?;
        Ok(Self { path, disk, length, state: replay.state, torn: replay.torn })
    }

    /// The same journal, which writes nothing before `witness` has made durable all that it was told: an outcome that the
    /// journal holds is never told again (G11).
    #[must_use]
    pub fn witnessed(self, witness: Arc<dyn Witness>) -> Self {
        let disk = Box::new(Witnessed { disk: self.disk, witness });
        Self { disk, ..self }
    }

    /// What earlier sweeps of this plan did.
    #[must_use]
    pub fn state(&self) -> &JournalState {
        &self.state
    }

    /// Bytes of the last write that were cut off when the journal was opened, because a crash had torn them.
    #[must_use]
    pub fn torn(&self) -> u64 {
        self.torn
    }

    /// Hands over what earlier sweeps did.
    pub(crate) fn take_state(&mut self) -> JournalState {
        std::mem::take(&mut self.state)
    }

    /// Its path, for messages.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// All of it, from the beginning.
    pub(crate) fn reread(&self) -> Result<Box<dyn Read + Send>, JournalError> {
        self.disk.reread().map_err(|source| io_error(&self.path, source))
    }

    /// Says that the plan is taken back; returns when that is durable.
    pub(crate) fn record_undone(&mut self) -> Result<(), JournalError> {
        let record = Record::Undone.encode();
        let mut bytes = Vec::new();
        put_frame(&mut bytes, self.length, self.length, &record);
        let written = self.disk.append(&bytes).and_then(|()| self.disk.sync());
        written.map_err(|source| io_error(&self.path, source))?;
        self.length += framed(record.len());
        Ok(())
    }

    /// Begins writing behind what is there.
    pub(crate) fn into_writer(self) -> (Writer, PathBuf) {
        (Writer::start(self.disk, self.length), self.path)
    }

    /// Makes the file's name durable: a journal that vanishes in a crash would forget what was deleted.
    fn sync_directory(&self, directory: &Path) -> Result<(), JournalError> {
        let synced = File::open(directory).and_then(|directory| directory.sync_all());
        synced.map_err(|source| io_error(&self.path, source))
    }
}

impl ReadError {
    /// The same, with the journal's path.
    pub(crate) fn at(self, path: PathBuf) -> JournalError {
        match self {
            Self::Io(source) => JournalError::Io { path, source },
            Self::Replay(source) => JournalError::Unusable { path, source },
        }
    }
}

fn io_error(path: &Path, source: io::Error) -> JournalError {
    JournalError::Io { path: path.to_owned(), source }
}

fn lock(path: &Path) -> Result<File, JournalError> {
    let opened = File::options().read(true).write(true).create(true).truncate(false).open(path);
    let file = opened.map_err(|source| io_error(path, source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(JournalError::Locked { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => Err(io_error(path, source)),
    }
}

/// Cuts off what is torn; writing goes on behind the last whole record.
fn cut(disk: &mut dyn Disk, whole: u64, torn: u64) -> io::Result<u64> {
    if torn > 0 {
        tracing::warn!(torn, "the last write to the journal was torn and is cut off");
    }
    disk.cut(whole)?;
    Ok(whole)
}

/// Writes the header, and returns when it is durable.
fn begin(disk: &mut dyn Disk, plan: &str) -> io::Result<u64> {
    let record = Record::Header { format: FORMAT, plan: plan.into() }.encode();
    let mut bytes = Vec::new();
    put_frame(&mut bytes, 0, 0, &record);
    disk.cut(0)?;
    disk.append(&bytes)?;
    disk.sync()?;
    Ok(framed(record.len()))
}
