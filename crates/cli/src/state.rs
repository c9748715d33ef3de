//! Where `gc` keeps its plans and journals, and which of them is not finished yet.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use planner::{Plan, PlanError, Policy, allows_sweep};
use registry::Timestamp;
use sweeper::{Journal, JournalError};
use tempfile::TempDir;

use crate::registry_cache::is_owed;
use crate::{Failure, xdg};

/// How many runs of a kind are kept for a look back; those that an undo may need beside them.
const KEPT: usize = 5;

/// How long a run is kept that an undo can make use of.
const TAKEN_BACK_WITHIN: Duration = Duration::from_hours(30 * 24);

/// Says of a run that it is not to be taken up again, by being there.
const GIVEN_UP: &str = "given-up";

/// Held by who sweeps.
const LOCK: &str = "lock";

/// The runs of one registry.
#[derive(Debug)]
pub(crate) struct Runs {
    dir: PathBuf,
}

/// What a run is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Its plan is carried out.
    Sweep,
    /// Its plan is only looked at.
    DryRun,
    /// What it names is condemned, and deleted by later runs.
    Condemning,
}

/// The newest run, where it began to delete and did not end.
#[derive(Debug)]
pub(crate) enum Unfinished {
    /// There is none.
    None,
    /// It can be taken up.
    Resumable(Box<Plan>),
    /// It cannot, and a new plan will hold what it left.
    Outdated {
        /// Its directory.
        dir: PathBuf,
        /// Why not.
        why: String,
    },
}

impl Kind {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Sweep => "run-",
            Self::DryRun => "dry-run-",
            Self::Condemning => "condemning-",
        }
    }
}

impl Runs {
    /// The runs of the registry with this identity and base, below `state` or the operator's own state directory.
    ///
    /// # Errors
    /// [`Failure::File`] where the directory cannot be made, or no home is known.
    pub(crate) fn of(state: Option<&Path>, identity: &str, base: &str) -> Result<Self, Failure> {
        let state = state.map_or_else(default_state, |state| Ok(state.to_owned()))?;
        let registry = format!("{identity}\n{base}");
        let dir = state.join(format!("{:016x}", xxhash_rust::xxh3::xxh3_64(registry.as_bytes())));
        fs::create_dir_all(&dir).map_err(file(&dir))?;
        Ok(Self { dir })
    }

    /// Where they are.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// A directory for what is needed for a while only.
    ///
    /// # Errors
    /// [`Failure::File`] where it cannot be made.
    pub(crate) fn scratch(&self) -> Result<TempDir, Failure> {
        tempfile::tempdir_in(&self.dir).map_err(file(&self.dir))
    }

    /// Keeps every other sweep of the registry away as long as the file is open.
    ///
    /// # Errors
    /// [`Failure::Busy`] where one is under way.
    pub(crate) fn lock(&self) -> Result<File, Failure> {
        lock(&self.dir)
    }

    /// The same for the run in `run`, where it is one: other plans lie where nobody locks.
    ///
    /// # Errors
    /// [`Failure::Busy`] where a sweep of the same registry is under way.
    pub(crate) fn lock_around(run: &Path) -> Result<Option<File>, Failure> {
        let run = run.canonicalize().map_err(file(run))?;
        let runs = run.parent().filter(|runs| runs.join(LOCK).exists());
        runs.map(lock).transpose()
    }

    /// The run that began to delete and did not end.
    ///
    /// Of the newest run only: what an older one left, a newer plan holds too. For the same reason one that is past
    /// use stands in nobody's way. `retention` and `keep_list` are the SHA-256 of the retention policy and of the keep
    /// list, where there is one.
    ///
    /// # Errors
    /// Where the disk fails, or somebody carries out its plan.
    pub(crate) fn unfinished(
        &self,
        policy: &Policy,
        retention: Option<&str>,
        keep_list: Option<&str>,
        now: Timestamp,
        max_age: Duration,
    ) -> Result<Unfinished, Failure> {
        let newest = self.all(Kind::Sweep)?.pop();
        let began = |dir: &PathBuf| dir.join(Journal::FILE_NAME).exists();
        let Some(dir) = newest.filter(began) else { return Ok(Unfinished::None) };
        let outdated = |why: String| Ok(Unfinished::Outdated { dir: dir.clone(), why });
        let plan = match Plan::open(&dir) {
            Ok(plan) => plan,
            Err(error @ PlanError::Io { .. }) => return Err(error.into()),
            Err(error) => return outdated(error.to_string()),
        };
        match Journal::open(&dir, plan.id()) {
            Ok(journal) if journal.state().is_finished() || journal.state().is_undone() => {
                return Ok(Unfinished::None);
            }
            Ok(_) => {}
            Err(error @ (JournalError::Io { .. } | JournalError::Locked { .. })) => {
                return Err(Failure::Journal(error));
            }
            Err(error) => return outdated(error.to_string()),
        }
        if dir.join(GIVEN_UP).exists() || !allows_sweep(&plan.header().notes) {
            return Ok(Unfinished::None);
        }
        let header = plan.header();
        let retained = header.retention.as_ref().map(|retention| &*retention.sha256);
        let listed = header.keep_list.as_ref().map(|list| &*list.sha256);
        if (&header.policy, retained, listed) != (policy, retention, keep_list) {
            return outdated("it was made under another policy".to_owned());
        }
        match plan.check_fresh(now, max_age) {
            Ok(()) => Ok(Unfinished::Resumable(Box::new(plan))),
            Err(error) => outdated(error.to_string()),
        }
    }

    /// Runs that deleted and were not cleared from the registry's cache.
    ///
    /// # Errors
    /// [`Failure::File`] where the directory cannot be read.
    pub(crate) fn uncleared(&self) -> Result<Vec<PathBuf>, Failure> {
        let mut runs = self.all(Kind::Sweep)?;
        runs.retain(|run| is_owed(run));
        Ok(runs)
    }

    /// A new run's directory; old runs of its kind make room, but for those that can be taken back, or whose cache is to
    /// be cleared.
    ///
    /// # Errors
    /// [`Failure::File`] where old runs cannot be removed, or their journals not be read.
    pub(crate) fn begin(&self, kind: Kind, now: Timestamp) -> Result<PathBuf, Failure> {
        let mut others = 0;
        for old in self.all(kind)?.iter().rev() {
            others += 1;
            if others >= KEPT && !is_needed(old, kind, now)? {
                fs::remove_dir_all(old).map_err(file(old))?;
            }
        }
        Ok(self.dir.join(format!("{}{:015}", kind.prefix(), now.as_millis())))
    }

    /// Marks a run as one whose rest only a new plan can judge.
    ///
    /// # Errors
    /// [`Failure::File`] where that cannot be written.
    pub(crate) fn give_up(run: &Path) -> Result<(), Failure> {
        let path = run.join(GIVEN_UP);
        File::create(&path).map_err(file(&path))?;
        Ok(())
    }

    /// Every run of a kind, oldest first.
    fn all(&self, kind: Kind) -> Result<Vec<PathBuf>, Failure> {
        let mut runs = Vec::new();
        for entry in fs::read_dir(&self.dir).map_err(file(&self.dir))? {
            let entry = entry.map_err(file(&self.dir))?;
            if entry.file_name().to_string_lossy().starts_with(kind.prefix()) {
                runs.push(entry.path());
            }
        }
        runs.sort_unstable();
        Ok(runs)
    }
}

/// Whether an old run is still needed: by an undo, for a time that most trash outlasts, or to clear a cache.
fn is_needed(run: &Path, kind: Kind, now: Timestamp) -> Result<bool, Failure> {
    if is_owed(run) {
        return Ok(true);
    }
    let name = run.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let began = name.strip_prefix(kind.prefix()).and_then(|millis| millis.parse().ok());
    let age = began.map(|began| now.since(Timestamp::from_millis(began)));
    if age.is_some_and(|age| age > TAKEN_BACK_WITHIN) {
        return Ok(false);
    }
    // Of a plan that cannot be used, no undo can make use.
    let Ok(plan) = Plan::open(run) else { return Ok(false) };
    match Journal::open_existing(run, plan.id()) {
        Ok(Some(journal)) => {
            let state = journal.state();
            Ok(state.used_trash() || state.marked_rows() > 0)
        }
        Err(JournalError::Locked { .. }) => Ok(true),
        Err(error @ JournalError::Io { .. }) => Err(Failure::Journal(error)),
        // Of a journal that cannot be used, no undo can make use.
        Ok(None) | Err(_) => Ok(false),
    }
}

fn lock(dir: &Path) -> Result<File, Failure> {
    let path = dir.join(LOCK);
    let options = File::options().write(true).create(true).truncate(false).open(&path);
    let lock = options.map_err(file(&path))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(Failure::Busy { dir: dir.to_owned() }),
        Err(TryLockError::Error(source)) => Err(Failure::File { path, source }),
    }
}

fn file(path: &Path) -> impl FnOnce(io::Error) -> Failure + '_ {
    |source| Failure::File { path: path.to_owned(), source }
}

/// `$XDG_STATE_HOME/regsweep`, or `~/.local/state/regsweep`.
fn default_state() -> Result<PathBuf, Failure> {
    xdg::directory("XDG_STATE_HOME", ".local/state").ok_or_else(|| Failure::File {
        path: "the state directory".into(),
        source: io::Error::new(io::ErrorKind::NotFound, "HOME is not set; give --state"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs() -> (TempDir, Runs) {
        let state = tempfile::tempdir().unwrap();
        let runs = Runs::of(Some(state.path()), "s3://bucket", "").unwrap();
        (state, runs)
    }

    fn unfinished(runs: &Runs) -> Unfinished {
        let policy =
            Policy { untagged: false, grace: Duration::ZERO, uploads_older_than: Duration::ZERO };
        runs.unfinished(&policy, None, None, Timestamp::default(), Duration::MAX).unwrap()
    }

    #[test]
    fn registries_in_one_bucket_have_runs_of_their_own() {
        let (state, runs) = runs();
        let other = |identity, base| Runs::of(Some(state.path()), identity, base).unwrap().dir;
        assert_ne!(runs.dir, other("s3://bucket", "root/"));
        assert_ne!(runs.dir, other("s3://other", ""));
        assert_eq!(runs.dir, other("s3://bucket", ""));
    }

    #[test]
    fn a_registry_is_swept_by_one_at_a_time() {
        let (_state, runs) = runs();
        let lock = runs.lock().unwrap();
        assert!(matches!(runs.lock(), Err(Failure::Busy { .. })));
        drop(lock);
        assert!(runs.lock().is_ok());
    }

    #[test]
    fn old_runs_make_room_for_new_ones_of_their_kind() {
        let (_state, runs) = runs();
        let begin = |kind, millis| {
            let dir = runs.begin(kind, Timestamp::from_millis(millis)).unwrap();
            fs::create_dir(&dir).unwrap();
            dir
        };
        let first = begin(Kind::Sweep, 9);
        (0..20).for_each(|millis| drop(begin(Kind::DryRun, millis)));
        assert!(first.exists(), "dry runs take no room of sweeps");
        (10..14).for_each(|millis| drop(begin(Kind::Sweep, millis)));
        assert!(first.exists(), "five are kept");
        begin(Kind::Sweep, 100_000_000_000_000);
        assert!(!first.exists());
        assert_eq!(runs.all(Kind::Sweep).unwrap().len(), KEPT);
        assert_eq!(runs.all(Kind::DryRun).unwrap().len(), KEPT);
    }

    #[test]
    fn a_run_that_only_planned_is_not_taken_up_and_a_damaged_one_stands_in_nobodys_way() {
        let (_state, runs) = runs();
        let dir = runs.begin(Kind::Sweep, Timestamp::from_millis(1)).unwrap();
        fs::create_dir(&dir).unwrap();
        assert!(matches!(unfinished(&runs), Unfinished::None));
        fs::write(dir.join(Journal::FILE_NAME), "what is this").unwrap();
        assert!(matches!(unfinished(&runs), Unfinished::Outdated { .. }));
    }
}
