//! The keys that a registry writes, spelled out once more, apart from the collector's own grammar.

use registry::Digest;

/// Makes keys.
///
/// Source: distribution `registry/storage/paths.go`; `registry/storage/driver/s3-aws/s3.go`, `s3Path`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    base: String,
}

impl Keys {
    pub(crate) fn new(rootdirectory: &str) -> Self {
        let path = format!("{}/docker/registry/v2", rootdirectory.trim_end_matches('/'));
        Self { base: path.trim_start_matches('/').to_owned() }
    }

    /// The folder of everything; like every folder here it ends in `/`.
    #[must_use]
    pub fn base(&self) -> String {
        format!("{}/", self.base)
    }

    /// A blob.
    #[must_use]
    pub fn blob(&self, digest: &Digest) -> String {
        let hex = digest.hex();
        format!("{}/blobs/{}/{}/{hex}/data", self.base, digest.algorithm().name(), &hex[..2])
    }

    /// The folder of a repository.
    #[must_use]
    pub fn repository(&self, repository: &str) -> String {
        format!("{}/repositories/{repository}/", self.base)
    }

    /// A layer link.
    #[must_use]
    pub fn layer(&self, repository: &str, digest: &Digest) -> String {
        format!("{}_layers/{}/link", self.repository(repository), path(digest))
    }

    /// A revision link.
    #[must_use]
    pub fn revision(&self, repository: &str, digest: &Digest) -> String {
        format!("{}_manifests/revisions/{}/link", self.repository(repository), path(digest))
    }

    /// The link to a signature of a schema 1 manifest.
    #[must_use]
    pub fn signature(&self, repository: &str, revision: &Digest, signature: &Digest) -> String {
        let repository = self.repository(repository);
        let (revision, signature) = (path(revision), path(signature));
        format!("{repository}_manifests/revisions/{revision}/signatures/{signature}/link")
    }

    /// The folder of a tag.
    #[must_use]
    pub fn tag(&self, repository: &str, tag: &str) -> String {
        format!("{}_manifests/tags/{tag}/", self.repository(repository))
    }

    /// The link to what a tag points to.
    #[must_use]
    pub fn current(&self, repository: &str, tag: &str) -> String {
        format!("{}current/link", self.tag(repository, tag))
    }

    /// The link to what a tag points to or once pointed to.
    #[must_use]
    pub fn history(&self, repository: &str, tag: &str, digest: &Digest) -> String {
        format!("{}index/{}/link", self.tag(repository, tag), path(digest))
    }

    /// A part of an upload: `startedat`, `data`, `hashstates/sha256/0`.
    #[must_use]
    pub fn upload(&self, repository: &str, id: &str, part: &str) -> String {
        format!("{}_uploads/{id}/{part}", self.repository(repository))
    }
}

fn path(digest: &Digest) -> String {
    format!("{}/{}", digest.algorithm().name(), digest.hex())
}

#[cfg(test)]
mod tests {
    use registry::{KeyKind, Layout, UploadPart};

    use super::*;

    #[test]
    fn the_collector_reads_every_key_as_what_it_is() {
        let (a, b) = (Digest::sha256(b"a"), Digest::sha256(b"b"));
        let repository = "foo/bar";
        for root in ["", "/", "/a/b/", "a//b"] {
            let (keys, layout) = (Keys::new(root), Layout::new(root));
            let upload = KeyKind::Upload { repository, id: "x", part: UploadPart::StartedAt };
            for (key, kind) in [
                (keys.blob(&a), KeyKind::Blob(a)),
                (keys.layer(repository, &a), KeyKind::Layer { repository, digest: a }),
                (keys.revision(repository, &a), KeyKind::Revision { repository, digest: a }),
                (
                    keys.signature(repository, &a, &b),
                    KeyKind::Signature { repository, revision: a, digest: b },
                ),
                (keys.current(repository, "v1"), KeyKind::TagCurrent { repository, tag: "v1" }),
                (
                    keys.history(repository, "v1", &a),
                    KeyKind::TagIndex { repository, tag: "v1", digest: a },
                ),
                (keys.upload(repository, "x", "startedat"), upload),
            ] {
                assert_eq!(layout.classify(&key), kind, "{root} {key}");
            }
        }
    }
}
