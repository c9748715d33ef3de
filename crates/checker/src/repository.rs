//! A repository, ready to be judged.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use lister::Link;
use marker::{Known, Marked};
use registry::{Algorithm, Claim, Digest, Edge, KeyKind, Layout, Manifest, Role};

use crate::image::Part;
use crate::{Blobs, links};

pub use crate::links::Links;

/// A repository with all that is known of it, ready to be judged.
#[derive(Debug)]
pub struct Repository<'a> {
    pub(crate) marked: &'a Marked,
    pub(crate) layout: &'a Layout,
    pub(crate) blobs: &'a Blobs,
    pub(crate) revisions: HashMap<Digest, &'a Link>,
    pub(crate) layers: HashMap<Digest, &'a Link>,
    /// Under which digest the data lies that is served under another.
    aliases: HashMap<Digest, Digest>,
    /// What manifests name; gathered where it is asked for.
    named: OnceCell<HashSet<Digest>>,
    /// Keys of links that may be broken.
    pub(crate) doubtful: HashSet<&'a str>,
}

/// Something that a manifest names and a client reads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reference {
    pub(crate) holder: Digest,
    pub(crate) digest: Digest,
    pub(crate) part: Part,
    /// Its size, where that is claimed and tells something.
    pub(crate) size: Option<u64>,
}

impl<'a> Repository<'a> {
    /// A repository that was marked with all its tags read, of a registry with these blobs.
    #[must_use]
    pub fn new(marked: &'a Marked, layout: &'a Layout, blobs: &'a Blobs, links: Links) -> Self {
        let by_digest = |links: &'a [Link]| links.iter().map(|link| (link.digest, link)).collect();
        let aliases = marked.evidence.aliases.iter();
        Self {
            marked,
            layout,
            blobs,
            revisions: by_digest(&marked.tree.revisions),
            layers: by_digest(&marked.tree.layers),
            aliases: aliases
                .filter(|alias| alias.digest.algorithm() != Algorithm::Sha256)
                .map(|alias| (alias.digest, alias.canonical))
                .collect(),
            named: OnceCell::new(),
            doubtful: links::doubtful(&marked.tree, &marked.evidence, links),
        }
    }

    pub(crate) fn name(&self) -> &'a str {
        self.marked.tree.name.as_str()
    }

    /// Its manifests, by digest, so that equal repositories are judged alike.
    pub(crate) fn manifests(&self) -> Vec<(Digest, &'a Known)> {
        let known = self.marked.evidence.manifests.iter();
        let mut manifests: Vec<_> = known.map(|(digest, known)| (*digest, known)).collect();
        manifests.sort_unstable_by_key(|(digest, _)| *digest);
        manifests
    }

    /// Whether the data of a manifest is there, is what its digest says, and is understood.
    pub(crate) fn is_manifest(&self, digest: &Digest) -> bool {
        matches!(self.marked.evidence.manifests.get(digest), Some(Known::Manifest(_)))
    }

    /// Whether anything that its manifests may need is not known.
    pub(crate) fn is_uncertain(&self) -> bool {
        let mut known = self.marked.evidence.manifests.values();
        known.any(|known| !matches!(known, Known::Manifest(_)))
    }

    /// Whether any of its manifests names a digest, also where a client may fetch it elsewhere.
    pub(crate) fn names(&self, digest: &Digest) -> bool {
        let named = self.named.get_or_init(|| {
            let known = self.marked.evidence.manifests.values();
            let manifests = known.filter_map(|known| match known {
                Known::Manifest(manifest) => Some(manifest),
                Known::Missing | Known::Doubtful(_) => None,
            });
            let edges = manifests.flat_map(Manifest::edges);
            edges.flat_map(|edge| [edge.digest, self.canonical(&edge.digest)]).collect()
        });
        named.contains(digest)
    }

    /// What a client reads that pulls `manifest`, but for what it may fetch elsewhere.
    pub(crate) fn references(&self, holder: Digest, manifest: &Manifest) -> Vec<Reference> {
        let claims: HashMap<Digest, &Claim> =
            manifest.claims().iter().map(|claim| (claim.digest, claim)).collect();
        let of = |edge: &Edge| claims.get(&edge.digest).copied();
        let edges = manifest.references().filter(|edge| !of(edge).is_some_and(|c| c.is_elsewhere));
        edges
            .map(|edge| {
                let part = self.part(&edge);
                // The content of a manifest is compared with its digest, which says more.
                let size = of(&edge).and_then(|c| c.size).filter(|_| part != Part::Manifest);
                Reference { holder, digest: edge.digest, part, size }
            })
            .collect()
    }

    fn part(&self, edge: &Edge) -> Part {
        let is_known = || {
            self.revisions.contains_key(&edge.digest)
                || self.marked.evidence.manifests.contains_key(&edge.digest)
        };
        match edge.role {
            Role::Child if edge.target.is_some() || is_known() => Part::Manifest,
            Role::Config => Part::Config,
            Role::Child | Role::Layer | Role::Subject => Part::Layer,
        }
    }

    /// Under which digest the data of another lies.
    pub(crate) fn canonical(&self, digest: &Digest) -> Digest {
        *self.aliases.get(digest).unwrap_or(digest)
    }

    /// The link that serves another manifest under this digest, as no registry writes it.
    pub(crate) fn aliased_revision(&self, digest: &Digest) -> Option<&'a Link> {
        self.revisions.get(digest).filter(|_| self.aliases.contains_key(digest)).copied()
    }

    /// The link that serves a manifest. Registries that find no revision link follow a layer link.
    ///
    /// Source: distribution `registry/storage/registry.go`, `Manifests`.
    pub(crate) fn manifest_link(&self, digest: &Digest) -> Option<&'a Link> {
        self.revisions.get(digest).or_else(|| self.layers.get(digest)).copied()
    }

    pub(crate) fn revision_key(&self, digest: &Digest) -> String {
        self.key(KeyKind::Revision { repository: self.name(), digest: *digest })
    }

    pub(crate) fn layer_key(&self, digest: &Digest) -> String {
        self.key(KeyKind::Layer { repository: self.name(), digest: *digest })
    }

    pub(crate) fn tag_key(&self, tag: &str) -> String {
        self.key(KeyKind::TagCurrent { repository: self.name(), tag })
    }

    fn key(&self, kind: KeyKind<'_>) -> String {
        // Each of the three kinds determines its key.
        self.layout.key_of(&kind).unwrap_or_default()
    }
}
