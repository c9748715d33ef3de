//! Where a registry keeps its objects, as those see it who are next to it: in memory, or on a simulated S3 server.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use registry::Timestamp;
use simstore::{Options, Server};
use store::MemoryStore;

/// A bucket. A cheap handle: clones are one.
#[derive(Clone, Debug)]
pub(crate) enum Bucket {
    Memory(MemoryStore),
    Server(Arc<Server>),
}

impl Bucket {
    /// A bucket in memory.
    pub(crate) fn memory(keeps_versions: bool) -> Self {
        let store = MemoryStore::new().with_page(Self::PAGE).with_md5_etags();
        Self::Memory(if keeps_versions { store.with_versions() } else { store })
    }

    /// A bucket that the collector speaks to over HTTP.
    pub(crate) fn server(keeps_versions: bool) -> Self {
        let options = Options { versioned: keeps_versions, ..Options::default() };
        Self::Server(Arc::new(Server::start(options).unwrap()))
    }

    /// How many keys a page of its listings has: registries are small, and are to have many pages.
    pub(crate) const PAGE: usize = 7;

    pub(crate) fn set_now(&self, now: Timestamp) {
        match self {
            Self::Memory(store) => store.set_now(now),
            Self::Server(server) => server.set_now(Some(now)),
        }
    }

    pub(crate) fn put(&self, key: &str, content: Vec<u8>, modified: Timestamp) {
        match self {
            Self::Memory(store) => store.put(key, content, modified),
            Self::Server(server) => server.put(key, content, modified),
        }
    }

    /// Deletes as somebody else would.
    pub(crate) fn bury(&self, key: &str) {
        match self {
            Self::Memory(store) => store.bury(key),
            Self::Server(server) => server.remove(key),
        }
    }

    /// Forgets the versions of a key that are hidden.
    pub(crate) fn expire(&self, key: &str) {
        match self {
            Self::Memory(store) => store.expire(key),
            Self::Server(server) => server.expire(key),
        }
    }

    /// Every key, ascending.
    pub(crate) fn keys(&self) -> Vec<String> {
        match self {
            Self::Memory(store) => store.keys(),
            Self::Server(server) => server.keys(),
        }
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        match self {
            Self::Memory(store) => {
                store.keys().binary_search_by(|other| other.as_str().cmp(key)).is_ok()
            }
            Self::Server(server) => server.content(key).is_some(),
        }
    }

    /// Every key with its content.
    pub(crate) fn snapshot(&self) -> BTreeMap<String, Bytes> {
        match self {
            Self::Memory(store) => store.snapshot(),
            Self::Server(server) => {
                let content = |key: String| server.content(&key).map(|content| (key, content));
                server.keys().into_iter().filter_map(content).collect()
            }
        }
    }

    /// What it holds just now, apart; of a bucket in memory.
    pub(crate) fn fork(&self) -> Option<MemoryStore> {
        match self {
            Self::Memory(store) => Some(store.fork()),
            Self::Server(_) => None,
        }
    }
}
