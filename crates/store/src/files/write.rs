//! Writing small files whole, on condition.
//!
//! Who writes holds an exclusive lock on a file of the same folder from comparing to renaming, so that no two writers
//! come between each other, in this process or in others. On network file systems that is as good as their locks.

use std::sync::Arc;

use bytes::Bytes;
use monitor::Counter;
use rustix::fd::{AsFd as _, OwnedFd};
use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use super::trouble::{Oddity, system, unfinished};
use super::{FileStore, Tree, folder, path, read};
use crate::{Condition, ErrorKind, Operation, ReadStore, StoreError, Token, Versioned, WriteStore};

/// Beside what is written: locked by who writes. Stays when it is not.
const LOCK: &str = ".lock";

/// Beside what is written: what is not whole yet. Only who holds the lock writes it, so one name is enough.
const UNFINISHED: &str = ".unfinished";

impl WriteStore for FileStore {
    /// The token is a digest of the content: times of files are too coarse to tell two writes apart, and inodes are used
    /// again.
    async fn read(&self, key: &str, at_most: u64) -> Result<Versioned, StoreError> {
        let content = self.get(key, at_most).await?;
        Ok(Versioned { token: Token::of(&content), content })
    }

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
    let folder = make_folder(tree, folder_key)?;
    let _locked = lock(&folder, key)?;
    if !is_met(tree, key, condition)? {
        return Err(StoreError::new(Operation::Write, key, ErrorKind::Precondition));
    }
    replace(&folder, key, name, content)?;
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
    let file = rustix::fs::openat(folder, LOCK, flags, FILE).map_err(failed)?;
    rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(failed)?;
    Ok(file)
}

const FILE: Mode = Mode::from_raw_mode(0o644);
const FOLDER: Mode = Mode::from_raw_mode(0o755);

fn replace(folder: &OwnedFd, key: &str, name: &str, content: &[u8]) -> Result<(), StoreError> {
    let failed = |errno| system(Operation::Write, key, errno);
    let flags =
        OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::openat(folder, UNFINISHED, flags, FILE).map_err(failed)?;
    write_all(&file, content).map_err(failed)?;
    sync(&file, key)?;
    rustix::fs::renameat(folder, UNFINISHED, folder, name).map_err(failed)?;
    sync(folder, key)
}

fn write_all(file: &OwnedFd, mut bytes: &[u8]) -> Result<(), Errno> {
    while !bytes.is_empty() {
        match rustix::io::write(file, bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// Never tried again: once it failed, the system may have dropped what it could not write, and a second call says
/// nothing about that.
fn sync(file: &OwnedFd, key: &str) -> Result<(), StoreError> {
    rustix::fs::fsync(file).map_err(|errno| {
        let error = system(Operation::Write, key, errno);
        StoreError { kind: ErrorKind::Fatal, ..error }
    })
}

/// Opens the folder, made durably where it is missing, and follows no link on the way.
fn make_folder(tree: &Tree, folder_key: &str) -> Result<OwnedFd, StoreError> {
    let mut folder = tree.open_root(Operation::Write)?;
    for (name, key) in path::steps(folder_key) {
        folder = match folder::open(Operation::Write, folder.as_fd(), name.as_bytes(), key)? {
            Some(child) => child,
            None => make_child(&folder, name, key)?,
        };
    }
    Ok(folder)
}

fn make_child(parent: &OwnedFd, name: &str, key: &str) -> Result<OwnedFd, StoreError> {
    let failed = |errno| system(Operation::Write, key, errno);
    match rustix::fs::mkdirat(parent, name, FOLDER) {
        // Somebody else made it.
        Ok(()) | Err(Errno::EXIST) => {}
        Err(errno) => return Err(failed(errno)),
    }
    sync(parent, key)?;
    let child = folder::open(Operation::Write, parent.as_fd(), name.as_bytes(), key)?;
    child.ok_or_else(|| failed(Errno::NOTDIR))
}
