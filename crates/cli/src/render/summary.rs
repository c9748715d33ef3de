//! The summary object of `--json`.

use planner::{
    Amount, Doubt, Facts, KeepList, MultipartSeen, Note, Plan, Purpose, Requests, Retention,
    RowKind,
};
use report::Bill;
use serde::Serialize;
use sweeper::{Count, Ended, SweepReport};

use crate::registry_cache::CacheSummary;

/// What a run saw, planned and did, for machines. Fields are only ever added.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// `summary`.
    #[serde(rename = "type")]
    kind: &'static str,
    repositories: u64,
    manifests: u64,
    tags: u64,
    blobs: Amount,
    marked: u64,
    delete: Delete,
    requests: Requests,
    doubts: Vec<Doubt>,
    doubts_total: u64,
    notes: Vec<Note>,
    /// Broken links that are written anew; none where there are none.
    #[serde(skip_serializing_if = "is_nothing")]
    rewrite: Amount,
    plan: String,
    plan_id: String,
    /// `repair`; none where it is to delete what nothing needs.
    #[serde(skip_serializing_if = "is_collection")]
    purpose: Purpose,
    t0: String,
    swept: Option<Swept>,
    registry_cache: Option<CacheSummary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retention: Option<Retention>,
    /// What was seen of incomplete multipart uploads; none where nobody looked.
    multipart: Option<MultipartSeen>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keep_list: Option<KeepList>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<Bill>,
}

fn is_nothing(amount: &Amount) -> bool {
    *amount == Amount::default()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
fn is_collection(purpose: &Purpose) -> bool {
    *purpose == Purpose::Collection
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Delete {
    blobs: Amount,
    revision_links: Amount,
    tag_links: Amount,
    layer_links: Amount,
    uploads: Amount,
    /// None where they are not known.
    multipart_uploads: Option<Amount>,
}

impl Delete {
    fn of(plan: &Plan) -> Self {
        let totals = plan.totals();
        let multipart = totals.of(RowKind::MultipartUpload);
        Self {
            blobs: totals.of(RowKind::Blob),
            revision_links: totals.of(RowKind::RevisionLink),
            tag_links: totals.of(RowKind::TagLink),
            layer_links: totals.of(RowKind::LayerLink),
            uploads: totals.of(RowKind::Upload),
            multipart_uploads: plan.header().knows_multipart().then_some(multipart),
        }
    }
}

/// What became of the plan.
#[derive(Clone, Debug, Serialize)]
pub struct Swept {
    ended: &'static str,
    planned: Amount,
    deleted: Amount,
    /// Broken links that were written anew; none where there were none.
    #[serde(skip_serializing_if = "is_nothing")]
    rewritten: Amount,
    already_gone: Amount,
    spared: Amount,
    failed: Amount,
    left: Amount,
    /// What went from the trash, because it was kept long enough.
    purged: Amount,
    failures: Vec<FailedObject>,
}

/// An object that could not be deleted, and why.
#[derive(Clone, Debug, Serialize)]
struct FailedObject {
    key: String,
    message: String,
}

impl From<&SweepReport> for Swept {
    fn from(report: &SweepReport) -> Self {
        let amount = |count: Count| Amount { count: count.objects, bytes: count.bytes };
        let total = &report.total;
        Self {
            ended: match report.ended {
                Ended::Completed => "completed",
                Ended::Stopped => "stopped",
                Ended::Broken => "broken",
            },
            planned: amount(total.planned),
            deleted: amount(total.fates.deleted),
            rewritten: amount(total.fates.rewritten),
            already_gone: amount(total.fates.already_gone),
            spared: amount(total.fates.spared),
            failed: amount(total.fates.failed),
            left: amount(total.left),
            purged: Amount::default(),
            failures: report.failures.iter().map(FailedObject::from).collect(),
        }
    }
}

impl From<&sweeper::FailedObject> for FailedObject {
    fn from(failed: &sweeper::FailedObject) -> Self {
        Self { key: failed.key.to_string(), message: failed.failure.to_string() }
    }
}

impl Summary {
    /// The summary of a plan; `requests` are those of this run.
    #[must_use]
    pub fn of(plan: &Plan, requests: Requests) -> Self {
        let header = plan.header();
        let Facts { repositories, revisions, blobs, tags, marked, .. } = header.facts;
        Self {
            kind: "summary",
            repositories,
            manifests: revisions,
            tags,
            blobs,
            marked,
            delete: Delete::of(plan),
            requests,
            doubts: header.doubts.sample().to_vec(),
            doubts_total: header.doubts.total(),
            notes: header.notes.clone(),
            rewrite: plan.totals().of(RowKind::BrokenLink),
            plan: plan.dir().display().to_string(),
            plan_id: plan.id().to_string(),
            purpose: header.purpose,
            t0: header.t0.to_string(),
            swept: None,
            registry_cache: None,
            retention: header.retention.clone(),
            multipart: header.multipart.clone(),
            keep_list: header.keep_list.clone(),
            cost: None,
        }
    }

    /// The same, with what became of it.
    #[must_use]
    pub fn swept(self, report: &SweepReport) -> Self {
        Self { swept: Some(Swept::from(report)), ..self }
    }

    /// The same, with what became of the registry's cache.
    #[must_use]
    pub(crate) fn cache(self, cache: CacheSummary) -> Self {
        Self { registry_cache: Some(cache), ..self }
    }

    /// With what it costs and saves.
    #[must_use]
    pub(crate) fn cost(self, cost: Option<Bill>) -> Self {
        Self { cost, ..self }
    }

    /// With what went from the trash.
    #[must_use]
    pub fn purged(mut self, purged: Amount) -> Self {
        if let Some(swept) = &mut self.swept {
            swept.purged = purged;
        }
        self
    }

    /// With the requests of the whole run.
    #[must_use]
    pub fn requests(self, requests: Requests) -> Self {
        Self { requests, ..self }
    }
}
