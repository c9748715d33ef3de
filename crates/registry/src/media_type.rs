//! Media types that decide how a manifest is read.

use memchr::memchr;

/// What a manifest's own media type says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MediaType {
    /// Docker schema 1, signed or not.
    Schema1,
    /// Docker image manifest, schema 2.
    DockerManifest,
    /// Docker manifest list.
    DockerList,
    /// OCI image manifest.
    OciManifest,
    /// OCI image index.
    OciIndex,
    /// OCI artifact manifest of the 1.1 release candidates.
    OciArtifact,
}

impl MediaType {
    /// Reads a media type; parameters such as `; charset=utf-8` are ignored. `None` for what no registry serves.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::named(text).or_else(|| {
            let bare = memchr(b';', text.as_bytes()).map_or(text, |end| &text[..end]).trim();
            // Nearly all other types are those of layers, and have nothing to take away.
            if bare.len() < text.len() { Self::named(bare) } else { None }
        })
    }

    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "application/vnd.docker.distribution.manifest.v1+json"
            | "application/vnd.docker.distribution.manifest.v1+prettyjws" => Self::Schema1,
            "application/vnd.docker.distribution.manifest.v2+json" => Self::DockerManifest,
            "application/vnd.docker.distribution.manifest.list.v2+json" => Self::DockerList,
            "application/vnd.oci.image.manifest.v1+json" => Self::OciManifest,
            "application/vnd.oci.image.index.v1+json" => Self::OciIndex,
            "application/vnd.oci.artifact.manifest.v1+json" => Self::OciArtifact,
            _ => return None,
        })
    }

    /// A number that stands for it where manifests are remembered: never 0, below 16, and never another.
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::Schema1 => 1,
            Self::DockerManifest => 2,
            Self::DockerList => 3,
            Self::OciManifest => 4,
            Self::OciIndex => 5,
            Self::OciArtifact => 6,
        }
    }

    pub(crate) const fn of_number(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::Schema1,
            2 => Self::DockerManifest,
            3 => Self::DockerList,
            4 => Self::OciManifest,
            5 => Self::OciIndex,
            6 => Self::OciArtifact,
            _ => return None,
        })
    }

    /// Whether manifests of this type list other manifests.
    #[must_use]
    pub const fn is_index(self) -> bool {
        matches!(self, Self::DockerList | Self::OciIndex)
    }
}
