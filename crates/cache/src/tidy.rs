//! Keeping the folder small: what is damaged or too much goes, small segments become one.

use std::path::PathBuf;

use crate::directory::{Directory, Entry, remove};
use crate::merge::merge;
use crate::{CacheError, Limits};

/// So many small segments may lie about: each is one more place to look for a digest.
const MOST_SMALL: usize = 4;

/// Tidies, unless somebody else does.
///
/// # Errors
/// [`CacheError`] where the disk fails. The cache is as good as before.
pub(crate) fn tidy(
    directory: &Directory,
    limits: &Limits,
    damaged: &[PathBuf],
) -> Result<(), CacheError> {
    let Some(_alone) = directory.alone()? else { return Ok(()) };
    directory.remove_leftovers()?;
    damaged.iter().try_for_each(|path| remove(path))?;
    let mut small = evict(directory.segments()?, limits.bytes)?;
    small.retain(|entry| entry.bytes < limits.segment / 2);
    if small.len() > MOST_SMALL {
        merge(directory, small, limits.segment)?;
    }
    Ok(())
}

/// Removes the oldest segments until the others are no more than `most`; gives those.
fn evict(entries: Vec<Entry>, most: u64) -> Result<Vec<Entry>, CacheError> {
    let mut total: u64 = entries.iter().map(|entry| entry.bytes).sum();
    let mut kept = Vec::with_capacity(entries.len());
    for entry in entries {
        if total > most {
            total -= entry.bytes;
            remove(&entry.path)?;
        } else {
            kept.push(entry);
        }
    }
    Ok(kept)
}
