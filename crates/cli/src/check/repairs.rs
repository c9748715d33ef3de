//! Repairs, as the plan that carries them out: a check itself changes nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use checker::{Remedy, Repair, Useless};
use marker::{MarkSet, Marked};
use monitor::Counter;
use planner::{
    Cutoffs, Doubts, Facts, Header, Plan, PlanWriter, Policy, Purpose, Reason, Row, RowKind,
    facts_of,
};
use registry::RepositoryName;
use store::ReadStore;

use crate::Failure;
use crate::collect::{begin_plan, now, requests};
use crate::survey::{Survey, sole};

/// Which repairs are wanted, and where their plan goes.
#[derive(Clone, Debug)]
pub(crate) struct Mending<'a> {
    /// What was typed, for the plan.
    pub(crate) source: &'a str,
    /// Options of the store, for the plan.
    pub(crate) options: BTreeMap<String, String>,
    /// Nothing younger is touched (G1).
    pub(crate) grace: Duration,
    /// The plan's directory.
    pub(crate) out: &'a Path,
}

/// A plan of repairs that is being written.
pub(super) struct Draft<'a> {
    wish: &'a Mending<'a>,
    policy: Policy,
    cutoffs: Cutoffs,
    writer: Arc<PlanWriter>,
}

impl<'a> Draft<'a> {
    /// Begins a plan. Whatever is listed is listed later than its T0.
    ///
    /// # Errors
    /// Where the store does not tell the time, or the directory is not free.
    pub(super) async fn begin<S: ReadStore>(
        store: &S,
        wish: &'a Mending<'a>,
    ) -> Result<Self, Failure> {
        let Mending { source, grace, out, .. } = *wish;
        let policy = Policy { untagged: false, grace, uploads_older_than: grace };
        let cutoffs = policy.at(now(store, source).await?);
        let writer = Arc::new(begin_plan(store, out)?);
        Ok(Self { wish, policy, cutoffs, writer })
    }

    /// What takes in the repairs of repositories.
    pub(super) fn pen(&self) -> Pen {
        Pen { cutoffs: self.cutoffs, writer: Arc::clone(&self.writer), facts: Facts::default() }
    }

    /// Ends the plan; none where there is nothing to repair. All pens are put down.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub(super) fn finish<S: ReadStore>(
        self,
        survey: Survey<'_, S>,
        marks: &MarkSet,
        mut facts: Facts,
    ) -> Result<Option<Plan>, Failure> {
        let get = |counter| survey.monitor.get(counter);
        facts.tags = get(Counter::Tags);
        facts.marked = marks.len();
        facts.keys = get(Counter::RepositoryKeys) + get(Counter::BlobKeys);
        let blobs = (get(Counter::Blobs), get(Counter::BlobBytes));
        (facts.blobs.count, facts.blobs.bytes) = blobs;
        let header = self.header(survey, facts);
        let writer = sole(self.writer, "the plan is still being written")?;
        if writer.is_empty() {
            writer.abandon()?;
            return Ok(None);
        }
        Ok(Some(writer.finish(&header, marks)?))
    }

    fn header<S: ReadStore>(&self, survey: Survey<'_, S>, facts: Facts) -> Header {
        Header {
            created_by: env!("CARGO_PKG_VERSION").to_owned(),
            location: planner::Location {
                identity: survey.store.identity().to_owned(),
                source: self.wish.source.to_owned(),
                base: survey.layout.base().to_owned(),
                options: self.wish.options.clone(),
            },
            purpose: Purpose::Repair,
            policy: self.policy,
            retention: None,
            keep_list: None,
            t0: self.cutoffs.t0,
            doubts: Doubts::default(),
            notes: Vec::new(),
            facts,
            requests: requests(survey.monitor),
            multipart: None,
        }
    }
}

/// Writes down the repairs of one repository after the other.
pub(super) struct Pen {
    cutoffs: Cutoffs,
    writer: Arc<PlanWriter>,
    facts: Facts,
}

impl Pen {
    /// Takes in what was seen of a repository, and what can be repaired of it.
    ///
    /// # Errors
    /// Where the plan cannot be written.
    pub(super) fn write(&mut self, marked: &Marked, repairs: &[Repair]) -> Result<(), Failure> {
        self.facts.merge(&facts_of(marked, &self.cutoffs));
        let name = &marked.tree.name;
        let rows = repairs.iter().filter_map(|repair| row(name, repair, &self.cutoffs));
        Ok(self.writer.add(rows.collect())?)
    }

    /// What was seen.
    pub(super) fn put_down(self) -> Facts {
        self.facts
    }
}

/// The row that carries a repair out; none where anything of it is too young to judge (G1).
fn row(repository: &RepositoryName, repair: &Repair, cutoffs: &Cutoffs) -> Option<Row> {
    let Repair { link, digest, remedy } = repair;
    let (kind, reason) = match remedy {
        Remedy::Rewrite => (RowKind::BrokenLink, Reason::BrokenLink),
        Remedy::Remove(Useless::Layer) => (RowKind::LayerLink, Reason::UnneededHere),
        Remedy::Remove(Useless::History) => (RowKind::TagLink, Reason::DeadTagHistory),
    };
    let is_old = link.modified < cutoffs.objects;
    is_old.then(|| Row {
        kind,
        repository: Some(repository.clone()),
        digest: Some(*digest),
        key: link.key.clone().into(),
        bytes: link.size,
        modified: link.modified,
        reason,
        rule: None,
        upload: None,
        etag: link.etag.as_deref().map(Into::into),
    })
}
