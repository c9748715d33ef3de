//! A store in memory, for tests and demonstrations.

mod write;

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use md5::{Digest as _, Md5};
use registry::Timestamp;

use crate::{
    Abilities, Cursor, DeleteBatch, DeleteStore, Doomed, ErrorKind, Folders, Key, KeyOutcome,
    Listed, Object, Operation, ReadStore, StoreError,
};

/// A store in memory, whose clock stands still until it is set. A cheap handle: clones share the objects.
#[derive(Clone, Debug)]
pub struct MemoryStore {
    state: Arc<Mutex<State>>,
    page: usize,
    etag_is_md5: bool,
    is_presumed: fn(&str) -> bool,
    closed: fn(&str) -> Option<&str>,
}

#[derive(Clone, Debug, Default)]
struct State {
    /// By key; `None` where the object's folder is there without it.
    objects: BTreeMap<String, Option<Stored>>,
    now: Timestamp,
}

#[derive(Clone, Debug)]
struct Stored {
    body: Bytes,
    modified: Timestamp,
    etag: Option<Key>,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self {
            state: Arc::default(),
            page: 1000,
            etag_is_md5: false,
            is_presumed: |_| false,
            closed: |_| None,
        }
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

    /// The same store; its listings presume the keys that `is_presumed` names, as a store of files does.
    #[must_use]
    pub fn with_presumed(self, is_presumed: fn(&str) -> bool) -> Self {
        Self { is_presumed, ..self }
    }

    /// The same store; its listings leave the folder closed that `closed` finds in a key, up to and with its last `/`, as
    /// a store of files does.
    #[must_use]
    pub fn with_closed(self, closed: fn(&str) -> Option<&str>) -> Self {
        Self { closed, ..self }
    }

    /// A store of its own with the same objects and the same clock.
    #[must_use]
    pub fn fork(&self) -> Self {
        let state = self.state().clone();
        Self { state: Arc::new(Mutex::new(state)), ..self.clone() }
    }

    /// Writes an object, over the one that was there.
    pub fn put(&self, key: &str, body: impl Into<Bytes>, modified: Timestamp) {
        let stored = self.stored(body.into(), modified);
        self.state().objects.insert(key.to_owned(), Some(stored));
    }

    fn stored(&self, body: Bytes, modified: Timestamp) -> Stored {
        let etag = self.etag_is_md5.then(|| md5_hex(&body).into());
        Stored { body, modified, etag }
    }

    /// Takes an object away, where it is there.
    pub fn remove(&self, key: &str) {
        self.state().objects.remove(key);
    }

    /// Takes an object away and leaves its folder, as deleting through a registry does on files: where its key is
    /// presumed, listings go on to name it.
    pub fn hollow(&self, key: &str) {
        self.state().objects.insert(key.to_owned(), None);
    }

    /// Every key, ascending.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.state().stored().map(|(key, _)| key.to_owned()).collect()
    }

    /// Every key with its content.
    #[must_use]
    pub fn snapshot(&self) -> BTreeMap<String, Bytes> {
        let state = self.state();
        state.stored().map(|(key, stored)| (key.to_owned(), stored.body.clone())).collect()
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

impl Stored {
    fn object(&self, key: &str) -> Object {
        let (size, etag) = (self.body.len() as u64, self.etag.clone());
        Object { key: key.into(), size, modified: self.modified, etag }
    }
}

impl MemoryStore {
    fn page(&self, within: &str, after: &str) -> Vec<Listed> {
        let state = self.state();
        let start = if after < within { Bound::Included(within) } else { Bound::Excluded(after) };
        let range = (start, Bound::Unbounded);
        let objects = state.objects.range::<str, _>(range);
        let mut page: Vec<Listed> = Vec::new();
        for (key, stored) in objects.take_while(|(key, _)| key.starts_with(within)) {
            if page.len() == self.page {
                break;
            }
            let last = page.last().map_or(after, Listed::key);
            match (self.closed)(key).filter(|folder| !within.starts_with(folder)) {
                Some(folder) if folder <= last => {}
                Some(folder) => page.push(Listed::Closed(folder.into())),
                None => page.extend(self.listed(key, stored.as_ref())),
            }
        }
        page
    }

    fn listed(&self, key: &str, stored: Option<&Stored>) -> Option<Listed> {
        if (self.is_presumed)(key) {
            return Some(Listed::Presumed(key.into()));
        }
        stored.map(|stored| stored.object(key).into())
    }
}

impl State {
    /// What is there.
    fn stored(&self) -> impl Iterator<Item = (&str, &Stored)> {
        self.objects.iter().filter_map(|(key, stored)| Some((key.as_str(), stored.as_ref()?)))
    }

    fn get(&self, key: &str) -> Option<&Stored> {
        self.objects.get(key)?.as_ref()
    }

    fn folders(&self, within: &str) -> Vec<String> {
        let mut prefixes: Vec<String> = Vec::new();
        let keys = self.objects.range::<str, _>((Bound::Included(within), Bound::Unbounded));
        let keys = keys.filter(|(_, stored)| stored.is_some()).map(|(key, _)| key);
        for key in keys.take_while(|key| key.starts_with(within)) {
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
        match self.get(&doomed.key) {
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

    async fn look(&self, keys: Vec<Box<str>>) -> Result<Vec<Option<Object>>, StoreError> {
        let state = self.state();
        let look = |key: &str| state.get(key).map(|stored| stored.object(key));
        Ok(keys.iter().map(|key| look(key)).collect())
    }

    async fn get(&self, key: &str, at_most: u64) -> Result<Bytes, StoreError> {
        let failed = |kind| Err(StoreError::new(Operation::Get, key, kind));
        match self.state().get(key) {
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
        Abilities {
            lists_in_byte_order: true,
            etag_is_md5,
            reads_in_place: false,
            delete_batch: DeleteBatch::LIMIT,
        }
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
    async fn next(&mut self) -> Result<Option<Vec<Listed>>, StoreError> {
        let page = self.store.page(&self.within, &self.after);
        let Some(last) = page.last() else { return Ok(None) };
        self.after = last.key().into();
        Ok(Some(page))
    }

    /// Pages are as full as they can be, as on a bucket.
    fn end_at(&mut self, _: &str) {}
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
            store.page("", "").iter().map(|listed| listed.object().unwrap().etag.clone()).collect();
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
