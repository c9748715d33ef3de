//! A registry as it serves a store: what each step of its answers reads and writes, with and without a cache.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use collector::Remembered;
use registry::{Digest, KeyKind, Layout, Timestamp};

use super::bucket::Bucket;

/// When nothing has happened yet.
const BEGIN: Timestamp = Timestamp::from_seconds(1_000_000);

/// What a registry remembers, as redis does.
#[derive(Debug, Default)]
struct Cache {
    /// Digests known of the store.
    known: BTreeSet<Digest>,
    /// Digests known of a repository.
    served: BTreeSet<(String, Digest)>,
}

/// A registry. A cheap handle: clones are one.
#[derive(Clone, Debug)]
pub(crate) struct Registry {
    pub(crate) bucket: Bucket,
    pub(crate) layout: Layout,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    now: Timestamp,
    cache: Option<Cache>,
    /// The content of every blob that anybody has.
    contents: BTreeMap<Digest, Vec<u8>>,
}

impl Registry {
    /// A registry on an empty bucket.
    pub(crate) fn new(bucket: Bucket, has_cache: bool) -> Self {
        bucket.set_now(BEGIN);
        let cache = has_cache.then(Cache::default);
        let state = State { now: BEGIN, cache, contents: BTreeMap::new() };
        Self { bucket, layout: Layout::new(""), state: Arc::new(Mutex::new(state)) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.state().now
    }

    /// Lets time pass.
    pub(crate) fn pass(&self, time: Duration) {
        let mut state = self.state();
        state.now = state.now.after(time);
        self.bucket.set_now(state.now);
    }

    /// Tells what a digest is that of.
    pub(crate) fn content(&self, bytes: &[u8]) -> Digest {
        let digest = Digest::sha256(bytes);
        self.state().contents.insert(digest, bytes.to_vec());
        digest
    }

    fn put(&self, key: &str, body: Vec<u8>) {
        self.pass(Duration::from_millis(1));
        self.bucket.put(key, body, self.now());
    }

    fn has(&self, key: &str) -> bool {
        self.bucket.has(key)
    }

    fn key(&self, kind: KeyKind<'_>) -> String {
        self.layout.key_of(&kind).unwrap()
    }

    pub(crate) fn layer(&self, repository: &str, digest: Digest) -> String {
        self.key(KeyKind::Layer { repository, digest })
    }

    pub(crate) fn revision(&self, repository: &str, digest: Digest) -> String {
        self.key(KeyKind::Revision { repository, digest })
    }

    pub(crate) fn has_data(&self, digest: Digest) -> bool {
        self.has(&self.layout.blob(&digest))
    }

    pub(crate) fn has_layer(&self, repository: &str, digest: Digest) -> bool {
        self.has(&self.layer(repository, digest))
    }

    pub(crate) fn has_revision(&self, repository: &str, digest: Digest) -> bool {
        self.has(&self.revision(repository, digest))
    }

    pub(crate) fn write_data(&self, digest: Digest) {
        let content = self.state().contents[&digest].clone();
        self.put(&self.layout.blob(&digest), content);
    }

    pub(crate) fn write_layer(&self, repository: &str, digest: Digest) {
        self.put(&self.layer(repository, digest), digest.to_string().into());
        self.believe(repository, digest);
    }

    pub(crate) fn write_revision(&self, repository: &str, digest: Digest) {
        self.put(&self.revision(repository, digest), digest.to_string().into());
    }

    pub(crate) fn write_tag_index(&self, repository: &str, tag: &str, digest: Digest) {
        let key = self.key(KeyKind::TagIndex { repository, tag, digest });
        self.put(&key, digest.to_string().into());
    }

    pub(crate) fn write_tag(&self, repository: &str, tag: &str, digest: Digest) {
        let key = self.key(KeyKind::TagCurrent { repository, tag });
        self.put(&key, digest.to_string().into());
    }

    pub(crate) fn start_upload(&self, repository: &str) {
        let key = format!("{}{repository}/_uploads/one/startedat", self.layout.repositories());
        self.put(&key, self.now().to_string().into());
    }

    /// Deletes a manifest, as its API does.
    pub(crate) fn delete_manifest(&self, repository: &str, digest: Digest) {
        self.forget(&Remembered { repository: Some(name(repository)), digest });
        self.bucket.bury(&self.revision(repository, digest));
        self.pass(Duration::from_millis(1));
    }

    /// Whether the repository serves a blob: from the cache, else by its link and its data, which the cache then knows.
    pub(crate) fn stat(&self, repository: &str, digest: Digest) -> bool {
        let served = (repository.to_owned(), digest);
        if let Some(cache) = &self.state().cache
            && cache.served.contains(&served)
            && cache.known.contains(&digest)
        {
            return true;
        }
        let is_there = self.has_layer(repository, digest) && self.knows(digest);
        if is_there {
            self.believe(repository, digest);
        }
        is_there
    }

    /// Whether the repository serves a manifest.
    pub(crate) fn serves(&self, repository: &str, digest: Digest) -> bool {
        self.has_revision(repository, digest) && self.knows(digest)
    }

    /// Whether there is data: from the cache, else from the store.
    pub(crate) fn knows(&self, digest: Digest) -> bool {
        let is_known =
            self.state().cache.as_ref().is_some_and(|cache| cache.known.contains(&digest));
        is_known || self.has_data(digest)
    }

    pub(crate) fn believe(&self, repository: &str, digest: Digest) {
        if let Some(cache) = &mut self.state().cache {
            cache.known.insert(digest);
            cache.served.insert((repository.to_owned(), digest));
        }
    }

    /// What a purge does.
    pub(crate) fn forget(&self, remembered: &Remembered) {
        if let Some(cache) = &mut self.state().cache {
            cache.known.remove(&remembered.digest);
            if let Some(repository) = &remembered.repository {
                cache.served.remove(&(repository.to_string(), remembered.digest));
            }
        }
    }

    /// What the cache answers who asks.
    pub(crate) fn believes(&self, digest: Digest) -> bool {
        self.state().cache.as_ref().is_some_and(|cache| cache.known.contains(&digest))
    }
}

pub(crate) fn name(repository: &str) -> registry::RepositoryName {
    registry::RepositoryName::new(repository).unwrap()
}
