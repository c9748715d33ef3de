//! The bucket, and what the model remembers about it.

use std::collections::BTreeMap;
use std::time::Duration;

use registry::{Digest, Timestamp};

use crate::document::Record;
use crate::keys::Keys;

/// An object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its content.
    pub bytes: Vec<u8>,
    /// When it was last written.
    pub modified: Timestamp,
}

/// What a key is, remembered by who wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    Blob(Digest),
    Layer { repository: String, digest: Digest },
    Revision { repository: String, digest: Digest },
    Signature { repository: String, revision: Digest, digest: Digest },
    Current { repository: String, tag: String },
    History { repository: String, tag: String, digest: Digest },
    Upload { repository: String, id: String },
    Marker { repository: Option<String> },
    Foreign { repository: Option<String>, is_link: bool },
}

/// A registry's bucket, and a clock that stands still until [`World::age`] moves it.
///
/// Methods named after what a client does write or remove exactly the keys that the registry would. They check no more
/// than their words say: a push may name blobs that nobody uploaded.
#[derive(Clone, Debug)]
pub struct World {
    pub(crate) now: Timestamp,
    pub(crate) keys: Keys,
    rootdirectory: String,
    pub(crate) objects: BTreeMap<String, Stored>,
    pub(crate) meanings: BTreeMap<String, Meaning>,
    pub(crate) manifests: BTreeMap<Digest, Record>,
    pub(crate) deeds: BTreeMap<&'static str, u64>,
    pub(crate) serial: u64,
}

impl World {
    /// An empty bucket at `now`; `rootdirectory` as in a registry's configuration.
    #[must_use]
    pub fn new(now: Timestamp, rootdirectory: &str) -> Self {
        Self {
            now,
            keys: Keys::new(rootdirectory),
            rootdirectory: rootdirectory.to_owned(),
            objects: BTreeMap::new(),
            meanings: BTreeMap::new(),
            manifests: BTreeMap::new(),
            deeds: BTreeMap::new(),
            serial: 0,
        }
    }

    /// The time; a store that serves this world should tell it too.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The `rootdirectory` it was made with.
    #[must_use]
    pub fn rootdirectory(&self) -> &str {
        &self.rootdirectory
    }

    /// How its keys are made.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// What is in the bucket, by key, in byte order.
    #[must_use]
    pub fn objects(&self) -> &BTreeMap<String, Stored> {
        &self.objects
    }

    /// Lets time pass.
    pub fn age(&mut self, time: Duration) {
        self.now = self.now.after(time);
    }

    /// Takes what a collection left as what is in the bucket. Keys that the model did not write count as foreign.
    pub fn replace_objects(&mut self, left: BTreeMap<String, Stored>) {
        self.meanings.retain(|key, _| left.contains_key(key));
        self.objects = left;
    }

    /// Notes that somebody deleted `keys`; keys that are not there are passed over.
    pub fn note_deleted<'k>(&mut self, keys: impl IntoIterator<Item = &'k str>) {
        for key in keys {
            self.remove(key);
        }
    }

    pub(crate) fn put(&mut self, key: String, bytes: impl Into<Vec<u8>>, meaning: Meaning) {
        let stored = Stored { bytes: bytes.into(), modified: self.now };
        self.meanings.insert(key.clone(), meaning);
        self.objects.insert(key, stored);
    }

    pub(crate) fn remove(&mut self, key: &str) {
        self.objects.remove(key);
        self.meanings.remove(key);
    }

    pub(crate) fn remove_folder(&mut self, folder: &str) {
        let keys: Vec<String> = self.folder(folder).cloned().collect();
        self.note_deleted(keys.iter().map(String::as_str));
    }

    fn folder(&self, folder: &str) -> impl Iterator<Item = &String> {
        self.objects
            .range(folder.to_owned()..)
            .map(|(key, _)| key)
            .take_while(move |key| key.starts_with(folder))
    }

    /// Counts something that was done, for the summary.
    pub(crate) fn did(&mut self, deed: &'static str) {
        *self.deeds.entry(deed).or_default() += 1;
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.objects.contains_key(key)
    }

    /// The digest that a link's content names: exactly a digest, or nothing.
    pub(crate) fn link(&self, key: &str) -> Option<Digest> {
        digest_in(&self.objects.get(key)?.bytes)
    }
}

pub(crate) fn digest_in(bytes: &[u8]) -> Option<Digest> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}
