//! Images that cannot be pulled, and the first thing that a client misses.

use std::fmt;

use registry::{Digest, RepositoryName};

/// What is wrong with something that a pull reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trouble {
    /// Its data is not there.
    Missing,
    /// The repository has no link to it.
    Unlinked,
    /// The repository's link to it is broken.
    BrokenLink,
    /// Its data is empty.
    Empty,
    /// Its data has another size than a manifest claims.
    Size,
    /// Its data is something else.
    Content,
    /// The store does not let us read it.
    Unreadable,
}

impl Trouble {
    /// The name in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Unlinked => "unlinked",
            Self::BrokenLink => "broken-link",
            Self::Empty => "empty",
            Self::Size => "wrong-size",
            Self::Content => "wrong-content",
            Self::Unreadable => "unreadable",
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Missing => "is not there",
            Self::Unlinked => "is not linked",
            Self::BrokenLink => "has a broken link",
            Self::Empty => "is empty",
            Self::Size => "has the wrong size",
            Self::Content => "has other content",
            Self::Unreadable => "cannot be read",
        }
    }
}

/// What a manifest or tag names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// What a tag points to.
    Target,
    /// A manifest.
    Manifest,
    /// A configuration.
    Config,
    /// A layer.
    Layer,
}

impl Part {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Target => "target",
            Self::Manifest => "manifest",
            Self::Config => "config",
            Self::Layer => "layer",
        }
    }
}

/// The first thing that a client misses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// What is wrong.
    pub trouble: Trouble,
    /// With what.
    pub part: Part,
    /// Its digest; none where the link of a tag does not tell it.
    pub digest: Option<Digest>,
    /// The manifest that names it; none where it is the image itself.
    pub holder: Option<Digest>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.part.name())?;
        if let Some(digest) = self.digest {
            write!(f, " {digest}")?;
        }
        write!(f, " {}", self.trouble.words())
    }
}

/// An image that cannot be pulled whole. Ordered by repository, digest and tags.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BrokenImage {
    /// Its repository.
    pub repository: RepositoryName,
    /// The manifest; none where only a tag is left.
    pub digest: Option<Digest>,
    /// Tags that point to it.
    pub tags: Vec<Box<str>>,
    /// What a client misses.
    pub fault: Fault,
}
