//! The edges of a manifest as bytes. Part of the format of segments.
//!
//! ```text
//! media type (1 byte), then each edge: role | algorithm << 2 | target << 4 (1 byte), the bytes of its digest
//! ```

use registry::{Algorithm, Digest, Edge, Manifest, MediaType, Role};

/// Appends what a manifest is and refers to.
pub(crate) fn write(manifest: &Manifest, bytes: &mut Vec<u8>) {
    bytes.push(number_of(manifest.media_type()));
    for edge in manifest.edges() {
        let algorithm = edge.digest.algorithm();
        let target = edge.target.map_or(0, number_of);
        bytes.push(role_number(edge.role) | algorithm_number(algorithm) << 2 | target << 4);
        bytes.extend_from_slice(edge.digest.as_bytes());
    }
}

/// The manifest that was written; `None` for any other bytes.
pub(crate) fn read(bytes: &[u8]) -> Option<Manifest> {
    let (media_type, mut rest) = bytes.split_first()?;
    let media_type = media_type_of(*media_type)?;
    let mut edges = Vec::with_capacity(rest.len() / 33);
    while let Some((tag, after)) = rest.split_first() {
        let algorithm = algorithm_of(tag >> 2 & 3)?;
        let (digest, after) = after.split_at_checked(algorithm.length())?;
        let digest = Digest::from_bytes(algorithm, digest)?;
        let target = match tag >> 4 {
            0 => None,
            number => Some(media_type_of(number)?),
        };
        edges.push(Edge { role: role_of(tag & 3), digest, target });
        rest = after;
    }
    Some(Manifest::remembered(media_type, edges))
}

const fn number_of(media_type: MediaType) -> u8 {
    match media_type {
        MediaType::Schema1 => 1,
        MediaType::DockerManifest => 2,
        MediaType::DockerList => 3,
        MediaType::OciManifest => 4,
        MediaType::OciIndex => 5,
        MediaType::OciArtifact => 6,
    }
}

const fn media_type_of(number: u8) -> Option<MediaType> {
    Some(match number {
        1 => MediaType::Schema1,
        2 => MediaType::DockerManifest,
        3 => MediaType::DockerList,
        4 => MediaType::OciManifest,
        5 => MediaType::OciIndex,
        6 => MediaType::OciArtifact,
        _ => return None,
    })
}

const fn role_number(role: Role) -> u8 {
    match role {
        Role::Config => 0,
        Role::Layer => 1,
        Role::Child => 2,
        Role::Subject => 3,
    }
}

/// The role of a number of two bits.
const fn role_of(number: u8) -> Role {
    match number {
        0 => Role::Config,
        1 => Role::Layer,
        2 => Role::Child,
        _ => Role::Subject,
    }
}

pub(crate) const fn algorithm_number(algorithm: Algorithm) -> u8 {
    match algorithm {
        Algorithm::Sha256 => 0,
        Algorithm::Sha384 => 1,
        Algorithm::Sha512 => 2,
    }
}

pub(crate) const fn algorithm_of(number: u8) -> Option<Algorithm> {
    Some(match number {
        0 => Algorithm::Sha256,
        1 => Algorithm::Sha384,
        2 => Algorithm::Sha512,
        _ => return None,
    })
}
