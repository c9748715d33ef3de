//! One folder: opening it without following links, reading it sorted, looking at its files.

use std::ops::Range;

use registry::Timestamp;
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir, ResolveFlags, SeekFrom, Stat};
use rustix::io::Errno;

use super::beside;
use super::trouble::{Oddity, system};
use crate::{Object, Operation, StoreError};

/// What an entry of a folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Folder,
    File,
    Symlink,
    Special,
}

impl Kind {
    fn of(file_type: FileType) -> Self {
        match file_type {
            FileType::Directory => Self::Folder,
            FileType::RegularFile => Self::File,
            FileType::Symlink => Self::Symlink,
            _ => Self::Special,
        }
    }

    pub(super) fn of_stat(stat: &Stat) -> Self {
        Self::of(FileType::from_raw_mode(stat.st_mode))
    }
}

/// The object under `key`, as the system describes it.
pub(super) fn object(key: &str, stat: &Stat) -> Object {
    Object { key: key.into(), size: size(stat), modified: modified(stat), etag: None }
}

pub(super) fn size(stat: &Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or(0) // a size is never negative
}

pub(super) fn modified(stat: &Stat) -> Timestamp {
    let millis = i64::try_from(stat.st_mtime_nsec / 1_000_000).unwrap_or(0); // below 1000
    Timestamp::from_millis(stat.st_mtime.saturating_mul(1000).saturating_add(millis))
}

/// Looks at `path` below `folder` without following a link in its last component.
pub(super) fn look(folder: BorrowedFd<'_>, path: &[u8]) -> Result<Stat, Errno> {
    rustix::fs::statat(folder, path, AtFlags::SYMLINK_NOFOLLOW)
}

/// Opens the folder `name` of `parent`; `None` where there is no such folder.
///
/// `name` is one component: of a path, only the last would be kept from being a link. `path` is for the message.
pub(super) fn open(
    operation: Operation,
    parent: BorrowedFd<'_>,
    name: &[u8],
    path: &str,
) -> Result<Option<OwnedFd>, StoreError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::openat(parent, name, flags, Mode::empty()) {
        Ok(folder) => Ok(Some(folder)),
        Err(Errno::NOENT) => Ok(None),
        // A link gives either, depending on the system; a file gives the first.
        Err(Errno::NOTDIR | Errno::LOOP) => match look(parent, name) {
            Ok(stat) if Kind::of_stat(&stat) == Kind::Symlink => {
                Err(Oddity::Symlink.at(operation, path))
            }
            Ok(_) | Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(system(operation, path, errno)),
        },
        Err(errno) => Err(system(operation, path, errno)),
    }
}

/// Opens what is at `path` below `root`, in one call that follows no link on the way.
///
/// `None` says nothing: the system may not know the call or forbid it. The way has then to be gone step by step. `path` is
/// relative and has no `..` ([`path::check_key`](super::path::check_key)), so without links it stays below `root` (G7):
/// to have the system make sure of that too takes a lock that all processors share.
pub(super) fn open_at_once(root: &OwnedFd, path: &str, flags: OFlags) -> Option<OwnedFd> {
    rustix::fs::openat2(root, path, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS).ok()
}

/// The sorted entries of a folder, but for files that serve writing. A folder's name ends in `/`, so that the order of
/// the names is the order of the keys below them. Of a name that is not UTF-8 there is what shows it.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// `/` is behind each, so that no two make a letter together.
    names: String,
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    /// The first bytes of the name, which nearly always tell the order; zeros where it is shorter, and before sorting.
    head: u64,
    name: Range<usize>,
    /// `None` where the name is not UTF-8.
    kind: Option<Kind>,
}

impl Entry {
    /// The entry whose name, of so many bytes, stands at `start`, `/` behind it.
    fn at(start: usize, length: usize, kind: Option<Kind>) -> Self {
        let end = start + length + usize::from(kind == Some(Kind::Folder));
        Self { head: 0, name: start..end, kind }
    }
}

/// How often a folder that changes while it is read is read.
const READINGS: usize = 4;

/// Fits some 350 entries named by digests.
const BUFFER: usize = 32 * 1024;

/// Room for the system to write entries into.
pub(super) fn buffer() -> Vec<u8> {
    Vec::with_capacity(BUFFER)
}

impl Listing {
    /// Reads a folder, in place of what was read before; `path` is for messages. A folder that was removed meanwhile is
    /// empty.
    ///
    /// Systems promise to return each entry that is neither added nor removed while they read. A file that is
    /// replaced by renaming is both, and the registry writes tags that way. A folder that changed is therefore read
    /// again, and what any reading saw counts (G3); what vanished is found out when it is looked at.
    pub(super) fn read(
        &mut self,
        folder: &OwnedFd,
        path: &str,
        buffer: &mut Vec<u8>,
    ) -> Result<(), StoreError> {
        let failed = |errno| system(Operation::List, path, errno);
        let mut names = std::mem::take(&mut self.names).into_bytes();
        names.clear();
        self.entries.clear();
        let mut before = rustix::fs::fstat(folder).map_err(failed)?;
        for _ in 0..READINGS {
            self.add(folder, &mut names, buffer).map_err(failed)?;
            let after = rustix::fs::fstat(folder).map_err(failed)?;
            if (before.st_mtime, before.st_mtime_nsec) == (after.st_mtime, after.st_mtime_nsec) {
                break;
            }
            before = after;
            rustix::fs::seek(folder, SeekFrom::Start(0)).map_err(failed)?;
        }
        self.names = self.as_text(names);
        self.sort();
        Ok(())
    }

    fn add(
        &mut self,
        folder: &OwnedFd,
        names: &mut Vec<u8>,
        buffer: &mut Vec<u8>,
    ) -> Result<(), Errno> {
        let mut entries = RawDir::new(folder, buffer.spare_capacity_mut());
        while let Some(entry) = entries.next() {
            let entry = match entry {
                Err(Errno::NOENT) => return Ok(()), // the folder itself was removed
                entry => entry?,
            };
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            match kind_of(folder, name, entry.file_type()) {
                Err(Errno::NOENT) => {}
                Ok(Kind::File) if beside::is_ours(name) => {}
                kind => self.push(names, name, kind?),
            }
        }
        Ok(())
    }

    fn push(&mut self, names: &mut Vec<u8>, name: &[u8], kind: Kind) {
        self.entries.push(Entry::at(names.len(), name.len(), Some(kind)));
        names.extend_from_slice(name);
        names.push(b'/');
    }

    /// The names as text: tested all at once, which is many times faster than one by one.
    fn as_text(&mut self, names: Vec<u8>) -> String {
        String::from_utf8(names).unwrap_or_else(|error| self.shown(error.as_bytes()))
    }

    /// The names where some are no text.
    fn shown(&mut self, names: &[u8]) -> String {
        let mut shown = String::new();
        for entry in &mut self.entries {
            let name = &names[entry.name.clone()];
            let text = String::from_utf8_lossy(name);
            let kind = entry.kind.filter(|_| text.as_bytes() == name);
            let text = text.strip_suffix('/').unwrap_or(&text);
            *entry = Entry::at(shown.len(), text.len(), kind);
            shown.push_str(text);
            shown.push('/');
        }
        shown
    }

    fn sort(&mut self) {
        let names = self.names.as_bytes();
        for entry in &mut self.entries {
            entry.head = head(&names[entry.name.clone()]);
        }
        let whole = |entry: &Entry| (&names[entry.name.clone()], entry.kind);
        let order =
            |a: &Entry, b: &Entry| a.head.cmp(&b.head).then_with(|| whole(a).cmp(&whole(b)));
        self.entries.sort_unstable_by(order);
        self.entries.dedup_by(|a, b| order(a, b).is_eq());
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The name of an entry, and what it is; of one whose name is not UTF-8 that is not told.
    pub(super) fn get(&self, index: usize) -> Option<(&str, Option<Kind>)> {
        let entry = self.entries.get(index)?;
        Some((&self.names[entry.name.clone()], entry.kind))
    }

    /// The first entry whose name is not before `bound`, where `is_before` is monotonic.
    fn partition(&self, is_before: impl Fn(&str) -> bool) -> usize {
        self.entries.partition_point(|entry| is_before(&self.names[entry.name.clone()]))
    }

    /// The entries whose names start with `start`.
    pub(super) fn starting_with(&self, start: &str) -> Range<usize> {
        let first = self.partition(|name| name < start);
        first..self.partition(|name| name < start || name.starts_with(start))
    }

    /// The first entry that is, or holds, a key after `after`; both below this folder.
    pub(super) fn first_after(&self, after: &str) -> usize {
        self.partition(|name| name <= after && !(name.ends_with('/') && after.starts_with(name)))
    }
}

/// The first bytes of a name as a number: of two names, the one with the smaller number comes first.
fn head(name: &[u8]) -> u64 {
    let mut head = [0; 8];
    let length = name.len().min(head.len());
    head[..length].copy_from_slice(&name[..length]);
    u64::from_be_bytes(head)
}

/// Some file systems do not tell the type of an entry while they list.
fn kind_of(folder: &OwnedFd, name: &[u8], listed: FileType) -> Result<Kind, Errno> {
    match listed {
        FileType::Unknown => look(folder.as_fd(), name).map(|stat| Kind::of_stat(&stat)),
        known => Ok(Kind::of(known)),
    }
}
