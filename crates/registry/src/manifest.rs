//! Manifests: bytes in, edges out, and never a guess.

mod document;
mod packed;
mod plain;

use std::sync::Arc;

use crate::claims::claims;
use crate::{Claim, Digest, Edge, MediaType, Role};

use self::document::Document;
use self::packed::{Packed, Packer};

pub use self::document::ManifestError;
pub use self::packed::Edges;

/// The largest manifest a registry serves, in bytes; a larger blob cannot be pulled as one.
///
/// Source: distribution `registry/storage/blobstore.go`, `maxBlobGetSize`.
pub const MANIFEST_LIMIT: u64 = 4 << 20;

/// How [`Manifest::parse`] understands manifests. It grows with every change after which the same bytes give another
/// answer, so that what was remembered before is not believed after (G4).
pub const MANIFEST_READING: u32 = 2;

/// Stands beside the number of a media type where the manifest may be signed.
const SIGNED: u8 = 1 << 7;

/// What a manifest refers to, in the order in which it names it. Cloning copies nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    media_type: MediaType,
    may_be_signed: bool,
    edges: Packed,
    /// `None` where it was not parsed closely.
    claims: Option<Arc<Vec<Claim>>>,
}

impl Manifest {
    /// Parses the bytes of a manifest of any known kind.
    ///
    /// Edges come from every list the document holds, whatever its media type says, so that a document that two
    /// registries read differently keeps what either would pull.
    ///
    /// # Errors
    /// [`ManifestError`] where the document is not wholly understood. Go's JSON decoder matches field names without
    /// regard to case; a field spelt like a known one is therefore an error here, not an unknown field.
    ///
    /// Source: OCI image specification 1.1, "Image Manifest", "Image Index"; Docker schema 1 and 2.
    pub fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
        let document = Document::parse(bytes)?;
        let (media_type, may_be_signed) = (document.media_type()?, document.may_be_signed());
        Ok(Self { media_type, may_be_signed, edges: document.edges.finish(), claims: None })
    }

    /// The same for those who compare what is stored with what the manifest claims.
    ///
    /// # Errors
    /// As [`Manifest::parse`].
    pub fn parse_closely(bytes: &[u8]) -> Result<Self, ManifestError> {
        Ok(Self { claims: Some(Arc::new(claims(bytes))), ..Self::parse(bytes)? })
    }

    /// A manifest that names these, in their order, and that may be signed.
    #[must_use]
    pub fn of(media_type: MediaType, edges: impl IntoIterator<Item = Edge>) -> Self {
        let mut packer = Packer::default();
        for edge in edges {
            packer.push(&edge);
        }
        Self { media_type, may_be_signed: true, edges: packer.finish(), claims: None }
    }

    /// Appends what is to be remembered of it, which is all but what it claims: the number of its media type, and whether it
    /// may be signed (1 byte), then for each edge a byte and the bytes of its digest.
    pub fn append_to(&self, bytes: &mut Vec<u8>) {
        bytes.push(self.media_type.number() | if self.may_be_signed { SIGNED } else { 0 });
        bytes.extend_from_slice(self.edges.as_bytes());
    }

    /// How many bytes [`Manifest::append_to`] appends.
    #[must_use]
    pub fn remembered_size(&self) -> usize {
        1 + self.edges.as_bytes().len()
    }

    /// A manifest from what was remembered of it; `None` for any other bytes.
    #[must_use]
    pub fn remembered(bytes: &[u8]) -> Option<Self> {
        let (kind, edges) = bytes.split_first()?;
        let (media_type, edges) = (MediaType::of_number(kind & !SIGNED)?, Packed::of(edges)?);
        Some(Self { media_type, may_be_signed: kind & SIGNED != 0, edges, claims: None })
    }

    /// What kind of manifest it is.
    #[must_use]
    pub fn media_type(&self) -> MediaType {
        self.media_type
    }

    /// Whether a registry may have kept signatures beside the link to it, as those before 2.5 did with schema 1. Anything
    /// unusual may be (G4).
    #[must_use]
    pub fn may_be_signed(&self) -> bool {
        self.may_be_signed
    }

    /// Everything the manifest names, [`Role::Subject`] included, in document order.
    #[must_use]
    pub fn edges(&self) -> Edges<'_> {
        self.edges.iter()
    }

    /// What it claims of what it refers to, in no order that counts; nothing where it was not parsed closely.
    #[must_use]
    pub fn claims(&self) -> &[Claim] {
        self.claims.as_ref().map_or(&[], |claims| claims)
    }

    /// The edges that keep their target alive: all but the subject.
    pub fn references(&self) -> impl Iterator<Item = Edge> + Clone + '_ {
        self.edges().filter(Edge::keeps_alive)
    }

    /// The manifest this one refers to.
    #[must_use]
    pub fn subject(&self) -> Option<Digest> {
        self.edges().find(|edge| edge.role == Role::Subject).map(|edge| edge.digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(n: u8) -> Digest {
        Digest::sha256(&[n])
    }

    fn parse(text: &str) -> Result<Manifest, ManifestError> {
        Manifest::parse(text.as_bytes())
    }

    fn roles(text: &str) -> Vec<(Role, Digest)> {
        parse(text).unwrap().edges().map(|edge| (edge.role, edge.digest)).collect()
    }

    #[test]
    fn an_image_names_its_config_layers_and_subject() {
        let text = format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
            "config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{}","size":1}},
            "layers":[{{"mediaType":"x","digest":"{}","size":2,"urls":["http://elsewhere"]}}],
            "subject":{{"digest":"{}","mediaType":"application/vnd.oci.image.manifest.v1+json","size":3}},
            "annotations":{{"Layers":"free text"}}}}"#,
            digest(1),
            digest(2),
            digest(3)
        );
        let edges =
            [(Role::Config, digest(1)), (Role::Layer, digest(2)), (Role::Subject, digest(3))];
        assert_eq!(roles(&text), edges);
        let manifest = parse(&text).unwrap();
        assert_eq!(manifest.subject(), Some(digest(3)));
        assert_eq!(manifest.references().count(), 2);
    }

    #[test]
    fn documents_without_a_media_type_are_told_by_their_fields() {
        let index = format!(r#"{{"schemaVersion":2,"manifests":[{{"digest":"{}"}}]}}"#, digest(1));
        assert_eq!(parse(&index).unwrap().media_type(), MediaType::OciIndex);
        let image = format!(
            r#"{{"schemaVersion":2,"manifests":null,"config":{{"digest":"{}"}},"layers":[]}}"#,
            digest(1)
        );
        assert_eq!(parse(&image).unwrap().media_type(), MediaType::OciManifest);
        let schema1 = format!(
            r#"{{"schemaVersion":1,"name":"a","fsLayers":[{{"blobSum":"{0}"}},{{"blobSum":"{0}"}}],"signatures":[]}}"#,
            digest(7)
        );
        assert_eq!(parse(&schema1).unwrap().media_type(), MediaType::Schema1);
        assert_eq!(roles(&schema1), [(Role::Layer, digest(7))]);
    }

    #[test]
    fn g4_whatever_no_client_pushes_may_be_signed() {
        for (text, may_be) in [
            (r#"{"schemaVersion":2,"layers":[]}"#, false),
            (
                r#"{"schemaVersion":2,"manifests":[],"annotations":{"name":"a"},"subject":null}"#,
                false,
            ),
            (r#"{"schemaVersion":2,"config":null,"layers":[],"artifactType":"a"}"#, false),
            (r#"{"schemaVersion":1,"layers":[]}"#, true),
            (r#"{"schemaVersion":1,"name":"a","fsLayers":[],"signatures":[]}"#, true),
            (r#"{"schemaVersion":2,"layers":[],"name":"a"}"#, true),
            (r#"{"schemaVersion":2,"layers":[],"Name":"a"}"#, true),
            (r#"{"schemaVersion":2,"layers":[],"n\u0061me":"a"}"#, true),
            (r#"{"schemaVersion":2,"fsLayers":[]}"#, true),
            (r#"{"mediaType":"application/vnd.oci.image.manifest.v1+json","layers":[]}"#, true),
        ] {
            let manifest = parse(text).unwrap();
            assert_eq!(manifest.may_be_signed(), may_be, "{text}");
            let mut bytes = Vec::new();
            manifest.append_to(&mut bytes);
            assert_eq!(Manifest::remembered(&bytes), Some(manifest), "{text}");
        }
    }

    #[test]
    fn an_index_may_hold_layers_and_an_artifact_blobs() {
        let cache = format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[
            {{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"{}","size":1}},
            {{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{}","size":1}}]}}"#,
            digest(1),
            digest(2)
        );
        let targets: Vec<_> = parse(&cache).unwrap().edges().map(|edge| edge.target).collect();
        assert_eq!(targets, [None, Some(MediaType::OciManifest)]);
        let artifact = format!(
            r#"{{"mediaType":"application/vnd.oci.artifact.manifest.v1+json","blobs":[{{"digest":"{}"}}]}}"#,
            digest(3)
        );
        assert_eq!(roles(&artifact), [(Role::Layer, digest(3))]);
    }

    #[test]
    fn texts_that_nobody_reads_may_be_anything() {
        let sound = r#"{"schemaVersion":2,"layers":[],"annotations":{"a":"~"}}"#;
        let broken: Vec<u8> =
            sound.bytes().map(|byte| if byte == b'~' { 0xFF } else { byte }).collect();
        assert_eq!(Manifest::parse(&broken).unwrap(), parse(sound).unwrap());
        let read: Vec<u8> =
            sound.bytes().map(|byte| if byte == b'2' { 0xFF } else { byte }).collect();
        assert!(matches!(Manifest::parse(&read), Err(ManifestError::Malformed(_))));
        let named: Vec<u8> =
            sound.bytes().map(|byte| if byte == b'y' { 0xFF } else { byte }).collect();
        assert!(matches!(Manifest::parse(&named), Err(ManifestError::Malformed(_))));
    }

    #[test]
    fn g4_what_another_decoder_could_read_differently_is_refused() {
        let good = digest(1).to_string();
        for text in [
            r#"{"schemaVersion":2,"Layers":[],"config":null,"layers":[]}"#.to_owned(),
            r#"{"schemaVersion":2,"layers":[],"layers":[]}"#.to_owned(),
            format!(r#"{{"schemaVersion":2,"config":{{"Digest":"{good}"}}}}"#),
            format!(r#"{{"schemaVersion":2,"config":{{"digest":"{good}","digest":"{good}"}}}}"#),
            format!(r#"{{"schemaVersion":2,"config":{{"digest":"{}"}}}}"#, &good[..70]),
            r#"{"schemaVersion":2,"config":{}}"#.to_owned(),
            "{\"schemaVersion\":2,\"ſubject\":null,\"layers\":[]}".to_owned(),
            "[]".to_owned(),
            "{} {}".to_owned(),
            String::new(),
        ] {
            assert!(matches!(parse(&text), Err(ManifestError::Malformed(_))), "{text}");
        }
        assert!(matches!(parse("{}"), Err(ManifestError::UnknownShape)));
        assert!(matches!(parse(r#"{"schemaVersion":2}"#), Err(ManifestError::UnknownShape)));
        assert!(matches!(
            parse(r#"{"schemaVersion":2,"mediaType":"text/plain","layers":[]}"#),
            Err(ManifestError::UnknownMediaType(_))
        ));
    }
}
