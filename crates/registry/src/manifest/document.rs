//! Reading the document of a manifest: one pass over its JSON, and nothing that another decoder could take for something
//! else.

use std::borrow::Cow;
use std::fmt;

use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use super::packed::Packer;
use super::plain::{NotPlain, Reader};
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
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Document<'de> {
    schema_version: Option<u64>,
    media_type: Option<Name<'de>>,
    has_manifests: bool,
    has_content: bool,
    /// Whether it has a field that is none of those of manifests that were never signed by a registry.
    has_other: bool,
    pub(super) edges: Packer,
}

/// A descriptor takes at least about so many bytes: its digest alone has 71.
const DESCRIPTOR: usize = 128;

impl<'de> Document<'de> {
    pub(super) fn parse(bytes: &'de [u8]) -> Result<Self, ManifestError> {
        // Texts of a document that is UTF-8 as a whole need not be looked at one by one. One that is not may be a
        // manifest all the same, as far as nobody reads the texts that are not.
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::read_plain(text).or_else(|NotPlain| Self::read_text(text)),
            Err(_) => Self::read(serde_json::Deserializer::from_slice(bytes), bytes.len()),
        }
        .map_err(ManifestError::Malformed)
    }

    /// Reads a document that is plain.
    fn read_plain(text: &'de str) -> Result<Self, NotPlain> {
        let mut reader = Reader::new(text);
        let document = Reading::of(text.len()).deserialize(&mut reader)?;
        reader.end()?;
        Ok(document)
    }

    /// Reads any document.
    fn read_text(text: &'de str) -> Result<Self, serde_json::Error> {
        Self::read(serde_json::Deserializer::from_str(text), text.len())
    }

    fn read<R: serde_json::de::Read<'de>>(
        mut json: serde_json::Deserializer<R>,
        length: usize,
    ) -> Result<Self, serde_json::Error> {
        let document = Reading::of(length).deserialize(&mut json)?;
        json.end()?;
        Ok(document)
    }

    /// Whether any registry could have kept signatures of it beside its link. Up to 2.2 they looked for them beside
    /// whatever has a `name`, up to 2.4 beside what says `schemaVersion` 1; and who knows what is unknown (G4).
    pub(super) fn may_be_signed(&self) -> bool {
        self.has_other || self.schema_version != Some(2)
    }

    /// What it says that it is, else what its fields say.
    pub(super) fn media_type(&self) -> Result<MediaType, ManifestError> {
        match self.media_type.as_ref().map(|name| &*name.0) {
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
}

/// Fields that nobody reads, of manifests that no registry ever signed.
const UNREAD: [&str; 2] = ["annotations", "artifactType"];

const FIELDS: [&str; 8] =
    ["schemaVersion", "mediaType", "config", "layers", "manifests", "blobs", "fsLayers", "subject"];

/// Reads a document that has room for so many edges.
struct Reading {
    room: usize,
}

impl Reading {
    /// Of a document of so many bytes.
    const fn of(length: usize) -> Self {
        Self { room: length / DESCRIPTOR }
    }
}

impl<'de> DeserializeSeed<'de> for Reading {
    type Value = Document<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Document<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Reading {
    type Value = Document<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a manifest object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Document<'de>, A::Error> {
        let edges = Packer::with_room(self.room);
        let mut document = Document { edges, ..Document::default() };
        let mut seen = [false; FIELDS.len()];
        while let Some(Name(field)) = map.next_key()? {
            let Some(index) = known(&FIELDS, &field)? else {
                document.has_other |= !UNREAD.contains(&&*field);
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
    document: &mut Document<'de>,
    field: &str,
    map: &mut A,
) -> Result<(), A::Error> {
    match field {
        "schemaVersion" => document.schema_version = map.next_value()?,
        "mediaType" => document.media_type = map.next_value()?,
        "config" => document.has_content |= read_one(document, Role::Config, map)?,
        "subject" => drop(read_one(document, Role::Subject, map)?),
        "manifests" => {
            document.has_manifests = read_list(document, Descriptor::of(Role::Child), map)?;
            document.has_content |= document.has_manifests;
        }
        "fsLayers" => {
            document.has_other = true;
            document.has_content |= read_list(document, Descriptor::FS_LAYER, map)?;
        }
        _ => document.has_content |= read_list(document, Descriptor::of(Role::Layer), map)?,
    }
    Ok(())
}

/// Reads a descriptor or `null`; whether it was one.
fn read_one<'de, A: MapAccess<'de>>(
    document: &mut Document<'de>,
    role: Role,
    map: &mut A,
) -> Result<bool, A::Error> {
    let edge = map.next_value_seed(OrNull(Descriptor::of(role)))?;
    if let Some(edge) = &edge {
        document.edges.push(edge);
    }
    Ok(edge.is_some())
}

/// Reads a list of descriptors or `null`; whether it was one.
fn read_list<'de, A: MapAccess<'de>>(
    document: &mut Document<'de>,
    entry: Descriptor,
    map: &mut A,
) -> Result<bool, A::Error> {
    let list = List { edges: &mut document.edges, entry };
    Ok(map.next_value_seed(OrNull(list))?.is_some())
}

/// What may be `null` instead.
struct OrNull<S>(S);

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for OrNull<S> {
    type Value = Option<S::Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de, S: DeserializeSeed<'de>> Visitor<'de> for OrNull<S> {
    type Value = Option<S::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or null")
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        self.0.deserialize(deserializer).map(Some)
    }
}

/// Reads a list of descriptors into the edges.
struct List<'e> {
    edges: &'e mut Packer,
    entry: Descriptor,
}

impl<'de> DeserializeSeed<'de> for List<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of descriptors")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(edge) = list.next_element_seed(self.entry)? {
            self.edges.push(&edge);
        }
        Ok(())
    }
}

/// Reads a descriptor as an edge.
#[derive(Clone, Copy)]
struct Descriptor {
    role: Role,
    digest_field: &'static str,
}

impl Descriptor {
    /// An entry of a schema 1 manifest: `{"blobSum": digest}`.
    const FS_LAYER: Self = Self { role: Role::Layer, digest_field: "blobSum" };

    const fn of(role: Role) -> Self {
        Self { role, digest_field: "digest" }
    }
}

impl<'de> DeserializeSeed<'de> for Descriptor {
    type Value = Edge;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Edge, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Descriptor {
    type Value = Edge;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a descriptor object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Edge, A::Error> {
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
        let target = target.and_then(|text| MediaType::parse(&text.0));
        Ok(Edge { role: self.role, digest, target })
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
#[derive(Debug, PartialEq, Eq)]
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
mod tests;
