//! Why a repository keeps a digest: pure.

use std::borrow::Cow;
use std::collections::{BTreeSet, VecDeque};

use foldhash::{HashMap, HashSet};
use lister::{Link, TagTree};
use policy::{RuleId, Subject, Verdict};
use registry::{Digest, Manifest, Role, Timestamp};

use crate::reach::{is_pushed_to, is_young};
use crate::{Alias, Beside, Evidence, Known, Marked, Rules};

/// Something that is kept for its own sake.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ground {
    /// A tag points to it.
    Tag(Box<str>),
    /// The history of a tag that points elsewhere names a manifest that the repository serves.
    History(Box<str>),
    /// A tag points to it that a policy lets go, and nothing says when manifests go that no tag reaches.
    ExpiredTag(Box<str>),
    /// It is a manifest of the repository, and every one of these is kept.
    Revision,
    /// No tag keeps it, and it was pushed too short a time ago for the rule about such manifests.
    Recent {
        /// The rule.
        rule: RuleId,
        /// It stays until then.
        until: Timestamp,
    },
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
    /// A tag points to it that belongs to a manifest by its name, under a policy.
    Follows,
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
/// exactly where the repository does not keep it. `rules` are those of the run; a policy that covers the repository adds
/// its own.
///
/// What tags point to is that of [`Evidence::pointers`], and what decides.
#[must_use]
pub fn trace(marked: &Marked, rules: &Rules, digest: Digest) -> Vec<Path> {
    if !marked.reach.needed.contains(&digest) && !marked.reach.signatures.contains(&digest) {
        return Vec::new();
    }
    let ways = ways_to(digest, &Web::kept(marked, rules).leads(digest));
    let grounds = Grounds::of_repository(marked, rules);
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

/// The tags from which one gets to `digest`, whatever becomes of them, by position in
/// [`RepositoryTree::tags`](lister::RepositoryTree::tags), ascending.
#[must_use]
pub fn tags_to(marked: &Marked, digest: Digest) -> Vec<usize> {
    let ways = ways_to(digest, &Web::whole(marked).leads(digest));
    let tags = targets(marked).filter(|(_, target)| ways.contains_key(target));
    tags.map(|(tag, _)| tag).collect::<BTreeSet<usize>>().into_iter().collect()
}

/// What tags point to, by position; several times where that was found out in more than one way.
fn targets(marked: &Marked) -> impl Iterator<Item = (usize, Digest)> + '_ {
    let Marked { evidence, .. } = marked;
    let targets = evidence.pointers.iter().chain(&evidence.targets);
    targets.map(|target| (target.tag, target.digest))
}

/// What leads to a digest, by digest.
type Leads = HashMap<Digest, Vec<(Digest, Lead)>>;

/// Everything by which one digest leads to another in a repository.
struct Web<'m> {
    marked: &'m Marked,
    /// The manifests that lead on.
    manifests: Cow<'m, HashSet<Digest>>,
    /// Whether every link that serves another digest leads on, or only those that are needed.
    all_aliases: bool,
}

impl<'m> Web<'m> {
    /// Of what stays.
    fn kept(marked: &'m Marked, rules: &Rules) -> Self {
        let manifests = Cow::Borrowed(&marked.reach.manifests);
        Self { marked, manifests, all_aliases: rules.beside >= Beside::Aliased }
    }

    /// Also of what goes: of all that is served as a manifest, or that a tag points to.
    fn whole(marked: &'m Marked) -> Self {
        let is_there = |(digest, known): (&Digest, &Known)| {
            matches!(known, Known::Manifest(_)).then_some(*digest)
        };
        let served = marked.evidence.manifests.iter().filter_map(is_there);
        let served = served.chain(marked.tree.revisions.iter().map(|link| link.digest));
        let served = served.chain(marked.reach.manifests.iter().copied());
        let manifests = served.chain(targets(marked).map(|(_, target)| target)).collect();
        Self { marked, manifests: Cow::Owned(manifests), all_aliases: true }
    }

    fn serves(&self, alias: &Alias) -> bool {
        self.all_aliases || self.marked.reach.needed.contains(&alias.digest)
    }

    /// All that leads on. What signs leads to `digest` alone: a signature keeps nothing else.
    fn leads(&self, digest: Digest) -> Leads {
        let Marked { tree, evidence, .. } = self.marked;
        let revisions: HashSet<Digest> = tree.revisions.iter().map(|link| link.digest).collect();
        let mut leads = Leads::default();
        let mut add =
            |from: Digest, lead, to: Digest| leads.entry(to).or_default().push((from, lead));
        for from in self.manifests.iter() {
            let Some(manifest) = manifest(evidence, from) else { continue };
            for edge in manifest.references() {
                add(*from, Lead::Names(edge.role), edge.digest);
            }
            let subject = manifest.subject().filter(|to| self.manifests.contains(to));
            if let Some(subject) = subject.filter(|_| revisions.contains(from)) {
                add(subject, Lead::RefersTo, *from);
            }
        }
        let signatures = tree.signatures.iter().filter(|found| found.link.digest == digest);
        for signature in signatures {
            if self.manifests.contains(&signature.revision) {
                add(signature.revision, Lead::Signs, signature.link.digest);
            }
        }
        for alias in evidence.aliases.iter().filter(|alias| self.serves(alias)) {
            add(alias.digest, Lead::ServedAs, alias.canonical);
        }
        for (subject, follower) in followers(self.marked) {
            if self.manifests.contains(&subject) {
                add(subject, Lead::Follows, follower);
            }
        }
        // Of ways of one length the same is taken each time.
        for from in leads.values_mut() {
            from.sort_unstable();
        }
        leads
    }
}

/// The manifests of the repository to which tags belong by their names, under a policy, each with what the tag points to.
fn followers(marked: &Marked) -> Vec<(Digest, Digest)> {
    let Some(expiry) = &marked.expiry else { return Vec::new() };
    let subjects = expiry.subjects(&marked.tree);
    let of = |(tag, target): (usize, Digest)| match expiry.verdicts.get(tag)? {
        Verdict::Follow(subject) => Some((*subjects.get(subject)?, target)),
        Verdict::Keep(_) | Verdict::Expire(_) => None,
    };
    targets(marked).filter_map(of).collect()
}

fn manifest<'e>(evidence: &'e Evidence, digest: &Digest) -> Option<&'e Manifest> {
    match evidence.manifests.get(digest) {
        Some(Known::Manifest(manifest)) => Some(manifest),
        Some(Known::Missing | Known::Doubtful(_)) | None => None,
    }
}

/// The first step of a shortest way from each digest that leads to `digest`; none from itself.
fn ways_to(digest: Digest, leads: &Leads) -> HashMap<Digest, Option<(Lead, Digest)>> {
    let mut ways = HashMap::from_iter([(digest, None)]);
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
    /// By which the repository was marked.
    rules: Rules,
    /// The manifests to which tags belong by their names.
    subjects: HashMap<Subject, Digest>,
}

impl<'m> Grounds<'m> {
    fn of_repository(marked: &'m Marked, rules: &Rules) -> Self {
        let expiry = marked.expiry.as_ref();
        let rules = expiry.map_or(*rules, |expiry| rules.under(expiry.untagged));
        let subjects = expiry.map(|expiry| expiry.subjects(&marked.tree)).unwrap_or_default();
        Self { marked, rules, subjects }
    }

    fn of(&self, digest: Digest) -> Vec<Ground> {
        let Marked { tree, reach, .. } = self.marked;
        let mut grounds = Vec::new();
        let revision = tree.revisions.iter().find(|link| link.digest == digest);
        let layer = tree.layers.iter().find(|link| link.digest == digest);
        if reach.manifests.contains(&digest) {
            grounds.extend(self.as_manifest(digest, revision));
        }
        let mut links = revision.iter().chain(&layer);
        grounds.extend(links.any(|link| is_young(link, &self.rules)).then_some(Ground::Young));
        let in_use = self.rules.beside >= Beside::InUse;
        let is_pushed_to = in_use && is_pushed_to(tree, &self.rules);
        grounds.extend(layer.filter(|_| is_pushed_to).map(|_| Ground::Upload));
        let is_linked = revision.is_some() || layer.is_some();
        let is_alias = self.rules.beside >= Beside::Aliased && self.is_alias(digest);
        if (self.rules.beside == Beside::Linked && is_linked) || is_alias {
            grounds.push(Ground::Linked);
        }
        grounds.extend((reach.is_pinned() && self.is_named(digest)).then_some(Ground::Doubt));
        grounds
    }

    /// Why a manifest that stays is a root.
    fn as_manifest(&self, digest: Digest, revision: Option<&Link>) -> Vec<Ground> {
        let all = !self.rules.untagged || self.marked.reach.is_pinned();
        let mut grounds: Vec<Ground> = self.tags(digest).collect();
        if !all {
            grounds.extend(revision.and_then(|link| self.recent(link)));
            return grounds;
        }
        grounds.extend(self.histories(digest, revision.is_none()));
        match revision {
            Some(_) => grounds.push(Ground::Revision),
            None => grounds.extend(self.expired_tags(digest)),
        }
        grounds
    }

    /// The tags that point to a manifest and keep it.
    fn tags(&self, digest: Digest) -> impl Iterator<Item = Ground> + '_ {
        let tags = self.pointing(digest).into_iter().filter(|tag| self.is_root(*tag));
        tags.filter_map(|tag| Some(Ground::Tag(self.name(tag)?)))
    }

    /// The tags that point to a manifest and go.
    fn expired_tags(&self, digest: Digest) -> impl Iterator<Item = Ground> + '_ {
        let tags = self.pointing(digest).into_iter().filter(|tag| self.goes(*tag));
        tags.filter_map(|tag| Some(Ground::ExpiredTag(self.name(tag)?)))
    }

    fn pointing(&self, digest: Digest) -> BTreeSet<usize> {
        targets(self.marked).filter(|(_, target)| *target == digest).map(|(tag, _)| tag).collect()
    }

    fn name(&self, tag: usize) -> Option<Box<str>> {
        Some(self.marked.tree.tags.get(tag)?.name.clone())
    }

    fn goes(&self, tag: usize) -> bool {
        self.marked.expiry.as_ref().is_some_and(|expiry| expiry.tags.contains_key(&tag))
    }

    /// Whether a tag keeps what it points to, whatever becomes of other manifests.
    fn is_root(&self, tag: usize) -> bool {
        let verdict = self.marked.expiry.as_ref().and_then(|expiry| expiry.verdicts.get(tag));
        match verdict {
            Some(Verdict::Expire(_)) => false,
            Some(Verdict::Follow(subject)) => !self.subjects.contains_key(subject),
            Some(Verdict::Keep(_)) | None => true,
        }
    }

    /// The rule that waits for a manifest to be old enough, where one does.
    fn recent(&self, revision: &Link) -> Option<Ground> {
        let untagged = self.marked.expiry.as_ref()?.untagged?;
        let Rules { t0, pushed, .. } = self.rules;
        let written = revision.modified().filter(|written| *written >= pushed)?;
        let is_young = is_young(revision, &self.rules);
        let until = written.after(t0.since(pushed));
        (!is_young).then_some(Ground::Recent { rule: untagged.rule, until })
    }

    /// The tags that once pointed to a manifest; also of those that go where `also_gone`.
    fn histories(&self, digest: Digest, also_gone: bool) -> impl Iterator<Item = Ground> + '_ {
        let Marked { tree, evidence, .. } = self.marked;
        let (is_served, points_here) =
            (evidence.manifests.contains_key(&digest), self.pointing(digest));
        let named = move |tag: &TagTree| tag.index.iter().any(|link| link.digest == digest);
        let tags = tree.tags.iter().enumerate().filter(move |_| is_served);
        let once = tags.filter(move |(at, tag)| named(tag) && !points_here.contains(at));
        let once = once.filter(move |(at, _)| also_gone || !self.goes(*at));
        once.map(|(_, tag)| Ground::History(tag.name.clone()))
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
