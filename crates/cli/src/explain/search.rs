//! Looks in each repository for what keeps or names a digest.

use std::sync::Arc;

use marker::{DigestSetBuilder, Marked, Rules, trace};
use planner::{Cutoffs, Facts, Row, judge_repository};
use policy::Retention;
use registry::Digest;
use store::Listed;

use super::ruled::{Going, Ruled};
use super::{Holding, NamedBy};
use crate::Failure;
use crate::survey::SeesRepositories;

/// A search for one digest.
pub(super) struct Search {
    digest: Digest,
    rules: Rules,
    cutoffs: Cutoffs,
    unlinked: Arc<DigestSetBuilder>,
    retention: Option<Arc<Retention>>,
    pub(super) facts: Facts,
    pub(super) holdings: Vec<Holding>,
}

impl Search {
    pub(super) fn new(
        digest: Digest,
        rules: Rules,
        cutoffs: Cutoffs,
        unlinked: Arc<DigestSetBuilder>,
    ) -> Self {
        let (facts, holdings) = (Facts::default(), Vec::new());
        Self { digest, rules, cutoffs, unlinked, retention: None, facts, holdings }
    }

    /// The same by a policy.
    pub(super) fn by(self, retention: Option<&Arc<Retention>>) -> Self {
        Self { retention: retention.cloned(), ..self }
    }

    fn holding(&self, marked: &Marked, rows: &[Row]) -> Holding {
        let paths = trace(marked, &self.rules, self.digest);
        let is_pinned = marked.reach.is_pinned();
        let doubts = marked.reach.doubts.iter().filter(|_| is_pinned);
        let going = Going::of(rows);
        let policy = self.retention.as_deref();
        Holding {
            repository: marked.tree.name.clone(),
            paths,
            doubts: doubts.map(ToString::to_string).collect(),
            links: self.links(marked, &going),
            ruled: policy.map(|policy| Ruled::of(marked, policy, &going, self.digest)),
        }
    }

    /// The keys that name the digest, and which of them go.
    fn links(&self, marked: &Marked, going: &Going<'_>) -> Vec<NamedBy> {
        let tree = &marked.tree;
        let links = tree.revisions.iter().chain(&tree.layers);
        let links = links.chain(tree.signatures.iter().map(|signature| &signature.link));
        let links = links.chain(tree.tags.iter().flat_map(|tag| &tag.index));
        let links = links.filter(|link| link.digest == self.digest).map(|link| &link.listed);
        let points_here =
            marked.evidence.pointers.iter().filter(|target| target.digest == self.digest);
        let current = points_here.filter_map(|target| tree.tags.get(target.tag)?.current.as_ref());
        let named = |listed: &Listed| NamedBy {
            key: listed.key().into(),
            modified: listed.object().map(|object| object.modified),
            goes: going.of_key(listed.key()),
        };
        links.chain(current).map(named).collect()
    }
}

impl SeesRepositories for Search {
    fn see(&mut self, marked: Marked) -> Result<(), Failure> {
        let judged = judge_repository(&marked, &self.cutoffs);
        self.facts.merge(&judged.facts);
        self.unlinked.add(judged.rows.iter().filter_map(|row| row.digest))?;
        let holding = self.holding(&marked, &judged.rows);
        let is_reached = holding.ruled.as_ref().is_some_and(|ruled| !ruled.tags.is_empty());
        if !holding.paths.is_empty() || !holding.links.is_empty() || is_reached {
            self.holdings.push(holding);
        }
        Ok(())
    }
}
