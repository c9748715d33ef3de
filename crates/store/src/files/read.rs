//! Reading one file whole.

use std::fs::File;
use std::io::Read as _;
use std::sync::Arc;

use bytes::Bytes;
use monitor::Counter;
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

fn open(tree: &Tree, key: &str) -> Result<(File, u64), StoreError> {
    path::check_key(Operation::Get, key)?;
    tree.monitor.count(Counter::GetRequests, 1);
    let absent = || StoreError::new(Operation::Get, key, ErrorKind::NotFound);
    let (folder_key, name) = path::split(key);
    let folder = tree.open_folder(Operation::Get, folder_key)?.ok_or_else(absent)?;
    // A pipe in the place of a file must not hold us up.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::fs::openat(&folder, name, flags, Mode::empty()) {
        Err(Errno::LOOP) => return Err(Oddity::Symlink.at(Operation::Get, key)),
        file => file.map_err(|errno| system(Operation::Get, key, errno))?,
    };
    let stat = rustix::fs::fstat(&file).map_err(|errno| system(Operation::Get, key, errno))?;
    match Kind::of_stat(&stat) {
        Kind::File => Ok((File::from(file), folder::size(&stat))),
        Kind::Folder => Err(absent()),
        Kind::Symlink | Kind::Special => Err(Oddity::Special.at(Operation::Get, key)),
    }
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
