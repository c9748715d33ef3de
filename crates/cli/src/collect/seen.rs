//! What is seen of repositories while they are marked.

use marker::{Event, Marked};
use planner::{Cutoffs, Doubt, Doubts, Facts};
use registry::{Digest, RepositoryName};

use super::by_rule::ByRule;

/// How the marking of one repository went.
#[derive(Debug)]
pub struct Told {
    /// The repository.
    pub repository: RepositoryName,
    /// Every step, in order.
    pub events: Vec<Event>,
    /// Manifests that go.
    pub dead: Vec<Digest>,
    /// Its tags, in key order.
    pub tags: Vec<Box<str>>,
    /// Whether it has anything but layers and uploads.
    pub has_manifests: bool,
}

/// What one marking task saw.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) facts: Facts,
    pub(super) doubts: Doubts,
    pub(super) told: Vec<Told>,
    pub(super) pinned: Vec<RepositoryName>,
    pub(super) by_rule: ByRule,
}

impl Seen {
    /// Takes in a repository: what was seen of it, and what is in doubt.
    pub(super) fn see(&mut self, marked: &Marked, facts: &Facts) {
        self.facts.merge(facts);
        self.pinned.extend(marked.reach.is_pinned().then(|| marked.tree.name.clone()));
        let repository = marked.tree.name.to_string();
        for what in &marked.reach.doubts {
            let (about, message) = (what.subject(), what.to_string());
            self.doubts.add(Doubt { repository: repository.clone(), what: about, message });
        }
    }

    /// Takes in what another task saw.
    pub(super) fn merge(&mut self, more: Self) {
        self.facts.merge(&more.facts);
        let unseen = more.doubts.total() - more.doubts.sample().len() as u64;
        more.doubts.sample().iter().for_each(|doubt| self.doubts.add(doubt.clone()));
        self.doubts.add_unseen(unseen);
        self.told.extend(more.told);
        self.pinned.extend(more.pinned);
        self.by_rule.merge(more.by_rule);
    }
}

/// How the marking of a repository went, which is over.
pub(super) fn told(marked: Marked, cutoffs: &Cutoffs) -> Told {
    let Marked { tree, reach, events, .. } = marked;
    let is_dead = |link: &&lister::Link| {
        cutoffs.untagged
            && !reach.is_pinned()
            && !reach.manifests.contains(&link.digest)
            && link.modified().is_some_and(|modified| modified < cutoffs.objects)
    };
    Told {
        repository: tree.name.clone(),
        events,
        dead: tree.revisions.iter().filter(is_dead).map(|link| link.digest).collect(),
        tags: tree.tags.iter().map(|tag| tag.name.clone()).collect(),
        has_manifests: !tree.revisions.is_empty()
            || !tree.tags.is_empty()
            || !tree.closed.is_empty(),
    }
}
