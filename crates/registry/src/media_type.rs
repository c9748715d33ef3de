//! Media types that decide how a manifest is read.

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
        let without_parameters = || text.split(';').next().map(str::trim);
        Self::named(text).or_else(|| Self::named(without_parameters()?))
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

    /// Whether manifests of this type list other manifests.
    #[must_use]
    pub const fn is_index(self) -> bool {
        matches!(self, Self::DockerList | Self::OciIndex)
    }
}
