//! The folders on the way to a file.

use rustix::fd::{AsFd as _, OwnedFd};
use rustix::fs::AtFlags;
use rustix::io::Errno;

use super::trouble::kind_of;
use super::{Tree, folder, path};
use crate::{Operation, StoreError};

/// The folders on the way to a file, opened one by one, so that no link is followed.
pub(super) struct Way<'k> {
    folder_key: &'k str,
    /// The root first. Shorter than the way where a folder is missing.
    folders: Vec<OwnedFd>,
}

impl<'k> Way<'k> {
    pub(super) fn open(tree: &Tree, folder_key: &'k str) -> Result<Self, StoreError> {
        let mut folders = vec![tree.open_root(Operation::Delete)?];
        for (name, key) in path::steps(folder_key) {
            let Some(parent) = folders.last() else { break };
            let child = folder::open(Operation::Delete, parent.as_fd(), name.as_bytes(), key)?;
            let Some(child) = child else { break };
            folders.push(child);
        }
        Ok(Self { folder_key, folders })
    }

    /// The folder at the end of the way, where all of the way is there.
    pub(super) fn whole(&self) -> Option<&OwnedFd> {
        let is_whole = self.folders.len() == path::steps(self.folder_key).count() + 1;
        self.folders.last().filter(|_| is_whole)
    }

    /// Removes the innermost folder if it is empty, then the one around it, and so on.
    ///
    /// A folder that cannot be removed stays, as all do under the reference collector; the file is deleted all the
    /// same, so this is worth a note and no failure.
    pub(super) fn remove_empty(&self, tree: &Tree) {
        let steps: Vec<_> = path::steps(self.folder_key).collect();
        for ((name, key), parent) in steps.into_iter().zip(&self.folders).rev() {
            if tree.keeps(key) {
                return;
            }
            match rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(Errno::NOTEMPTY | Errno::EXIST) => return,
                Err(errno) => {
                    let kind = kind_of(errno);
                    tracing::debug!(folder = key, %kind, "an empty folder could not be removed");
                    return;
                }
            }
        }
    }
}
