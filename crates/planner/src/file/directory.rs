//! Taking a directory for a new plan, and looking through that of a finished one.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, DirEntry, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::file::{Segment, UNFINISHED_FILE};
use crate::{Damage, PlanError, Stage};

/// Makes `dir` the directory of an unfinished plan.
///
/// What an earlier writer left unfinished is removed: without a `plan.json` nobody can have begun to carry it out.
pub(crate) fn claim(dir: &Path) -> Result<(), PlanError> {
    fs::create_dir_all(dir).map_err(PlanError::io(dir))?;
    let entries = entries_of(dir)?;
    if !entries.is_empty() {
        clear(dir, &entries)?;
    }
    let marker = dir.join(UNFINISHED_FILE);
    File::create(&marker).map(drop).map_err(PlanError::io(&marker))
}

/// Removes an unfinished plan with its directory.
pub(crate) fn release(dir: &Path) -> Result<(), PlanError> {
    clear(dir, &entries_of(dir)?)?;
    let marker = dir.join(UNFINISHED_FILE);
    fs::remove_file(&marker).map_err(PlanError::io(&marker))?;
    for stage in Stage::ALL {
        remove_empty(&dir.join(stage.name()))?;
    }
    remove_empty(dir)
}

fn remove_empty(dir: &Path) -> Result<(), PlanError> {
    match fs::remove_dir(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(PlanError::io(dir)),
    }
}

/// Removes the segments of an unfinished plan; looks through everything before it removes anything.
fn clear(dir: &Path, entries: &[DirEntry]) -> Result<(), PlanError> {
    let is_unfinished = entries.iter().any(|entry| entry.file_name() == UNFINISHED_FILE);
    let mut segments = Vec::new();
    for entry in entries {
        match leftovers(entry)? {
            Some(files) if is_unfinished => segments.extend(files),
            _ => return Err(occupied(dir, &entry.file_name())),
        }
    }
    segments.iter().try_for_each(|file| fs::remove_file(file).map_err(PlanError::io(file)))
}

/// The segments below `entry`; none where it is no part of an unfinished plan.
fn leftovers(entry: &DirEntry) -> Result<Option<Vec<PathBuf>>, PlanError> {
    let path = entry.path();
    let kind = entry.file_type().map_err(PlanError::io(&path))?;
    if kind.is_file() && entry.file_name() == UNFINISHED_FILE {
        return Ok(Some(Vec::new()));
    }
    if !kind.is_dir() || !Stage::ALL.iter().any(|stage| entry.file_name() == stage.name()) {
        return Ok(None);
    }
    let files: Vec<PathBuf> = entries_of(&path)?.iter().map(DirEntry::path).collect();
    let all_are_segments = files.iter().all(|file| is_segment(file));
    Ok(all_are_segments.then_some(files))
}

fn is_segment(file: &Path) -> bool {
    file.extension() == Some(OsStr::new("parquet"))
}

fn occupied(dir: &Path, found: &OsStr) -> PlanError {
    PlanError::Occupied { dir: dir.to_owned(), found: found.to_string_lossy().into_owned() }
}

fn entries_of(dir: &Path) -> Result<Vec<DirEntry>, PlanError> {
    let entries = fs::read_dir(dir).map_err(PlanError::io(dir))?;
    entries.collect::<Result<_, _>>().map_err(PlanError::io(dir))
}

/// Refuses segments that the plan does not list: whoever reviewed the directory would have seen other rows than are
/// swept.
pub(crate) fn check_unlisted(dir: &Path, segments: &[Segment]) -> Result<(), PlanError> {
    let listed: HashSet<PathBuf> = segments.iter().map(|segment| segment.path(dir)).collect();
    for stage in Stage::ALL {
        let folder = dir.join(stage.name());
        if !folder.try_exists().map_err(PlanError::io(&folder))? {
            continue;
        }
        let found = entries_of(&folder)?;
        let mut segments = found.iter().map(DirEntry::path).filter(|path| is_segment(path));
        if let Some(path) = segments.find(|path| !listed.contains(path)) {
            return Err(PlanError::damaged(&path, Damage::Unlisted));
        }
    }
    Ok(())
}

/// Makes a file, or the names in a directory, durable.
pub(crate) fn sync(path: &Path) -> Result<(), PlanError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(PlanError::io(path))
}
