//! The folders on the way to a file.

use rustix::fd::{AsFd as _, OwnedFd};
use rustix::fs::AtFlags;
use rustix::io::Errno;

use super::trouble::kind_of;
use super::{Tree, folder, path, write};
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

    /// Removes the innermost folder if it is empty, then the one around it, and so on. What served writing goes with
    /// its folder.
    ///
    /// A folder that cannot be removed stays, as all do under the reference collector; the file is deleted all the
    /// same, so this is worth a note and no failure.
    pub(super) fn remove_empty(&self, tree: &Tree) {
        let steps: Vec<_> = path::steps(self.folder_key).collect();
        for (depth, ((name, key), parent)) in steps.into_iter().zip(&self.folders).enumerate().rev()
        {
            if tree.keeps(key) {
                return;
            }
            let remove = || rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR);
            let removed = match remove() {
                Err(Errno::NOTEMPTY | Errno::EXIST) if self.clears(depth + 1, key) => remove(),
                removed => removed,
            };
            match removed {
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
    /// Whether nothing but what served writing was in a folder on the way, and that is gone.
    fn clears(&self, depth: usize, key: &str) -> bool {
        self.folders.get(depth).is_some_and(|folder| write::clear(folder, key))
    }
}
