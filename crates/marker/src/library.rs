//! Manifests, each read once in the whole run, as far as they can be remembered.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use cache::ManifestCache;
use dashmap::DashMap;
use foldhash::fast::RandomState;
use monitor::{Counter, Monitor};
use registry::{Digest, Layout, MANIFEST_LIMIT, Manifest, RepositoryName};
use store::{Content, Cursor as _, ErrorKind, Listed, Object, Operation, ReadStore, StoreError};
use tokio::sync::{OnceCell, Semaphore, SemaphorePermit};
use tokio::task::{JoinError, spawn_blocking};

use crate::{Known, MarkError, What};

/// About what a manifest of ten layers takes, in bytes.
const MANIFEST: usize = 1000;
/// So many manifests fit on the shelf before it grows, which moves them all.
const SHELF: usize = 1 << 13;
/// So many bytes of manifests are remembered where nobody says otherwise.
const USUAL: usize = 512 << 20;

/// Reads manifests on demand; whoever asks for one that is being read waits for it.
#[derive(Debug)]
pub struct Library<S> {
    store: Arc<S>,
    layout: Layout,
    shelf: DashMap<Digest, Shelved, RandomState>,
    /// What earlier runs read; empty where nothing is remembered from run to run.
    cache: OnceLock<Arc<ManifestCache>>,
    /// How many manifests were put on the shelf so far.
    read: AtomicUsize,
    /// So many are remembered at most.
    most: AtomicUsize,
    /// Whether what manifests claim is kept with them.
    is_close: AtomicBool,
    readers: Semaphore,
    monitor: Arc<Monitor>,
}

/// What there is of a manifest that was asked for.
#[derive(Clone, Debug)]
enum Shelved {
    /// Somebody reads it, or tried to.
    Coming(Arc<OnceCell<Known>>),
    There(Known),
}

impl Default for Shelved {
    fn default() -> Self {
        Self::Coming(Arc::default())
    }
}

/// Manifests, as far as an earlier run read them.
#[derive(Debug, Default)]
pub(crate) struct Recalled {
    /// Those that are remembered.
    pub(crate) known: Vec<(Digest, Known)>,
    /// The others.
    pub(crate) unread: Vec<Digest>,
}

impl Recalled {
    fn of(cache: &ManifestCache, digests: Vec<Digest>) -> Self {
        let mut recalled = Self { known: Vec::with_capacity(digests.len()), ..Self::default() };
        let remembered = cache.get_all(&digests);
        for (digest, manifest) in digests.into_iter().zip(remembered) {
            match manifest {
                Some(manifest) => {
                    recalled.known.push((digest, Known::Manifest(manifest)));
                }
                None => recalled.unread.push(digest),
            }
        }
        recalled
    }
}

impl<S: ReadStore> Library<S> {
    /// An empty library that reads at most `readers` objects at once.
    #[must_use]
    pub fn new(store: Arc<S>, layout: &Layout, readers: usize, monitor: Arc<Monitor>) -> Self {
        let shelf = DashMap::with_capacity_and_hasher(SHELF, RandomState::default());
        let readers = Semaphore::new(readers.max(1));
        let (layout, read) = (layout.clone(), AtomicUsize::new(0));
        let (cache, most) = (OnceLock::new(), AtomicUsize::new(USUAL / MANIFEST));
        let is_close = AtomicBool::new(false);
        Self { store, layout, shelf, cache, read, most, is_close, readers, monitor }
    }

    /// Remembers so many bytes of manifests at most, about.
    pub fn hold(&self, bytes: usize) {
        self.most.store((bytes / MANIFEST).max(1), Ordering::Relaxed);
    }

    /// Keeps with each manifest what it claims of what it names. What a cache remembers is without.
    pub fn read_closely(&self) {
        self.is_close.store(true, Ordering::Relaxed);
    }

    /// Does not read what `cache` remembers, and remembers there what is read. The first cache counts.
    pub fn remember_in(&self, cache: Arc<ManifestCache>) {
        self.cache.get_or_init(|| cache);
    }

    /// Sorts out of `digests` what an earlier run read. All of them are looked up together, in another thread where the
    /// disk may be slow: listing goes on meanwhile.
    pub(crate) async fn recall(&self, digests: Vec<Digest>) -> Result<Recalled, JoinError> {
        let Some(cache) = self.cache.get().map(Arc::clone) else {
            return Ok(Recalled { known: Vec::new(), unread: digests });
        };
        let is_in_memory = cache.is_in_memory();
        let look = move || Recalled::of(&cache, digests);
        if is_in_memory { Ok(look()) } else { spawn_blocking(look).await }
    }

    /// What is known of a manifest that has to be read, for `repository`, which only serves the message of an error.
    ///
    /// # Errors
    /// [`MarkError::Manifest`] where the store failed in a way that may pass: the run cannot be completed. A store that
    /// says no, or content that cannot be right, is an answer: [`Known::Doubtful`].
    pub async fn read(
        &self,
        digest: Digest,
        repository: &RepositoryName,
    ) -> Result<Known, MarkError> {
        let shelved = self.shelf.entry(digest).or_default().clone();
        let coming = match shelved {
            Shelved::There(known) => return Ok(known),
            Shelved::Coming(coming) => coming,
        };
        let known = coming.get_or_try_init(|| self.fetch(digest)).await;
        let failed =
            |source| MarkError::Manifest { repository: repository.clone(), digest, source };
        let known = known.map_err(failed)?;
        if let Some(mut shelved) = self.shelf.get_mut(&digest) {
            *shelved = Shelved::There(known.clone());
        }
        Ok(known.clone())
    }

    /// Reads any small object, when it is its turn.
    pub(crate) async fn get(&self, key: &str, at_most: u64) -> Result<Bytes, StoreError> {
        let _permit = self.turn().await;
        self.store.get(key, at_most).await
    }

    /// Waits for its turn, where it has to. The semaphore is never closed; if it were, reading unbounded would still be
    /// right.
    async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        match self.readers.try_acquire() {
            Ok(permit) => Some(permit),
            Err(_) => self.readers.acquire().await.ok(),
        }
    }

    /// Looks at any objects, when it is their turn.
    pub(crate) async fn look(
        &self,
        keys: Vec<Box<str>>,
    ) -> Result<HashMap<Box<str>, Option<Object>>, StoreError> {
        let _permit = self.turn().await;
        let objects = self.store.look(keys.clone()).await?;
        Ok(keys.into_iter().zip(objects).collect())
    }

    /// Whether the store's listings tell every key.
    pub(crate) fn lists_all(&self) -> bool {
        self.store.abilities().lists_all
    }

    /// Lists a folder to its end (G3), when it is its turn.
    pub(crate) async fn list(&self, folder: &str) -> Result<Vec<Listed>, StoreError> {
        let _permit = self.turn().await;
        let (mut cursor, mut listed) = (self.store.list(folder, ""), Vec::new());
        while let Some(page) = cursor.next().await? {
            self.monitor.count(Counter::RepositoryKeys, page.len() as u64);
            listed.extend(page);
        }
        let ascends = listed.windows(2).all(|pair| pair[0].key() < pair[1].key());
        if !ascends || listed.iter().any(|entry: &Listed| !entry.key().starts_with(folder)) {
            return Err(StoreError::new(Operation::List, folder, ErrorKind::Malformed));
        }
        Ok(listed)
    }

    /// The registry's keys.
    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    async fn fetch(&self, digest: Digest) -> Result<Known, StoreError> {
        self.make_room();
        self.monitor.count(Counter::AskedManifests, 1);
        let _permit = self.turn().await;
        let key = self.layout.blob(&digest);
        match self.store.get_content(&key, &digest, MANIFEST_LIMIT).await {
            Ok(content) => Ok(self.understand(digest, &content)),
            Err(error) => answer(digest, error),
        }
    }

    /// G12: what is forgotten and asked for again is read again.
    fn make_room(&self) {
        let most = self.most.load(Ordering::Relaxed);
        if self.read.fetch_add(1, Ordering::Relaxed) % most == most - 1 {
            self.shelf.retain(|_, shelved| matches!(shelved, Shelved::Coming(_)));
        }
    }

    fn understand(&self, digest: Digest, content: &Content) -> Known {
        let Content { bytes, actual } = content;
        let actual = *actual;
        if actual != digest {
            return Known::doubtful(What::OtherContent { digest, actual });
        }
        let is_close = self.is_close.load(Ordering::Relaxed);
        match if is_close { Manifest::parse_closely(bytes) } else { Manifest::parse(bytes) } {
            Ok(manifest) => {
                self.monitor.count(Counter::ReadManifests, 1);
                if let Some(cache) = self.cache.get() {
                    // Compared with its digest and understood: nothing else is ever remembered (G4).
                    cache.put(&digest, &manifest);
                }
                Known::Manifest(manifest)
            }
            Err(error) => {
                Known::doubtful(What::NotUnderstood { digest, message: chain(&error).into() })
            }
        }
    }
}

/// Which failures are answers about the object, and which leave us without one.
fn answer(digest: Digest, error: StoreError) -> Result<Known, StoreError> {
    match error.kind {
        ErrorKind::NotFound => Ok(Known::Missing),
        ErrorKind::Denied | ErrorKind::TooLarge => {
            Ok(Known::doubtful(What::Unreadable { digest, message: error.kind.to_string().into() }))
        }
        _ => Err(error),
    }
}

/// An error and its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests;
