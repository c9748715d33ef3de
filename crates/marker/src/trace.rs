//! Why a repository keeps a digest: pure.

use std::collections::{BTreeSet, HashMap, VecDeque};

use lister::TagTree;
use registry::{Digest, Manifest, Role};

use crate::reach::{is_pushed_to, is_young};
use crate::{Beside, Evidence, Known, Marked, Rules};

/// Something that is kept for its own sake.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ground {
    /// A tag points to it.
    Tag(Box<str>),
    /// The history of a tag that points elsewhere names a manifest that the repository serves.
    History(Box<str>),
    /// It is a manifest of the repository, and every one of these is kept.
    Revision,
    /// Its link is too young to judge (G1).
    Young,
    /// Somebody is pushing to the repository, which links it.
    Upload,
    /// The repository links it, and all that it links is kept.
    Linked,
    /// Something in the repository could not be read or understood, so that all that it names is kept (G4).
    Doubt,
}

/// How one digest leads to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lead {
    /// A manifest names it.
    Names(Role),
    /// It refers to a manifest, and lives as long as that.
    RefersTo,
    /// It is a signature of a manifest.
    Signs,
    /// A link serves it under another digest.
    ServedAs,
}

/// A way from what is kept for its own sake to a digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// Why the first of them is kept.
    pub ground: Ground,
    /// What is kept for its own sake.
    pub root: Digest,
    /// How it goes on from there; the last is what was asked about.
    pub steps: Vec<(Lead, Digest)>,
}

/// Why a repository keeps `digest`: for each thing that is kept for its own sake and leads there, the shortest way. Empty
/// exactly where the repository does not keep it.
///
/// What tags point to is that of [`Evidence::pointers`], and what decides.
#[must_use]
pub fn trace(marked: &Marked, rules: &Rules, digest: Digest) -> Vec<Path> {
    if !marked.reach.needed.contains(&digest) && !marked.reach.signatures.contains(&digest) {
        return Vec::new();
    }
    let ways = ways_to(digest, &leads(marked, rules));
    let grounds = Grounds { marked, rules };
    let mut paths = Vec::new();
    for root in ways.keys() {
        for ground in grounds.of(*root) {
            paths.push(Path { ground, root: *root, steps: steps(*root, digest, &ways) });
        }
    }
    paths.sort_unstable_by(|a, b| {
        (&a.ground, a.steps.len(), a.root).cmp(&(&b.ground, b.steps.len(), b.root))
    });
    paths
}

/// What leads to a digest, by digest.
type Leads = HashMap<Digest, Vec<(Digest, Lead)>>;

/// Everything by which one digest that is kept keeps another.
fn leads(marked: &Marked, rules: &Rules) -> Leads {
    let Marked { tree, evidence, reach, .. } = marked;
    let mut leads = Leads::new();
    let mut add = |from: Digest, lead, to: Digest| leads.entry(to).or_default().push((from, lead));
    for from in &reach.manifests {
        let Some(manifest) = manifest(evidence, from) else { continue };
        for edge in manifest.references() {
            add(*from, Lead::Names(edge.role), edge.digest);
        }
        if let Some(subject) = manifest.subject().filter(|to| reach.manifests.contains(to)) {
            add(subject, Lead::RefersTo, *from);
        }
    }
    for signature in &tree.signatures {
        if reach.manifests.contains(&signature.revision) {
            add(signature.revision, Lead::Signs, signature.link.digest);
        }
    }
    for alias in &evidence.aliases {
        if rules.beside >= Beside::Aliased || reach.needed.contains(&alias.digest) {
            add(alias.digest, Lead::ServedAs, alias.canonical);
        }
    }
    leads
}

fn manifest<'e>(evidence: &'e Evidence, digest: &Digest) -> Option<&'e Manifest> {
    match evidence.manifests.get(digest) {
        Some(Known::Manifest(manifest)) => Some(manifest),
        Some(Known::Missing | Known::Doubtful(_)) | None => None,
    }
}

/// The first step of a shortest way from each digest that leads to `digest`; none from itself.
fn ways_to(digest: Digest, leads: &Leads) -> HashMap<Digest, Option<(Lead, Digest)>> {
    let mut ways = HashMap::from([(digest, None)]);
    let mut queue = VecDeque::from([digest]);
    while let Some(to) = queue.pop_front() {
        for (from, lead) in leads.get(&to).into_iter().flatten() {
            ways.entry(*from).or_insert_with(|| {
                queue.push_back(*from);
                Some((*lead, to))
            });
        }
    }
    ways
}

fn steps(
    root: Digest,
    digest: Digest,
    ways: &HashMap<Digest, Option<(Lead, Digest)>>,
) -> Vec<(Lead, Digest)> {
    let mut steps = Vec::new();
    let mut at = root;
    while at != digest
        && let Some(Some((lead, to))) = ways.get(&at)
    {
        steps.push((*lead, *to));
        at = *to;
    }
    steps
}

/// Why things are kept for their own sake.
struct Grounds<'m> {
    marked: &'m Marked,
    rules: &'m Rules,
}

impl Grounds<'_> {
    fn of(&self, digest: Digest) -> Vec<Ground> {
        let Marked { tree, reach, .. } = self.marked;
        let mut grounds = Vec::new();
        let all = !self.rules.untagged || reach.is_pinned();
        let revision = tree.revisions.iter().find(|link| link.digest == digest);
        let layer = tree.layers.iter().find(|link| link.digest == digest);
        if reach.manifests.contains(&digest) {
            grounds.extend(self.tags(digest));
            if all {
                grounds.extend(self.histories(digest));
                grounds.extend(revision.map(|_| Ground::Revision));
            }
        }
        let mut links = revision.iter().chain(&layer);
        grounds.extend(links.any(|link| is_young(link, self.rules)).then_some(Ground::Young));
        let in_use = self.rules.beside >= Beside::InUse;
        let is_pushed_to = in_use && is_pushed_to(tree, self.rules);
        grounds.extend(layer.filter(|_| is_pushed_to).map(|_| Ground::Upload));
        let is_linked = revision.is_some() || layer.is_some();
        let is_alias = self.rules.beside >= Beside::Aliased && self.is_alias(digest);
        if (self.rules.beside == Beside::Linked && is_linked) || is_alias {
            grounds.push(Ground::Linked);
        }
        grounds.extend((reach.is_pinned() && self.is_named(digest)).then_some(Ground::Doubt));
        grounds
    }

    /// The tags that point to a manifest.
    fn tags(&self, digest: Digest) -> impl Iterator<Item = Ground> + '_ {
        let Marked { tree, evidence, .. } = self.marked;
        let targets = evidence.pointers.iter().chain(&evidence.targets);
        let tags = targets.filter(move |target| target.digest == digest);
        let tags: BTreeSet<usize> = tags.map(|target| target.tag).collect();
        tags.into_iter().filter_map(|tag| Some(Ground::Tag(tree.tags.get(tag)?.name.clone())))
    }

    /// The tags that once pointed to a manifest.
    fn histories(&self, digest: Digest) -> impl Iterator<Item = Ground> + '_ {
        let Marked { tree, evidence, .. } = self.marked;
        let is_served = evidence.manifests.contains_key(&digest);
        let named = move |tag: &&TagTree| tag.index.iter().any(|link| link.digest == digest);
        let tags = tree.tags.iter().filter(move |_| is_served).filter(named);
        let points_here: BTreeSet<Ground> = self.tags(digest).collect();
        let once = tags.filter(move |tag| !points_here.contains(&Ground::Tag(tag.name.clone())));
        once.map(|tag| Ground::History(tag.name.clone()))
    }

    /// Whether a link serves another digest's data under this one.
    fn is_alias(&self, digest: Digest) -> bool {
        self.marked.evidence.aliases.iter().any(|alias| alias.digest == digest)
    }

    /// Whether any key names it, or what a link says.
    fn is_named(&self, digest: Digest) -> bool {
        let Marked { tree, evidence, .. } = self.marked;
        let links = tree.revisions.iter().chain(&tree.layers);
        let links = links.chain(tree.tags.iter().flat_map(|tag| &tag.index));
        let links = links.chain(tree.signatures.iter().map(|signature| &signature.link));
        let aliases = evidence.aliases.iter().map(|alias| alias.canonical);
        links.map(|link| link.digest).chain(aliases).any(|named| named == digest)
    }
}
