//! The list of digests that a database still knows: read whole, or not at all.

mod lines;

use std::fs::{self, File, Metadata};
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use marker::{DigestSet, DigestSetBuilder};
use planner::KnownBlobs;
use registry::{Digest, Timestamp};
use sha2::{Digest as _, Sha256};

use crate::{Failure, Refusal};

use self::lines::Line;

pub use self::lines::LineError;

/// Why a keep list is not used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeepListError {
    /// It cannot be read to its end.
    #[error("it cannot be read")]
    Read(#[source] io::Error),
    /// It has no time and no length that could be relied upon.
    #[error("it is no regular file")]
    NotAFile,
    /// A line of it is no digest.
    #[error("line {number}: {what}")]
    Line {
        /// Its number, from 1.
        number: u64,
        /// What is wrong with it.
        what: LineError,
    },
    /// It does not say how much there is, and one that was cut off would not either.
    #[error("it has no line `{} COUNT digests at SECONDS`: it may be cut off", lines::END)]
    NoEnd,
    /// It says so twice.
    #[error("line {number}: a second line `{} …`", lines::END)]
    TwoEnds {
        /// The number of the second, from 1.
        number: u64,
    },
    /// It has more or fewer digests than it says.
    #[error("it has {found} digests, and says {said}: it is not whole")]
    NotWhole {
        /// So many lines have one.
        found: u64,
        /// So many should.
        said: u64,
    },
    /// It names nothing, as what a query leaves that failed.
    #[error("it names no digest: the query that wrote it may have failed")]
    Empty,
    /// Somebody writes it.
    #[error("it was written while it was read: wait until it is whole")]
    Changed,
}

/// What a database still knows: 8 bytes in memory for each digest.
#[derive(Clone, Debug)]
pub struct KeepList {
    /// The digests.
    pub digests: Arc<DigestSet>,
    /// For plans.
    pub record: planner::KeepList,
    /// How old it is.
    pub age: Duration,
}

/// So many digests are added at once.
const BATCH: usize = 4096;

impl KeepList {
    /// Reads a list at `now`, by this machine's clock.
    ///
    /// # Errors
    /// [`Failure::KeepList`].
    pub fn read(path: &Path, now: Timestamp) -> Result<Self, Failure> {
        Self::open(path, now)
            .map_err(|source| Failure::KeepList { path: path.to_owned(), source: Box::new(source) })
    }

    fn open(path: &Path, now: Timestamp) -> Result<Self, KeepListError> {
        // Looked at before it is opened: to open a pipe is to wait for somebody who writes.
        let before = stamp(&fs::metadata(path).map_err(KeepListError::Read)?)?;
        let file = File::open(path).map_err(KeepListError::Read)?;
        let ReadList { digests, sha256, at } = read_all(BufReader::with_capacity(1 << 20, &file))?;
        let after = stamp(&file.metadata().map_err(KeepListError::Read)?)?;
        if before != after {
            return Err(KeepListError::Changed);
        }
        let record = planner::KeepList {
            file: path.to_string_lossy().into_owned(),
            sha256,
            digests: digests.len(),
            // A copy is younger than what it says.
            modified: at.min(before.written.into()),
        };
        let age = now.since(record.modified);
        Ok(Self { digests: Arc::new(digests), record, age })
    }

    /// The list in a file, where one is named; not older at `now` than `grace` is long.
    ///
    /// # Errors
    /// As [`KeepList::read`] and [`require_fresh`].
    pub(crate) fn named(
        path: Option<&Path>,
        grace: Duration,
        now: Timestamp,
    ) -> Result<Option<Self>, Failure> {
        let list = path.map(|path| Self::read(path, now)).transpose()?;
        if let Some(list) = &list {
            require_fresh(&list.record, grace, now)?;
        }
        Ok(list)
    }

    /// The same list, as old as it is at `now`, by this machine's clock.
    pub(crate) fn at(self, now: Timestamp) -> Self {
        Self { age: now.since(self.record.modified), ..self }
    }

    /// For the judge of blobs, where the store tells `t0` now: a list has its time by another clock.
    pub(crate) fn known_at(&self, t0: Timestamp) -> KnownBlobs {
        KnownBlobs { digests: Arc::clone(&self.digests), at: t0.before(self.age) }
    }
}

/// Refuses a list that is older than the grace: what was pushed since it was exported is not on it, and only the grace
/// keeps that (G1). `now` is by the clock that `modified` is of: this machine's.
///
/// # Errors
/// [`Refusal::KeepListAge`].
pub(crate) fn require_fresh(
    list: &planner::KeepList,
    grace: Duration,
    now: Timestamp,
) -> Result<(), Failure> {
    let modified = list.modified;
    if modified <= now && now.since(modified) < grace {
        return Ok(());
    }
    Err(Refusal::KeepListAge { file: list.file.clone(), modified, now, grace }.into())
}

/// What tells that a file is still the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    bytes: u64,
    written: SystemTime,
}

fn stamp(metadata: &Metadata) -> Result<Stamp, KeepListError> {
    if !metadata.is_file() {
        return Err(KeepListError::NotAFile);
    }
    let written = metadata.modified().map_err(KeepListError::Read)?;
    Ok(Stamp { bytes: metadata.len(), written })
}

/// A list that was read to its end.
#[derive(Debug)]
struct ReadList {
    digests: DigestSet,
    /// SHA-256 of all that was read, in hex.
    sha256: String,
    /// When the database said so, by its clock.
    at: Timestamp,
}

/// What the line says that says how much there is.
#[derive(Clone, Copy)]
struct End {
    digests: u64,
    at: Timestamp,
}

/// Reads a list to its end, which is there and fits what was read (G3).
fn read_all(mut source: impl BufRead) -> Result<ReadList, KeepListError> {
    let (set, mut hash) = (DigestSetBuilder::new(), Sha256::new());
    let (mut batch, mut line) = (Vec::with_capacity(BATCH), Vec::new());
    let (mut number, mut found, mut end) = (0, 0, None);
    while read_line(&mut source, &mut line).map_err(KeepListError::Read)? {
        number += 1;
        hash.update(&line);
        match lines::read(&line).map_err(|what| KeepListError::Line { number, what })? {
            Line::Nothing => {}
            Line::Digest(digest) => {
                batch.push(digest);
                found += 1;
            }
            Line::End { .. } if end.is_some() => return Err(KeepListError::TwoEnds { number }),
            Line::End { digests, at } => end = Some(End { digests, at }),
        }
        if batch.len() == BATCH {
            add(&set, &mut batch)?;
        }
    }
    add(&set, &mut batch)?;
    let set = set.finish().map_err(in_memory)?;
    if set.is_empty() {
        return Err(KeepListError::Empty);
    }
    let at = whole(end, found)?.at;
    let hash = Digest::from_bytes(registry::Algorithm::Sha256, &hash.finalize());
    let sha256 = hash.map(|hash| hash.hex()).unwrap_or_default();
    Ok(ReadList { digests: set, sha256, at })
}

/// A part of a list says nothing of the rest.
fn whole(end: Option<End>, found: u64) -> Result<End, KeepListError> {
    let end = end.ok_or(KeepListError::NoEnd)?;
    if end.digests != found {
        return Err(KeepListError::NotWhole { found, said: end.digests });
    }
    Ok(end)
}

/// The next line with its end, as far as any line may be long; false at the end of the file.
fn read_line(source: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let most = lines::LONGEST as u64 + 2;
    source.by_ref().take(most).read_until(b'\n', line)?;
    Ok(!line.is_empty())
}

fn add(set: &DigestSetBuilder, batch: &mut Vec<Digest>) -> Result<(), KeepListError> {
    set.add(batch.drain(..)).map_err(in_memory)
}

/// A set that stays in memory asks no disk.
fn in_memory(error: marker::SpillError) -> KeepListError {
    KeepListError::Read(io::Error::other(error))
}

#[cfg(test)]
mod tests;
