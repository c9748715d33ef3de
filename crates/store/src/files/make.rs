//! Making folders and files.

use rustix::fd::{AsFd as _, OwnedFd};
use rustix::fs::{AtFlags, Gid, Mode, OFlags, Uid};
use rustix::io::Errno;

use super::trouble::system;
use super::{Tree, folder, path};
use crate::{ErrorKind, Operation, StoreError};

/// The mode of files: the registry may run as another user, and reads them.
pub(super) const FILE: Mode = Mode::from_raw_mode(0o644);

/// Opens the folder `folder_key`, made where it is missing, and follows no link on the way.
///
/// A folder that is made belongs to whom the folder around it belongs, so that a registry that runs as another user
/// can go on writing there. A folder that is written to is durable with all that lead to it; for one that files are moved
/// into, one for nearly each of them, that would take longer than the moves.
pub(super) fn folder(
    tree: &Tree,
    operation: Operation,
    folder_key: &str,
) -> Result<OwnedFd, StoreError> {
    if let Some(folder) = tree.open_folder(operation, folder_key)? {
        return Ok(folder);
    }
    let mut folder = tree.open_root(operation)?;
    for (name, key) in path::steps(folder_key) {
        folder = match folder::open(operation, folder.as_fd(), name.as_bytes(), key)? {
            Some(child) => child,
            None => child(operation, &folder, name, key)?,
        };
    }
    Ok(folder)
}

fn child(
    operation: Operation,
    parent: &OwnedFd,
    name: &str,
    key: &str,
) -> Result<OwnedFd, StoreError> {
    let failed = |errno| system(operation, key, errno);
    let around = rustix::fs::fstat(parent).map_err(failed)?;
    match rustix::fs::mkdirat(parent, name, Mode::from_raw_mode(around.st_mode)) {
        // Somebody else made it.
        Ok(()) | Err(Errno::EXIST) => {}
        Err(errno) => return Err(failed(passing(errno))),
    }
    if operation == Operation::Write {
        sync(parent).map_err(|failed| failed.at(operation, key))?;
    }
    let child = folder::open(operation, parent.as_fd(), name.as_bytes(), key)?;
    let child = child.ok_or_else(|| failed(missing(parent, name)))?;
    let owner = (Uid::from_raw(around.st_uid), Gid::from_raw(around.st_gid));
    if let Err(errno) = rustix::fs::fchown(&child, Some(owner.0), Some(owner.1)) {
        tracing::debug!(folder = key, %errno, "a new folder stays with its maker");
    }
    Ok(child)
}

/// Why a folder that was made, or was there, is not.
fn missing(parent: &OwnedFd, name: &str) -> Errno {
    folder::look(parent.as_fd(), name.as_bytes()).map_or_else(passing, |_| Errno::NOTDIR)
}

/// Folders go when they are empty, so that one may go while something is put into it: it can be made again.
fn passing(errno: Errno) -> Errno {
    if errno == Errno::NOENT { Errno::STALE } else { errno }
}

/// What went wrong with a file.
pub(super) enum Failed {
    System(Errno),
    /// The system may have dropped what it could not write, and a second try says nothing about that.
    Sync(Errno),
}

impl Failed {
    pub(super) fn at(self, operation: Operation, key: &str) -> StoreError {
        match self {
            Self::System(errno) => system(operation, key, errno),
            Self::Sync(errno) => {
                StoreError { kind: ErrorKind::Fatal, ..system(operation, key, errno) }
            }
        }
    }
}

/// Writes the file `name` whole and durably: beside its place first, under the name `beside`, then in its place.
pub(super) fn file(
    folder: &OwnedFd,
    beside: &str,
    name: &str,
    content: &[u8],
) -> Result<(), Failed> {
    let flags =
        OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::openat(folder, beside, flags, FILE).map_err(Failed::System)?;
    write_all(&file, content).map_err(Failed::System)?;
    hand_over(&file, folder, name).map_err(Failed::System)?;
    sync(&file)?;
    rustix::fs::renameat(folder, beside, folder, name).map_err(Failed::System)?;
    sync(folder)
}

/// A file that takes the place of another has its owner and mode, so that a registry that runs as another user can go on
/// writing it; a new one belongs to whom its folder belongs.
fn hand_over(file: &OwnedFd, folder: &OwnedFd, name: &str) -> Result<(), Errno> {
    let before = match rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => None,
        before => Some(before?),
    };
    let like = before.map_or_else(|| rustix::fs::fstat(folder), Ok)?;
    let (ours, mode) = (rustix::fs::fstat(file)?, before.map(|before| before.st_mode));
    if (ours.st_uid, ours.st_gid) != (like.st_uid, like.st_gid) {
        let owner = (Uid::from_raw(like.st_uid), Gid::from_raw(like.st_gid));
        if let Err(errno) = rustix::fs::fchown(file, Some(owner.0), Some(owner.1)) {
            tracing::debug!(file = name, %errno, "a file stays with its writer");
        }
    }
    match mode {
        Some(mode) if mode != ours.st_mode => {
            rustix::fs::fchmod(file, Mode::from_raw_mode(mode & 0o7777))
        }
        _ => Ok(()),
    }
}

fn sync(file: &OwnedFd) -> Result<(), Failed> {
    rustix::fs::fsync(file).map_err(Failed::Sync)
}

fn write_all(file: &OwnedFd, mut bytes: &[u8]) -> Result<(), Errno> {
    while !bytes.is_empty() {
        match rustix::io::write(file, bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}
