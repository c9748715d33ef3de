//! Small registries for the tests.

use std::collections::{HashMap, VecDeque};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use foldhash::HashSet;
use lister::{Complete, RepositoryTree, list_repositories};
use monitor::{Monitor, Stop};
use registry::{Digest, KeyKind, Layout, Manifest, RepositoryName, Timestamp};
use store::{Abilities, ErrorKind, Folders, MemoryStore, Object, Operation, ReadStore, StoreError};
use tokio::sync::mpsc;

use crate::Reach;

pub(crate) const OLD: Timestamp = Timestamp::from_seconds(1_000);
pub(crate) const CUTOFF: Timestamp = Timestamp::from_seconds(2_000);

pub(crate) const REPOSITORY: &str = "team/app";

/// The digest that stands for a name.
pub(crate) fn digest(name: &str) -> Digest {
    Digest::sha256(name.as_bytes())
}

/// The text of a manifest: an index of `children`, or an image of `layers`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Text<'a> {
    pub(crate) layers: &'a [Digest],
    pub(crate) children: &'a [Digest],
    pub(crate) subject: Option<Digest>,
}

impl Text<'_> {
    pub(crate) fn json(&self) -> String {
        let media_type = "application/vnd.oci.image.manifest.v1+json";
        let list = |digests: &[Digest]| {
            let one = |digest| format!(r#"{{"mediaType":"{media_type}","digest":"{digest}"}}"#);
            digests.iter().map(one).collect::<Vec<_>>().join(",")
        };
        let mut text = r#"{"schemaVersion":2"#.to_owned();
        if let Some(subject) = self.subject {
            write!(text, r#","subject":{{"digest":"{subject}"}}"#).unwrap();
        }
        if !self.children.is_empty() {
            write!(text, r#","manifests":[{}]"#, list(self.children)).unwrap();
        }
        write!(text, r#","layers":[{}]}}"#, list(self.layers)).unwrap();
        text
    }

    pub(crate) fn manifest(&self) -> Manifest {
        Manifest::parse(self.json().as_bytes()).unwrap()
    }
}

pub(crate) fn tree() -> RepositoryTree {
    RepositoryTree::new(RepositoryName::new(REPOSITORY).unwrap())
}

pub(crate) fn key(kind: KeyKind<'_>) -> String {
    Layout::new("").key_of(&kind).unwrap()
}

pub(crate) fn revision(digest: Digest) -> String {
    key(KeyKind::Revision { repository: REPOSITORY, digest })
}

pub(crate) fn layer(digest: Digest) -> String {
    key(KeyKind::Layer { repository: REPOSITORY, digest })
}

pub(crate) fn current(tag: &str) -> String {
    key(KeyKind::TagCurrent { repository: REPOSITORY, tag })
}

pub(crate) fn history(tag: &str, digest: Digest) -> String {
    key(KeyKind::TagIndex { repository: REPOSITORY, tag, digest })
}

pub(crate) fn upload(id: &str) -> String {
    format!("{}{REPOSITORY}/_uploads/{id}/startedat", Layout::new("").repositories())
}

pub(crate) fn signature(revision: Digest, digest: Digest) -> String {
    key(KeyKind::Signature { repository: REPOSITORY, revision, digest })
}

/// Adds the key of a link of 71 bytes.
pub(crate) fn add(tree: &mut RepositoryTree, key: &str, modified: Timestamp) {
    add_sized(tree, key, modified, 71);
}

pub(crate) fn add_sized(tree: &mut RepositoryTree, key: &str, modified: Timestamp, size: u64) {
    let object = Object { key: key.into(), size, modified, etag: None };
    tree.add(&Layout::new(""), object.into());
}

/// A store that counts what is read, and fails where told.
#[derive(Clone, Debug)]
pub(crate) struct Watched {
    pub(crate) inner: MemoryStore,
    lists_all: bool,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    reads: HashMap<String, usize>,
    failures: HashMap<String, VecDeque<ErrorKind>>,
}

impl Watched {
    pub(crate) fn new(inner: MemoryStore) -> Self {
        Self { inner, lists_all: true, state: Arc::default() }
    }

    /// One whose listings do not tell every key, by its own account.
    pub(crate) fn passing_by(inner: MemoryStore) -> Self {
        Self { lists_all: false, ..Self::new(inner) }
    }

    /// The next reads of `key` fail so, one after the other.
    pub(crate) fn fail(&self, key: &str, kinds: impl IntoIterator<Item = ErrorKind>) {
        self.state.lock().unwrap().failures.entry(key.to_owned()).or_default().extend(kinds);
    }

    /// How often `key` was read.
    pub(crate) fn reads_of(&self, key: &str) -> usize {
        self.state.lock().unwrap().reads.get(key).copied().unwrap_or(0)
    }

    /// How often anything was read.
    pub(crate) fn reads(&self) -> usize {
        self.state.lock().unwrap().reads.values().sum()
    }
}

impl ReadStore for Watched {
    type Cursor = <MemoryStore as ReadStore>::Cursor;

    fn list(&self, within: &str, after: &str) -> Self::Cursor {
        self.inner.list(within, after)
    }

    async fn folders(&self, within: &str) -> Result<Folders, StoreError> {
        self.inner.folders(within).await
    }

    async fn look(&self, keys: Vec<Box<str>>) -> Result<Vec<Option<Object>>, StoreError> {
        self.inner.look(keys).await
    }

    async fn get(&self, key: &str, at_most: u64) -> Result<Bytes, StoreError> {
        let failure = {
            let mut state = self.state.lock().unwrap();
            *state.reads.entry(key.to_owned()).or_default() += 1;
            state.failures.get_mut(key).and_then(VecDeque::pop_front)
        };
        tokio::task::yield_now().await;
        match failure {
            Some(kind) => Err(StoreError::new(Operation::Get, key, kind)),
            None => self.inner.get(key, at_most).await,
        }
    }

    async fn now(&self) -> Result<Timestamp, StoreError> {
        self.inner.now().await
    }

    fn identity(&self) -> &str {
        self.inner.identity()
    }

    fn abilities(&self) -> Abilities {
        Abilities { lists_all: self.lists_all, ..self.inner.abilities() }
    }
}

/// Every repository of a store.
pub(crate) async fn list<S: ReadStore>(store: &Arc<S>) -> (Complete, Vec<RepositoryTree>) {
    let (sender, mut receiver) = mpsc::channel(1000);
    let (monitor, stop) = (Arc::new(Monitor::new()), Arc::new(Stop::new()));
    let layout = Layout::new("");
    let listing = list_repositories(Arc::clone(store), &layout, 2, sender, monitor, stop);
    let complete = listing.await.unwrap();
    let mut trees = Vec::new();
    while let Some(tree) = receiver.recv().await {
        trees.push(tree);
    }
    (complete, trees)
}

/// A registry with one repository, into which things are pushed.
#[derive(Debug)]
pub(crate) struct Registry {
    pub(crate) store: MemoryStore,
}

impl Registry {
    pub(crate) fn new() -> Self {
        Self { store: MemoryStore::new().with_md5_etags() }
    }

    pub(crate) fn put(&self, key: &str, body: impl Into<Bytes>) {
        self.store.put(key, body, OLD);
    }

    /// A link that says what its key says.
    pub(crate) fn link(&self, key: &str, digest: Digest) {
        self.put(key, digest.to_string());
    }

    pub(crate) fn blob(&self, content: &str) -> Digest {
        let digest = Digest::sha256(content.as_bytes());
        self.put(&Layout::new("").blob(&digest), content.to_owned());
        digest
    }

    /// A blob with its layer link.
    pub(crate) fn layer(&self, content: &str) -> Digest {
        let digest = self.blob(content);
        self.link(&layer(digest), digest);
        digest
    }

    /// A manifest with its revision link.
    pub(crate) fn manifest(&self, text: &Text<'_>) -> Digest {
        let digest = self.blob(&text.json());
        self.link(&revision(digest), digest);
        digest
    }

    pub(crate) fn tag(&self, tag: &str, digest: Digest) {
        self.link(&history(tag, digest), digest);
        self.link(&current(tag), digest);
    }
}

/// What a reach marks, each digest once.
pub(crate) fn marks_of(reach: &Reach) -> HashSet<Digest> {
    reach.marks().collect()
}
