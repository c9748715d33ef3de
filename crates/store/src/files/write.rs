//! Writing small files whole, on condition.
//!
//! Who writes holds an exclusive lock on a file of the same folder from comparing to renaming, so that no two writers
//! come between each other, in this process or in others. On network file systems that is as good as their locks. A
//! token is a digest of the content: times of files are too coarse to tell two writes apart, and inodes are used again.
//!
//! The names of the lock and of what is not whole yet are no keys: nothing is written under them, and no listing tells
//! of them. They stay as long as there is anything else in their folder, and go with it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use monitor::Counter;
use rustix::fd::{AsFd as _, OwnedFd};
use rustix::fs::{AtFlags, FlockOperation, OFlags};
use rustix::io::Errno;

use super::beside::{LOCK, UNFINISHED, is_ours};
use super::folder::{self, Listing};
use super::trouble::{Oddity, system, unfinished};
use super::{FileStore, Tree, make, path, read};
use crate::{Condition, ErrorKind, Operation, StoreError, Token, WriteStore};

/// How long to wait for who writes at the same time, in milliseconds: a write takes as long as making it durable does.
/// Nobody waits for longer: who holds the lock may be stopped.
const PAUSES: [u64; 7] = [1, 5, 10, 20, 40, 80, 160];

impl WriteStore for FileStore {
    async fn write(
        &self,
        key: &str,
        content: Bytes,
        condition: &Condition,
    ) -> Result<Token, StoreError> {
        for pause in PAUSES {
            if let Some(token) = self.try_to_write(key, &content, condition).await? {
                return Ok(token);
            }
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
        let written = self.try_to_write(key, &content, condition).await?;
        written.ok_or_else(|| system(Operation::Write, key, Errno::AGAIN))
    }

    fn conditional_puts(&self) -> Option<bool> {
        Some(true)
    }
}

impl FileStore {
    /// `None` where somebody else writes, or removes the folder.
    async fn try_to_write(
        &self,
        key: &str,
        content: &Bytes,
        condition: &Condition,
    ) -> Result<Option<Token>, StoreError> {
        let (tree, subject) = (Arc::clone(&self.tree), key.to_owned());
        let (content, condition) = (content.clone(), condition.clone());
        let write = move || match write(&tree, &subject, &content, &condition) {
            // There is a folder around what is written, until somebody removes it.
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            written => written,
        };
        let written = tokio::task::spawn_blocking(write).await;
        written.map_err(|error| unfinished(Operation::Write, key, error))?
    }
}

fn write(
    tree: &Tree,
    key: &str,
    content: &[u8],
    condition: &Condition,
) -> Result<Option<Token>, StoreError> {
    path::check_key(Operation::Write, key)?;
    tree.monitor.count(Counter::PutRequests, 1);
    let (folder_key, name) = path::split(key);
    if is_ours(name.as_bytes()) {
        return Err(Oddity::Key.at(Operation::Write, key));
    }
    let folder = match make::folder(tree, Operation::Write, folder_key) {
        Err(error) if error.kind.may_pass() => return Ok(None),
        folder => folder?,
    };
    let failed = |errno| system(Operation::Write, key, errno);
    let Some(_locked) = lock(&folder, OFlags::CREATE).map_err(failed)? else { return Ok(None) };
    if !is_met(tree, key, condition)? {
        return Err(StoreError::new(Operation::Write, key, ErrorKind::Precondition));
    }
    make::file(&folder, UNFINISHED, name, content)
        .map_err(|failed| failed.at(Operation::Write, key))?;
    Ok(Some(Token::of(content)))
}

fn is_met(tree: &Tree, key: &str, condition: &Condition) -> Result<bool, StoreError> {
    let current = match condition {
        Condition::None | Condition::Once => return Ok(true),
        Condition::Absent | Condition::Unchanged(_) => read::whole(tree, key),
    };
    match (condition, current) {
        (Condition::Unchanged(token), Ok(content)) => Ok(*token == Token::of(&content)),
        (_, Ok(_)) => Ok(false),
        (condition, Err(error)) if error.kind == ErrorKind::NotFound => {
            Ok(*condition == Condition::Absent)
        }
        (_, Err(error)) => Err(error),
    }
}

/// The lock lasts until the descriptor is closed, which the system does for who dies. `None` where somebody else holds
/// it, or has removed it meanwhile, so that who comes next makes another.
fn lock(folder: &OwnedFd, flags: OFlags) -> Result<Option<OwnedFd>, Errno> {
    let flags = flags | OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::openat(folder, LOCK, flags, make::FILE)?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::AGAIN) => return Ok(None),
        locked => locked?,
    }
    let is_there = rustix::fs::fstat(&file)?.st_nlink > 0;
    Ok(is_there.then_some(file))
}

/// Removes what served writing from a folder that holds nothing else; whether it did. Nobody writes there meanwhile.
pub(super) fn clear(folder: &OwnedFd, folder_key: &str) -> bool {
    // Nearly every folder: nobody ever wrote there.
    let Ok(Some(_locked)) = lock(folder, OFlags::empty()) else { return false };
    let mut listing = Listing::default();
    let listed = listing.read(folder, folder_key, &mut folder::buffer());
    if listed.is_err() || listing.len() > 0 {
        return false;
    }
    let removed = [UNFINISHED, LOCK].map(|name| {
        match rustix::fs::unlinkat(folder.as_fd(), name, AtFlags::empty()) {
            Err(Errno::NOENT) => Ok(()),
            removed => removed,
        }
    });
    removed.iter().all(Result::is_ok)
}
