//! A repository as its keys describe it.

use std::collections::HashMap;

use registry::{Digest, KeyKind, Layout, RepositoryName, Timestamp, UploadPart};
use store::{Key, Listed, Object};

/// A link whose key names a digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The digest in the key.
    pub digest: Digest,
    /// The link.
    pub listed: Listed,
}

impl Link {
    /// When it was written, where it was looked at.
    #[must_use]
    pub fn modified(&self) -> Option<Timestamp> {
        self.listed.object().map(|object| object.modified)
    }
}

/// A signature link of an old schema 1 manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The manifest that is signed.
    pub revision: Digest,
    /// The link to the signature's blob.
    pub link: Link,
}

/// A tag: what it points to, and what it once pointed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagTree {
    /// The tag.
    pub name: Box<str>,
    /// The link whose content is the current manifest; without it this is no tag, only a history.
    pub current: Option<Listed>,
    /// The history, the current manifest included.
    pub index: Vec<Link>,
}

/// An upload that was not finished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// Its identifier.
    pub id: Box<str>,
    /// The object whose content says when it started.
    pub started_at: Option<Listed>,
    /// Everything else of it.
    pub parts: Vec<Listed>,
}

impl Upload {
    /// All of it.
    pub fn entries(&self) -> impl Iterator<Item = &Listed> {
        self.parts.iter().chain(&self.started_at)
    }

    /// When the last of it was written; `None` where anything of it was not looked at.
    #[must_use]
    pub fn newest(&self) -> Option<Timestamp> {
        let times = self.entries().map(|entry| Some(entry.object()?.modified));
        times.collect::<Option<Vec<_>>>()?.into_iter().max()
    }
}

/// Everything that one repository holds, in key order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryTree {
    /// The repository.
    pub name: RepositoryName,
    /// Its manifests.
    pub revisions: Vec<Link>,
    /// Signatures of its schema 1 manifests.
    pub signatures: Vec<Signature>,
    /// Its tags.
    pub tags: Vec<TagTree>,
    /// The blobs it serves.
    pub layers: Vec<Link>,
    /// Its unfinished uploads.
    pub uploads: Vec<Upload>,
    /// Directory markers.
    pub markers: Vec<Listed>,
    /// Keys that are not of the layout, links in unknown places excepted.
    pub foreign: Vec<Listed>,
    /// Folders that the listing left closed; they hold what tags keep.
    pub closed: Vec<Key>,
    /// Links in unknown places: what they name is not known, so the repository is in doubt (G4).
    pub odd_links: Vec<Listed>,
}

impl RepositoryTree {
    /// An empty repository.
    #[must_use]
    pub fn new(name: RepositoryName) -> Self {
        Self {
            name,
            revisions: Vec::new(),
            signatures: Vec::new(),
            tags: Vec::new(),
            layers: Vec::new(),
            uploads: Vec::new(),
            markers: Vec::new(),
            foreign: Vec::new(),
            closed: Vec::new(),
            odd_links: Vec::new(),
        }
    }

    /// Puts an entry of this repository where its kind belongs. Entries come in key order.
    pub fn add(&mut self, layout: &Layout, listed: Listed) {
        self.add_as(listed, |_, key| layout.classify(key));
    }

    /// The same where the key starts with the repository's prefix, which has so many bytes.
    pub(crate) fn add_inside(&mut self, prefix: usize, listed: Listed) {
        self.add_as(listed, |name, key| Layout::classify_inside(name, &key[prefix..]));
    }

    fn add_as<F>(&mut self, listed: Listed, classify: F)
    where
        F: for<'k> FnOnce(&'k RepositoryName, &'k str) -> KeyKind<'k>,
    {
        if let Listed::Closed(folder) = listed {
            return self.closed.push(folder);
        }
        match classify(&self.name, listed.key()) {
            KeyKind::Revision { digest, .. } => self.revisions.push(Link { digest, listed }),
            KeyKind::Layer { digest, .. } => self.layers.push(Link { digest, listed }),
            KeyKind::Signature { revision, digest, .. } => {
                self.signatures.push(Signature { revision, link: Link { digest, listed } });
            }
            KeyKind::TagCurrent { tag, .. } => {
                let tag = tag_of(&mut self.tags, tag);
                tag.current = Some(listed);
            }
            KeyKind::TagIndex { tag, digest, .. } => {
                tag_of(&mut self.tags, tag).index.push(Link { digest, listed });
            }
            KeyKind::Upload { id, part, .. } => {
                let upload = upload_of(&mut self.uploads, id);
                match part {
                    UploadPart::StartedAt => upload.started_at = Some(listed),
                    UploadPart::Other => upload.parts.push(listed),
                }
            }
            KeyKind::Marker { .. } => self.markers.push(listed),
            KeyKind::Foreign(foreign) if foreign.is_link => self.odd_links.push(listed),
            KeyKind::Foreign(_) | KeyKind::Blob(_) => self.foreign.push(listed),
        }
    }

    /// Joins the next piece of the same repository, listed by another worker.
    pub fn append(&mut self, next: Self) {
        self.revisions.extend(next.revisions);
        self.signatures.extend(next.signatures);
        self.layers.extend(next.layers);
        self.markers.extend(next.markers);
        self.foreign.extend(next.foreign);
        self.closed.extend(next.closed);
        self.odd_links.extend(next.odd_links);
        for tag in next.tags {
            let known = tag_of(&mut self.tags, &tag.name);
            known.current = known.current.take().or(tag.current);
            known.index.extend(tag.index);
        }
        for upload in next.uploads {
            let known = upload_of(&mut self.uploads, &upload.id);
            known.started_at = known.started_at.take().or(upload.started_at);
            known.parts.extend(upload.parts);
        }
    }

    /// Takes in what a look at presumed entries saw: what is there is an object from now on, what is not is forgotten.
    pub fn settle(&mut self, looked: &HashMap<Box<str>, Option<Object>>) {
        let is_there = |listed: &mut Listed| settle(listed, looked);
        for links in [&mut self.revisions, &mut self.layers] {
            links.retain_mut(|link| is_there(&mut link.listed));
        }
        self.signatures.retain_mut(|signature| is_there(&mut signature.link.listed));
        for tag in &mut self.tags {
            tag.current.take_if(|current| !is_there(current));
            tag.index.retain_mut(|link| is_there(&mut link.listed));
        }
        self.tags.retain(|tag| tag.current.is_some() || !tag.index.is_empty());
        for upload in &mut self.uploads {
            upload.started_at.take_if(|started_at| !is_there(started_at));
            upload.parts.retain_mut(is_there);
        }
        self.uploads.retain(|upload| upload.started_at.is_some() || !upload.parts.is_empty());
        for entries in [&mut self.markers, &mut self.foreign, &mut self.odd_links] {
            entries.retain_mut(is_there);
        }
    }
}

/// The tag being listed: objects of one tag are neighbours.
fn tag_of<'t>(tags: &'t mut Vec<TagTree>, name: &str) -> &'t mut TagTree {
    if tags.last().is_none_or(|tag| *tag.name != *name) {
        tags.push(TagTree { name: name.into(), current: None, index: Vec::new() });
    }
    let last = tags.len() - 1;
    &mut tags[last]
}

/// The upload being listed: objects of one upload are neighbours.
fn upload_of<'t>(uploads: &'t mut Vec<Upload>, id: &str) -> &'t mut Upload {
    if uploads.last().is_none_or(|upload| *upload.id != *id) {
        uploads.push(Upload { id: id.into(), started_at: None, parts: Vec::new() });
    }
    let last = uploads.len() - 1;
    &mut uploads[last]
}

/// Whether an entry stays.
fn settle(listed: &mut Listed, looked: &HashMap<Box<str>, Option<Object>>) -> bool {
    match looked.get(listed.key()) {
        None => true,
        Some(None) => false,
        Some(Some(object)) => {
            *listed = object.clone().into();
            true
        }
    }
}
