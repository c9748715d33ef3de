//! Where `gc` keeps its plans and journals, and which of them is not finished yet.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use planner::{Plan, allows_sweep};
use registry::Timestamp;
use sweeper::Journal;

use crate::Failure;

/// How many finished runs are kept for a look back.
const KEPT: usize = 5;

/// The runs of one registry.
#[derive(Debug)]
pub(crate) struct Runs {
    dir: PathBuf,
}

impl Runs {
    /// The runs of the registry with this identity, below `state` or the operator's own state directory.
    ///
    /// # Errors
    /// [`Failure::File`] where the directory cannot be made, or no home is known.
    pub(crate) fn of(state: Option<&Path>, identity: &str) -> Result<Self, Failure> {
        let base = state.map_or_else(default_state, |state| Ok(state.to_owned()))?;
        let name = format!("{:016x}", xxhash_rust::xxh3::xxh3_64(identity.as_bytes()));
        let dir = base.join(name);
        fs::create_dir_all(&dir).map_err(|source| Failure::File { path: dir.clone(), source })?;
        Ok(Self { dir })
    }

    /// The run that began to delete and did not end, with its plan.
    ///
    /// Of the newest run only: what an older one left, a newer plan holds too.
    ///
    /// # Errors
    /// Where the newest run's journal exists and cannot be used: to ignore it would hide what it says.
    pub(crate) fn unfinished(&self) -> Result<Option<Plan>, Failure> {
        let Some(newest) = self.all()?.pop() else { return Ok(None) };
        if !newest.join(Journal::FILE_NAME).exists() {
            return Ok(None);
        }
        let plan = Plan::open(&newest)?;
        let journal = Journal::open(&newest, plan.id()).map_err(Failure::Journal)?;
        let is_open = !journal.state().is_finished() && allows_sweep(&plan.header().notes);
        Ok(is_open.then_some(plan))
    }

    /// A new run's directory; old finished runs make room.
    ///
    /// # Errors
    /// [`Failure::File`] where old runs cannot be removed.
    pub(crate) fn begin(&self, now: Timestamp) -> Result<PathBuf, Failure> {
        let runs = self.all()?;
        for old in runs.iter().rev().skip(KEPT - 1) {
            fs::remove_dir_all(old).map_err(|source| Failure::File { path: old.clone(), source })?;
        }
        Ok(self.dir.join(format!("run-{:015}", now.as_millis())))
    }

    /// Every run, oldest first.
    fn all(&self) -> Result<Vec<PathBuf>, Failure> {
        let failed = |source| Failure::File { path: self.dir.clone(), source };
        let mut runs = Vec::new();
        for entry in fs::read_dir(&self.dir).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.file_name().to_string_lossy().starts_with("run-") {
                runs.push(entry.path());
            }
        }
        runs.sort_unstable();
        Ok(runs)
    }
}

/// `$XDG_STATE_HOME/regsweep`, or `~/.local/state/regsweep`.
///
/// Source: XDG base directory specification 0.8: a relative path there is ignored.
fn default_state() -> Result<PathBuf, Failure> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")));
    base.map(|base| base.join("regsweep")).ok_or_else(|| Failure::File {
        path: "the state directory".into(),
        source: io::Error::new(io::ErrorKind::NotFound, "HOME is not set; give --state"),
    })
}
