//! The folder of a cache: names, locks, what lies in it.

use std::fs::{self, DirBuilder, File, Metadata, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tempfile::NamedTempFile;

use crate::CacheError;

/// Bits of a mode: group and others.
const WRITABLE_BY_OTHERS: u32 = 0o022;
const LOCK: &str = "lock";
const TEMPORARY: &str = ".new-";
const SEGMENT: &str = ".edges";
/// One who tidies spoils one temporary file of a writer at most, and few tidy at the same time.
const TRIES: usize = 16;

/// Refuses what others can write to, or have written. G4: a checksum that anybody can compute tells damage, not whose
/// work it is.
pub(crate) fn require_own(metadata: &Metadata, path: &Path) -> Result<(), CacheError> {
    let user = rustix::process::geteuid().as_raw();
    if is_own(metadata.uid(), metadata.mode(), user) {
        Ok(())
    } else {
        Err(CacheError::Exposed { path: path.to_owned() })
    }
}

const fn is_own(owner: u32, mode: u32, user: u32) -> bool {
    owner == user && mode & WRITABLE_BY_OTHERS == 0
}

/// The folder of a cache.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
}

/// A segment as it lies there.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
    written: SystemTime,
}

impl Directory {
    /// # Errors
    /// [`CacheError::Io`] where it cannot be made or written to, [`CacheError::Exposed`].
    pub(crate) fn open(path: &Path) -> Result<Self, CacheError> {
        let directory = Self { path: path.to_owned() };
        directory.lock_file()?;
        require_own(&fs::metadata(path).map_err(CacheError::io("look at", path))?, path)?;
        Ok(directory)
    }

    /// Makes the folder, where it is not there any more, for its owner alone: what lies in it decides what is kept.
    fn make(&self) -> Result<(), CacheError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&self.path);
        made.map_err(CacheError::io("create", &self.path))
    }

    fn lock_file(&self) -> Result<File, CacheError> {
        self.make()?;
        let path = self.path.join(LOCK);
        let file = File::options().write(true).create(true).truncate(false).open(&path);
        file.map_err(CacheError::io("open", &path))
    }

    /// Keeps away who else would tidy; none where somebody tidies. Held as long as the file is open.
    ///
    /// # Errors
    /// [`CacheError::Io`] where there are no locks.
    pub(crate) fn alone(&self) -> Result<Option<File>, CacheError> {
        let file = self.lock_file()?;
        Ok(try_lock(&file, &self.path.join(LOCK))?.then_some(file))
    }

    /// A file that goes with the value, and is locked as long as it is open: so it is no leftover.
    ///
    /// # Errors
    /// [`CacheError::Io`] where none can be made, or there are no locks.
    pub(crate) fn temporary(&self) -> Result<NamedTempFile, CacheError> {
        self.make()?;
        let mut tries = 0..TRIES;
        loop {
            let made = tempfile::Builder::new().prefix(TEMPORARY).tempfile_in(&self.path);
            let file = made.map_err(CacheError::io("write to", &self.path))?;
            // Who tidies may have met it before it was locked. Where the system is wrong about it, it is as good as any.
            let is_kept = try_lock(file.as_file(), file.path())? && is_linked(&file)?;
            if is_kept || tries.next().is_none() {
                return Ok(file);
            }
        }
    }

    /// Gives a whole segment its name: the checksum of its content, so that the same content has the same name.
    ///
    /// # Errors
    /// [`CacheError::Io`] where it cannot be renamed.
    pub(crate) fn publish(&self, file: NamedTempFile, name: u64) -> Result<PathBuf, CacheError> {
        let path = self.path.join(format!("{name:016x}{SEGMENT}"));
        let persisted = file.persist(&path).map_err(|error| error.error);
        persisted.map_err(CacheError::io("write", &path))?;
        Ok(path)
    }

    /// Every segment, oldest first.
    ///
    /// # Errors
    /// [`CacheError::Io`] where the folder cannot be read.
    pub(crate) fn segments(&self) -> Result<Vec<Entry>, CacheError> {
        let mut entries = Vec::new();
        for path in self.files()?.into_iter().filter(|path| is_segment(path)) {
            match fs::symlink_metadata(&path).and_then(|file| Ok((file.modified()?, file))) {
                Ok((written, file)) if file.is_file() => {
                    entries.push(Entry { path, bytes: file.len(), written });
                }
                Ok(_) => {}
                // Somebody tidied meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(CacheError::io("look at", &path)(error)),
            }
        }
        entries.sort_unstable_by(|a, b| (a.written, &a.path).cmp(&(b.written, &b.path)));
        Ok(entries)
    }

    /// Removes what writers left that were cut off: nobody has it locked.
    ///
    /// # Errors
    /// [`CacheError::Io`] where the disk fails.
    pub(crate) fn remove_leftovers(&self) -> Result<(), CacheError> {
        let is_temporary = |path: &PathBuf| name_of(path).starts_with(TEMPORARY);
        self.files()?
            .iter()
            .filter(|path| is_temporary(path))
            .try_for_each(|path| remove_left(path))
    }

    fn files(&self) -> Result<Vec<PathBuf>, CacheError> {
        let failed = || CacheError::io("list", &self.path);
        let entries = match fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed()(error)),
        };
        entries.map(|entry| Ok(entry.map_err(failed())?.path())).collect()
    }
}

/// Locks a file; says no where somebody else has it locked.
fn try_lock(file: &File, path: &Path) -> Result<bool, CacheError> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(source)) => Err(CacheError::io("lock", path)(source)),
    }
}

/// Whether it still has its name.
fn is_linked(file: &NamedTempFile) -> Result<bool, CacheError> {
    let metadata = file.as_file().metadata();
    Ok(metadata.map_err(CacheError::io("look at", file.path()))?.nlink() > 0)
}

/// Removes a temporary file, unless somebody writes it. It stays locked until it is gone: who locks it afterwards sees that.
fn remove_left(path: &Path) -> Result<(), CacheError> {
    // Open for writing: over a network, files that are only read cannot be locked alone.
    let file = match File::options().write(true).open(path) {
        Ok(file) => file,
        // Its writer was faster.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(CacheError::io("open", path)(error)),
    };
    if try_lock(&file, path)? { remove(path) } else { Ok(()) }
}

/// Removes a file, if it is still there.
///
/// # Errors
/// [`CacheError::Io`] where it cannot be removed.
pub(crate) fn remove(path: &Path) -> Result<(), CacheError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(CacheError::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}

fn name_of(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

/// Only a name that this program gives; other files are somebody else's.
fn is_segment(path: &Path) -> bool {
    let checksum = name_of(path).strip_suffix(SEGMENT);
    checksum.is_some_and(|hex| hex.len() == 16 && u64::from_str_radix(hex, 16).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g4_only_what_the_user_alone_can_write_is_the_users() {
        for (owner, mode, is_ours) in [
            (1000, 0o700, true),
            (1000, 0o755, true),
            (1000, 0o770, false),
            (1000, 0o702, false),
            (0, 0o700, false),
            (1001, 0o755, false),
        ] {
            assert_eq!(is_own(owner, mode, 1000), is_ours, "{owner} {mode:o}");
        }
        assert!(!is_own(1000, 0o700, 0), "not even where root runs it");
    }
}
