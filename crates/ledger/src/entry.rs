//! What is on record of a generation, entry by entry.

use protocol::{LinkKind, TakenLink};
use registry::{Digest, KeyKind, Layout, RepositoryName, Tag, Timestamp, parse_link};
use serde::{Deserialize, Serialize};

use crate::fields;

/// One entry. Of what is said of the same blob or key the last counts, in the order in which they were appended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Entry {
    /// A blob is condemned.
    Condemned {
        /// The blob.
        #[serde(with = "fields::digest")]
        digest: Digest,
        /// The key of its data.
        key: Box<str>,
        /// The size of its data, in bytes.
        size: u64,
        /// When its data was written, as listed.
        #[serde(with = "fields::time")]
        modified: Timestamp,
        /// The entity tag of its data, as listed, where somebody wants to be told; nothing is decided by it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        etag: Option<Box<str>>,
    },
    /// A link is about to be taken, and then once more: it was.
    Taken {
        /// Its key.
        key: Box<str>,
        /// Its content: what to write to give it back.
        text: Box<str>,
        /// When it was written, as listed.
        #[serde(with = "fields::time")]
        listed: Timestamp,
        /// When what was removed in its place had been written; none before that is known.
        #[serde(with = "fields::maybe_time", default)]
        removed: Option<Timestamp>,
        /// The version that was removed, where the store has versions.
        #[serde(default)]
        version: Option<Box<str>>,
        /// Its entity tag, as listed, where somebody wants to be told; nothing is decided by it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        etag: Option<Box<str>>,
    },
    /// The data of a blob is about to be deleted, or was.
    Deleted {
        /// The blob.
        #[serde(with = "fields::digest")]
        digest: Digest,
        /// The key of its data.
        key: Box<str>,
        /// What undoes it, where the store has versions.
        #[serde(default)]
        version: Option<Box<str>>,
    },
    /// A blob is condemned no longer: its data and all links to it are there.
    GivenBack {
        /// The blob.
        #[serde(with = "fields::digest")]
        digest: Digest,
    },
}

impl Entry {
    /// The entity tag that it has, where it has one.
    pub(crate) fn etag(&self) -> Option<&str> {
        match self {
            Self::Condemned { etag, .. } | Self::Taken { etag, .. } => etag.as_deref(),
            Self::Deleted { .. } | Self::GivenBack { .. } => None,
        }
    }

    /// A taken link as the protocol sees it; `None` for all else, and for keys that are no links of `layout`.
    #[must_use]
    pub fn link(&self, layout: &Layout) -> Option<TakenLink> {
        let Self::Taken { key, text, listed, removed, .. } = self else { return None };
        let (kind, repository, digest) = match layout.classify(key) {
            KeyKind::Layer { repository, digest } => (LinkKind::Layer, repository, digest),
            KeyKind::Revision { repository, digest } => (LinkKind::Revision, repository, digest),
            KeyKind::TagIndex { repository, tag, digest } => {
                (LinkKind::TagIndex(Tag::new(tag).ok()?), repository, digest)
            }
            _ => return None,
        };
        let repository = RepositoryName::new(repository).ok()?;
        let target = parse_link(text.as_bytes()).ok()?;
        Some(TakenLink { kind, repository, digest, target, listed: *listed, removed: *removed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_link_is_what_its_key_and_its_text_say() {
        let (layout, digest) = (Layout::new("/root"), Digest::sha256(b"a"));
        let taken = |key: String| Entry::Taken {
            key: key.into(),
            text: digest.to_string().into(),
            listed: Timestamp::from_seconds(1),
            removed: None,
            version: None,
            etag: None,
        };
        let key = layout.key_of(&KeyKind::Layer { repository: "a/b", digest }).unwrap();
        let link = taken(key).link(&layout).unwrap();
        assert_eq!((link.repository.as_str(), link.digest, link.target), ("a/b", digest, digest));
        assert!(link.was_overtaken(), "G4: as long as nothing else is known");
        assert_eq!(taken("elsewhere".into()).link(&layout), None);
        assert_eq!(Entry::GivenBack { digest }.link(&layout), None);
    }
}
