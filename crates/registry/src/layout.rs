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

use crate::digest::HexDigits;
use crate::{Algorithm, Digest, RepositoryName, Shard, Tag};

/// What a folder of the layout stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FolderKind {
    /// A blob: holds `data`.
    Blob,
    /// An algorithm of digests: holds a folder for each digest.
    Algorithm,
    /// A blob that a repository serves, under a digest of this algorithm: holds `link`.
    Layer(Algorithm),
    /// A manifest: holds `link`, and the folder `signatures` where it was signed (registries before 2.5).
    Revision,
    /// A tag: holds the folders `current`, with `link`, and `index`, with a folder for each algorithm.
    Tag,
    /// A manifest that a tag points to or once pointed to: holds `link`.
    TagIndex,
}

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

    /// The prefix of what this program keeps beside the registry's own folder: never listed by a collection, since it
    /// is not below [`Layout::base`].
    #[must_use]
    pub fn own(&self) -> String {
        format!("{}regsweep/", self.root())
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
        let (digits, name) = (HexDigits::of(digest), digest.algorithm().name());
        let hex = digits.text();
        [&self.base, "blobs/", name, "/", &hex[..2], "/", hex, "/data"].concat()
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
            KeyKind::Blob(digest) => self.blob(&digest),
            KeyKind::Revision { repository, digest } => {
                format!(
                    "{base}repositories/{repository}/_manifests/revisions/{}/link",
                    path(&digest)
                )
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

    /// What the key `{prefix}{inside}` means, where `prefix` is [`Layout::repository`] of `repository`.
    ///
    /// Law: the same as [`Layout::classify`] of the whole key says; cheaper, for the keys of a repository are neighbours.
    #[must_use]
    pub fn classify_inside<'k>(repository: &'k RepositoryName, inside: &'k str) -> KeyKind<'k> {
        in_named(Some(repository.as_str()), inside)
    }

    /// The prefix of everything that belongs to a repository; what follows starts with `_`.
    #[must_use]
    pub fn repository(&self, name: &RepositoryName) -> String {
        [&self.base, "repositories/", name.as_str(), "/"].concat()
    }

    /// What each folder inside `folder` stands for, where the layout says so; `folder` ends in `/`.
    ///
    /// A store of files can then ask for the files that such folders hold, instead of opening them.
    #[must_use]
    pub fn folders_in(&self, folder: &str) -> Option<FolderKind> {
        let path = folder.strip_prefix(self.base.as_str())?.strip_suffix('/')?;
        if let Some(path) = path.strip_prefix("blobs/") {
            let (algorithm, shard) = path.split_once('/')?;
            return (is_algorithm(algorithm) && !shard.contains('/')).then_some(FolderKind::Blob);
        }
        let (_, inside) = split_repository(path.strip_prefix("repositories/")?)?;
        folders_in_repository(inside)
    }
}

fn folders_in_repository(inside: &str) -> Option<FolderKind> {
    let parts: Vec<&str> = inside.split('/').collect();
    match parts[..] {
        ["_layers"] | ["_manifests", "revisions"] => Some(FolderKind::Algorithm),
        ["_layers", name] => Some(FolderKind::Layer(Algorithm::from_name(name)?)),
        ["_manifests", "revisions", name] => {
            Algorithm::from_name(name).map(|_| FolderKind::Revision)
        }
        ["_manifests", "tags"] => Some(FolderKind::Tag),
        ["_manifests", "tags", tag, "index", name] if Tag::is_valid(tag) => {
            Algorithm::from_name(name).map(|_| FolderKind::TagIndex)
        }
        _ => None,
    }
}

fn is_algorithm(name: &str) -> bool {
    Algorithm::from_name(name).is_some()
}

fn foreign(repository: Option<&str>, is_link: bool) -> KeyKind<'_> {
    KeyKind::Foreign(Foreign { repository, is_link })
}

fn blob(path: &str) -> KeyKind<'_> {
    if path.is_empty() || path.ends_with('/') {
        return KeyKind::Marker { repository: None };
    }
    sharded(path).map_or_else(|| foreign(None, false), KeyKind::Blob)
}

/// `<alg>/<hex[0:2]>/<hex>/data`, exactly.
fn sharded(path: &str) -> Option<Digest> {
    let (algorithm, rest) = first_component(path)?;
    let (shard, rest) = first_component(rest)?;
    let hex = rest.strip_suffix("/data")?;
    let digest = Digest::from_parts(algorithm, hex).ok()?;
    (hex.get(..2) == Some(shard)).then_some(digest)
}

/// The first component and what comes after its slash. Such components are short: a loop has found the slash before a
/// search has begun.
fn first_component(path: &str) -> Option<(&str, &str)> {
    let slash = path.bytes().position(|byte| byte == b'/')?;
    Some((&path[..slash], &path[slash + 1..]))
}

/// Splits a path below `repositories/` before its first component that starts with `_`.
fn split_repository(path: &str) -> Option<(&str, &str)> {
    let cut = if path.starts_with('_') { 0 } else { path.find("/_")? };
    Some((&path[..cut], path[cut..].trim_start_matches('/')))
}

fn in_repositories(path: &str) -> KeyKind<'_> {
    let Some((name, inside)) = split_repository(path) else {
        let is_marker = path.is_empty() || path.ends_with('/');
        return if is_marker { KeyKind::Marker { repository: None } } else { foreign(None, false) };
    };
    in_named(RepositoryName::is_valid(name).then_some(name), inside)
}

/// What a key means that lies in a repository, whose name may not be one; `inside` starts with `_`.
fn in_named<'k>(repository: Option<&'k str>, inside: &'k str) -> KeyKind<'k> {
    let reads_as_link = inside.ends_with("/link") && !inside.starts_with("_uploads/");
    let kind = repository.and_then(|repository| in_repository(repository, inside));
    match kind {
        Some(kind) => kind,
        None if inside.ends_with('/') => KeyKind::Marker { repository },
        None => foreign(repository, reads_as_link),
    }
}

/// What a key inside a repository means; `inside` starts with `_`. `None` for markers and foreign keys.
fn in_repository<'k>(repository: &'k str, inside: &'k str) -> Option<KeyKind<'k>> {
    let (area, rest) = first_component(inside)?;
    match area {
        "_layers" => {
            let digest = digest_of(rest.strip_suffix("/link")?)?;
            Some(KeyKind::Layer { repository, digest })
        }
        "_manifests" => match first_component(rest)? {
            ("revisions", rest) => revision(repository, rest.strip_suffix("/link")?),
            ("tags", rest) => tag(repository, rest.strip_suffix("/link")?),
            _ => None,
        },
        "_uploads" => upload(repository, rest),
        _ => None,
    }
}

fn revision<'k>(repository: &'k str, path: &str) -> Option<KeyKind<'k>> {
    if let Some(digest) = digest_of(path) {
        return Some(KeyKind::Revision { repository, digest });
    }
    let (revision, signature) = path.split_once("/signatures/")?;
    let (revision, digest) = (digest_of(revision)?, digest_of(signature)?);
    Some(KeyKind::Signature { repository, revision, digest })
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
    let (algorithm, hex) = first_component(path)?;
    Digest::from_parts(algorithm, hex).ok()
}

#[cfg(test)]
mod tests;
