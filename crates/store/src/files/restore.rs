//! Moving files to the trash, and back.

use rustix::fd::{AsFd as _, OwnedFd};
use rustix::fs::{AtFlags, RenameFlags};
use rustix::io::Errno;

use super::trouble::{Oddity, system};
use super::way::Way;
use super::{Tree, folder, make, path};
use crate::{Kept, KeyOutcome, Operation, PutBack, StoreError, Trash, Trashed};

/// Moves a file to the trash, within its file system.
pub(super) fn to_trash(
    tree: &Tree,
    folder: &OwnedFd,
    name: &str,
    key: &str,
    trash: &Trash,
) -> Result<KeyOutcome, StoreError> {
    let failed = |errno| system(Operation::Delete, key, errno);
    let place = trash.key_of(key).ok_or_else(|| Oddity::Key.at(Operation::Delete, key))?;
    path::check_key(Operation::Delete, &place)?;
    let (place_folder, place_name) = path::split(&place);
    let there = make::folder(tree, Operation::Delete, place_folder)?;
    match rename(folder, name, &there, place_name) {
        Ok(()) => Ok(KeyOutcome::Deleted(Kept::Trash)),
        Err(errno) => Err(failed(errno)),
    }
}

/// Moves a file back from the trash, where nothing is in its place.
pub(super) fn put_back(tree: &Tree, object: &Trashed) -> Result<PutBack, StoreError> {
    let (key, place) = (&*object.key, &*object.trash);
    path::check_key(Operation::Restore, key)?;
    path::check_key(Operation::Restore, place)?;
    if exists(tree, Operation::Restore, key)? {
        return Ok(PutBack::Present);
    }
    let ((folder_key, name), (place_folder, place_name)) = (path::split(key), path::split(place));
    let way = Way::open(tree, place_folder)?;
    let Some(there) = way.whole() else { return Ok(PutBack::Absent) };
    if look(there, place_name).is_err_and(|errno| errno == Errno::NOENT) {
        return Ok(PutBack::Absent);
    }
    let folder = make::folder(tree, Operation::Restore, folder_key)?;
    match move_back(there, place_name, &folder, name) {
        Ok(()) => {
            way.remove_empty(tree);
            Ok(PutBack::Restored)
        }
        Err(Errno::EXIST) => Ok(PutBack::Present),
        Err(errno) => Err(system(Operation::Restore, key, errno)),
    }
}

fn look(folder: &OwnedFd, name: &str) -> Result<(), Errno> {
    folder::look(folder.as_fd(), name.as_bytes()).map(drop)
}

/// Whether anything has this key.
pub(super) fn exists(tree: &Tree, operation: Operation, key: &str) -> Result<bool, StoreError> {
    let (folder_key, name) = path::split(key);
    let Some(folder) = tree.open_folder(operation, folder_key)? else { return Ok(false) };
    match look(&folder, name) {
        Ok(()) => Ok(true),
        Err(Errno::NOENT) => Ok(false),
        Err(errno) => Err(system(operation, key, errno)),
    }
}

/// Moves a file out of the trash to a name that nothing has, and says so where something has it.
fn move_back(from: &OwnedFd, name: &str, to: &OwnedFd, new: &str) -> Result<(), Errno> {
    match rustix::fs::renameat_with(from, name, to, new, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS) => relink(from, name, to, new),
        renamed => renamed,
    }
}

/// The same where a file system cannot rename so: network ones. None links over a name that something has; between a
/// look and a rename somebody could push.
fn relink(from: &OwnedFd, name: &str, to: &OwnedFd, new: &str) -> Result<(), Errno> {
    rustix::fs::linkat(from, name, to, new, AtFlags::empty())?;
    match rustix::fs::unlinkat(from, name, AtFlags::empty()) {
        Err(Errno::NOENT) => Ok(()),
        unlinked => unlinked,
    }
}

/// Moves a file into the trash, to a name that nothing has, and says so where something has it. It takes the file that
/// is there at that moment: a link and a removal could remove another one, pushed in between.
fn rename(from: &OwnedFd, name: &str, to: &OwnedFd, new: &str) -> Result<(), Errno> {
    match rustix::fs::renameat_with(from, name, to, new, RenameFlags::NOREPLACE) {
        // File systems that cannot make sure of it: network ones.
        Err(Errno::INVAL | Errno::NOSYS) => match look(to, new) {
            Ok(()) => Err(Errno::EXIST),
            Err(Errno::NOENT) => rustix::fs::renameat(from, name, to, new),
            Err(errno) => Err(errno),
        },
        renamed => renamed,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_link_back_overwrites_nothing_and_leaves_nothing_behind() {
        let root = tempfile::TempDir::new().unwrap();
        let folder = OwnedFd::from(fs::File::open(root.path()).unwrap());
        let content = |name: &str| fs::read_to_string(root.path().join(name)).ok();
        fs::write(root.path().join("kept"), "kept").unwrap();
        fs::write(root.path().join("pushed"), "pushed").unwrap();
        assert_eq!(relink(&folder, "kept", &folder, "pushed"), Err(Errno::EXIST));
        assert_eq!(content("pushed").as_deref(), Some("pushed"));
        assert_eq!(relink(&folder, "kept", &folder, "back"), Ok(()));
        assert_eq!(content("back").as_deref(), Some("kept"));
        assert_eq!(content("kept"), None);
    }
}
