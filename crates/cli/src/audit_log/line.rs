//! What a line of the audit log says.

use std::io;

use planner::{Row, RowKind};
use registry::{Digest, KeyKind, Layout, Timestamp};
use serde::Serialize;
use store::{Kept, KeyOutcome, Object, Trash};

/// A line. Fields are only ever added.
#[derive(Debug, Serialize)]
struct Line<'a> {
    /// When that was heard, by this machine's clock. Where people push, the answers to all requests that were in flight
    /// together are heard at once, when the last of them came.
    time: String,
    /// The plan that said so, or the generation of a collection while people push; of a trash, the one that filled it;
    /// `uploads` where that aborts multipart uploads, which are of no generation.
    run: &'a str,
    #[serde(flatten)]
    subject: &'a Subject<'a>,
    /// `deleted`, `rewritten`, `gone`, or `failed`. What was gone may have been deleted by a request of which no answer came.
    outcome: &'static str,
    /// What is left of what this request deleted: `version`, `trash`, or nothing. Of what was gone it is not known.
    kept: Option<&'static str>,
    /// The id of the delete marker that hides it.
    version_id: Option<&'a str>,
    /// Why it failed.
    error: Option<String>,
}

/// What a line is about.
#[derive(Debug, Serialize)]
pub(crate) struct Subject<'a> {
    key: &'a str,
    /// Of an object in the trash: the key from which it went there.
    #[serde(skip_serializing_if = "Option::is_none")]
    original_key: Option<String>,
    /// None of what lies in the trash and is not of a registry's layout.
    kind: Option<&'static str>,
    repository: Option<String>,
    digest: Option<String>,
    size: u64,
    last_modified: String,
    /// The entity tag as it was listed, where the store tells any and it is on record.
    etag: Option<&'a str>,
    reason: &'static str,
    /// The rule of the retention policy that let it go.
    rule: Option<&'a str>,
    /// The id of the multipart upload that was aborted; not there for objects.
    #[serde(skip_serializing_if = "Option::is_none")]
    upload_id: Option<&'a str>,
}

/// Why an object of the trash is deleted.
const EMPTIED: &str = "trash-emptied";

impl<'a> From<&'a Row> for Subject<'a> {
    fn from(row: &'a Row) -> Self {
        Self {
            key: &row.key,
            original_key: None,
            kind: Some(row.kind.name()),
            repository: row.repository.as_ref().map(ToString::to_string),
            digest: row.digest.map(|digest| digest.to_string()),
            size: row.bytes,
            last_modified: row.modified.to_string(),
            etag: row.etag.as_deref(),
            reason: row.reason.name(),
            rule: row.rule.as_deref(),
            upload_id: row.upload.as_deref(),
        }
    }
}

impl<'a> Subject<'a> {
    /// An object that was listed in the trash and is deleted for good.
    pub(crate) fn emptied(layout: &Layout, trash: &Trash, object: &'a Object) -> Self {
        let original = trash.original_of(&object.key);
        let known = original.as_deref().map(|key| Known::of(&layout.classify(key)));
        let Known { kind, repository, digest } = known.unwrap_or_default();
        Self {
            key: &object.key,
            kind: kind.map(RowKind::name),
            repository,
            digest: digest.map(|digest| digest.to_string()),
            size: object.size,
            last_modified: object.modified.to_string(),
            etag: object.etag.as_deref(),
            reason: EMPTIED,
            rule: None,
            upload_id: None,
            original_key: original,
        }
    }

    /// The line that says what became of it, with its end; none where it was spared.
    pub(super) fn line(
        &self,
        time: Timestamp,
        run: &str,
        outcome: &KeyOutcome,
    ) -> Option<io::Result<Vec<u8>>> {
        let (word, kept, error) = match outcome {
            KeyOutcome::Deleted(kept) => ("deleted", Some(kept), None),
            KeyOutcome::Rewritten => ("rewritten", None, None),
            KeyOutcome::Gone => ("gone", None, None),
            KeyOutcome::Failed(failure) => ("failed", None, Some(failure.to_string())),
            KeyOutcome::Spared => return None,
        };
        let (kept, version_id) = match kept {
            None | Some(Kept::Nothing) => (None, None),
            Some(Kept::Marker(id)) => (Some("version"), Some(&**id)),
            Some(Kept::Trash) => (Some("trash"), None),
        };
        let (time, subject) = (time.to_string(), self);
        let line = Line { time, run, subject, outcome: word, kept, version_id, error };
        let ended = |mut line: Vec<u8>| {
            line.push(b'\n');
            line
        };
        Some(serde_json::to_vec(&line).map(ended).map_err(io::Error::from))
    }
}

/// What a key says of its object.
#[derive(Debug, Default)]
struct Known {
    kind: Option<RowKind>,
    repository: Option<String>,
    digest: Option<Digest>,
}

impl Known {
    fn of(key: &KeyKind<'_>) -> Self {
        let (kind, repository, digest) = match *key {
            KeyKind::Blob(digest) => (Some(RowKind::Blob), None, Some(digest)),
            KeyKind::Revision { repository, digest }
            | KeyKind::Signature { repository, digest, .. } => {
                (Some(RowKind::RevisionLink), Some(repository), Some(digest))
            }
            KeyKind::TagIndex { repository, digest, .. } => {
                (Some(RowKind::TagLink), Some(repository), Some(digest))
            }
            KeyKind::TagCurrent { repository, .. } => {
                (Some(RowKind::TagLink), Some(repository), None)
            }
            KeyKind::Layer { repository, digest } => {
                (Some(RowKind::LayerLink), Some(repository), Some(digest))
            }
            KeyKind::Upload { repository, .. } => (Some(RowKind::Upload), Some(repository), None),
            KeyKind::Marker { repository } => (None, repository, None),
            KeyKind::Foreign(foreign) => (None, foreign.repository, None),
        };
        Self { kind, repository: repository.map(str::to_owned), digest }
    }
}
