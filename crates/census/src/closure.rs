//! What a part of a repository keeps alive: pure.

use foldhash::{HashMap, HashMapExt as _, HashSet};
use marker::{Known, Marked};
use registry::{Digest, Edge, Manifest};

/// What some manifests keep alive.
#[derive(Debug, Default)]
pub(crate) struct Closure {
    /// These manifests, and those that they lead to.
    pub(crate) manifests: HashSet<Digest>,
    /// All digests that stay for their sake.
    pub(crate) digests: HashSet<Digest>,
}

/// A marked repository, ready to be asked what any of its manifests keeps.
///
/// It follows what [`marker::reach`] follows: children that the repository serves, referrers, signatures, and what a
/// blob is called otherwise; never more than the repository keeps in all.
pub(crate) struct Closures<'m> {
    marked: &'m Marked,
    revisions: HashSet<Digest>,
    referrers: HashMap<Digest, Vec<Digest>>,
    signatures: HashMap<Digest, Vec<Digest>>,
    aliases: HashMap<Digest, Vec<Digest>>,
}

impl<'m> Closures<'m> {
    pub(crate) fn of(marked: &'m Marked) -> Self {
        let tree = &marked.tree;
        let revisions = || tree.revisions.iter().map(|link| link.digest);
        let subject = |digest| Some((manifest(marked, &digest)?.subject()?, digest));
        let signatures = tree.signatures.iter();
        let aliases = marked.evidence.aliases.iter();
        Self {
            marked,
            revisions: revisions().collect(),
            referrers: grouped(revisions().filter_map(subject)),
            signatures: grouped(signatures.map(|one| (one.revision, one.link.digest))),
            aliases: grouped(aliases.map(|alias| (alias.digest, alias.canonical))),
        }
    }

    /// What `roots` keep alive.
    pub(crate) fn from(&self, roots: impl IntoIterator<Item = Digest>) -> Closure {
        let mut closure = Closure::default();
        let mut waiting: Vec<Digest> = roots.into_iter().collect();
        while let Some(digest) = waiting.pop() {
            if closure.manifests.insert(digest) {
                self.enter(digest, &mut closure.digests, &mut waiting);
            }
        }
        let named = closure.digests.iter().flat_map(|digest| all_of(&self.aliases, digest));
        let canonical: Vec<Digest> = named.collect();
        closure.digests.extend(canonical);
        let reach = &self.marked.reach;
        closure
            .digests
            .retain(|digest| reach.needed.contains(digest) || reach.signatures.contains(digest));
        closure
    }

    fn enter(&self, digest: Digest, digests: &mut HashSet<Digest>, waiting: &mut Vec<Digest>) {
        digests.insert(digest);
        digests.extend(all_of(&self.signatures, &digest));
        waiting.extend(all_of(&self.referrers, &digest));
        let Some(manifest) = manifest(self.marked, &digest) else { return };
        for edge in manifest.references() {
            digests.insert(edge.digest);
            waiting.extend(self.is_served(&edge).then_some(edge.digest));
        }
    }

    /// Whether a client could pull the target of an edge as a manifest from this repository.
    fn is_served(&self, edge: &Edge) -> bool {
        self.revisions.contains(&edge.digest) || manifest(self.marked, &edge.digest).is_some()
    }
}

fn manifest<'m>(marked: &'m Marked, digest: &Digest) -> Option<&'m Manifest> {
    match marked.evidence.manifests.get(digest) {
        Some(Known::Manifest(manifest)) => Some(manifest),
        Some(Known::Missing | Known::Doubtful(_)) | None => None,
    }
}

fn grouped(pairs: impl Iterator<Item = (Digest, Digest)>) -> HashMap<Digest, Vec<Digest>> {
    let mut groups: HashMap<Digest, Vec<Digest>> = HashMap::new();
    for (of, digest) in pairs {
        groups.entry(of).or_default().push(digest);
    }
    groups
}

fn all_of(groups: &HashMap<Digest, Vec<Digest>>, of: &Digest) -> impl Iterator<Item = Digest> {
    groups.get(of).into_iter().flatten().copied()
}
