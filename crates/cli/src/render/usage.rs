//! A census as the object of `--json`.

use census::{BlobTotals, ByTag, Census, Keeps, Reclaimable, RepositoryUsage, TagUsage, Totals};
use planner::{Amount, Policy, Requests};
use registry::Timestamp;
use serde::{Serialize, Serializer};

use crate::Console;
use crate::args::UsageOrder;
use crate::usage::{MultipartTotals, MultipartUsage};

/// A census to show.
#[derive(Clone, Copy, Debug)]
pub struct UsageView<'a> {
    /// The registry, as it was typed.
    pub source: &'a str,
    /// When the census was begun, by the store's clock.
    pub t0: Timestamp,
    /// By which rules something is needed.
    pub policy: Policy,
    /// What was counted.
    pub census: &'a Census,
    /// Incomplete multipart uploads.
    pub multipart: &'a MultipartUsage,
    /// What a table has first.
    pub order: UsageOrder,
    /// How many repositories, and tags of each, a table has; none: all.
    pub most: Option<usize>,
    /// What it can show.
    pub console: Console,
}

/// A census, for machines. Fields are only ever added. It is told as it is written: there may be millions of tags.
#[derive(Clone, Debug, Serialize)]
pub struct UsageSummary<'a> {
    /// `usage`.
    #[serde(rename = "type")]
    kind: &'static str,
    location: &'a str,
    t0: String,
    policy: Rules,
    totals: All,
    #[serde(serialize_with = "each_repository")]
    repositories: &'a [RepositoryUsage],
    requests: Requests,
}

/// By which rules something is needed; times in seconds.
#[derive(Clone, Copy, Debug, Serialize)]
struct Rules {
    untagged: bool,
    grace: u64,
    uploads_older_than: u64,
}

#[derive(Clone, Debug, Serialize)]
struct All {
    manifests: u64,
    tags: u64,
    doubtful: u64,
    blobs: Amount,
    exclusive: Amount,
    shared: Amount,
    too_young: Amount,
    reclaimable: Parts,
    orphans: Amount,
    uploads: Amount,
    multipart_uploads: Multipart,
    missing: u64,
}

/// Incomplete multipart uploads; apart from the uploads of repositories, which are objects.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
enum Multipart {
    Known {
        #[serde(flatten)]
        all: Amount,
        /// What a plan would abort.
        reclaimable: Amount,
        /// Of these the bytes are not known.
        unread: u64,
        /// Those that are no registry's, which are counted nowhere else.
        foreign: u64,
    },
    Unknown {
        why: String,
    },
}

/// What a plan would delete.
#[derive(Clone, Copy, Debug, Serialize)]
struct Parts {
    blobs: Amount,
    links: Amount,
    uploads: Amount,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Kept {
    keeps: Amount,
    exclusive: Amount,
    shared: Amount,
    missing: u64,
}

#[derive(Clone, Debug, Serialize)]
struct Repository<'a> {
    #[serde(rename = "repository")]
    name: &'a str,
    doubt: Option<&'a str>,
    manifests: u64,
    tags: u64,
    #[serde(flatten)]
    kept: Kept,
    reclaimable: Parts,
    uploads: Amount,
    by_tag: Option<Tags<'a>>,
}

#[derive(Clone, Debug, Serialize)]
struct Tags<'a> {
    #[serde(serialize_with = "each_tag")]
    tags: &'a [TagUsage],
    no_tag: Amount,
}

#[derive(Clone, Debug, Serialize)]
struct Tag<'a> {
    #[serde(rename = "tag")]
    name: &'a str,
    digest: Option<String>,
    #[serde(flatten)]
    kept: Kept,
}

fn each_repository<S: Serializer>(all: &[RepositoryUsage], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(all.iter().map(Repository::from))
}

fn each_tag<S: Serializer>(all: &[TagUsage], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(all.iter().map(Tag::from))
}

impl<'a> UsageSummary<'a> {
    /// All that a census says, in the order of the names; `requests` are those of this run.
    #[must_use]
    pub fn of(view: &UsageView<'a>, requests: Requests) -> Self {
        Self {
            kind: "usage",
            location: view.source,
            t0: view.t0.to_string(),
            policy: Rules::from(view.policy),
            totals: All::of(&view.census.totals, view.multipart),
            repositories: &view.census.repositories,
            requests,
        }
    }
}

impl From<Policy> for Rules {
    fn from(policy: Policy) -> Self {
        let Policy { untagged, grace, uploads_older_than } = policy;
        Self { untagged, grace: grace.as_secs(), uploads_older_than: uploads_older_than.as_secs() }
    }
}

impl<'a> From<&'a ByTag> for Tags<'a> {
    fn from(by_tag: &'a ByTag) -> Self {
        Self { tags: &by_tag.tags, no_tag: by_tag.no_tag }
    }
}

impl All {
    fn of(totals: &Totals, multipart: &MultipartUsage) -> Self {
        let Totals { blobs, manifests, tags, uploads, reclaimable, doubtful } = *totals;
        let BlobTotals { all, exclusive, shared, too_young, orphans, missing } = blobs;
        let reclaimable = Parts::from(reclaimable);
        let blobs = all;
        Self {
            manifests,
            tags,
            doubtful,
            blobs,
            exclusive,
            shared,
            too_young,
            reclaimable,
            orphans,
            uploads,
            multipart_uploads: Multipart::from(multipart),
            missing,
        }
    }
}

impl From<&MultipartUsage> for Multipart {
    fn from(usage: &MultipartUsage) -> Self {
        match usage {
            MultipartUsage::Known(totals) => {
                let MultipartTotals { all, reclaimable, unread, foreign } = *totals;
                Self::Known { all, reclaimable, unread, foreign }
            }
            MultipartUsage::Unknown { why } => Self::Unknown { why: why.clone() },
        }
    }
}

impl From<Reclaimable> for Parts {
    fn from(Reclaimable { blobs, links, uploads }: Reclaimable) -> Self {
        Self { blobs, links, uploads }
    }
}

impl From<&Keeps> for Kept {
    fn from(keeps: &Keeps) -> Self {
        let Keeps { all, exclusive, missing } = *keeps;
        Self { keeps: all, exclusive, shared: keeps.shared(), missing }
    }
}

impl<'a> From<&'a RepositoryUsage> for Repository<'a> {
    fn from(usage: &'a RepositoryUsage) -> Self {
        Self {
            name: usage.name.as_str(),
            doubt: usage.doubt.as_deref(),
            manifests: usage.manifests,
            tags: usage.tags,
            kept: Kept::from(&usage.keeps),
            reclaimable: Parts::from(usage.reclaimable),
            uploads: usage.uploads,
            by_tag: usage.by_tag.as_ref().map(Tags::from),
        }
    }
}

impl<'a> From<&'a TagUsage> for Tag<'a> {
    fn from(usage: &'a TagUsage) -> Self {
        Self {
            name: &usage.name,
            digest: usage.digest.map(|digest| digest.to_string()),
            kept: Kept::from(&usage.keeps),
        }
    }
}
