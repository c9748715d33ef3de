//! The verdict over incomplete multipart uploads: pure.

use registry::{KeyKind, Layout, RepositoryName};
use store::{MultipartUpload, Parts};

use crate::{Cutoffs, Reason, Row, RowKind};

/// What can be said of an upload before its parts are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// No registry writes its key in parts: it is somebody else's, and stays (G4).
    Foreign,
    /// It was begun too late to go, whatever its parts are (G1).
    Young,
    /// It goes, unless one of its parts is too young.
    Old,
}

/// Whether it is worth asking for the parts of an upload.
#[must_use]
pub fn standing(layout: &Layout, upload: &MultipartUpload, cutoffs: &Cutoffs) -> Standing {
    match owner(layout, &upload.key) {
        None => Standing::Foreign,
        Some(_) if upload.initiated >= cutoffs.uploads => Standing::Young,
        Some(_) => Standing::Old,
    }
}

/// The row of an upload that goes: one whose key is the registry's own, and whose start and newest part both lie before
/// the cut-off (G1). What is aborted could be pulled by nobody, and what is in progress gets parts.
#[must_use]
pub fn judge_multipart(
    layout: &Layout,
    upload: &MultipartUpload,
    parts: &Parts,
    cutoffs: &Cutoffs,
) -> Option<Row> {
    let owner = owner(layout, &upload.key)?;
    let modified = parts.newest.map_or(upload.initiated, |newest| newest.max(upload.initiated));
    (modified < cutoffs.uploads).then(|| Row {
        kind: RowKind::MultipartUpload,
        repository: match owner {
            Owner::Repository(name) => RepositoryName::new(name).ok(),
            Owner::Blobs => None,
        },
        // Whatever names the blob, it is no reference to this.
        digest: None,
        key: upload.key.clone(),
        bytes: parts.bytes,
        modified,
        reason: Reason::StaleUpload,
        rule: None,
        upload: Some(upload.id.clone()),
        etag: None,
    })
}

/// Whose an upload is.
enum Owner<'k> {
    /// Data on its way into a repository.
    Repository(&'k str),
    /// A copy on its way to where blobs lie.
    Blobs,
}

/// What a registry writes in parts: the data of an upload, and the copy of it that becomes a blob.
///
/// Source: distribution `registry/storage/driver/s3-aws/s3.go`, `Writer` and `copy`.
fn owner<'k>(layout: &Layout, key: &'k str) -> Option<Owner<'k>> {
    match layout.classify(key) {
        KeyKind::Blob(_) => Some(Owner::Blobs),
        KeyKind::Upload { repository, id, .. } => {
            let data = [&layout.repositories(), repository, "/_uploads/", id, "/data"].concat();
            (data == key).then_some(Owner::Repository(repository))
        }
        KeyKind::Revision { .. }
        | KeyKind::Signature { .. }
        | KeyKind::TagCurrent { .. }
        | KeyKind::TagIndex { .. }
        | KeyKind::Layer { .. }
        | KeyKind::Marker { .. }
        | KeyKind::Foreign(_) => None,
    }
}

#[cfg(test)]
mod tests;
