//! Writing small files whole, on condition.
//!
//! Who writes holds an exclusive lock on a file of the same folder from comparing to renaming, so that no two writers
//! come between each other, in this process or in others. On network file systems that is as good as their locks. A
//! token is a digest of the content: times of files are too coarse to tell two writes apart, and inodes are used again.

use std::sync::Arc;

use bytes::Bytes;
use monitor::Counter;
use rustix::fd::OwnedFd;
use rustix::fs::{FlockOperation, OFlags};

use super::trouble::{Oddity, system, unfinished};
use super::{FileStore, Tree, make, path, read};
use crate::{Condition, ErrorKind, Operation, StoreError, Token, WriteStore};

/// Beside what is written: locked by who writes. Stays when it is not.
const LOCK: &str = ".lock";

/// Beside what is written: what is not whole yet. Only who holds the lock writes it, so one name is enough.
const UNFINISHED: &str = ".unfinished";

impl WriteStore for FileStore {
    async fn write(
        &self,
        key: &str,
        content: Bytes,
        condition: &Condition,
    ) -> Result<Token, StoreError> {
        let (tree, subject) = (Arc::clone(&self.tree), key.to_owned());
        let condition = condition.clone();
        tokio::task::spawn_blocking(move || write(&tree, &subject, &content, &condition))
            .await
            .map_err(|error| unfinished(Operation::Write, key, error))?
    }

    fn conditional_puts(&self) -> Option<bool> {
        Some(true)
    }
}

fn write(
    tree: &Tree,
    key: &str,
    content: &[u8],
    condition: &Condition,
) -> Result<Token, StoreError> {
    path::check_key(Operation::Write, key)?;
    tree.monitor.count(Counter::PutRequests, 1);
    let (folder_key, name) = path::split(key);
    if [LOCK, UNFINISHED].contains(&name) {
        return Err(Oddity::Key.at(Operation::Write, key));
    }
    let folder = make::folder(tree, Operation::Write, folder_key)?;
    let _locked = lock(&folder, key)?;
    if !is_met(tree, key, condition)? {
        return Err(StoreError::new(Operation::Write, key, ErrorKind::Precondition));
    }
    make::file(&folder, UNFINISHED, name, content)
        .map_err(|failed| failed.at(Operation::Write, key))?;
    Ok(Token::of(content))
}

fn is_met(tree: &Tree, key: &str, condition: &Condition) -> Result<bool, StoreError> {
    let current = match condition {
        Condition::None => return Ok(true),
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

/// The lock lasts until the descriptor is closed, which the system does for who dies. Nobody waits for it: who holds it
/// may be stopped, and who finds it held asks again as after any failure that may pass.
fn lock(folder: &OwnedFd, key: &str) -> Result<OwnedFd, StoreError> {
    let failed = |errno| system(Operation::Write, key, errno);
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::openat(folder, LOCK, flags, make::FILE).map_err(failed)?;
    rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(failed)?;
    Ok(file)
}
