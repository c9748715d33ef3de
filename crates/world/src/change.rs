//! Everything else that clients do, and the uploads they abandon.

use registry::{Algorithm, Digest};

use crate::{Content, World, world::Meaning};

impl World {
    /// Deletes a tag by the API: everything below its folder. Says whether it was there.
    pub fn untag(&mut self, repository: &str, tag: &str) -> bool {
        let was_there = self.has(&self.keys.current(repository, tag));
        self.remove_folder(&self.keys.tag(repository, tag));
        self.did("tags deleted");
        was_there
    }

    /// Deletes a manifest by the API: its revision link, and the tags that point to it. Its signature links, its
    /// entries in the history of other tags and its blob stay. Says whether it was there.
    pub fn delete_manifest(&mut self, repository: &str, digest: Digest) -> bool {
        let key = self.keys.revision(repository, &digest);
        if !self.has(&key) {
            return false;
        }
        self.remove(&key);
        for tag in self.tags(repository) {
            if self.link(&self.keys.current(repository, &tag)) == Some(digest) {
                self.remove_folder(&self.keys.tag(repository, &tag));
            }
        }
        self.did("manifests deleted");
        true
    }

    /// Deletes a blob by the API: its layer link. Says whether it was there.
    pub fn delete_layer_link(&mut self, repository: &str, digest: Digest) -> bool {
        let key = self.keys.layer(repository, &digest);
        let was_there = self.has(&key);
        self.remove(&key);
        was_there
    }

    /// Mounts a blob from another repository; says whether it could be. Only by its sha256: a mount by an alias leaves
    /// a link that leads nowhere.
    pub fn mount(&mut self, from: &str, to: &str, digest: Digest) -> bool {
        let is_linked = self.link(&self.keys.layer(from, &digest)) == Some(digest);
        if digest.algorithm() != Algorithm::Sha256
            || !is_linked
            || !self.has(&self.keys.blob(&digest))
        {
            return false;
        }
        self.put_layer_link(to, digest, digest);
        self.did("mounts");
        true
    }

    /// Uploads a blob that no manifest will name.
    pub fn upload_orphan(&mut self, repository: &str, content: Content) -> Digest {
        self.did("orphans");
        self.upload_blob(repository, content)
    }

    /// Starts an upload and abandons it; says its identifier.
    pub fn start_upload(&mut self, repository: &str, content: Content) -> String {
        self.serial += 1;
        let id = format!("0198c7a4-0000-7000-8000-{:012x}", self.serial);
        let started = self.now.to_string().into_bytes();
        for (part, bytes) in [
            ("startedat", started),
            ("hashstates/sha256/0", b"state".to_vec()),
            ("data", content.bytes()),
        ] {
            let meaning = Meaning::Upload { repository: repository.to_owned(), id: id.clone() };
            self.put(self.keys.upload(repository, &id, part), bytes, meaning);
        }
        self.did("uploads abandoned");
        id
    }

    /// The tags of a repository that point somewhere, in byte order.
    #[must_use]
    pub fn tags(&self, repository: &str) -> Vec<String> {
        self.inside(repository)
            .filter_map(|meaning| match meaning {
                Meaning::Current { tag, .. } => Some(tag.clone()),
                _ => None,
            })
            .collect()
    }

    /// The manifests of a repository, ascending.
    #[must_use]
    pub fn revisions(&self, repository: &str) -> Vec<Digest> {
        self.inside(repository)
            .filter_map(|meaning| match meaning {
                Meaning::Revision { digest, .. } => Some(*digest),
                _ => None,
            })
            .collect()
    }

    /// The digests of a repository's layer links, ascending.
    #[must_use]
    pub fn layers(&self, repository: &str) -> Vec<Digest> {
        self.inside(repository)
            .filter_map(|meaning| match meaning {
                Meaning::Layer { digest, .. } => Some(*digest),
                _ => None,
            })
            .collect()
    }

    fn inside(&self, repository: &str) -> impl Iterator<Item = &Meaning> {
        // Only the folders of this repository: those of `foo/bar` lie below the folder of `foo`.
        let folder = format!("{}_", self.keys.repository(repository));
        let range = self.meanings.range(folder.clone()..);
        range.take_while(move |(key, _)| key.starts_with(&folder)).map(|(_, meaning)| meaning)
    }
}

#[cfg(test)]
mod tests {
    use registry::Timestamp;

    use super::*;
    use crate::Image;

    fn world() -> (World, Digest) {
        let mut world = World::new(Timestamp::from_seconds(1_000_000), "");
        let digest = world.push_image("foo", &Image::new(1, &[Content::new(1, 20)]), Some("v1"));
        (world, digest)
    }

    #[test]
    fn deleting_a_manifest_takes_the_tags_that_point_to_it_and_no_others() {
        let (mut world, digest) = world();
        world.tag("foo", "v1-rc", digest);
        world.put_tag_links("foo", "v2", digest);
        let other = world.push_image("foo", &Image::new(2, &[]), Some("v2"));
        assert!(world.delete_manifest("foo", digest));
        assert!(!world.delete_manifest("foo", digest));
        assert_eq!(world.tags("foo"), ["v2"]);
        assert_eq!(world.revisions("foo"), [other]);
        assert!(world.has(&world.keys.history("foo", "v2", &digest)), "history stays");
        assert!(world.has(&world.keys.blob(&digest)));
    }

    #[test]
    fn deleting_a_tag_spares_tags_whose_names_it_starts() {
        let (mut world, digest) = world();
        for tag in ["v1-rc", "v1.0", "v"] {
            world.tag("foo", tag, digest);
        }
        assert!(world.untag("foo", "v1"));
        assert!(!world.untag("foo", "v1"));
        assert_eq!(world.tags("foo"), ["v", "v1-rc", "v1.0"]);
    }

    #[test]
    fn repositories_whose_names_begin_alike_are_kept_apart() {
        let (mut world, _) = world();
        for name in ["foo-bar", "foo/bar", "foo.x"] {
            world.push_image(name, &Image::new(7, &[]), Some("other"));
        }
        assert_eq!(world.tags("foo"), ["v1"]);
        assert_eq!(world.layers("foo").len(), 2);
    }

    #[test]
    fn a_mount_links_what_is_linked_there_and_has_data() {
        let (mut world, _) = world();
        let layer = Content::new(1, 20).digest();
        assert!(world.mount("foo", "bar", layer));
        assert!(!world.mount("nobody", "bar", layer));
        assert!(!world.mount("foo", "bar", Content::new(1, 20).sha512()));
        world.remove(&world.keys.blob(&layer));
        assert!(!world.mount("foo", "baz", layer));
        assert!(world.layers("baz").is_empty());
    }
}
