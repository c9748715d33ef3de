//! Manifests: bytes in, edges out, and never a guess.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::claims::claims;
use crate::{Claim, Digest, DigestError, MediaType};

/// The largest manifest a registry serves, in bytes; a larger blob cannot be pulled as one.
///
/// Source: distribution `registry/storage/blobstore.go`, `maxBlobGetSize`.
pub const MANIFEST_LIMIT: u64 = 4 << 20;

/// How [`Manifest::parse`] understands manifests. It grows with every change after which the same bytes give another
/// answer, so that what was remembered before is not believed after (G4).
pub const MANIFEST_READING: u32 = 1;

/// Why a manifest names a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// The image configuration.
    Config,
    /// A layer, or a blob of an artifact; also foreign layers, which a registry may or may not hold.
    Layer,
    /// An entry of an index: another manifest, or a layer where the index is a build cache.
    Child,
    /// The manifest that this one refers to. It is not kept alive by this edge: a referrer lives as long as its
    /// subject, not the other way round.
    Subject,
}

/// One digest that a manifest names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Edge {
    /// Why it is named.
    pub role: Role,
    /// What is named.
    pub digest: Digest,
    /// What the descriptor says the target is, where that is a manifest.
    pub target: Option<MediaType>,
}

/// What a manifest refers to, in the order in which it names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    media_type: MediaType,
    edges: Vec<Edge>,
    claims: Box<[Claim]>,
}

/// Why bytes are no manifest that we understand; the caller keeps everything near it (G4).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// Broken JSON, a broken descriptor, a field given twice or in an unexpected spelling.
    #[error("is not a well-formed manifest")]
    Malformed(#[source] serde_json::Error),
    /// A media type that no registry serves as a manifest.
    #[error("has the unknown media type `{0}`")]
    UnknownMediaType(Box<str>),
    /// Neither a media type nor the fields of any known manifest.
    #[error("has neither a media type nor the fields of a known manifest")]
    UnknownShape,
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
        let document: Document = serde_json::from_slice(bytes).map_err(ManifestError::Malformed)?;
        let media_type = document.media_type()?;
        let mut edges = document.edges;
        edges.dedup();
        Ok(Self { media_type, edges, claims: Box::default() })
    }

    /// The same for those who compare what is stored with what the manifest claims.
    ///
    /// # Errors
    /// As [`Manifest::parse`].
    pub fn parse_closely(bytes: &[u8]) -> Result<Self, ManifestError> {
        Ok(Self { claims: claims(bytes), ..Self::parse(bytes)? })
    }

    /// A manifest that was parsed before, from what was remembered of it.
    #[must_use]
    pub fn remembered(media_type: MediaType, edges: Vec<Edge>) -> Self {
        Self { media_type, edges, claims: Box::default() }
    }

    /// What kind of manifest it is.
    #[must_use]
    pub fn media_type(&self) -> MediaType {
        self.media_type
    }

    /// Everything the manifest names, [`Role::Subject`] included, in document order.
    #[must_use]
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// What it claims of what it refers to, in no order that counts; nothing where it was not parsed closely.
    #[must_use]
    pub fn claims(&self) -> &[Claim] {
        &self.claims
    }

    /// The edges that keep their target alive: all but the subject.
    pub fn references(&self) -> impl Iterator<Item = &Edge> {
        self.edges.iter().filter(|edge| edge.role != Role::Subject)
    }

    /// The manifest this one refers to.
    #[must_use]
    pub fn subject(&self) -> Option<Digest> {
        self.edges.iter().find(|edge| edge.role == Role::Subject).map(|edge| edge.digest)
    }
}

#[derive(Default)]
struct Document {
    schema_version: Option<u64>,
    media_type: Option<Box<str>>,
    has_manifests: bool,
    has_content: bool,
    edges: Vec<Edge>,
}

impl Document {
    fn media_type(&self) -> Result<MediaType, ManifestError> {
        match self.media_type.as_deref() {
            Some(text) if !text.is_empty() => {
                MediaType::parse(text).ok_or_else(|| ManifestError::UnknownMediaType(text.into()))
            }
            _ => match self.schema_version {
                Some(1) => Ok(MediaType::Schema1),
                Some(2) if self.has_manifests => Ok(MediaType::OciIndex),
                Some(2) if self.has_content => Ok(MediaType::OciManifest),
                _ => Err(ManifestError::UnknownShape),
            },
        }
    }

    fn add(&mut self, role: Role, descriptors: impl IntoIterator<Item = Descriptor>) {
        self.edges.extend(descriptors.into_iter().map(|descriptor| Edge {
            role,
            digest: descriptor.digest,
            target: descriptor.target,
        }));
    }
}

const FIELDS: [&str; 8] =
    ["schemaVersion", "mediaType", "config", "layers", "manifests", "blobs", "fsLayers", "subject"];

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(DocumentVisitor)
    }
}

struct DocumentVisitor;

impl<'de> Visitor<'de> for DocumentVisitor {
    type Value = Document;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a manifest object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Document, A::Error> {
        let mut document = Document::default();
        let mut seen = [false; FIELDS.len()];
        while let Some(Name(field)) = map.next_key()? {
            let Some(index) = known(&FIELDS, &field)? else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            if std::mem::replace(&mut seen[index], true) {
                return Err(de::Error::custom(format_args!("field `{field}` is given twice")));
            }
            read_field(&mut document, FIELDS[index], &mut map)?;
        }
        Ok(document)
    }
}

fn read_field<'de, A: MapAccess<'de>>(
    document: &mut Document,
    field: &str,
    map: &mut A,
) -> Result<(), A::Error> {
    match field {
        "schemaVersion" => document.schema_version = map.next_value()?,
        "mediaType" => document.media_type = map.next_value()?,
        "fsLayers" => {
            let layers: Option<Vec<FsLayer>> = map.next_value()?;
            document.has_content |= layers.is_some();
            document.add(Role::Layer, layers.into_iter().flatten().map(|layer| layer.0));
        }
        "config" | "subject" => {
            let descriptor: Option<Descriptor> = map.next_value()?;
            document.has_content |= field == "config" && descriptor.is_some();
            document.add(if field == "config" { Role::Config } else { Role::Subject }, descriptor);
        }
        list => {
            let descriptors: Option<Vec<Descriptor>> = map.next_value()?;
            document.has_manifests |= list == "manifests" && descriptors.is_some();
            document.has_content |= descriptors.is_some();
            let role = if list == "manifests" { Role::Child } else { Role::Layer };
            document.add(role, descriptors.into_iter().flatten());
        }
    }
    Ok(())
}

struct Descriptor {
    digest: Digest,
    target: Option<MediaType>,
}

impl<'de> Deserialize<'de> for Descriptor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(DescriptorVisitor { digest_field: "digest" })
    }
}

/// An entry of a schema 1 manifest: `{"blobSum": digest}`.
struct FsLayer(Descriptor);

impl<'de> Deserialize<'de> for FsLayer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(DescriptorVisitor { digest_field: "blobSum" }).map(Self)
    }
}

struct DescriptorVisitor {
    digest_field: &'static str,
}

impl<'de> Visitor<'de> for DescriptorVisitor {
    type Value = Descriptor;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a descriptor object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Descriptor, A::Error> {
        let fields = [self.digest_field, "mediaType"];
        let (mut digest, mut target) = (None, None);
        while let Some(Name(field)) = map.next_key()? {
            match known(&fields, &field)? {
                Some(0) if digest.is_none() => digest = Some(map.next_value::<DigestText>()?.0),
                Some(0) => return Err(de::Error::custom("a descriptor has two digests")),
                Some(_) => target = map.next_value::<Option<Name<'_>>>()?,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let digest = digest.ok_or_else(|| de::Error::missing_field(self.digest_field))?;
        Ok(Descriptor { digest, target: target.and_then(|text| MediaType::parse(&text.0)) })
    }
}

/// Finds a field; refuses one that another decoder could take for it.
fn known<E: de::Error>(fields: &[&str], field: &str) -> Result<Option<usize>, E> {
    if let Some(index) = fields.iter().position(|known| *known == field) {
        return Ok(Some(index));
    }
    let similar = |known: &&str| known.eq_ignore_ascii_case(field);
    if !field.is_ascii() || fields.iter().any(similar) {
        return Err(E::custom(format_args!("field `{field}` could be read as another")));
    }
    Ok(None)
}

/// A text of the document, borrowed where it has no escapes.
struct Name<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(NameVisitor)
    }
}

struct DigestText(Digest);

impl<'de> Deserialize<'de> for DigestText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Name::deserialize(deserializer)?.0;
        let digest = text.parse().map_err(|error: DigestError| {
            de::Error::custom(format_args!("digest `{text}` {error}"))
        })?;
        Ok(Self(digest))
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
        parse(text).unwrap().edges().iter().map(|edge| (edge.role, edge.digest)).collect()
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
    fn an_index_may_hold_layers_and_an_artifact_blobs() {
        let cache = format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[
            {{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"{}","size":1}},
            {{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{}","size":1}}]}}"#,
            digest(1),
            digest(2)
        );
        let targets: Vec<_> =
            parse(&cache).unwrap().edges().iter().map(|edge| edge.target).collect();
        assert_eq!(targets, [None, Some(MediaType::OciManifest)]);
        let artifact = format!(
            r#"{{"mediaType":"application/vnd.oci.artifact.manifest.v1+json","blobs":[{{"digest":"{}"}}]}}"#,
            digest(3)
        );
        assert_eq!(roles(&artifact), [(Role::Layer, digest(3))]);
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
