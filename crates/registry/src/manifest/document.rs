//! Reading the document of a manifest: one pass over its JSON, and nothing that another decoder could take for something
//! else.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::{Digest, DigestError, Edge, MediaType, Role};

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

/// What a manifest's document says.
#[derive(Default)]
pub(super) struct Document {
    schema_version: Option<u64>,
    media_type: Option<Box<str>>,
    has_manifests: bool,
    has_content: bool,
    pub(super) edges: Vec<Edge>,
}

impl Document {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
        serde_json::from_slice(bytes).map_err(ManifestError::Malformed)
    }

    /// What it says that it is, else what its fields say.
    pub(super) fn media_type(&self) -> Result<MediaType, ManifestError> {
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
