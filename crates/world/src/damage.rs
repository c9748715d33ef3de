//! What crashes, other programs and old versions leave behind.

use registry::Digest;

use crate::World;
use crate::world::Meaning;

impl World {
    /// Loses an object; says whether it was there.
    pub fn lose(&mut self, key: &str) -> bool {
        let was_there = self.has(key);
        self.remove(key);
        was_there
    }

    /// Overwrites an object's content, keeping its age: a half-written link, a flipped bit. Says whether it was there.
    pub fn damage(&mut self, key: &str, bytes: &[u8]) -> bool {
        let Some(stored) = self.objects.get_mut(key) else { return false };
        stored.bytes = bytes.to_vec();
        self.did("objects damaged");
        true
    }

    /// Flips a bit of an object's content; says whether there was one. In a link it is one of the bits by which the
    /// collector tells digests of a shard apart: two that share all of these keep each other, as they may.
    pub fn corrupt(&mut self, key: &str) -> bool {
        let Some(stored) = self.objects.get(key) else { return false };
        let mut bytes = stored.bytes.clone();
        let place = bytes.len() / 4;
        let Some(byte) = bytes.get_mut(place) else { return false };
        *byte ^= 1;
        self.damage(key, &bytes)
    }

    /// Writes a directory marker below a repository's folder: `folder` is empty or ends in `/`. An empty `folder` marks
    /// the repository's own folder, which a listing cannot tell from one of other repositories. The marker of an
    /// upload's folder is a part of the upload.
    pub fn put_marker(&mut self, repository: &str, folder: &str) {
        let key = format!("{}{folder}", self.keys.repository(repository));
        let id = folder.strip_prefix("_uploads/").and_then(|path| path.split_once('/'));
        let meaning = if let Some((id, _)) = id {
            Meaning::Upload { repository: repository.to_owned(), id: id.to_owned() }
        } else {
            let repository = folder.starts_with('_').then(|| repository.to_owned());
            Meaning::Marker { repository }
        };
        self.put(key, Vec::new(), meaning);
    }

    /// Writes a file that is none of the registry's below a repository's folder; `path` starts with `_`.
    pub fn put_foreign(&mut self, repository: &str, path: &str) {
        let key = format!("{}{path}", self.keys.repository(repository));
        let is_link = path.ends_with("/link") && !path.starts_with("_uploads/");
        let repository = Some(repository.to_owned());
        self.put(key, b"foreign".to_vec(), Meaning::Foreign { repository, is_link });
    }

    /// Writes a file that is none of the registry's, anywhere outside repositories.
    pub fn put_stray(&mut self, key: &str) {
        let foreign = Meaning::Foreign { repository: None, is_link: false };
        self.put(key.to_owned(), b"foreign".to_vec(), foreign);
    }

    /// Puts the marker of a folder outside repositories; `key` ends in `/`.
    pub fn put_stray_marker(&mut self, key: &str) {
        self.put(key.to_owned(), Vec::new(), Meaning::Marker { repository: None });
    }

    /// Links a manifest as the registries of 2015 did: as a layer, with tags, without a revision link. Says whether it
    /// was a revision.
    pub fn make_legacy(&mut self, repository: &str, digest: Digest) -> bool {
        let was_there = self.lose(&self.keys.revision(repository, &digest));
        if was_there {
            self.put_layer_link(repository, digest, digest);
        }
        was_there
    }
}
