//! Plans and sweeps as tables.

use std::fmt::Write as _;

use planner::{Amount, MultipartSeen, Plan, Purpose, RowKind, RuleTold, Severity};
use report::Bill;
use sweeper::{Count, SweepReport};

use super::{count, size};
use crate::Console;

const NAMES: [(RowKind, &str); 6] = [
    (RowKind::Blob, "blobs"),
    (RowKind::RevisionLink, "revision links"),
    (RowKind::LayerLink, "layer links"),
    (RowKind::TagLink, "tag links"),
    (RowKind::Upload, "uploads"),
    (RowKind::MultipartUpload, "multipart"),
];

/// What a plan would do, for people: the registry, what goes by kind, what that costs, doubts and notes.
#[must_use]
pub fn plan_table(plan: &Plan, bill: Option<&Bill>, console: Console) -> String {
    let header = plan.header();
    let facts = &header.facts;
    let mut text = format!(
        "{}{}\n{} repositories, {} manifests, {} blobs of {}\n\n",
        console.bold(&header.location.source),
        purpose(header.purpose),
        count(facts.repositories),
        count(facts.revisions),
        count(facts.blobs.count),
        size(facts.blobs.bytes),
    );
    text.push_str(&keep_list(plan));
    line(&mut text, &console.bold(&format!("{:<16}", "to delete")), "objects", "bytes");
    // A repair is about a few links, whatever else there is.
    let is_told = |kind| header.purpose == Purpose::Collection || plan.totals().of(kind).count > 0;
    for (kind, name) in NAMES.into_iter().filter(|(kind, _)| is_told(*kind)) {
        let name = format!("{name:<16}");
        if kind == RowKind::MultipartUpload && !header.knows_multipart() {
            line(&mut text, &name, "not known", "");
            continue;
        }
        let amount = plan.totals().of(kind);
        line(&mut text, &name, &count(amount.count), &size(amount.bytes));
    }
    let (all, broken) = (plan.totals().all(), plan.totals().of(RowKind::BrokenLink));
    let (goes, bytes) = (all.count - broken.count, all.bytes.saturating_sub(broken.bytes));
    line(&mut text, &format!("{:<16}", "in all"), &count(goes), &size(bytes));
    if broken.count > 0 {
        let _ = writeln!(text, "\n{} broken links to write anew", count(broken.count));
    }
    text.push_str(&bill.map(|bill| format!("\n{}\n", bill.foreseen())).unwrap_or_default());
    text.push_str(&multipart(plan.header().multipart.as_ref()));
    text.push_str(&rules(plan, console));
    text.push_str(&doubts_and_notes(plan));
    let _ = writeln!(text, "\nplan {:.12} of {}", plan.id().to_string(), header.t0);
    text
}

/// A plan of repairs looks like any other, and must not be taken for one.
const fn purpose(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Collection => "",
        Purpose::Repair => "\nrepairs of what a check found; garbage stays where it is",
    }
}

/// Incomplete multipart uploads of which nobody knows whether they could go.
pub(super) fn multipart(seen: Option<&MultipartSeen>) -> String {
    match seen {
        Some(MultipartSeen::Unknown { why }) => {
            format!("\nincomplete multipart uploads are not known, and stay: {why}\n")
        }
        Some(MultipartSeen::Known { unread, .. }) if *unread > 0 => format!(
            "\n{} incomplete multipart uploads stay: their parts cannot be listed\n",
            count(*unread)
        ),
        Some(MultipartSeen::Known { .. }) | None => String::new(),
    }
}

/// By which list nothing goes but blobs.
fn keep_list(plan: &Plan) -> String {
    let Some(list) = &plan.header().keep_list else { return String::new() };
    let (digests, file, time) = (count(list.digests), &list.file, list.modified);
    format!(
        "only blobs go: none that a manifest names, and none of the {digests} on {file}\n\
         (of {time}, sha256 {:.12})\n\n",
        list.sha256
    )
}

/// What became of each rule of the retention policy.
fn rules(plan: &Plan, console: Console) -> String {
    let Some(retention) = &plan.header().retention else { return String::new() };
    let longest = retention.rules.iter().map(|rule| rule.name.chars().count()).max();
    let width = longest.unwrap_or(0).max(16);
    let head = console.bold(&format!("{:<width$}", "rules"));
    let mut text =
        format!("\n{head} {:>12} {:>12} {:>12}\n", "tags kept", "tags gone", "manifests");
    for RuleTold { name, keeps, expires, manifests, .. } in &retention.rules {
        let [keeps, expires, manifests] = [*keeps, *expires, *manifests].map(count);
        let _ = writeln!(text, "{name:<width$} {keeps:>12} {expires:>12} {manifests:>12}");
    }
    text
}

fn line(text: &mut String, name: &str, objects: &str, bytes: &str) {
    let line = format!("{name} {objects:>14} {bytes:>12}");
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{}", line.trim_end());
}

fn doubts_and_notes(plan: &Plan) -> String {
    const SHOWN: usize = 10;
    let header = plan.header();
    let (total, sample) = (header.doubts.total(), header.doubts.sample());
    let mut text = String::new();
    if total > 0 {
        let _ =
            writeln!(text, "\n{} in doubt, kept with all their repositories link:", count(total));
    }
    for doubt in sample.iter().take(SHOWN) {
        let _ = writeln!(text, "  {}: {}", doubt.repository, doubt.message);
    }
    if total > SHOWN as u64 && !sample.is_empty() {
        let _ = writeln!(text, "  and {} more", count(total - SHOWN as u64));
    }
    for note in &header.notes {
        let what = match note.severity {
            Severity::Fatal => "REFUSED",
            Severity::Warning => "warning",
            Severity::Accepted => "accepted",
        };
        let _ = writeln!(text, "\n{what} {}: {}", note.breaker, note.evidence);
    }
    text
}

fn is_any(count: Count) -> bool {
    count.objects > 0
}

/// What became of a plan, for people, what went from the trash, and what it cost.
#[must_use]
pub fn sweep_table(report: &SweepReport, purged: Amount, bill: Option<&Bill>) -> String {
    let total = &report.total;
    let mut rows = vec![("planned", total.planned), ("deleted", total.fates.deleted)];
    rows.extend(is_any(total.fates.rewritten).then_some(("rewritten", total.fates.rewritten)));
    rows.extend([
        ("already gone", total.fates.already_gone),
        ("spared", total.fates.spared),
        ("failed", total.fates.failed),
        ("left", total.left),
    ]);
    let mut text = String::new();
    line(&mut text, &format!("{:<16}", "swept"), "objects", "bytes");
    for (name, amount) in rows {
        line(&mut text, &format!("{name:<16}"), &count(amount.objects), &size(amount.bytes));
    }
    if purged.count > 0 {
        line(&mut text, "out of the trash", &count(purged.count), &size(purged.bytes));
    }
    text.push_str(&bill.map(|bill| format!("{}\n", bill.charged())).unwrap_or_default());
    for failed in &report.failures {
        let _ = writeln!(text, "failed `{}`: {}", failed.key, failed.failure);
    }
    text
}
