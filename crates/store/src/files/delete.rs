//! Deleting files, and the folders that become empty.

use rustix::fd::{AsFd as _, OwnedFd};
use rustix::fs::AtFlags;
use rustix::io::Errno;

use super::folder::{self, Kind};
use super::trouble::{Oddity, system};
use super::way::Way;
use super::{Tree, path, restore};
use crate::{DeleteBatch, Doomed, Kept, KeyOutcome, Operation, StoreError, Trash};

/// Deletes one file of a batch, if that may still be done.
pub(super) fn permitted(tree: &Tree, doomed: &Doomed, batch: &DeleteBatch) -> KeyOutcome {
    if doomed.upload.is_some() {
        // There are none.
        return KeyOutcome::Gone;
    }
    match batch.check_permit() {
        Ok(()) => delete(tree, doomed, batch.trash()),
        Err(error) => KeyOutcome::Failed((&error).into()),
    }
}

/// Deletes one file, then its folder and those above it as far as they are empty: on a bucket they would not exist
/// either.
///
/// The folder is not synced: a file that comes back after a power cut is garbage that the next run deletes again,
/// never a loss.
fn delete(tree: &Tree, doomed: &Doomed, trash: Option<&Trash>) -> KeyOutcome {
    match try_delete(tree, doomed, trash) {
        Ok(outcome) => outcome,
        Err(error) => KeyOutcome::Failed((&error).into()),
    }
}

fn try_delete(
    tree: &Tree,
    doomed: &Doomed,
    trash: Option<&Trash>,
) -> Result<KeyOutcome, StoreError> {
    path::check_key(Operation::Delete, &doomed.key)?;
    let (folder_key, name) = path::split(&doomed.key);
    let way = Way::open(tree, folder_key)?;
    let outcome = match way.whole() {
        Some(folder) => remove(tree, folder, name, doomed, trash)?,
        None => gone(tree, doomed, trash)?,
    };
    // A file that is gone may be one that a run deleted just before it was killed.
    if outcome.is_deleted() || outcome == KeyOutcome::Gone {
        way.remove_empty(tree);
    }
    Ok(outcome)
}

/// Deletes the file `name` if it is still the one that was listed.
///
/// Nothing keeps a writer from replacing the file between the look and the removal: whether anybody may write is
/// settled before anything is deleted.
fn remove(
    tree: &Tree,
    folder: &OwnedFd,
    name: &str,
    doomed: &Doomed,
    trash: Option<&Trash>,
) -> Result<KeyOutcome, StoreError> {
    let failed = |errno| system(Operation::Delete, &doomed.key, errno);
    let stat = match folder::look(folder.as_fd(), name.as_bytes()) {
        Err(Errno::NOENT) => return gone(tree, doomed, trash),
        stat => stat.map_err(failed)?,
    };
    match Kind::of_stat(&stat) {
        Kind::File if folder::modified(&stat) > doomed.modified => return Ok(KeyOutcome::Spared),
        Kind::File => {}
        Kind::Symlink => return Err(Oddity::Symlink.at(Operation::Delete, &doomed.key)),
        Kind::Folder => return Ok(KeyOutcome::Gone), // no object has that key
        Kind::Special => return Err(Oddity::Special.at(Operation::Delete, &doomed.key)),
    }
    if let Some(trash) = trash {
        return restore::to_trash(tree, folder, name, &doomed.key, trash);
    }
    match rustix::fs::unlinkat(folder, name, AtFlags::empty()) {
        Ok(()) => Ok(KeyOutcome::DELETED),
        Err(Errno::NOENT) => Ok(KeyOutcome::Gone),
        Err(errno) => Err(failed(errno)),
    }
}

/// What it means that there is no such file: an earlier request may have moved it to the trash.
fn gone(tree: &Tree, doomed: &Doomed, trash: Option<&Trash>) -> Result<KeyOutcome, StoreError> {
    match trash.and_then(|trash| trash.key_of(&doomed.key)) {
        Some(key) if restore::exists(tree, Operation::Delete, &key)? => {
            Ok(KeyOutcome::Deleted(Kept::Trash))
        }
        Some(_) | None => Ok(KeyOutcome::Gone),
    }
}
