//! What could not be read or understood.

use std::fmt;

use registry::{Digest, LinkError, RepositoryName};

/// Something in a repository that is not as a registry writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// Where.
    pub repository: RepositoryName,
    /// What.
    pub what: What,
}

/// Kinds of doubt.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum What {
    /// A manifest that the store does not let us read.
    Unreadable {
        /// The manifest.
        digest: Digest,
        /// What the store said.
        message: Box<str>,
    },
    /// A manifest whose content hashes to something else.
    OtherContent {
        /// The manifest.
        digest: Digest,
        /// What its content hashes to.
        actual: Digest,
    },
    /// A manifest that we do not understand.
    NotUnderstood {
        /// The manifest.
        digest: Digest,
        /// Why not.
        message: Box<str>,
    },
    /// A link that the store does not let us read and whose key does not tell what it names.
    UnreadableLink {
        /// The link.
        key: Box<str>,
        /// What the store said.
        message: Box<str>,
    },
    /// A link of unknown algorithm or length whose content is needed and is no digest.
    BrokenLink {
        /// The link.
        key: Box<str>,
        /// What is wrong.
        error: LinkError,
    },
    /// A link, named by its key, whose content has the wrong length. Its key says what it names, so nothing is pinned.
    HalfWrittenLink {
        /// The link.
        key: Box<str>,
    },
    /// A link in a place where registries write none.
    OddLink {
        /// The link.
        key: Box<str>,
    },
    /// A tag whose content nothing else in the repository names. A registry writes a tag's history first, so this content
    /// may have rotted, and what the tag pointed to is not known.
    StrayTag {
        /// The tag's link.
        key: Box<str>,
        /// What it says.
        digest: Digest,
    },
    /// A name that no registry serves.
    IrregularName,
}

impl What {
    /// Whether everything that the repository links is kept because of it (G4).
    #[must_use]
    pub const fn pins(&self) -> bool {
        !matches!(self, Self::HalfWrittenLink { .. })
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { digest, message } => {
                write!(f, "manifest {digest} cannot be read: {message}")
            }
            Self::OtherContent { digest, actual } => {
                write!(f, "manifest {digest} has content that hashes to {actual}")
            }
            Self::NotUnderstood { digest, message } => {
                write!(f, "manifest {digest} is not understood: {message}")
            }
            Self::UnreadableLink { key, message } => {
                write!(f, "link `{key}` cannot be read: {message}")
            }
            Self::BrokenLink { key, error } => write!(f, "link `{key}` {error}"),
            Self::HalfWrittenLink { key } => write!(f, "link `{key}` is half-written"),
            Self::OddLink { key } => write!(f, "link `{key}` is in an unknown place"),
            Self::StrayTag { key, digest } => {
                write!(f, "tag link `{key}` points to {digest}, which nothing else here names")
            }
            Self::IrregularName => f.write_str("no registry serves this name"),
        }
    }
}

impl What {
    /// The digest, key or name that is in doubt; empty where it is the repository itself.
    #[must_use]
    pub fn subject(&self) -> String {
        match self {
            Self::Unreadable { digest, .. }
            | Self::OtherContent { digest, .. }
            | Self::NotUnderstood { digest, .. } => digest.to_string(),
            Self::UnreadableLink { key, .. }
            | Self::BrokenLink { key, .. }
            | Self::HalfWrittenLink { key }
            | Self::OddLink { key }
            | Self::StrayTag { key, .. } => key.to_string(),
            Self::IrregularName => String::new(),
        }
    }
}
