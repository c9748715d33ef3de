//! Pushes: which keys the registry writes.
//!
//! Source: distribution `registry/storage/{blobwriter,linkedblobstore,manifeststore,tagstore}.go`.

use registry::Digest;

use crate::document::{self, Record};
use crate::world::Meaning;
use crate::{Child, Content, Form, Image, Index, Part, World};

impl World {
    /// Pushes an image: its parts as far as they are uploaded, then its manifest.
    pub fn push_image(&mut self, repository: &str, image: &Image, tag: Option<&str>) -> Digest {
        for part in image.parts() {
            match part {
                Part::Stored(content) => drop(self.upload_blob(repository, *content)),
                Part::Sha512(content) => drop(self.upload_sha512(repository, *content)),
                Part::Foreign(_) | Part::Named(_) => {}
            }
        }
        self.did(if image.subject.is_some() { "referrers" } else { "images" });
        self.put_manifest(repository, image.record(), tag)
    }

    /// Pushes an index, not its children.
    pub fn push_index(&mut self, repository: &str, index: &Index, tag: Option<&str>) -> Digest {
        self.did("indexes");
        self.put_manifest(repository, index.record(), tag)
    }

    /// Pushes a build cache: an index whose entries are layers, with an entry for its configuration.
    pub fn push_cache_index(
        &mut self,
        repository: &str,
        layers: &[Content],
        tag: Option<&str>,
    ) -> Digest {
        for layer in layers {
            self.upload_blob(repository, *layer);
        }
        let children = layers.iter().copied().map(Child::Layer).collect();
        self.did("build caches");
        let index = Index { form: Form::Oci, children, subject: None };
        self.put_manifest(repository, index.record(), tag)
    }

    /// Pushes a referrer of `subject`: a signature, a bill of materials. Its configuration is empty.
    pub fn push_artifact(
        &mut self,
        repository: &str,
        subject: Digest,
        content: Content,
        tag: Option<&str>,
    ) -> Digest {
        let config = Part::Stored(Content::EMPTY);
        let image = Image { config, ..Image::new(0, &[content]) }.about(subject);
        self.push_image(repository, &image, tag)
    }

    /// Pushes a Docker schema 1 image, with signatures as registries before 2.5 kept them: links below the revision.
    pub fn push_schema1(
        &mut self,
        repository: &str,
        layers: &[Content],
        signatures: &[Content],
        tag: Option<&str>,
    ) -> Digest {
        for layer in layers {
            self.upload_blob(repository, *layer);
        }
        let revision = self.put_manifest(repository, document::schema1(repository, layers), tag);
        for signature in signatures {
            let digest = self.put_blob(&signature.bytes());
            let key = self.keys.signature(repository, &revision, &digest);
            let repository = repository.to_owned();
            self.put(key, digest.to_string(), Meaning::Signature { repository, revision, digest });
        }
        self.did("schema 1 images");
        revision
    }

    /// Pushes a manifest of an unknown media type, as another registry on the same bucket might.
    pub fn push_unknown(
        &mut self,
        repository: &str,
        seed: u64,
        layers: &[Content],
        tag: Option<&str>,
    ) -> Digest {
        for layer in layers {
            self.upload_blob(repository, *layer);
        }
        self.did("manifests of unknown type");
        self.put_manifest(repository, document::unknown(seed, layers), tag)
    }

    /// Uploads a blob and links it; says its digest. The data of a blob that is there keeps its age.
    pub fn upload_blob(&mut self, repository: &str, content: Content) -> Digest {
        let digest = self.put_blob(&content.bytes());
        self.put_layer_link(repository, digest, digest);
        digest
    }

    /// Uploads a blob by its sha512: one blob, two links, both naming the sha256. Says the sha512.
    pub fn upload_sha512(&mut self, repository: &str, content: Content) -> Digest {
        let (digest, alias) = (self.upload_blob(repository, content), content.sha512());
        self.put_layer_link(repository, alias, digest);
        alias
    }

    /// Writes a blob without any link: an upload that broke off after its data was moved.
    pub fn put_blob(&mut self, bytes: &[u8]) -> Digest {
        let digest = Digest::sha256(bytes);
        let key = self.keys.blob(&digest);
        if !self.has(&key) {
            self.put(key, bytes, Meaning::Blob(digest));
        }
        digest
    }

    /// Writes a layer link whose content is `target`.
    pub fn put_layer_link(&mut self, repository: &str, digest: Digest, target: Digest) {
        let key = self.keys.layer(repository, &digest);
        let meaning = Meaning::Layer { repository: repository.to_owned(), digest };
        self.put(key, target.to_string(), meaning);
    }

    /// Writes a revision link.
    pub fn put_revision_link(&mut self, repository: &str, digest: Digest) {
        let key = self.keys.revision(repository, &digest);
        let meaning = Meaning::Revision { repository: repository.to_owned(), digest };
        self.put(key, digest.to_string(), meaning);
    }

    /// Writes a tag's two links, the history's first.
    pub fn put_tag_links(&mut self, repository: &str, tag: &str, digest: Digest) {
        let (name, label) = (repository.to_owned(), tag.to_owned());
        let history = Meaning::History { repository: name.clone(), tag: label.clone(), digest };
        self.put(self.keys.history(repository, tag, &digest), digest.to_string(), history);
        let key = self.keys.current(repository, tag);
        if self.link(&key).is_some_and(|before| before != digest) {
            self.did("tags moved on");
        }
        self.put(key, digest.to_string(), Meaning::Current { repository: name, tag: label });
    }

    fn put_manifest(&mut self, repository: &str, record: Record, tag: Option<&str>) -> Digest {
        let digest = self.put_blob(&record.bytes);
        self.manifests.insert(digest, record);
        self.put_revision_link(repository, digest);
        if let Some(tag) = tag {
            self.put_tag_links(repository, tag, digest);
        }
        digest
    }

    /// Puts a manifest that is a revision of `repository` once more, under `tag`; says whether it is one.
    pub fn tag(&mut self, repository: &str, tag: &str, digest: Digest) -> bool {
        let is_here = self.has(&self.keys.revision(repository, &digest));
        let Some(record) = self.manifests.get(&digest).filter(|_| is_here) else { return false };
        let record = record.clone();
        self.put_manifest(repository, record, Some(tag));
        true
    }

    /// Copies a manifest to another repository: mounts what it names, children first, then pushes it. Says whether it
    /// is known at all.
    pub fn copy(&mut self, from: &str, to: &str, digest: Digest, tag: Option<&str>) -> bool {
        let Some(record) = self.manifests.get(&digest).cloned() else { return false };
        for reference in &record.references {
            if !self.copy(from, to, reference.digest, None) {
                self.mount(from, to, reference.digest);
            }
        }
        self.put_manifest(to, record, tag);
        true
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use registry::Timestamp;

    use super::*;
    use crate::mode::hours;

    fn world() -> World {
        World::new(Timestamp::from_seconds(1_000_000), "/root")
    }

    fn listed(world: &World) -> BTreeSet<String> {
        world.objects().keys().cloned().collect()
    }

    #[test]
    fn one_push_writes_exactly_the_keys_of_the_registry() {
        let mut world = world();
        let layers = [Content::new(1, 20), Content::new(2, 20)];
        let image = Image::new(9, &layers);
        let manifest = world.push_image("foo/bar", &image, Some("v1"));
        let mut keys = BTreeSet::new();
        let v2 = "root/docker/registry/v2";
        for digest in [image.config.digest(), layers[0].digest(), layers[1].digest()] {
            let hex = digest.hex();
            keys.insert(format!("{v2}/blobs/sha256/{}/{hex}/data", &hex[..2]));
            keys.insert(format!("{v2}/repositories/foo/bar/_layers/sha256/{hex}/link"));
        }
        let (hex, here) = (manifest.hex(), format!("{v2}/repositories/foo/bar/_manifests"));
        keys.insert(format!("{v2}/blobs/sha256/{}/{hex}/data", &hex[..2]));
        keys.insert(format!("{here}/revisions/sha256/{hex}/link"));
        keys.insert(format!("{here}/tags/v1/index/sha256/{hex}/link"));
        keys.insert(format!("{here}/tags/v1/current/link"));
        assert_eq!(listed(&world), keys);
        let link = &world.objects()[&format!("{here}/tags/v1/current/link")];
        assert_eq!(link.bytes, format!("sha256:{hex}").as_bytes());
    }

    #[test]
    fn a_sha512_layer_has_two_links_to_one_blob() {
        let mut world = world();
        let content = Content::new(1, 20);
        assert_eq!(world.upload_sha512("a", content), content.sha512());
        let keys = world.keys().clone();
        for digest in [content.digest(), content.sha512()] {
            assert_eq!(world.link(&keys.layer("a", &digest)), Some(content.digest()));
        }
        assert!(world.has(&keys.blob(&content.digest())));
        assert_eq!(world.objects().len(), 3);
    }

    #[test]
    fn a_foreign_layer_leaves_nothing_in_the_bucket() {
        let mut world = world();
        let foreign = Part::Foreign(Content::new(1, 20));
        let image = Image { layers: vec![foreign], ..Image::new(9, &[]) };
        world.push_image("a", &image, None);
        assert!(!world.has(&world.keys.blob(&foreign.digest())));
        assert_eq!(world.objects().len(), 4, "config and its link, manifest and its link");
    }

    #[test]
    fn pushing_again_refreshes_links_and_leaves_data_as_old_as_it_is() {
        let mut world = world();
        let image = Image::new(9, &[Content::new(1, 20)]);
        let start = world.now();
        let manifest = world.push_image("a", &image, Some("v1"));
        world.age(hours(1));
        assert_eq!(world.push_image("a", &image, Some("v1")), manifest);
        for (key, stored) in world.objects() {
            let since = if key.ends_with("/data") { start } else { world.now() };
            assert_eq!(stored.modified, since, "{key}");
        }
    }

    #[test]
    fn old_signatures_are_links_below_their_revision() {
        let mut world = world();
        let signature = Content::new(7, 20);
        let manifest = world.push_schema1("a", &[Content::new(1, 20)], &[signature], None);
        assert!(world.has(&world.keys.signature("a", &manifest, &signature.digest())));
        assert!(world.has(&world.keys.blob(&signature.digest())));
        assert!(!world.has(&world.keys.layer("a", &signature.digest())));
    }

    #[test]
    fn a_copy_takes_children_and_layers_along() {
        let mut world = world();
        let layer = Content::new(1, 20);
        let child = world.push_image("a", &Image::new(9, &[layer]), None);
        let index = world.push_index("a", &Index::of(&[child]), Some("v1"));
        assert!(world.copy("a", "b", index, Some("v1")));
        for key in [
            world.keys.revision("b", &child),
            world.keys.revision("b", &index),
            world.keys.layer("b", &layer.digest()),
        ] {
            assert!(world.has(&key), "{key}");
        }
    }
}
