//! The mark set: built by many, sealed once, then only read.

use std::collections::HashSet;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use lister::Complete;
use registry::Digest;

use crate::{DigestReader, DigestSet, DigestSetBuilder, MarkError, MemoryLimit, SpillError};

/// Marks under construction.
#[derive(Debug, Default)]
pub struct MarkSetBuilder {
    marks: DigestSetBuilder,
    /// Manifests that links name and that were not there. If one is listed later, something changed under us.
    missing: Mutex<HashSet<Digest>>,
    /// Repositories whose marking has begun and not ended well.
    unresolved: AtomicU64,
    /// Repositories whose marking has ended well.
    resolved: AtomicU64,
}

impl MarkSetBuilder {
    /// No marks.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// No marks; they go to disk where they would outgrow `limit`.
    ///
    /// # Errors
    /// [`SpillError`] where nothing can be written there.
    pub fn limited(limit: &MemoryLimit) -> Result<Self, SpillError> {
        Ok(Self { marks: DigestSetBuilder::limited(limit)?, ..Self::default() })
    }

    /// Begins a repository; until [`MarkSetBuilder::resolve`] is called for it, the set cannot be sealed.
    pub(crate) fn begin(&self) {
        self.unresolved.fetch_add(1, Ordering::AcqRel);
    }

    /// Takes in everything a repository keeps alive, and so resolves it.
    ///
    /// # Errors
    /// [`SpillError`] where the marks are not whole; the repository stays unresolved (G5).
    pub(crate) fn resolve(
        &self,
        marks: impl IntoIterator<Item = Digest>,
        missing: &[Digest],
    ) -> Result<(), SpillError> {
        self.marks.add(marks)?;
        self.missing.lock().unwrap_or_else(PoisonError::into_inner).extend(missing);
        self.resolved.fetch_add(1, Ordering::AcqRel);
        self.unresolved.fetch_sub(1, Ordering::AcqRel);
        Ok(())
    }

    /// Ends marking (G5): needs the proof that every repository was listed, and that each was marked to its end.
    ///
    /// # Errors
    /// [`MarkError::Unresolved`] where a repository was begun and not ended, or listed and never begun;
    /// [`MarkError::Spill`] where marks went to disk and cannot be read again.
    pub fn seal(self, listed: &Complete) -> Result<MarkSet, MarkError> {
        let lost = listed.repositories.abs_diff(self.resolved.into_inner());
        if let Some(unresolved) = NonZeroU64::new(lost.max(self.unresolved.into_inner())) {
            return Err(MarkError::Unresolved { unresolved });
        }
        let missing = self.missing.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(MarkSet { marks: self.marks.finish()?, missing })
    }
}

/// Every digest that must be kept: whole, sorted, read-only.
#[derive(Debug)]
pub struct MarkSet {
    marks: DigestSet,
    missing: HashSet<Digest>,
}

impl MarkSet {
    /// Tells whether digests must be kept. Who asks for neighbours, asks one reader.
    #[must_use]
    pub fn reader(&self) -> DigestReader<'_> {
        self.marks.reader()
    }

    /// Whether the digest is that of a manifest that was not there when it was read. A blob listed under it proves
    /// that the registry changed since, and that its references are not marked.
    #[must_use]
    pub fn was_missing(&self, digest: &Digest) -> bool {
        self.missing.contains(digest)
    }

    /// How many digests are marked.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.marks.len()
    }

    /// Whether nothing is marked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }
}

#[cfg(test)]
mod tests;
