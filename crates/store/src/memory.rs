//! A store in memory, for tests and demonstrations.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use md5::{Digest as _, Md5};
use registry::Timestamp;

use crate::{
    Abilities, Cursor, DeleteBatch, DeleteStore, Doomed, ErrorKind, Folders, KeyOutcome, Object,
    Operation, ReadStore, StoreError,
};

/// A store in memory, whose clock stands still until it is set. A cheap handle: clones share the objects.
#[derive(Clone, Debug)]
pub struct MemoryStore {
    state: Arc<Mutex<State>>,
    page: usize,
    etag_is_md5: bool,
}

#[derive(Clone, Debug, Default)]
struct State {
    objects: BTreeMap<String, Stored>,
    now: Timestamp,
}

#[derive(Clone, Debug)]
struct Stored {
    body: Bytes,
    modified: Timestamp,
    etag: Option<Box<str>>,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self { state: Arc::default(), page: 1000, etag_is_md5: false }
    }
}

impl MemoryStore {
    /// An empty store: pages of 1000, no entity tags, the clock at 1970-01-01.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same store with pages of `page` objects, at least one.
    #[must_use]
    pub fn with_page(self, page: usize) -> Self {
        Self { page: page.max(1), ..self }
    }

    /// The same store; what is put into it from now on gets the MD5 of its content as entity tag, as on S3.
    #[must_use]
    pub fn with_md5_etags(self) -> Self {
        Self { etag_is_md5: true, ..self }
    }

    /// A store of its own with the same objects and the same clock.
    #[must_use]
    pub fn fork(&self) -> Self {
        let state = self.state().clone();
        Self { state: Arc::new(Mutex::new(state)), ..self.clone() }
    }

    /// Writes an object, over the one that was there.
    pub fn put(&self, key: &str, body: impl Into<Bytes>, modified: Timestamp) {
        let body = body.into();
        let etag = self.etag_is_md5.then(|| md5_hex(&body).into());
        self.state().objects.insert(key.to_owned(), Stored { body, modified, etag });
    }

    /// Takes an object away, where it is there.
    pub fn remove(&self, key: &str) {
        self.state().objects.remove(key);
    }

    /// Every key, ascending.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.state().objects.keys().cloned().collect()
    }

    /// Every key with its content.
    #[must_use]
    pub fn snapshot(&self) -> BTreeMap<String, Bytes> {
        let state = self.state();
        state.objects.iter().map(|(key, stored)| (key.clone(), stored.body.clone())).collect()
    }

    /// Sets the store's clock.
    pub fn set_now(&self, now: Timestamp) {
        self.state().now = now;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No change is ever half made, so a panic elsewhere leaves nothing broken.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn md5_hex(body: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value)]);
    Md5::digest(body).iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

impl State {
    fn page(&self, within: &str, after: &str, limit: usize) -> Vec<Object> {
        let start = if after < within { Bound::Included(within) } else { Bound::Excluded(after) };
        self.objects
            .range::<str, _>((start, Bound::Unbounded))
            .take_while(|(key, _)| key.starts_with(within))
            .take(limit)
            .map(|(key, stored)| Object {
                key: key.as_str().into(),
                size: stored.body.len() as u64,
                modified: stored.modified,
                etag: stored.etag.clone(),
            })
            .collect()
    }

    fn folders(&self, within: &str) -> Vec<String> {
        let mut prefixes: Vec<String> = Vec::new();
        let keys = self.objects.range::<str, _>((Bound::Included(within), Bound::Unbounded));
        for key in keys.map(|(key, _)| key).take_while(|key| key.starts_with(within)) {
            let slash = key[within.len()..].find('/');
            let prefix = slash.map(|slash| &key[..=within.len() + slash]);
            if let Some(prefix) =
                prefix.filter(|&prefix| prefixes.last().is_none_or(|p| p != prefix))
            {
                prefixes.push(prefix.to_owned());
            }
        }
        prefixes
    }

    fn delete(&mut self, doomed: &Doomed) -> KeyOutcome {
        match self.objects.get(&*doomed.key) {
            None => KeyOutcome::Gone,
            Some(stored) if stored.modified > doomed.modified => KeyOutcome::Spared,
            Some(_) => {
                self.objects.remove(&*doomed.key);
                KeyOutcome::Deleted
            }
        }
    }
}

impl ReadStore for MemoryStore {
    type Cursor = MemoryCursor;

    fn list(&self, within: &str, after: &str) -> MemoryCursor {
        MemoryCursor { store: self.clone(), within: within.into(), after: after.into() }
    }

    async fn folders(&self, within: &str) -> Result<Folders, StoreError> {
        Ok(Folders { prefixes: self.state().folders(within), is_complete: true })
    }

    async fn get(&self, key: &str, at_most: u64) -> Result<Bytes, StoreError> {
        let failed = |kind| Err(StoreError::new(Operation::Get, key, kind));
        match self.state().objects.get(key) {
            None => failed(ErrorKind::NotFound),
            Some(stored) if stored.body.len() as u64 > at_most => failed(ErrorKind::TooLarge),
            Some(stored) => Ok(stored.body.clone()),
        }
    }

    async fn now(&self) -> Result<Timestamp, StoreError> {
        Ok(self.state().now)
    }

    fn identity(&self) -> &'static str {
        "memory"
    }

    fn abilities(&self) -> Abilities {
        let etag_is_md5 = self.etag_is_md5;
        Abilities { lists_in_byte_order: true, etag_is_md5, delete_batch: DeleteBatch::LIMIT }
    }
}

impl DeleteStore for MemoryStore {
    async fn delete(&self, batch: &DeleteBatch) -> Result<Vec<KeyOutcome>, StoreError> {
        let mut state = self.state();
        Ok(batch.objects().iter().map(|doomed| state.delete(doomed)).collect())
    }
}

/// A listing of memory under way.
#[derive(Debug)]
pub struct MemoryCursor {
    store: MemoryStore,
    within: Box<str>,
    after: Box<str>,
}

impl Cursor for MemoryCursor {
    async fn next(&mut self) -> Result<Option<Vec<Object>>, StoreError> {
        let page = self.store.state().page(&self.within, &self.after, self.store.page);
        Ok(page.last().map(|last| last.key.clone()).map(|last| {
            self.after = last;
            page
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entity_tag_is_the_md5_of_the_content_where_asked_for() {
        let store = MemoryStore::new();
        store.put("plain", "", Timestamp::default());
        let store = store.with_md5_etags();
        store.put("tagged", "", Timestamp::default());
        let etags: Vec<_> =
            store.state().page("", "", 9).into_iter().map(|object| object.etag).collect();
        assert_eq!(etags, [None, Some("d41d8cd98f00b204e9800998ecf8427e".into())]);
    }

    #[test]
    fn a_fork_shares_nothing_and_a_clone_everything() {
        let store = MemoryStore::new();
        let (clone, fork) = (store.clone(), store.fork());
        store.put("key", "body", Timestamp::default());
        assert_eq!(clone.keys(), ["key"]);
        assert!(fork.keys().is_empty());
        clone.remove("key");
        assert!(store.keys().is_empty());
    }

    #[tokio::test]
    async fn the_store_keeps_its_contract() {
        for page in [1, 2, 1000] {
            let store = MemoryStore::new().with_page(page);
            let fill = async |objects: &[(&str, &[u8])]| {
                for (key, body) in objects {
                    store.put(key, body.to_vec(), Timestamp::from_seconds(1_000));
                }
            };
            crate::conformance::store_contract(&store, fill).await;
            crate::conformance::odd_keys_contract(&store, fill).await;
        }
    }
}
