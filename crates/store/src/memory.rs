//! A store in memory, for tests and demonstrations.

mod multipart;
mod past;
mod restore;
mod write;

use std::collections::BTreeMap;
use std::ops::{Bound, Range};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use md5::{Digest as _, Md5};
use registry::Timestamp;

use self::multipart::Multiparts;
use self::past::Past;
use crate::{
    Abilities, Cursor, DeleteBatch, DeleteStore, Doomed, ErrorKind, Folders, Kept, Key, KeyFailure,
    KeyOutcome, Listed, Marker, Object, Operation, PartStore, PutBack, ReadStore, StoreError,
    Trash, Trashed, Version,
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
    /// Where the store keeps versions.
    past: Option<Past>,
    multiparts: Multiparts,
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

    /// The same store; what is deleted or overwritten from now on is kept, as in a versioned bucket, which spares nothing
    /// that was written since it was listed.
    #[must_use]
    pub fn with_versions(self) -> Self {
        self.state().past.get_or_insert_default();
        self
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
        self.state().put(key, stored);
    }

    fn stored(&self, body: Bytes, modified: Timestamp) -> Stored {
        let etag = self.etag_is_md5.then(|| md5_hex(&body).into());
        Stored { body, modified, etag }
    }

    /// Takes an object away, where it is there.
    pub fn remove(&self, key: &str) {
        self.state().objects.remove(key);
    }

    /// Deletes as somebody else would: where versions are kept, by a delete marker.
    pub fn bury(&self, key: &str) {
        self.state().bury(key);
    }

    /// Forgets the versions of a key that are hidden, as the rules of a bucket may do.
    pub fn expire(&self, key: &str) {
        if let Some(past) = &mut self.state().past {
            past.forget(key);
        }
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

    fn version(&self) -> Version {
        Version::Object { size: self.body.len() as u64, modified: self.modified }
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

    fn delete(&mut self, doomed: &Doomed, trash: Option<&Trash>) -> KeyOutcome {
        if let Some(id) = &doomed.upload {
            return self.multiparts.abort(doomed, id);
        }
        let place = trash.and_then(|trash| trash.key_of(&doomed.key));
        if trash.is_some() && place.is_none() {
            let message = "it does not lie where the trash is for".into();
            return KeyOutcome::Failed(KeyFailure { kind: ErrorKind::Fatal, message });
        }
        // A bucket does not look what it hides.
        let is_blind = self.past.is_some() && trash.is_none();
        match self.get(&doomed.key) {
            None if place.as_ref().is_some_and(|key| self.get(key).is_some()) => {
                KeyOutcome::Deleted(Kept::Trash)
            }
            // A versioned bucket hides what is hidden once more.
            None if self.past.is_some() => KeyOutcome::Deleted(self.bury(&doomed.key)),
            None => KeyOutcome::Gone,
            Some(stored) if stored.modified > doomed.modified && !is_blind => KeyOutcome::Spared,
            Some(_) => match place {
                None => KeyOutcome::Deleted(self.bury(&doomed.key)),
                Some(place) => {
                    self.rename(&doomed.key, place);
                    KeyOutcome::Deleted(Kept::Trash)
                }
            },
        }
    }

    fn rename(&mut self, from: &str, to: String) {
        if let Some(stored) = self.objects.remove(from) {
            self.objects.insert(to, stored);
        }
    }

    fn put_back(&mut self, object: &Trashed) -> PutBack {
        if self.get(&object.key).is_some() {
            return PutBack::Present;
        }
        if self.get(&object.trash).is_none() {
            return PutBack::Absent;
        }
        self.rename(&object.trash, object.key.to_string());
        PutBack::Restored
    }

    fn put(&mut self, key: &str, stored: Stored) {
        let old = self.objects.insert(key.to_owned(), Some(stored)).flatten();
        if let (Some(past), Some(old)) = (&mut self.past, old) {
            past.bury(key, old);
        }
    }

    fn bury(&mut self, key: &str) -> Kept {
        let old = self.objects.remove(key).flatten();
        let Some(past) = &mut self.past else { return Kept::Nothing };
        if let Some(old) = old {
            past.bury(key, old);
        }
        past.mark(key, self.now)
    }

    fn unmark(&mut self, marker: &Marker) {
        let is_free = self.get(marker.key()).is_none();
        let found = self.past.as_mut().and_then(|past| past.unmark(marker, is_free));
        if let Some(found) = found {
            self.objects.insert(marker.key().to_owned(), Some(found));
        }
    }

    fn versions(&self, key: &str) -> Vec<Version> {
        let current = self.get(key).map(Stored::version);
        let past = self.past.iter().flat_map(|past| past.of(key));
        current.into_iter().chain(past).take(Version::MOST).collect()
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
        Abilities {
            lists_in_byte_order: true,
            lists_all: true,
            tells_etags: self.etag_is_md5,
            reads_in_place: false,
            keeps_waiting: true,
            delete_batch: DeleteBatch::LIMIT,
        }
    }
}

impl PartStore for MemoryStore {
    async fn get_part(&self, key: &str, part: Range<u64>) -> Result<Bytes, StoreError> {
        let whole = self.get(key, u64::MAX).await?;
        let place = |at| usize::try_from(at).unwrap_or(usize::MAX).min(whole.len());
        Ok(whole.slice(place(part.start)..place(part.end)))
    }
}

impl DeleteStore for MemoryStore {
    async fn delete(&self, batch: &DeleteBatch) -> Result<Vec<KeyOutcome>, StoreError> {
        let mut state = self.state();
        Ok(batch.objects().iter().map(|doomed| state.delete(doomed, batch.trash())).collect())
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
mod tests;
