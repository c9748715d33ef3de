//! Kinds of findings, how bad they are, and what follows from them.

use registry::RepositoryName;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Something cannot be served, or not right.
    Damage,
    /// It lies around and serves nobody.
    Useless,
    /// No registry writes it so; harmless.
    Odd,
}

impl Severity {
    /// The name in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Damage => "damage",
            Self::Useless => "useless",
            Self::Odd => "odd",
        }
    }
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A manifest is linked, and its data is not there.
    MissingManifest,
    /// A manifest names a configuration or layer whose data is not there.
    MissingBlob,
    /// A manifest names another that its repository does not link.
    UnlinkedManifest,
    /// A manifest names a configuration or layer that its repository does not link.
    UnlinkedBlob,
    /// A tag points to a manifest that its repository does not have.
    TagToNowhere,
    /// A link whose content is not the digest that its key tells, or no digest at all.
    BrokenLink,
    /// Data of no bytes under a digest that is not of nothing.
    EmptyData,
    /// Data of another size than a manifest claims.
    WrongSize,
    /// Data that hashes to something else than its key tells.
    WrongContent,
    /// The store does not let us read it.
    Unreadable,
    /// A layer link that no manifest needs and whose data is not there.
    DanglingLayer,
    /// The link to a signature whose data is not there.
    DanglingSignature,
    /// A tag that points to nothing any more: only its history is left.
    TagWithoutTarget,
    /// A link in the history of a tag, or to a signature, whose content is not what its key tells.
    BrokenHistory,
    /// The history of a tag names a manifest that its repository does not have.
    DeadHistory,
    /// A manifest of unknown media type, or that is none.
    UnknownManifest,
    /// A name that no registry serves.
    IrregularName,
    /// A link in a place where registries write none.
    OddLink,
    /// A key that is not of the layout.
    ForeignKey,
}

impl Kind {
    /// Every kind, the worst first.
    pub const ALL: [Self; 19] = [
        Self::MissingManifest,
        Self::MissingBlob,
        Self::UnlinkedManifest,
        Self::UnlinkedBlob,
        Self::TagToNowhere,
        Self::BrokenLink,
        Self::EmptyData,
        Self::WrongSize,
        Self::WrongContent,
        Self::Unreadable,
        Self::DanglingLayer,
        Self::DanglingSignature,
        Self::TagWithoutTarget,
        Self::BrokenHistory,
        Self::DeadHistory,
        Self::UnknownManifest,
        Self::IrregularName,
        Self::OddLink,
        Self::ForeignKey,
    ];

    /// How bad it is.
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self {
            Self::MissingManifest
            | Self::MissingBlob
            | Self::UnlinkedManifest
            | Self::UnlinkedBlob
            | Self::TagToNowhere
            | Self::BrokenLink
            | Self::EmptyData
            | Self::WrongSize
            | Self::WrongContent
            | Self::Unreadable => Severity::Damage,
            Self::DanglingLayer
            | Self::DanglingSignature
            | Self::TagWithoutTarget
            | Self::BrokenHistory
            | Self::DeadHistory => Severity::Useless,
            Self::UnknownManifest | Self::IrregularName | Self::OddLink | Self::ForeignKey => {
                Severity::Odd
            }
        }
    }

    /// The name in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MissingManifest => "missing-manifest",
            Self::MissingBlob => "missing-blob",
            Self::UnlinkedManifest => "unlinked-manifest",
            Self::UnlinkedBlob => "unlinked-blob",
            Self::TagToNowhere => "tag-to-nowhere",
            Self::BrokenLink => "broken-link",
            Self::EmptyData => "empty-data",
            Self::WrongSize => "wrong-size",
            Self::WrongContent => "wrong-content",
            Self::Unreadable => "unreadable",
            Self::DanglingLayer => "dangling-layer",
            Self::DanglingSignature => "dangling-signature",
            Self::TagWithoutTarget => "tag-without-target",
            Self::BrokenHistory => "broken-history",
            Self::DeadHistory => "dead-history",
            Self::UnknownManifest => "unknown-manifest",
            Self::IrregularName => "irregular-name",
            Self::OddLink => "odd-link",
            Self::ForeignKey => "foreign-key",
        }
    }

    /// What it is and what follows from it, in a line.
    #[must_use]
    pub const fn follows(self) -> &'static str {
        match self {
            Self::MissingManifest => "the manifest cannot be pulled, nor what leads to it",
            Self::MissingBlob => {
                "images that name it cannot be pulled; a push of any of them mends all"
            }
            Self::UnlinkedManifest => "the index cannot be pulled whole; push what it lacks",
            Self::UnlinkedBlob => "the repository does not serve it; push the image again",
            Self::TagToNowhere => "the tag cannot be pulled; push it again, or delete it",
            Self::BrokenLink => {
                "the registry cannot follow it; delete it, then push the image again"
            }
            Self::EmptyData => {
                "pushes believe that it is there; delete it, then push the image again"
            }
            Self::WrongSize | Self::WrongContent => {
                "clients refuse it, pushes believe it; delete it, then push the image again"
            }
            Self::Unreadable => "the registry may not be able to serve it either",
            Self::DanglingLayer => "no manifest needs it, and it leads nowhere",
            Self::DanglingSignature => "no registry since 2.5 reads it",
            Self::TagWithoutTarget => "the tag is not there; its history serves nobody",
            Self::BrokenHistory => "no registry reads it to serve a pull",
            Self::DeadHistory => "the tag points elsewhere, and this leads nowhere",
            Self::UnknownManifest => "whether it can be pulled is not known",
            Self::IrregularName => "no registry serves what lies there",
            Self::OddLink => "its repository is kept whole by a collection",
            Self::ForeignKey => "a collection never deletes it",
        }
    }
}

/// Something that is not as a registry leaves it. Ordered by kind, repository and key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// What is wrong.
    pub kind: Kind,
    /// The repository, where it lies in one.
    pub repository: Option<RepositoryName>,
    /// The key of the object that is wrong, or is not there; the name of a repository that is wrong itself.
    pub key: Box<str>,
    /// What is known of it beyond that; may be empty.
    pub detail: Box<str>,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn kinds_have_names_of_their_own_and_the_worst_come_first() {
        let names: BTreeSet<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        assert_eq!(names.len(), Kind::ALL.len());
        assert!(Kind::ALL.is_sorted_by_key(|kind| kind.severity()));
        assert!(Kind::ALL.is_sorted());
    }
}
