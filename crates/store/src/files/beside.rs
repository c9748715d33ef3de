//! Files that serve writing: they lie beside what is written, and are no objects.

/// Beside what is written: locked by who writes.
pub(super) const LOCK: &str = ".lock";

/// Beside what is written: what is not whole yet. Only who holds the lock writes it, so one name is enough.
pub(super) const UNFINISHED: &str = ".unfinished";

/// Whether a file of this name serves writing, and is no object.
pub(super) fn is_ours(name: &[u8]) -> bool {
    name == LOCK.as_bytes() || name == UNFINISHED.as_bytes()
}
