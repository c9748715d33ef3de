//! The model's records, sorted by repository.

use std::collections::BTreeMap;

use registry::{Digest, RepositoryName, Timestamp};

use crate::World;
use crate::document::Record;
use crate::world::{Meaning, Stored, digest_in};

/// A link: its key, what its content names, when it was written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link<'w> {
    pub(crate) key: &'w str,
    pub(crate) target: Option<Digest>,
    pub(crate) modified: Timestamp,
}

/// Everything that lies in one repository.
#[derive(Debug, Default)]
pub(crate) struct Repository<'w> {
    pub(crate) revisions: BTreeMap<Digest, Link<'w>>,
    pub(crate) layers: BTreeMap<Digest, Link<'w>>,
    pub(crate) current: BTreeMap<&'w str, Link<'w>>,
    pub(crate) history: Vec<(Digest, Link<'w>)>,
    /// The tags that these are the history of, in the same order.
    pub(crate) history_of: Vec<&'w str>,
    /// The revision, the signature, the link.
    pub(crate) signatures: Vec<(Digest, Digest, Link<'w>)>,
    pub(crate) uploads: BTreeMap<&'w str, Vec<(&'w str, &'w Stored)>>,
    pub(crate) markers: Vec<Link<'w>>,
    pub(crate) foreign: Vec<&'w str>,
    pub(crate) has_odd_link: bool,
}

/// What can be said of a digest as a manifest.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reading<'w> {
    /// There is no blob.
    Missing,
    /// There is a blob, and it is no manifest that anybody understands.
    Unreadable,
    /// It says this.
    Known(&'w Record),
}

impl<'w> Repository<'w> {
    /// Every link with the digest in its key, where it has one.
    pub(crate) fn links(&self) -> impl Iterator<Item = (Option<Digest>, &Link<'w>)> {
        let keyed = self.revisions.iter().chain(&self.layers);
        let signatures = self.signatures.iter().map(|(_, digest, link)| (Some(*digest), link));
        keyed
            .map(|(digest, link)| (Some(*digest), link))
            .chain(self.current.values().map(|link| (None, link)))
            .chain(self.history.iter().map(|(digest, link)| (Some(*digest), link)))
            .chain(signatures)
    }

    fn add(&mut self, meaning: &'w Meaning, key: &'w str, stored: &'w Stored) {
        let (target, modified) = (digest_in(&stored.bytes), stored.modified);
        let link = Link { key, target, modified };
        match meaning {
            Meaning::Blob(_) => {}
            Meaning::Layer { digest, .. } => drop(self.layers.insert(*digest, link)),
            Meaning::Revision { digest, .. } => drop(self.revisions.insert(*digest, link)),
            Meaning::Signature { revision, digest, .. } => {
                self.signatures.push((*revision, *digest, link));
            }
            Meaning::Current { tag, .. } => drop(self.current.insert(tag, link)),
            Meaning::History { digest, tag, .. } => {
                self.history.push((*digest, link));
                self.history_of.push(tag);
            }
            Meaning::Upload { id, .. } => self.uploads.entry(id).or_default().push((key, stored)),
            Meaning::Marker { .. } => self.markers.push(link),
            Meaning::Foreign { is_link, .. } => {
                self.foreign.push(key);
                self.has_odd_link |= is_link;
            }
        }
    }
}

impl Meaning {
    fn repository(&self) -> Option<&str> {
        match self {
            Self::Blob(_) => None,
            Self::Layer { repository, .. }
            | Self::Revision { repository, .. }
            | Self::Signature { repository, .. }
            | Self::Current { repository, .. }
            | Self::History { repository, .. }
            | Self::Upload { repository, .. } => Some(repository),
            Self::Marker { repository } | Self::Foreign { repository, .. } => repository.as_deref(),
        }
    }
}

impl World {
    pub(crate) fn repositories(&self) -> BTreeMap<&str, Repository<'_>> {
        let mut repositories: BTreeMap<&str, Repository<'_>> = BTreeMap::new();
        for (key, stored) in &self.objects {
            let Some(meaning) = self.meanings.get(key) else { continue };
            if let Some(name) = meaning.repository() {
                repositories.entry(name).or_default().add(meaning, key, stored);
            }
        }
        repositories
    }

    /// Reads a digest as a manifest: the blob is there, is what its digest says, and is one that was pushed.
    pub(crate) fn reading(&self, digest: &Digest) -> Reading<'_> {
        let Some(stored) = self.objects.get(&self.keys.blob(digest)) else {
            return Reading::Missing;
        };
        match self.manifests.get(digest) {
            Some(record) if record.is_known && record.bytes == stored.bytes => {
                Reading::Known(record)
            }
            _ => Reading::Unreadable,
        }
    }

    pub(crate) fn record(&self, digest: &Digest) -> Option<&Record> {
        match self.reading(digest) {
            Reading::Known(record) => Some(record),
            Reading::Missing | Reading::Unreadable => None,
        }
    }
}

/// Whether a registry could serve a repository of this name.
pub(crate) fn is_served(name: &str) -> bool {
    RepositoryName::new(name).is_ok_and(|name| name.is_regular())
}
