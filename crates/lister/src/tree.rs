//! A repository as its keys describe it.

use registry::{Digest, KeyKind, Layout, RepositoryName, UploadPart};
use store::Object;

/// A link whose key names a digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The digest in the key.
    pub digest: Digest,
    /// The link object.
    pub object: Object,
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
    pub current: Option<Object>,
    /// The history, the current manifest included.
    pub index: Vec<Link>,
}

/// An upload that was not finished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// Its identifier.
    pub id: Box<str>,
    /// The object whose content says when it started.
    pub started_at: Option<Object>,
    /// Everything else of it.
    pub parts: Vec<Object>,
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
    pub markers: Vec<Object>,
    /// Keys that are not of the layout, links in unknown places excepted.
    pub foreign: Vec<Object>,
    /// Links in unknown places: what they name is not known, so the repository is in doubt (G4).
    pub odd_links: Vec<Object>,
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
            odd_links: Vec::new(),
        }
    }

    /// Puts an object of this repository where its kind belongs. Objects come in key order.
    pub fn add(&mut self, layout: &Layout, object: Object) {
        match layout.classify(&object.key) {
            KeyKind::Revision { digest, .. } => self.revisions.push(Link { digest, object }),
            KeyKind::Layer { digest, .. } => self.layers.push(Link { digest, object }),
            KeyKind::Signature { revision, digest, .. } => {
                self.signatures.push(Signature { revision, link: Link { digest, object } });
            }
            KeyKind::TagCurrent { tag, .. } => {
                let tag = self.tag(tag);
                tag.current = Some(object);
            }
            KeyKind::TagIndex { tag, digest, .. } => {
                self.tag(tag).index.push(Link { digest, object });
            }
            KeyKind::Upload { id, part, .. } => {
                let upload = self.upload(id);
                match part {
                    UploadPart::StartedAt => upload.started_at = Some(object),
                    UploadPart::Other => upload.parts.push(object),
                }
            }
            KeyKind::Marker { .. } => self.markers.push(object),
            KeyKind::Foreign(foreign) if foreign.is_link => self.odd_links.push(object),
            KeyKind::Foreign(_) | KeyKind::Blob(_) => self.foreign.push(object),
        }
    }

    /// The tag being listed: objects of one tag are neighbours.
    fn tag(&mut self, name: &str) -> &mut TagTree {
        if self.tags.last().is_none_or(|tag| *tag.name != *name) {
            self.tags.push(TagTree { name: name.into(), current: None, index: Vec::new() });
        }
        let last = self.tags.len() - 1;
        &mut self.tags[last]
    }

    /// The upload being listed: objects of one upload are neighbours.
    fn upload(&mut self, id: &str) -> &mut Upload {
        if self.uploads.last().is_none_or(|upload| *upload.id != *id) {
            self.uploads.push(Upload { id: id.into(), started_at: None, parts: Vec::new() });
        }
        let last = self.uploads.len() - 1;
        &mut self.uploads[last]
    }

    /// Joins the next piece of the same repository, listed by another worker.
    pub fn append(&mut self, next: Self) {
        self.revisions.extend(next.revisions);
        self.signatures.extend(next.signatures);
        self.layers.extend(next.layers);
        self.markers.extend(next.markers);
        self.foreign.extend(next.foreign);
        self.odd_links.extend(next.odd_links);
        for tag in next.tags {
            let known = self.tag(&tag.name);
            known.current = known.current.take().or(tag.current);
            known.index.extend(tag.index);
        }
        for upload in next.uploads {
            let known = self.upload(&upload.id);
            known.started_at = known.started_at.take().or(upload.started_at);
            known.parts.extend(upload.parts);
        }
    }
}
