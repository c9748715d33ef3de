//! A store that is not left alone.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use store::{
    Abilities, Cursor, ErrorKind, Folders, Listed, MemoryCursor, Object, Operation, PartStore,
    ReadStore, StoreError,
};

use super::*;

/// A store into which somebody pushes between two pages, and that refuses to read where told.
#[derive(Clone)]
pub(super) struct Disturbed {
    pub(super) inner: MemoryStore,
    pub(super) pages: Arc<AtomicUsize>,
    /// Before which page.
    pub(super) before: usize,
    pub(super) after: Arc<World>,
    /// Whether looks and reads count as pages do.
    pub(super) counts_all: bool,
    /// What cannot be read, and why not.
    pub(super) refused: Option<(String, ErrorKind)>,
}

pub(super) struct DisturbedCursor {
    inner: MemoryCursor,
    store: Disturbed,
}

impl Cursor for DisturbedCursor {
    async fn next(&mut self) -> Result<Option<Vec<Listed>>, StoreError> {
        self.store.count();
        self.inner.next().await
    }

    fn end_at(&mut self, until: &str) {
        self.inner.end_at(until);
    }
}

impl Disturbed {
    /// Somebody pushes where it is time.
    fn count(&self) {
        if self.pages.fetch_add(1, Ordering::SeqCst) == self.before {
            for (key, stored) in self.after.objects() {
                self.inner.put(key, stored.bytes.clone(), stored.modified);
            }
        }
    }

    fn meet_get(&self, key: &str) -> Result<(), StoreError> {
        self.count_other();
        match &self.refused {
            Some((refused, kind)) if refused == key => {
                Err(StoreError::new(Operation::Get, key, *kind))
            }
            _ => Ok(()),
        }
    }

    fn count_other(&self) {
        if self.counts_all {
            self.count();
        }
    }
}

impl ReadStore for Disturbed {
    type Cursor = DisturbedCursor;

    fn list(&self, within: &str, after: &str) -> DisturbedCursor {
        DisturbedCursor { inner: self.inner.list(within, after), store: self.clone() }
    }

    async fn look(&self, keys: Vec<Box<str>>) -> Result<Vec<Option<Object>>, StoreError> {
        self.count_other();
        self.inner.look(keys).await
    }

    async fn folders(&self, within: &str) -> Result<Folders, StoreError> {
        self.inner.folders(within).await
    }

    async fn get(&self, key: &str, at_most: u64) -> Result<Bytes, StoreError> {
        self.meet_get(key)?;
        self.inner.get(key, at_most).await
    }

    async fn now(&self) -> Result<Timestamp, StoreError> {
        self.inner.now().await
    }

    fn identity(&self) -> &str {
        self.inner.identity()
    }

    fn abilities(&self) -> Abilities {
        self.inner.abilities()
    }
}

impl PartStore for Disturbed {
    async fn get_part(&self, key: &str, part: Range<u64>) -> Result<Bytes, StoreError> {
        self.meet_get(key)?;
        self.inner.get_part(key, part).await
    }
}
