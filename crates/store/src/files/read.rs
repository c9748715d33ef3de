//! Reading one file, whole or in part.

use std::mem::MaybeUninit;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use monitor::Counter;
use registry::Digest;
use rustix::buffer::spare_capacity;
use rustix::fd::{AsFd as _, OwnedFd};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::folder::{self, Kind};
use super::trouble::{Oddity, system, unfinished};
use super::{Tree, path};
use crate::{Content, ErrorKind, Object, Operation, StoreError};

/// Files up to this size, in bytes, are read where the caller stands. Links and manifests are smaller: reading one
/// takes about as long as handing the work to another thread, and twice as long as that with the way back.
const INLINE: u64 = 64 * 1024;

/// Nearly all links and manifests are smaller, in bytes: they are read without asking for their size.
const SMALL: usize = 16 * 1024;

pub(super) async fn get(tree: &Arc<Tree>, key: &str, at_most: u64) -> Result<Bytes, StoreError> {
    let file = open(tree, key)?;
    match read_small(&file).filter(|body| body.len() as u64 <= at_most) {
        Some(body) => Ok(body),
        None => get_any(file, key, at_most).await,
    }
}

/// The same for who knows a digest of what is read.
pub(super) async fn get_content(
    tree: &Arc<Tree>,
    key: &str,
    digest: &Digest,
    at_most: u64,
) -> Result<Content, StoreError> {
    let file = open(tree, key)?;
    match read_content(&file, digest).filter(|content| content.bytes.len() as u64 <= at_most) {
        Some(content) => Ok(content),
        None => Ok(Content::under(digest, get_any(file, key, at_most).await?)),
    }
}

/// Reads a file of any size.
async fn get_any(file: OwnedFd, key: &str, at_most: u64) -> Result<Bytes, StoreError> {
    let size = size_of(&file, key)?;
    if size > at_most {
        return Err(StoreError::new(Operation::Get, key, ErrorKind::TooLarge));
    }
    if size <= INLINE {
        return read(&file, key, size);
    }
    let subject = key.to_owned();
    tokio::task::spawn_blocking(move || read(&file, &subject, size))
        .await
        .map_err(|error| unfinished(Operation::Get, key, error))?
}

/// Reads the bytes of `part` that are there.
pub(super) async fn get_part(
    tree: &Arc<Tree>,
    key: &str,
    part: Range<u64>,
) -> Result<Bytes, StoreError> {
    let file = open(tree, key)?;
    size_of(&file, key)?;
    if part.end.saturating_sub(part.start) <= INLINE {
        return read_part(&file, key, &part);
    }
    let subject = key.to_owned();
    tokio::task::spawn_blocking(move || read_part(&file, &subject, &part))
        .await
        .map_err(|error| unfinished(Operation::Get, key, error))?
}

fn read_part(file: &OwnedFd, key: &str, part: &Range<u64>) -> Result<Bytes, StoreError> {
    let length = usize::try_from(part.end.saturating_sub(part.start))
        .map_err(|_| StoreError::new(Operation::Get, key, ErrorKind::TooLarge))?;
    let (mut body, mut filled) = (vec![0; length], 0);
    while filled < length {
        match rustix::io::pread(file, &mut body[filled..], part.start + filled as u64) {
            Ok(0) => break,
            Ok(more) => filled += more,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(system(Operation::Get, key, errno)),
        }
    }
    body.truncate(filled);
    Ok(Bytes::from(body))
}

/// Reads a file of any size where the caller stands.
pub(super) fn whole(tree: &Tree, key: &str) -> Result<Bytes, StoreError> {
    let file = open(tree, key)?;
    let size = size_of(&file, key)?;
    read(&file, key, size)
}

/// Looks at files; keys that are neighbours share the folder that is opened for them.
pub(super) fn look(tree: &Tree, keys: &[Box<str>]) -> Result<Vec<Option<Object>>, StoreError> {
    let mut last: Option<(&str, Option<OwnedFd>)> = None;
    let mut objects = Vec::with_capacity(keys.len());
    for key in keys {
        path::check_key(Operation::Look, key)?;
        let folder_key = path::above(key);
        let folder = match last {
            Some((known, folder)) if known == folder_key => folder,
            Some(_) | None => tree.open_folder(Operation::Look, folder_key)?,
        };
        let path = &key[folder_key.len()..];
        objects.push(match &folder {
            Some(folder) => look_in(tree, folder, path, key)?,
            None => None,
        });
        last = Some((folder_key, folder));
    }
    Ok(objects)
}

fn look_in(
    tree: &Tree,
    folder: &OwnedFd,
    path: &str,
    key: &str,
) -> Result<Option<Object>, StoreError> {
    tree.monitor.count(Counter::HeadRequests, 1);
    let stat = match folder::look(folder.as_fd(), path.as_bytes()) {
        Ok(stat) => stat,
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
        Err(errno) => return Err(system(Operation::Look, key, errno)),
    };
    match Kind::of_stat(&stat) {
        Kind::File => Ok(Some(folder::object(key, &stat))),
        Kind::Folder => Ok(None),
        Kind::Symlink => Err(Oddity::Symlink.at(Operation::Look, key)),
        Kind::Special => Err(Oddity::Special.at(Operation::Look, key)),
    }
}

/// Opens what lies in the place of `key`.
fn open(tree: &Tree, key: &str) -> Result<OwnedFd, StoreError> {
    path::check_key(Operation::Get, key)?;
    tree.monitor.count(Counter::GetRequests, 1);
    // A pipe in the place of a file must not hold us up.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    match tree.open_at_once(key, flags) {
        Some(file) => Ok(file),
        None => open_by_steps(tree, key, flags),
    }
}

/// How large a file is, where it is one.
fn size_of(file: &OwnedFd, key: &str) -> Result<u64, StoreError> {
    let stat = rustix::fs::fstat(file).map_err(|errno| system(Operation::Get, key, errno))?;
    match Kind::of_stat(&stat) {
        Kind::File => Ok(folder::size(&stat)),
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

/// The bytes of a small file, where the system gives them at once, and then says that this is the end. `None` says
/// nothing: what there is may be large, or empty, or no file.
fn read_small(file: &OwnedFd) -> Option<Bytes> {
    let mut room = [MaybeUninit::uninit(); SMALL];
    let (body, rest) = read_first(file, &mut room)?;
    is_end(file, rest).then(|| Bytes::copy_from_slice(body))
}

/// The same where it may have a digest, which says as much as the end.
fn read_content(file: &OwnedFd, digest: &Digest) -> Option<Content> {
    let mut room = [MaybeUninit::uninit(); SMALL];
    let (body, rest) = read_first(file, &mut room)?;
    let actual = Digest::of(digest.algorithm(), body);
    let is_whole = actual == *digest || is_end(file, rest);
    is_whole.then(|| Content { bytes: Bytes::copy_from_slice(body), actual })
}

/// The first bytes of a file, and what is left of the room for them; nothing where that is none or all of it.
fn read_first<'r>(
    file: &OwnedFd,
    room: &'r mut [MaybeUninit<u8>; SMALL],
) -> Option<(&'r [u8], &'r mut [MaybeUninit<u8>])> {
    let (body, rest) = rustix::io::read(file, &mut room[..]).ok()?;
    (!body.is_empty() && !rest.is_empty()).then_some((body, rest))
}

/// Whether nothing follows. A read may end early for other reasons: for the end there is only the system's word.
fn is_end(file: &OwnedFd, room: &mut [MaybeUninit<u8>]) -> bool {
    rustix::io::read(file, room).is_ok_and(|(more, _)| more.is_empty())
}

/// Reads all of `file`, which had `size` bytes when it was looked at; any other length is an error.
fn read(file: &OwnedFd, key: &str, size: u64) -> Result<Bytes, StoreError> {
    let expected = usize::try_from(size)
        .map_err(|_| StoreError::new(Operation::Get, key, ErrorKind::TooLarge))?;
    // Room for one byte more: a read that leaves it empty has come to the end.
    let mut body = Vec::with_capacity(expected.saturating_add(1));
    while body.len() <= expected {
        let at = body.len() as u64;
        match rustix::io::pread(file, spare_capacity(&mut body), at) {
            Ok(0) => break,
            Ok(_) if body.len() == expected => break,
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(system(Operation::Get, key, errno)),
        }
    }
    match body.len().cmp(&expected) {
        std::cmp::Ordering::Equal => Ok(Bytes::from(body)),
        std::cmp::Ordering::Less => Err(Oddity::Short.at(Operation::Get, key)),
        std::cmp::Ordering::Greater => Err(Oddity::Changed.at(Operation::Get, key)),
    }
}
