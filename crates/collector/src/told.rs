//! What is told of objects that a generation wanted gone.

use planner::{Reason, Row, RowKind};
use registry::{KeyKind, Layout, RepositoryName};
use store::Doomed;

use crate::blobs::{Blob, TakenLink};

/// What is on record of an object beside its key and its time.
#[derive(Clone, Debug)]
pub(crate) struct OnRecord {
    bytes: u64,
    etag: Option<Box<str>>,
}

impl From<&Blob> for OnRecord {
    fn from(blob: &Blob) -> Self {
        Self { bytes: blob.size, etag: blob.etag.clone() }
    }
}

impl From<&TakenLink> for OnRecord {
    fn from(link: &TakenLink) -> Self {
        Self { bytes: link.text.len() as u64, etag: link.etag.clone() }
    }
}

/// A blob as a plan would have it, and the links to it.
pub(crate) fn rows(layout: &Layout, blob: &Blob) -> Option<(Row, Vec<Row>)> {
    let of_blob = Doomed { key: blob.key.clone(), modified: blob.modified, upload: None };
    let of_link = |link: &TakenLink| {
        let doomed = Doomed { key: link.key.clone(), modified: link.listed, upload: None };
        row(layout, &doomed, link.into())
    };
    Some((row(layout, &of_blob, blob.into())?, blob.links.iter().filter_map(of_link).collect()))
}

/// An object as a plan would have it; none for a key that no generation takes.
pub(crate) fn row(layout: &Layout, doomed: &Doomed, on_record: OnRecord) -> Option<Row> {
    let OnRecord { bytes, etag } = on_record;
    let (kind, reason, repository, digest) = match layout.classify(&doomed.key) {
        KeyKind::TagIndex { repository, digest, .. } => {
            (RowKind::TagLink, Reason::DeadTagHistory, Some(repository), digest)
        }
        KeyKind::Revision { repository, digest } => {
            (RowKind::RevisionLink, Reason::Untagged, Some(repository), digest)
        }
        KeyKind::Layer { repository, digest } => {
            (RowKind::LayerLink, Reason::UnneededHere, Some(repository), digest)
        }
        KeyKind::Blob(digest) => (RowKind::Blob, Reason::Unreferenced, None, digest),
        _ => return None,
    };
    Some(Row {
        kind,
        repository: repository.and_then(|name| RepositoryName::new(name).ok()),
        digest: Some(digest),
        key: doomed.key.clone(),
        bytes,
        modified: doomed.modified,
        reason,
        rule: None,
        upload: None,
        etag,
    })
}
