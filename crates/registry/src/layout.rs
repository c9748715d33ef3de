//! Object keys of the distribution layout, and what they mean.
//!
//! ```text
//! <root>/docker/registry/v2/
//! ├── blobs/<alg>/<hex[0:2]>/<hex>/data                                   Blob
//! └── repositories/<name>/
//!     ├── _layers/<alg>/<hex>/link                                        Layer
//!     ├── _manifests/revisions/<alg>/<hex>/link                           Revision
//!     │   └── …/signatures/<alg>/<hex>/link                               Signature (registries before 2.5)
//!     ├── _manifests/tags/<tag>/current/link                              TagCurrent
//!     ├── _manifests/tags/<tag>/index/<alg>/<hex>/link                    TagIndex
//!     └── _uploads/<id>/{data,startedat,hashstates/<alg>/<offset>}        Upload
//! ```
//!
//! Source: distribution `registry/storage/paths.go`.

use crate::{Algorithm, Digest, RepositoryName, Shard, Tag};

/// Where a registry keeps its objects below a bucket or directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    base: String,
}

/// What an object key means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind<'k> {
    /// Content of a layer, a configuration or a manifest.
    Blob(Digest),
    /// A manifest of a repository.
    Revision {
        /// The repository.
        repository: &'k str,
        /// The manifest.
        digest: Digest,
    },
    /// A schema 1 signature of a manifest, as registries before 2.5 kept it.
    Signature {
        /// The repository.
        repository: &'k str,
        /// The manifest that is signed.
        revision: Digest,
        /// The signature's blob.
        digest: Digest,
    },
    /// What a tag points to; the digest is in the content.
    TagCurrent {
        /// The repository.
        repository: &'k str,
        /// The tag.
        tag: &'k str,
    },
    /// A manifest that a tag points to or once pointed to.
    TagIndex {
        /// The repository.
        repository: &'k str,
        /// The tag.
        tag: &'k str,
        /// The manifest.
        digest: Digest,
    },
    /// A blob that a repository may serve. The content names the canonical digest: another one where the key is an
    /// alias.
    Layer {
        /// The repository.
        repository: &'k str,
        /// The digest under which the repository serves the blob.
        digest: Digest,
    },
    /// Part of an upload that was not finished.
    Upload {
        /// The repository.
        repository: &'k str,
        /// The upload's identifier.
        id: &'k str,
        /// Which part.
        part: UploadPart,
    },
    /// A directory marker: a key that ends in `/`.
    Marker {
        /// The repository, where the marker lies inside one.
        repository: Option<&'k str>,
    },
    /// None of these; never deleted (G4).
    Foreign(Foreign<'k>),
}

/// Parts of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UploadPart {
    /// When it started, as RFC 3339 text.
    StartedAt,
    /// Data, hash states, markers.
    Other,
}

/// A key that is not of the layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Foreign<'k> {
    /// The repository it lies in.
    pub repository: Option<&'k str>,
    /// Whether the reference collector would read it as a link: a key named `link` among a repository's manifests or
    /// layers. Its repository is in doubt.
    pub is_link: bool,
}

const V2: &str = "/docker/registry/v2/";

impl Layout {
    /// The layout below a `rootdirectory` as it stands in a registry's configuration.
    ///
    /// Source: distribution `registry/storage/driver/s3-aws/s3.go`, `s3Path`: one trailing run and one leading run of
    /// slashes are dropped, inner ones kept.
    #[must_use]
    pub fn new(rootdirectory: &str) -> Self {
        let path = format!("{}{V2}", rootdirectory.trim_end_matches('/'));
        Self { base: path.trim_start_matches('/').to_owned() }
    }

    /// The prefix of every key of the layout; ends in `/`.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The prefix of the storage driver's root: empty, or ends in `/`.
    #[must_use]
    pub fn root(&self) -> &str {
        &self.base[..self.base.len() - (V2.len() - 1)]
    }

    /// The prefix of all blobs.
    #[must_use]
    pub fn blobs(&self) -> String {
        format!("{}blobs/", self.base)
    }

    /// The prefix of one algorithm's blobs of one shard.
    #[must_use]
    pub fn blob_shard(&self, algorithm: Algorithm, shard: Shard) -> String {
        format!("{}blobs/{}/{shard}/", self.base, algorithm.name())
    }

    /// The prefix of all repositories.
    #[must_use]
    pub fn repositories(&self) -> String {
        format!("{}repositories/", self.base)
    }

    /// The key of a blob.
    #[must_use]
    pub fn blob(&self, digest: &Digest) -> String {
        self.shape(KeyKind::Blob(*digest))
    }

    /// The key of `kind`; `None` for kinds that do not determine one.
    ///
    /// Law: `layout.key_of(&layout.classify(key))` is `key` wherever it is something (G7).
    #[must_use]
    pub fn key_of(&self, kind: &KeyKind<'_>) -> Option<String> {
        match kind {
            KeyKind::Upload { .. } | KeyKind::Marker { .. } | KeyKind::Foreign(_) => None,
            kind => Some(self.shape(*kind)),
        }
    }

    fn shape(&self, kind: KeyKind<'_>) -> String {
        let base = &self.base;
        let path = |digest: &Digest| format!("{}/{}", digest.algorithm().name(), digest.hex());
        match kind {
            KeyKind::Blob(digest) => {
                format!("{}{}/data", self.blob_shard(digest.algorithm(), digest.shard()), digest.hex())
            }
            KeyKind::Revision { repository, digest } => {
                format!("{base}repositories/{repository}/_manifests/revisions/{}/link", path(&digest))
            }
            KeyKind::Signature { repository, revision, digest } => format!(
                "{base}repositories/{repository}/_manifests/revisions/{}/signatures/{}/link",
                path(&revision),
                path(&digest)
            ),
            KeyKind::TagCurrent { repository, tag } => {
                format!("{base}repositories/{repository}/_manifests/tags/{tag}/current/link")
            }
            KeyKind::TagIndex { repository, tag, digest } => format!(
                "{base}repositories/{repository}/_manifests/tags/{tag}/index/{}/link",
                path(&digest)
            ),
            KeyKind::Layer { repository, digest } => {
                format!("{base}repositories/{repository}/_layers/{}/link", path(&digest))
            }
            KeyKind::Upload { .. } | KeyKind::Marker { .. } | KeyKind::Foreign(_) => String::new(),
        }
    }

    /// What `key` means. Total: every text has an answer.
    #[must_use]
    pub fn classify<'k>(&self, key: &'k str) -> KeyKind<'k> {
        let Some(path) = key.strip_prefix(self.base.as_str()) else { return foreign(None, false) };
        if let Some(path) = path.strip_prefix("blobs/") {
            return blob(path);
        }
        match path.strip_prefix("repositories/") {
            Some(path) => in_repositories(path),
            None if path.is_empty() || path.ends_with('/') => KeyKind::Marker { repository: None },
            None => foreign(None, false),
        }
    }

    /// The repository of a key, without looking at the rest: what lies before the first component that starts with
    /// `_`.
    #[must_use]
    pub fn repository_of<'k>(&self, key: &'k str) -> Option<&'k str> {
        let path = key.strip_prefix(self.base.as_str())?.strip_prefix("repositories/")?;
        split_repository(path).map(|(repository, _)| repository)
    }

    /// The one file that each folder inside `folder` holds, where the layout says so; `folder` ends in `/`.
    ///
    /// A store of files can then ask for that file instead of opening the folder.
    #[must_use]
    pub fn leaf_of(&self, folder: &str) -> Option<&'static str> {
        let path = folder.strip_prefix(self.base.as_str())?.strip_suffix('/')?;
        let mut parts = path.rsplit('/');
        let last = parts.next()?;
        // A tag's folder: `current` holds a link; `index` does not, and is opened because of that.
        if Tag::is_valid(last) && is_tags_folder(&path[..path.len() - last.len()]) {
            return Some("link");
        }
        let algorithm = if Algorithm::from_name(last).is_some() { last } else { parts.next()? };
        Algorithm::from_name(algorithm)?;
        let above = parts.next()?;
        if path.starts_with("blobs/") {
            return (above == "blobs" && last != algorithm).then_some("data");
        }
        (matches!(above, "_layers" | "index") && last == algorithm).then_some("link")
    }
}

/// Whether a path, ending in `/`, is that of the folder that holds a repository's tags.
fn is_tags_folder(path: &str) -> bool {
    split_repository(path.strip_prefix("repositories/").unwrap_or(""))
        .is_some_and(|(_, inside)| inside == "_manifests/tags/")
}

fn foreign(repository: Option<&str>, is_link: bool) -> KeyKind<'_> {
    KeyKind::Foreign(Foreign { repository, is_link })
}

fn blob(path: &str) -> KeyKind<'_> {
    if path.is_empty() || path.ends_with('/') {
        return KeyKind::Marker { repository: None };
    }
    let mut parts = path.split('/');
    let (Some(algorithm), Some(shard), Some(hex), Some("data"), None) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return foreign(None, false);
    };
    match Digest::from_parts(algorithm, hex) {
        Ok(digest) if hex.get(..2) == Some(shard) => KeyKind::Blob(digest),
        Ok(_) | Err(_) => foreign(None, false),
    }
}

/// Splits a path below `repositories/` before its first component that starts with `_`.
fn split_repository(path: &str) -> Option<(&str, &str)> {
    let cut = if path.starts_with('_') { 0 } else { path.find("/_")? };
    Some((&path[..cut], path[cut..].trim_start_matches('/')))
}

fn in_repositories(path: &str) -> KeyKind<'_> {
    let Some((name, inside)) = split_repository(path) else {
        return match path.is_empty() || path.ends_with('/') {
            true => KeyKind::Marker { repository: None },
            false => foreign(None, false),
        };
    };
    let repository = RepositoryName::new(name).is_ok().then_some(name);
    let reads_as_link = inside.ends_with("/link") && !inside.starts_with("_uploads/");
    let kind = repository.and_then(|repository| in_repository(repository, inside));
    kind.unwrap_or_else(|| match inside.ends_with('/') {
        true => KeyKind::Marker { repository },
        false => foreign(repository, reads_as_link),
    })
}

/// What a key inside a repository means; `inside` starts with `_`. `None` for markers and foreign keys.
fn in_repository<'k>(repository: &'k str, inside: &'k str) -> Option<KeyKind<'k>> {
    let (area, rest) = inside.split_once('/')?;
    match area {
        "_layers" => {
            let digest = digest_of(rest.strip_suffix("/link")?)?;
            Some(KeyKind::Layer { repository, digest })
        }
        "_manifests" => match rest.split_once('/')? {
            ("revisions", rest) => revision(repository, rest.strip_suffix("/link")?),
            ("tags", rest) => tag(repository, rest.strip_suffix("/link")?),
            _ => None,
        },
        "_uploads" => upload(repository, rest),
        _ => None,
    }
}

fn revision<'k>(repository: &'k str, path: &str) -> Option<KeyKind<'k>> {
    match path.split_once("/signatures/") {
        None => Some(KeyKind::Revision { repository, digest: digest_of(path)? }),
        Some((revision, signature)) => Some(KeyKind::Signature {
            repository,
            revision: digest_of(revision)?,
            digest: digest_of(signature)?,
        }),
    }
}

fn tag<'k>(repository: &'k str, path: &'k str) -> Option<KeyKind<'k>> {
    let (tag, rest) = path.split_once('/')?;
    if !Tag::is_valid(tag) {
        return None;
    }
    if rest == "current" {
        return Some(KeyKind::TagCurrent { repository, tag });
    }
    let digest = digest_of(rest.strip_prefix("index/")?)?;
    Some(KeyKind::TagIndex { repository, tag, digest })
}

fn upload<'k>(repository: &'k str, path: &'k str) -> Option<KeyKind<'k>> {
    let (id, rest) = path.split_once('/')?;
    let part = match rest {
        "startedat" => UploadPart::StartedAt,
        "data" | "" => UploadPart::Other,
        rest if rest.starts_with("hashstates/") => UploadPart::Other,
        _ => return None,
    };
    (!id.is_empty()).then_some(KeyKind::Upload { repository, id, part })
}

/// `<alg>/<hex>`, exactly.
fn digest_of(path: &str) -> Option<Digest> {
    let (algorithm, hex) = path.split_once('/')?;
    Digest::from_parts(algorithm, hex).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn layout() -> Layout {
        Layout::new("")
    }

    #[test]
    fn rootdirectory_forms_give_the_keys_that_the_registry_writes() {
        for (root, base) in [
            ("", "docker/registry/v2/"),
            ("/", "docker/registry/v2/"),
            ("/a/b/", "a/b/docker/registry/v2/"),
            ("a/b", "a/b/docker/registry/v2/"),
            ("/a//b///", "a//b/docker/registry/v2/"),
        ] {
            assert_eq!(Layout::new(root).base(), base, "{root}");
        }
        assert_eq!(Layout::new("/a/b/").root(), "a/b/");
        assert_eq!(layout().root(), "");
    }

    #[test]
    fn every_kind_of_key_is_known() {
        let (a, b) = (Digest::sha256(b"a"), Digest::of(Algorithm::Sha512, b"b"));
        let repository = "foo/bar";
        for kind in [
            KeyKind::Blob(a),
            KeyKind::Blob(b),
            KeyKind::Revision { repository, digest: a },
            KeyKind::Signature { repository, revision: a, digest: b },
            KeyKind::TagCurrent { repository, tag: "_v1.0" },
            KeyKind::TagIndex { repository, tag: "index", digest: b },
            KeyKind::Layer { repository: "foo-bar", digest: a },
        ] {
            let key = layout().key_of(&kind).unwrap();
            assert_eq!(layout().classify(&key), kind, "{key}");
        }
    }

    #[test]
    fn uploads_and_markers_are_known() {
        let id = "0198c7a4-0000-7000-8000-000000000000";
        let base = format!("docker/registry/v2/repositories/foo/_uploads/{id}");
        let upload = |part| KeyKind::Upload { repository: "foo", id, part };
        for (key, kind) in [
            (format!("{base}/startedat"), upload(UploadPart::StartedAt)),
            (format!("{base}/data"), upload(UploadPart::Other)),
            (format!("{base}/hashstates/sha256/0"), upload(UploadPart::Other)),
            (format!("{base}/"), upload(UploadPart::Other)),
            (base.replace(id, ""), KeyKind::Marker { repository: Some("foo") }),
            ("docker/registry/v2/blobs/04/".to_owned(), KeyKind::Marker { repository: None }),
            ("docker/registry/v2/".to_owned(), KeyKind::Marker { repository: None }),
            ("docker/registry/v2/repositories/a/".to_owned(), KeyKind::Marker { repository: None }),
        ] {
            assert_eq!(layout().classify(&key), kind, "{key}");
        }
    }

    #[test]
    fn g4_everything_else_is_foreign_and_odd_links_say_so() {
        let hex = Digest::sha256(b"a").hex();
        let v2 = "docker/registry/v2";
        for (key, repository, is_link) in [
            ("README".to_owned(), None, false),
            (format!("{v2}/lockfiles/database-in-use"), None, false),
            (format!("{v2}/blobs/sha256/{hex}/data"), None, false),
            (format!("{v2}/blobs/sha256/00/{hex}/data"), None, false),
            (format!("{v2}/blobs/md5/aa/{hex}/data"), None, false),
            (format!("{v2}/blobs/sha256/{}/{hex}/data.tmp", &hex[..2]), None, false),
            (format!("{v2}/repositories/foo/file"), None, false),
            (format!("{v2}/repositories/foo/_layers/sha256/{hex}/link.x.tmp"), Some("foo"), false),
            (format!("{v2}/repositories/foo/_layers/sha256/{}/link", &hex[1..]), Some("foo"), true),
            (format!("{v2}/repositories/foo/_manifests/revisions/x/link"), Some("foo"), true),
            (format!("{v2}/repositories/foo/_manifests/tags/-x/current/link"), Some("foo"), true),
            (format!("{v2}/repositories/foo/_uploads/x/link"), Some("foo"), false),
            (format!("{v2}/repositories/foo//_layers/sha256/{hex}/link"), None, true),
            (format!("{v2}/repositories/_layers/sha256/{hex}/link"), None, true),
        ] {
            assert_eq!(
                layout().classify(&key),
                KeyKind::Foreign(Foreign { repository, is_link }),
                "{key}"
            );
        }
    }

    #[test]
    fn leaves_are_named_for_exactly_the_folders_of_digests() {
        let v2 = "docker/registry/v2";
        for (folder, leaf) in [
            (format!("{v2}/blobs/sha256/ab/"), Some("data")),
            (format!("{v2}/blobs/sha256/"), None),
            (format!("{v2}/blobs/"), None),
            (format!("{v2}/repositories/foo/_layers/sha256/"), Some("link")),
            (format!("{v2}/repositories/foo/_layers/"), None),
            (format!("{v2}/repositories/foo/_manifests/tags/v1/index/sha512/"), Some("link")),
            (format!("{v2}/repositories/foo/_manifests/tags/v1/"), Some("link")),
            (format!("{v2}/repositories/foo/_manifests/tags/"), None),
            (format!("{v2}/repositories/foo/_manifests/tags/v1/current/"), None),
            (format!("{v2}/repositories/foo/_manifests/revisions/sha256/"), None),
            (format!("{v2}/repositories/blobs/sha256/ab/"), None),
            ("elsewhere/_layers/sha256/".to_owned(), None),
        ] {
            assert_eq!(layout().leaf_of(&folder), leaf, "{folder}");
        }
    }

    proptest! {
        #[test]
        fn g7_a_key_that_is_understood_is_given_back_byte_for_byte(
            key in "(docker/registry/v2/)?(blobs|repositories)/([a-z0-9_]{1,4}/){0,3}(_layers|_manifests/revisions|_manifests/tags/v1/index|sha256)?/?(sha256|sha512)?/?[0-9a-f]{2,64}/(link|data|)"
        ) {
            let layout = layout();
            if let Some(again) = layout.key_of(&layout.classify(&key)) {
                prop_assert_eq!(again, key);
            }
        }

        #[test]
        fn classifying_never_panics(key in "\\PC{0,200}") {
            let layout = layout();
            let _ = layout.classify(&key);
            let _ = layout.classify(&format!("{}{key}", layout.base()));
            let _ = layout.classify(&format!("{}{key}", layout.repositories()));
            let _ = layout.leaf_of(&format!("{}{key}", layout.base()));
        }
    }
}
