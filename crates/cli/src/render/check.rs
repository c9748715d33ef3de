//! What a check found, as a table and as the summary object.

use std::fmt::Write as _;

use checker::{BrokenImage, Finding, Kind, Report, Severity};
use planner::{Amount, Plan, Requests, RowKind};
use serde::Serialize;

use super::{count, size};
use crate::Console;
use crate::check::{Checked, Verified};

/// What a check found, for people: images that cannot be pulled, then findings, the worst first.
#[must_use]
pub(crate) fn check_table(source: &str, checked: &Checked, console: Console) -> String {
    let mut text = format!(
        "{}\n{} repositories, {} manifests, {} tags, {} blobs of {}\n",
        console.bold(source),
        count(checked.repositories),
        count(checked.manifests),
        count(checked.tags),
        count(checked.blobs.count),
        size(checked.blobs.bytes),
    );
    if let Some(verified) = checked.verified {
        text.push_str(&verified_line(verified));
    }
    let report = &checked.report;
    text.push_str(&images(report, console));
    for severity in [Severity::Damage, Severity::Useless, Severity::Odd] {
        text.push_str(&findings(report, severity, console));
    }
    text.push_str(&checked.repairs.as_ref().map_or_else(String::new, repairs));
    if report.is_sound() {
        text.push_str("\nno damage: every image can be pulled, as far as was looked\n");
    }
    text
}

fn verified_line(verified: Verified) -> String {
    let Verified { percent, blobs, bytes } = verified;
    let part = if percent == 100 { String::new() } else { format!(", {percent} % of all") };
    format!("{} blobs of {} compared with their digests{part}\n", count(blobs), size(bytes))
}

// Writing to a string cannot fail.

fn images(report: &Report, console: Console) -> String {
    let (tags, manifests) = (report.broken_tags(), report.broken_manifests());
    if tags + manifests == 0 {
        return String::new();
    }
    let head = format!("cannot be pulled: {} tags, {} manifests", count(tags), count(manifests));
    let mut text = format!("\n{}\n", console.bold(&head));
    for image in report.images() {
        let _ = writeln!(text, "  {}", image_name(image));
        let holder = image.fault.holder.filter(|holder| Some(*holder) != image.digest);
        let of = holder.map_or_else(String::new, |holder| format!("\n    of {holder}"));
        let _ = writeln!(text, "    {}{of}", image.fault);
    }
    let shown = report.images().len() as u64;
    let all: u64 = report.broken_images();
    more(&mut text, all.saturating_sub(shown), "  ");
    text
}

/// `library/app:latest,v1@sha256:…`
fn image_name(image: &BrokenImage) -> String {
    let tags = image.tags.join(",");
    let tags = if tags.is_empty() { tags } else { format!(":{tags}") };
    let digest = image.digest.map_or_else(String::new, |digest| format!("@{digest}"));
    format!("{}{tags}{digest}", image.repository)
}

fn findings(report: &Report, severity: Severity, console: Console) -> String {
    let all = report.count(severity);
    if all == 0 {
        return String::new();
    }
    let mut text = format!("\n{}\n", console.bold(&format!("{}: {}", severity.name(), count(all))));
    for (kind, number, sample) in report.kinds().filter(|(kind, ..)| kind.severity() == severity) {
        let _ = writeln!(text, "  {} {}: {}", count(number), kind.name(), kind.follows());
        for finding in sample {
            let _ = writeln!(text, "    {}", finding.key);
            if !finding.detail.is_empty() {
                let _ = writeln!(text, "      {}", finding.detail);
            }
        }
        more(&mut text, number.saturating_sub(sample.len() as u64), "    ");
    }
    text
}

/// How many links a plan writes anew, and how many go.
fn repair_counts(plan: &Plan) -> (u64, u64) {
    let rewrite = plan.totals().of(RowKind::BrokenLink).count;
    (rewrite, plan.totals().all().count - rewrite)
}

/// What a plan would do about it.
fn repairs(plan: &Plan) -> String {
    let (rewrite, remove) = repair_counts(plan);
    let (rewrite, remove) = (count(rewrite), count(remove));
    format!(
        "\ncan be repaired: {rewrite} broken links to write anew, {remove} useless links to remove\n"
    )
}

fn more(text: &mut String, unseen: u64, indent: &str) {
    if unseen > 0 {
        let _ = writeln!(text, "{indent}and {} more", count(unseen));
    }
}

/// What a check found, for machines. Fields are only ever added.
#[derive(Debug, Serialize)]
pub(crate) struct CheckSummary<'a> {
    /// `check`.
    #[serde(rename = "type")]
    kind: &'static str,
    location: &'a str,
    /// Whether there is no damage, as far as was looked.
    sound: bool,
    repositories: u64,
    manifests: u64,
    tags: u64,
    blobs: Amount,
    verified: Option<Verified>,
    broken_tags: u64,
    broken_manifests: u64,
    /// The first of them.
    broken_images: Vec<ImageObject<'a>>,
    findings: Vec<KindObject<'a>>,
    requests: Requests,
    /// The plan of repairs, where one was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    repair: Option<RepairObject>,
}

#[derive(Debug, Serialize)]
struct RepairObject {
    plan: String,
    plan_id: String,
    /// Broken links that are written anew.
    rewrite: u64,
    /// Useless links that go.
    remove: u64,
}

#[derive(Debug, Serialize)]
struct ImageObject<'a> {
    repository: &'a str,
    tags: &'a [Box<str>],
    digest: Option<String>,
    trouble: &'static str,
    part: &'static str,
    lacks: Option<String>,
    holder: Option<String>,
}

#[derive(Debug, Serialize)]
struct KindObject<'a> {
    kind: &'static str,
    severity: &'static str,
    follows: &'static str,
    count: u64,
    /// The first of them.
    sample: Vec<FindingObject<'a>>,
}

#[derive(Debug, Serialize)]
struct FindingObject<'a> {
    repository: Option<&'a str>,
    key: &'a str,
    detail: &'a str,
}

impl<'a> CheckSummary<'a> {
    pub(crate) fn new(location: &'a str, checked: &'a Checked) -> Self {
        let report = &checked.report;
        Self {
            kind: "check",
            location,
            sound: report.is_sound(),
            repositories: checked.repositories,
            manifests: checked.manifests,
            tags: checked.tags,
            blobs: checked.blobs,
            verified: checked.verified,
            broken_tags: report.broken_tags(),
            broken_manifests: report.broken_manifests(),
            broken_images: report.images().iter().map(ImageObject::from).collect(),
            findings: report.kinds().map(KindObject::from).collect(),
            requests: checked.requests,
            repair: checked.repairs.as_ref().map(RepairObject::from),
        }
    }
}

impl From<&Plan> for RepairObject {
    fn from(plan: &Plan) -> Self {
        let (rewrite, remove) = repair_counts(plan);
        let (plan, plan_id) = (plan.dir().display().to_string(), plan.id().to_string());
        Self { plan, plan_id, rewrite, remove }
    }
}

impl<'a> From<&'a BrokenImage> for ImageObject<'a> {
    fn from(image: &'a BrokenImage) -> Self {
        Self {
            repository: image.repository.as_str(),
            tags: &image.tags,
            digest: image.digest.map(|digest| digest.to_string()),
            trouble: image.fault.trouble.name(),
            part: image.fault.part.name(),
            lacks: image.fault.digest.map(|digest| digest.to_string()),
            holder: image.fault.holder.map(|holder| holder.to_string()),
        }
    }
}

impl<'a> From<(Kind, u64, &'a std::collections::BTreeSet<Finding>)> for KindObject<'a> {
    fn from((kind, count, sample): (Kind, u64, &'a std::collections::BTreeSet<Finding>)) -> Self {
        Self {
            kind: kind.name(),
            severity: kind.severity().name(),
            follows: kind.follows(),
            count,
            sample: sample.iter().map(FindingObject::from).collect(),
        }
    }
}

impl<'a> From<&'a Finding> for FindingObject<'a> {
    fn from(finding: &'a Finding) -> Self {
        let repository = finding.repository.as_ref().map(registry::RepositoryName::as_str);
        Self { repository, key: &finding.key, detail: &finding.detail }
    }
}
