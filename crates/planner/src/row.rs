//! Rows of a plan: what goes, and why.

use std::sync::Arc;

use registry::{Digest, RepositoryName, Shard, Timestamp};

/// What kind of object a row is about. The names are part of the plan's format and of the CSV.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowKind {
    /// A link that does not say what it has to: it is written anew, and names the row's digest then. Every other kind
    /// goes.
    BrokenLink,
    /// A key below `tags/`: an index entry, or what remains of an empty repository's tags.
    TagLink,
    /// A manifest of a repository.
    RevisionLink,
    /// A blob that a repository serves.
    LayerLink,
    /// Part of an unfinished upload.
    Upload,
    /// Content.
    Blob,
    /// An incomplete multipart upload, which is aborted.
    MultipartUpload,
}

impl RowKind {
    /// Every kind, in the order of sweeping.
    pub const ALL: [Self; 7] = [
        Self::BrokenLink,
        Self::TagLink,
        Self::RevisionLink,
        Self::LayerLink,
        Self::Upload,
        Self::Blob,
        Self::MultipartUpload,
    ];

    /// The name in files and output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BrokenLink => "broken_link",
            Self::TagLink => "tag_link",
            Self::RevisionLink => "revision_link",
            Self::LayerLink => "layer_link",
            Self::Upload => "upload",
            Self::Blob => "blob",
            Self::MultipartUpload => "multipart_upload",
        }
    }

    /// When rows of this kind are swept.
    #[must_use]
    pub const fn stage(self) -> Stage {
        match self {
            Self::BrokenLink => Stage::Repairs,
            Self::TagLink => Stage::Tags,
            Self::RevisionLink => Stage::Revisions,
            Self::LayerLink | Self::Upload => Stage::Layers,
            Self::Blob => Stage::Blobs,
            Self::MultipartUpload => Stage::Multipart,
        }
    }
}

/// Steps of a sweep. Each ends before the next begins, so that references go before what they refer to (G8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Broken links, which are written anew: more is named by that, never less, so it comes before anything goes.
    Repairs,
    /// Tag links: they name revisions.
    Tags,
    /// Revision links: they name manifests, which name layers.
    Revisions,
    /// Layer links and uploads: they name blobs.
    Layers,
    /// Blobs: they name nothing that anybody can still reach.
    Blobs,
    /// Incomplete multipart uploads: nobody can read them, and nothing names them.
    Multipart,
}

impl Stage {
    /// Every stage, in the order of sweeping.
    pub const ALL: [Self; 6] =
        [Self::Repairs, Self::Tags, Self::Revisions, Self::Layers, Self::Blobs, Self::Multipart];

    /// The name in files and output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Repairs => "repairs",
            Self::Tags => "tags",
            Self::Revisions => "revisions",
            Self::Layers => "layers",
            Self::Blobs => "blobs",
            Self::Multipart => "multipart",
        }
    }
}

/// Why an object goes, or is written anew. The names are part of the plan's format and of the CSV.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// No kept manifest of any repository refers to the blob.
    Unreferenced,
    /// No tag reaches the manifest, and it refers to no kept one.
    Untagged,
    /// A rule of the retention policy lets the tag go, or every tag that reaches the manifest.
    Expired,
    /// The tag's history names a manifest that is not kept.
    DeadTagHistory,
    /// No kept manifest of this repository needs the blob.
    UnneededHere,
    /// The upload was abandoned.
    StaleUpload,
    /// Nothing that could be pulled is left in the repository.
    EmptyRepository,
    /// The link is empty, cut off, or otherwise no digest, and which it has to name is known.
    BrokenLink,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 8] = [
        Self::Unreferenced,
        Self::Untagged,
        Self::Expired,
        Self::DeadTagHistory,
        Self::UnneededHere,
        Self::StaleUpload,
        Self::EmptyRepository,
        Self::BrokenLink,
    ];

    /// The name in files and output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unreferenced => "unreferenced",
            Self::Untagged => "untagged",
            Self::Expired => "expired",
            Self::DeadTagHistory => "dead-tag-history",
            Self::UnneededHere => "unneeded-here",
            Self::StaleUpload => "stale-upload",
            Self::EmptyRepository => "empty-repository",
            Self::BrokenLink => "broken-link",
        }
    }
}

/// One object that goes, or a link that is written anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What it is.
    pub kind: RowKind,
    /// The repository it lies in; none for blobs, and for uploads that would become one.
    pub repository: Option<RepositoryName>,
    /// The digest its key names, where it names one; what a broken link has to say.
    pub digest: Option<Digest>,
    /// The exact key that was listed (G7).
    pub key: Box<str>,
    /// Its size; of a multipart upload, that of its parts.
    pub bytes: u64,
    /// When it was last written; of a multipart upload, when it was begun or got its newest part.
    pub modified: Timestamp,
    /// Why it goes, or is written anew.
    pub reason: Reason,
    /// The rule of the retention policy that lets it go, where one does.
    pub rule: Option<Arc<str>>,
    /// The id of the multipart upload; none for objects.
    pub upload: Option<Box<str>>,
    /// The entity tag as it was listed, where the store tells any; none for multipart uploads. It is only told: nothing
    /// is ever decided by it (G6).
    pub etag: Option<Box<str>>,
}

impl Row {
    /// The shard the row belongs to: its digest's, or one drawn from its key.
    #[must_use]
    pub fn shard(&self) -> Shard {
        match &self.digest {
            Some(digest) => digest.shard(),
            None => Shard(xxhash_rust::xxh3::xxh3_64(self.key.as_bytes()).to_be_bytes()[0]),
        }
    }
}
