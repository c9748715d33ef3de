//! Reading one file whole.

use std::fs::File;
use std::io::Read as _;
use std::sync::Arc;

use bytes::Bytes;
use monitor::Counter;
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::folder::{self, Kind};
use super::trouble::{Oddity, system, unfinished};
use super::{Tree, path};
use crate::{ErrorKind, Operation, StoreError};

/// Files up to this size, in bytes, are read where the caller stands. Links and manifests are smaller: reading one
/// takes about as long as handing the work to another thread, and twice as long as that with the way back.
const INLINE: u64 = 64 * 1024;

pub(super) async fn get(tree: &Arc<Tree>, key: &str, at_most: u64) -> Result<Bytes, StoreError> {
    let (file, size) = open(tree, key)?;
    if size > at_most {
        return Err(StoreError::new(Operation::Get, key, ErrorKind::TooLarge));
    }
    if size <= INLINE {
        return read(file, key, size);
    }
    let subject = key.to_owned();
    tokio::task::spawn_blocking(move || read(file, &subject, size))
        .await
        .map_err(|error| unfinished(Operation::Get, key, error))?
}

/// Opens the file of `key` and tells its size.
fn open(tree: &Tree, key: &str) -> Result<(File, u64), StoreError> {
    path::check_key(Operation::Get, key)?;
    tree.monitor.count(Counter::GetRequests, 1);
    // A pipe in the place of a file must not hold us up.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match folder::open_at_once(&tree.root, key, flags) {
        Some(file) => file,
        None => open_by_steps(tree, key, flags)?,
    };
    let stat = rustix::fs::fstat(&file).map_err(|errno| system(Operation::Get, key, errno))?;
    match Kind::of_stat(&stat) {
        Kind::File => Ok((File::from(file), folder::size(&stat))),
        Kind::Folder => Err(absent(key)),
        Kind::Symlink | Kind::Special => Err(Oddity::Special.at(Operation::Get, key)),
    }
}

pub(super) fn open_by_steps(tree: &Tree, key: &str, flags: OFlags) -> Result<OwnedFd, StoreError> {
    let (folder_key, name) = path::split(key);
    let folder = tree.open_folder_by_steps(Operation::Get, folder_key)?;
    let folder = folder.ok_or_else(|| absent(key))?;
    match rustix::fs::openat(&folder, name, flags, Mode::empty()) {
        Err(Errno::LOOP) => Err(Oddity::Symlink.at(Operation::Get, key)),
        file => file.map_err(|errno| system(Operation::Get, key, errno)),
    }
}

fn absent(key: &str) -> StoreError {
    StoreError::new(Operation::Get, key, ErrorKind::NotFound)
}

/// Reads all of `file`, which had `size` bytes when it was opened; any other length is an error.
fn read(file: File, key: &str, size: u64) -> Result<Bytes, StoreError> {
    let failed = |error| StoreError::new(Operation::Get, key, ErrorKind::Transient).because(error);
    let expected = usize::try_from(size)
        .map_err(|_| StoreError::new(Operation::Get, key, ErrorKind::TooLarge))?;
    let mut body = Vec::with_capacity(expected + 1);
    file.take(size.saturating_add(1)).read_to_end(&mut body).map_err(|error: std::io::Error| {
        match Errno::from_io_error(&error) {
            Some(errno) => system(Operation::Get, key, errno),
            None => failed(error),
        }
    })?;
    match body.len().cmp(&expected) {
        std::cmp::Ordering::Equal => Ok(Bytes::from(body)),
        std::cmp::Ordering::Less => Err(Oddity::Short.at(Operation::Get, key)),
        std::cmp::Ordering::Greater => Err(Oddity::Changed.at(Operation::Get, key)),
    }
}
