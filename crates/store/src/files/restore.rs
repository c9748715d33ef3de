//! Writing files: the program's own, and folders on the way to them.

use bytes::Bytes;
use rustix::fd::{AsFd as _, OwnedFd};
use rustix::fs::{Gid, Mode, OFlags, Uid};
use rustix::io::Errno;

use super::folder;
use super::trouble::system;
use super::{Tree, path};
use crate::{Operation, StoreError};

/// Opens the folder `folder_key`, made where it is missing, and follows no link on the way.
///
/// A folder that is made belongs to whom the folder around it belongs, so that a registry that runs as another user
/// can go on writing there.
pub(super) fn make_folder(
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
            None => make_child(operation, &folder, name, key)?,
        };
    }
    Ok(folder)
}

fn make_child(
    operation: Operation,
    parent: &OwnedFd,
    name: &str,
    key: &str,
) -> Result<OwnedFd, StoreError> {
    let failed = |errno| system(operation, key, errno);
    let around = rustix::fs::fstat(parent).map_err(failed)?;
    match rustix::fs::mkdirat(parent, name, Mode::from_raw_mode(around.st_mode)) {
        // Another worker made it.
        Ok(()) | Err(Errno::EXIST) => {}
        Err(errno) => return Err(failed(errno)),
    }
    let child = folder::open(operation, parent.as_fd(), name.as_bytes(), key)?;
    let child = child.ok_or_else(|| failed(Errno::NOENT))?;
    let owner = (Uid::from_raw(around.st_uid), Gid::from_raw(around.st_gid));
    if let Err(errno) = rustix::fs::fchown(&child, Some(owner.0), Some(owner.1)) {
        tracing::debug!(folder = key, %errno, "a new folder stays with its maker");
    }
    Ok(child)
}

/// Writes a small file whole: beside its place first, then in its place.
pub(super) fn put(tree: &Tree, key: &str, body: &Bytes) -> Result<(), StoreError> {
    path::check_key(Operation::Restore, key)?;
    let failed = |errno| system(Operation::Restore, key, errno);
    let (folder_key, name) = path::split(key);
    let folder = make_folder(tree, Operation::Restore, folder_key)?;
    let beside = format!(".{name}.new");
    let flags =
        OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::openat(&folder, &beside, flags, Mode::from_raw_mode(0o644));
    let file = file.map_err(failed)?;
    write_all(&file, body).map_err(failed)?;
    rustix::fs::fsync(&file).map_err(failed)?;
    rustix::fs::renameat(&folder, &beside, &folder, name).map_err(failed)
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
