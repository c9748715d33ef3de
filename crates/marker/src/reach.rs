//! What a repository keeps alive: pure.

use foldhash::{HashMap, HashMapExt as _, HashSet, HashSetExt as _};
use lister::{Link, RepositoryTree};
use policy::Subject;
use registry::{Digest, Edge, Edges, Manifest};

use crate::expiry::{Expiry, Verdicts};
use crate::{Alias, Beside, Evidence, Known, Rules, What};

/// A step of marking, in the order of the walk, for those who want to tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A manifest is kept as a root.
    Manifest(Digest),
    /// A kept manifest refers to a digest that nothing kept before refers to.
    Blob(Digest),
}

/// What a repository keeps alive, and what is in doubt.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    /// Manifests that stay.
    pub manifests: HashSet<Digest>,
    /// Digests that this repository must go on serving: layer links to them stay.
    pub needed: HashSet<Digest>,
    /// Signatures of manifests that stay: their blobs stay, and no layer link needs to.
    pub signatures: HashSet<Digest>,
    /// Manifests that are linked and not there.
    pub missing: Vec<Digest>,
    /// What is in doubt.
    pub doubts: Vec<What>,
}

impl Reach {
    /// Whether everything that the repository links is kept.
    #[must_use]
    pub fn is_pinned(&self) -> bool {
        self.doubts.iter().any(What::pins)
    }

    /// Digests whose blobs stay, each at least once: all that is needed, and signatures.
    pub fn marks(&self) -> impl Iterator<Item = Digest> + '_ {
        self.needed.iter().chain(&self.signatures).copied()
    }
}

/// Follows everything that `tree` keeps alive under `rules`, and tells each step. Equal inputs give equal answers.
///
/// Roots are all revisions; with `untagged`, what the tags point to and revisions too young to judge; under a policy what
/// the tags point to, beside either. From them:
/// children of indexes that this repository serves, at any depth, whether or not another repository marked them; then
/// referrers, which live as long as their subject, until nothing changes. A young layer link keeps its blob. Doubt
/// that pins keeps everything that any key of the repository names (G4).
#[must_use]
pub fn reach(
    tree: &RepositoryTree,
    evidence: &Evidence,
    rules: &Rules,
    tell: &mut dyn FnMut(Event),
) -> Reach {
    reach_under(tree, evidence, rules, None, tell).0
}

/// The same under a retention policy: tags that it lets go are no roots, and those that hang on a manifest are as soon
/// as it is kept. Of a repository in doubt nothing goes (G4).
pub(crate) fn reach_under(
    tree: &RepositoryTree,
    evidence: &Evidence,
    rules: &Rules,
    verdicts: Option<Verdicts>,
    tell: &mut dyn FnMut(Event),
) -> (Reach, Option<Expiry>) {
    let mut walk = Walk::new(tree, evidence, tell);
    walk.collect_doubts();
    let every_revision_is_a_root = !rules.untagged || walk.reach.is_pinned();
    for root in roots(tree, evidence, rules, every_revision_is_a_root, verdicts.as_ref()) {
        walk.visit_root(root);
    }
    let mut hanging = walk.hanging(verdicts.as_ref());
    walk.visit_hanging(&mut hanging);
    let is_pinned = walk.reach.is_pinned();
    let settle =
        |verdicts| if is_pinned { Verdicts::pinned(verdicts) } else { walk.expiry(verdicts) };
    let expiry = verdicts.map(settle);
    walk.keep_signatures();
    walk.keep_layers(rules);
    walk.keep_aliases(rules);
    if rules.beside == Beside::Linked {
        walk.keep_linked();
    }
    if walk.reach.is_pinned() {
        walk.pin();
    }
    (walk.reach, expiry)
}

fn roots(
    tree: &RepositoryTree,
    evidence: &Evidence,
    rules: &Rules,
    all: bool,
    verdicts: Option<&Verdicts>,
) -> Vec<Digest> {
    let is_recent = |link: &Link| link.modified().is_some_and(|time| time >= rules.pushed);
    let is_root = |link: &&Link| all || is_young(link, rules) || is_recent(link);
    let mut roots: Vec<Digest> =
        tree.revisions.iter().filter(is_root).map(|link| link.digest).collect();
    // A manifest without a revision link that a layer link serves, as registry 2.1 kept them: known only if read.
    let is_served = |digest: &Digest| evidence.manifests.contains_key(digest);
    // Under a policy what tags point to stays in any case: a rule that keeps more manifests lets nothing go.
    let tags_are_roots = rules.untagged || verdicts.is_some();
    let verdicts = verdicts.filter(|_| !all).map(|verdicts| (verdicts, verdicts.subjects(tree)));
    let stays =
        |tag| verdicts.as_ref().is_none_or(|(verdicts, all)| !verdicts.is_no_root(tag, all));
    let targets = evidence.targets.iter().filter(|target| stays(target.tag));
    let targets = targets.map(|target| target.digest);
    roots.extend(targets.filter(|digest| tags_are_roots || is_served(digest)));
    if all {
        let history = tree.tags.iter().flat_map(|tag| &tag.index).map(|link| link.digest);
        roots.extend(history.filter(is_served));
    }
    roots.sort_unstable();
    roots.dedup();
    roots
}

/// Whether a link is too young to judge (G1). What was not looked at is not known to be.
pub(crate) fn is_young(link: &Link, rules: &Rules) -> bool {
    link.modified().is_some_and(|modified| modified >= rules.cutoff)
}

/// Whether an upload is in progress: one that was added to lately, or of which that is not known (G4).
pub(crate) fn is_pushed_to(tree: &RepositoryTree, rules: &Rules) -> bool {
    tree.uploads.iter().any(|upload| upload.newest().is_none_or(|newest| newest >= rules.cutoff))
}

struct Walk<'t> {
    tree: &'t RepositoryTree,
    evidence: &'t Evidence,
    revisions: HashSet<Digest>,
    /// The manifests that are kept, in the order in which they were reached.
    order: Vec<Digest>,
    /// What is left of the edges of the manifests between a root and where the walk is; empty between roots.
    stack: Vec<Edges<'t>>,
    tell: &'t mut dyn FnMut(Event),
    reach: Reach,
}

/// What lives as long as a manifest, by manifest.
struct Hanging {
    /// Revisions that name it as their subject.
    referrers: HashMap<Digest, Vec<Digest>>,
    /// What tags point to whose names say that they belong to it.
    followers: HashMap<Subject, Vec<Digest>>,
    /// How many of the manifests that are kept were asked for.
    visited: usize,
}

impl Hanging {
    /// What hangs on one manifest, told once.
    fn take(&mut self, subject: &Digest) -> Vec<Digest> {
        let mut hanging = self.referrers.remove(subject).unwrap_or_default();
        if !self.followers.is_empty() {
            hanging.extend(self.followers.remove(&Subject::of_digest(subject)).unwrap_or_default());
        }
        hanging
    }
}

impl<'t> Walk<'t> {
    fn new(
        tree: &'t RepositoryTree,
        evidence: &'t Evidence,
        tell: &'t mut dyn FnMut(Event),
    ) -> Self {
        let revisions: HashSet<Digest> = tree.revisions.iter().map(|link| link.digest).collect();
        let manifests = HashSet::with_capacity(revisions.len());
        let needed = HashSet::with_capacity(revisions.len() + tree.layers.len());
        let reach = Reach { manifests, needed, ..Reach::default() };
        let (order, stack) = (Vec::with_capacity(revisions.len()), Vec::new());
        Self { tree, evidence, revisions, order, stack, tell, reach }
    }

    fn collect_doubts(&mut self) {
        self.reach.doubts.clone_from(&self.evidence.doubts);
        let mut doubts: Vec<(&Digest, &What)> = Vec::new();
        for (digest, known) in &self.evidence.manifests {
            match known {
                Known::Manifest(_) => {}
                Known::Missing => self.reach.missing.push(*digest),
                Known::Doubtful(what) => doubts.push((digest, what)),
            }
        }
        doubts.sort_unstable_by_key(|(digest, _)| **digest);
        self.reach.missing.sort_unstable();
        self.reach.doubts.extend(doubts.into_iter().map(|(_, what)| What::clone(what)));
    }

    fn manifest(&self, digest: &Digest) -> Option<&'t Manifest> {
        match self.evidence.manifests.get(digest) {
            Some(Known::Manifest(manifest)) => Some(manifest),
            Some(Known::Missing | Known::Doubtful(_)) | None => None,
        }
    }

    fn visit_root(&mut self, root: Digest) {
        (self.tell)(Event::Manifest(root));
        self.visit(root);
    }

    /// Keeps a manifest and all it refers to, each reference followed before its next sibling. The walk keeps its own
    /// stack: indexes may nest as deep as they like.
    fn visit(&mut self, root: Digest) {
        let entered = self.enter(root);
        self.stack.extend(entered);
        while let Some(edges) = self.stack.last_mut() {
            let Some(edge) = edges.find(Edge::keeps_alive) else {
                self.stack.pop();
                continue;
            };
            if !self.keep(edge.digest) {
                continue; // named before, and entered then where it is a manifest
            }
            (self.tell)(Event::Blob(edge.digest));
            if self.is_served_manifest(&edge) {
                let entered = self.enter(edge.digest);
                self.stack.extend(entered);
            }
        }
    }

    /// Keeps a manifest; its edges, where it is kept for the first time and understood.
    fn enter(&mut self, digest: Digest) -> Option<Edges<'t>> {
        if !self.reach.manifests.insert(digest) {
            return None;
        }
        self.order.push(digest);
        self.keep(digest);
        self.manifest(&digest).map(|manifest| manifest.edges())
    }

    /// Whether a client could pull the target of an edge as a manifest from this repository, whatever the edge says
    /// that it is.
    fn is_served_manifest(&self, edge: &Edge) -> bool {
        self.revisions.contains(&edge.digest) || self.manifest(&edge.digest).is_some()
    }

    /// Keeps what a digest names; whether nothing needed it before.
    fn keep(&mut self, digest: Digest) -> bool {
        self.reach.needed.insert(digest)
    }

    /// Keeps the referrers of all that was kept since it was asked last, what tags point to that hang on it, and what
    /// hangs on these.
    fn visit_hanging(&mut self, hanging: &mut Hanging) {
        while let Some(subject) = self.order.get(hanging.visited).copied() {
            for digest in hanging.take(&subject) {
                if !self.reach.manifests.contains(&digest) {
                    self.visit_root(digest);
                }
            }
            hanging.visited += 1;
        }
    }

    /// What hangs on manifests of this repository.
    fn hanging(&self, verdicts: Option<&Verdicts>) -> Hanging {
        let followers = verdicts.map(|verdicts| verdicts.followers(self.evidence));
        let followers = followers.unwrap_or_default();
        Hanging { referrers: self.referrers(), followers, visited: 0 }
    }

    /// What goes under a policy, and which manifests only such tags reach that go.
    fn expiry(&self, verdicts: Verdicts) -> Expiry {
        let kept = &self.reach.manifests;
        let mut manifests = HashMap::new();
        let mut quiet = drop;
        let mut walk = Walk::new(self.tree, self.evidence, &mut quiet);
        walk.reach.manifests.clone_from(kept);
        let mut hanging = walk.hanging(Some(&verdicts));
        for (target, rule) in verdicts.expiring(self.evidence) {
            if !walk.reach.manifests.contains(&target) {
                walk.visit_root(target);
                walk.visit_hanging(&mut hanging);
                let reached = walk.order.drain(..);
                manifests.extend(reached.map(|digest| (digest, rule)));
                hanging.visited = 0;
            }
        }
        verdicts.settled(self.tree, kept, manifests)
    }

    /// The revisions that refer to a subject, by subject.
    fn referrers(&self) -> HashMap<Digest, Vec<Digest>> {
        let mut referrers: HashMap<Digest, Vec<Digest>> = HashMap::new();
        for link in &self.tree.revisions {
            if let Some(subject) = self.manifest(&link.digest).and_then(Manifest::subject) {
                referrers.entry(subject).or_default().push(link.digest);
            }
        }
        referrers
    }

    /// Signatures are served by their own links; a layer link of the same digest is not needed for them.
    fn keep_signatures(&mut self) {
        for signature in &self.tree.signatures {
            if self.reach.manifests.contains(&signature.revision) {
                self.reach.signatures.insert(signature.link.digest);
            }
        }
    }

    /// Layers too young to judge, and all of them where somebody is uploading and that counts.
    fn keep_layers(&mut self, rules: &Rules) {
        let keeps_all = rules.beside >= Beside::InUse && is_pushed_to(self.tree, rules);
        for link in &self.tree.layers {
            if keeps_all || is_young(link, rules) {
                self.keep(link.digest);
            }
        }
    }

    /// A blob served under another digest lives under its canonical one.
    fn keep_aliases(&mut self, rules: &Rules) {
        let (aliases, all) = (&self.evidence.aliases, rules.beside >= Beside::Aliased);
        let needed = |alias: &&Alias| all || self.reach.needed.contains(&alias.digest);
        let canonical: Vec<Digest> =
            aliases.iter().filter(needed).map(|alias| alias.canonical).collect();
        for digest in canonical {
            self.keep(digest);
        }
    }

    /// Keeps all that the repository would serve if anybody named it.
    fn keep_linked(&mut self) {
        let tree = self.tree;
        let links = tree.revisions.iter().chain(&tree.layers).map(|link| link.digest);
        for digest in links {
            self.keep(digest);
        }
    }

    /// G4: keeps all that any key of the repository names.
    fn pin(&mut self) {
        self.keep_linked();
        let tree = self.tree;
        let links = tree.tags.iter().flat_map(|tag| &tag.index);
        let links = links.chain(tree.signatures.iter().map(|signature| &signature.link));
        let aliases = self.evidence.aliases.iter().map(|alias| alias.canonical);
        let named = links.map(|link| link.digest).chain(aliases);
        for digest in named {
            self.keep(digest);
        }
    }
}

#[cfg(test)]
mod tests;
