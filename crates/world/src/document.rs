//! Manifests: what goes into their JSON, and what the model remembers of it.

use registry::Digest;
use serde_json::{Value, json};

use crate::Content;

/// What the model knows of a manifest that was pushed.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) bytes: Vec<u8>,
    /// Whether a collector can be expected to understand it.
    pub(crate) is_known: bool,
    pub(crate) references: Vec<Reference>,
    pub(crate) subject: Option<Digest>,
}

/// One digest that keeps its target alive.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reference {
    pub(crate) digest: Digest,
    pub(crate) role: Role,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// A configuration, a layer, a blob of an artifact.
    Content,
    /// An entry of an index whose descriptor says that it is a manifest.
    ManifestChild,
    /// An entry of an index whose descriptor says that it is something else.
    OtherChild,
}

/// How a manifest is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Docker schema 2, or a Docker manifest list.
    Docker,
    /// OCI image manifest or index.
    Oci,
    /// As OCI, without the media type.
    Untyped,
    /// The artifact manifest of OCI 1.1 release candidates: `blobs`, no configuration. Indexes are as OCI.
    Artifact,
}

/// A configuration or layer of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Uploaded, and named by its sha256.
    Stored(Content),
    /// Uploaded and named by its sha512: the registry links both digests to the data below sha256.
    Sha512(Content),
    /// A foreign layer: named with a URL, never uploaded.
    Foreign(Content),
    /// Named by its sha256, not uploaded: somebody else did, or nobody.
    Named(Content),
}

/// An image to push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// How it is written.
    pub form: Form,
    /// Its configuration; artifacts have none.
    pub config: Part,
    /// Its layers.
    pub layers: Vec<Part>,
    /// The manifest it refers to.
    pub subject: Option<Digest>,
}

/// An index to push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// How it is written.
    pub form: Form,
    /// Its entries.
    pub children: Vec<Child>,
    /// The manifest it refers to.
    pub subject: Option<Digest>,
}

/// An entry of an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Child {
    /// A manifest.
    Manifest(Digest),
    /// A layer, as build caches have them.
    Layer(Content),
}

impl Part {
    /// What it is made of.
    #[must_use]
    pub fn content(&self) -> Content {
        match *self {
            Self::Stored(content)
            | Self::Sha512(content)
            | Self::Foreign(content)
            | Self::Named(content) => content,
        }
    }

    /// The digest by which a manifest names it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        match self {
            Self::Sha512(content) => content.sha512(),
            part => part.content().digest(),
        }
    }

    fn descriptor(&self, media_type: &str) -> Value {
        let size = self.content().size;
        let mut value =
            json!({"mediaType": media_type, "digest": self.digest().to_string(), "size": size});
        if matches!(self, Self::Foreign(_)) {
            value["urls"] = json!(["https://layers.example/1"]);
        }
        value
    }
}

impl Image {
    /// An OCI image with an own configuration of 40 bytes.
    #[must_use]
    pub fn new(config: u64, layers: &[Content]) -> Self {
        Self {
            form: Form::Oci,
            config: Part::Stored(Content::new(config, 40)),
            layers: layers.iter().copied().map(Part::Stored).collect(),
            subject: None,
        }
    }

    /// The same, written in another form.
    #[must_use]
    pub fn form(self, form: Form) -> Self {
        Self { form, ..self }
    }

    /// The same, referring to a manifest.
    #[must_use]
    pub fn about(self, subject: Digest) -> Self {
        Self { subject: Some(subject), ..self }
    }

    pub(crate) fn parts(&self) -> impl Iterator<Item = &Part> {
        let config = (self.form != Form::Artifact).then_some(&self.config);
        config.into_iter().chain(&self.layers)
    }

    pub(crate) fn record(&self) -> Record {
        let references =
            self.parts().map(|part| Reference { digest: part.digest(), role: Role::Content });
        record(&self.json(), references.collect(), self.subject)
    }

    fn json(&self) -> Value {
        let docker = self.form == Form::Docker;
        let layer = if docker {
            "application/vnd.docker.image.rootfs.diff.tar.gzip"
        } else {
            "application/vnd.oci.image.layer.v1.tar+gzip"
        };
        let layers: Vec<Value> = self.layers.iter().map(|part| part.descriptor(layer)).collect();
        let mut value = json!({"schemaVersion": 2});
        if self.form == Form::Artifact {
            value["blobs"] = json!(layers);
        } else {
            let config = if docker {
                "application/vnd.docker.container.image.v1+json"
            } else {
                "application/vnd.oci.image.config.v1+json"
            };
            value["config"] = self.config.descriptor(config);
            value["layers"] = json!(layers);
        }
        set_head(&mut value, self.form.image(), self.subject);
        value
    }
}

impl Index {
    /// An OCI index of manifests.
    #[must_use]
    pub fn of(children: &[Digest]) -> Self {
        let children = children.iter().copied().map(Child::Manifest).collect();
        Self { form: Form::Oci, children, subject: None }
    }

    /// The same, written in another form.
    #[must_use]
    pub fn form(self, form: Form) -> Self {
        Self { form, ..self }
    }

    pub(crate) fn record(&self) -> Record {
        let references = self.children.iter().map(|child| match *child {
            Child::Manifest(digest) => Reference { digest, role: Role::ManifestChild },
            Child::Layer(layer) => Reference { digest: layer.digest(), role: Role::OtherChild },
        });
        record(&self.json(), references.collect(), self.subject)
    }

    fn json(&self) -> Value {
        let manifest = match self.form {
            Form::Docker => "application/vnd.docker.distribution.manifest.v2+json",
            Form::Oci | Form::Untyped | Form::Artifact => OCI_MANIFEST,
        };
        let children = self.children.iter().map(|child| {
            let (media_type, digest, size) = match child {
                Child::Manifest(digest) => (manifest, *digest, 1),
                Child::Layer(layer) => {
                    ("application/vnd.oci.image.layer.v1.tar+gzip", layer.digest(), layer.size)
                }
            };
            json!({"mediaType": media_type, "digest": digest.to_string(), "size": size})
        });
        let mut value = json!({"schemaVersion": 2, "manifests": children.collect::<Vec<_>>()});
        set_head(&mut value, self.form.index(), self.subject);
        value
    }
}

const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

impl Form {
    fn image(self) -> Option<&'static str> {
        match self {
            Self::Docker => Some("application/vnd.docker.distribution.manifest.v2+json"),
            Self::Oci => Some(OCI_MANIFEST),
            Self::Untyped => None,
            Self::Artifact => Some("application/vnd.oci.artifact.manifest.v1+json"),
        }
    }

    fn index(self) -> Option<&'static str> {
        match self {
            Self::Docker => Some("application/vnd.docker.distribution.manifest.list.v2+json"),
            Self::Oci | Self::Artifact => Some("application/vnd.oci.image.index.v1+json"),
            Self::Untyped => None,
        }
    }
}

fn set_head(value: &mut Value, media_type: Option<&str>, subject: Option<Digest>) {
    if let Some(media_type) = media_type {
        value["mediaType"] = json!(media_type);
    }
    if let Some(subject) = subject {
        value["subject"] =
            json!({"mediaType": OCI_MANIFEST, "digest": subject.to_string(), "size": 1});
    }
}

fn record(value: &Value, references: Vec<Reference>, subject: Option<Digest>) -> Record {
    Record { bytes: value.to_string().into_bytes(), is_known: true, references, subject }
}

/// A Docker schema 1 manifest.
pub(crate) fn schema1(name: &str, layers: &[Content]) -> Record {
    let digests: Vec<Digest> = layers.iter().map(Content::digest).collect();
    let fs_layers: Vec<Value> =
        digests.iter().map(|digest| json!({"blobSum": digest.to_string()})).collect();
    let value = json!({"schemaVersion": 1, "name": name, "tag": "latest", "architecture": "amd64",
        "fsLayers": fs_layers, "history": [], "signatures": []});
    let references =
        digests.iter().map(|digest| Reference { digest: *digest, role: Role::Content });
    record(&value, references.collect(), None)
}

/// A manifest of a media type that nobody knows. What it names, only its media type could tell.
pub(crate) fn unknown(seed: u64, layers: &[Content]) -> Record {
    let layers: Vec<Value> =
        layers.iter().map(|layer| json!({"digest": layer.digest().to_string()})).collect();
    let value = json!({"schemaVersion": 3, "mediaType": "application/vnd.example.unknown+json",
        "layers": layers, "seed": seed});
    Record { is_known: false, ..record(&value, Vec::new(), None) }
}

#[cfg(test)]
mod tests {
    use registry::{Edge, Manifest, Role as EdgeRole};

    use super::*;

    fn edges(record: &Record) -> Vec<(EdgeRole, Digest)> {
        let manifest = Manifest::parse(&record.bytes).unwrap();
        manifest.edges().map(|Edge { role, digest, .. }| (role, digest)).collect()
    }

    #[test]
    fn the_collector_reads_in_every_form_what_was_meant() {
        let layer = Content::new(2, 30);
        let subject = Digest::sha256(b"subject");
        for form in [Form::Docker, Form::Oci, Form::Untyped, Form::Artifact] {
            let image = Image::new(1, &[layer]).form(form).about(subject);
            let mut found = edges(&image.record());
            found.sort_unstable();
            let mut meant = vec![(EdgeRole::Layer, layer.digest()), (EdgeRole::Subject, subject)];
            if form != Form::Artifact {
                meant.insert(0, (EdgeRole::Config, image.config.digest()));
            }
            assert_eq!(found, meant, "{form:?}");
        }
        for form in [Form::Docker, Form::Oci, Form::Untyped] {
            let index = Index::of(&[subject]).form(form).record();
            assert_eq!(edges(&index), [(EdgeRole::Child, subject)], "{form:?}");
        }
        assert_eq!(edges(&schema1("a", &[layer])), [(EdgeRole::Layer, layer.digest())]);
    }

    #[test]
    fn g4_the_collector_does_not_understand_the_unknown_form() {
        assert!(Manifest::parse(&unknown(1, &[]).bytes).is_err());
    }
}
