//! What an undo did, as a table and as an object.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use planner::{Amount, Requests};
use serde::Serialize;
use sweeper::{Count, Ended, Returns, UndoReport};

use super::{count, size};

/// What an undo did, for machines. Fields are only ever added.
#[derive(Clone, Debug, Serialize)]
pub struct UndoSummary {
    /// `undo`.
    #[serde(rename = "type")]
    kind: &'static str,
    plan: String,
    plan_id: String,
    dry_run: bool,
    ended: &'static str,
    /// Of the whole plan; none where only some was asked for.
    deleted: Option<u64>,
    #[serde(flatten)]
    total: Figures,
    kinds: BTreeMap<&'static str, Figures>,
    missing: Vec<MissingObject>,
    /// Multipart uploads that were aborted, which nothing brings back.
    aborted: Amount,
    /// Broken links that were written anew, and stay so; none where there were none.
    #[serde(skip_serializing_if = "Option::is_none")]
    rewritten: Option<Amount>,
    requests: Requests,
}

/// What became of objects.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Figures {
    pub(super) restored: Amount,
    pub(super) present: Amount,
    pub(super) lost: BTreeMap<&'static str, Amount>,
    pub(super) failed: Amount,
}

/// An object that is not back, and why.
#[derive(Clone, Debug, Serialize)]
pub(super) struct MissingObject {
    pub(super) key: String,
    pub(super) message: String,
}

fn amount(count: Count) -> Amount {
    Amount { count: count.objects, bytes: count.bytes }
}

impl From<&Returns> for Figures {
    fn from(returns: &Returns) -> Self {
        Self {
            restored: amount(returns.restored),
            present: amount(returns.present),
            lost: returns.lost.iter().map(|(why, lost)| (why.name(), amount(*lost))).collect(),
            failed: amount(returns.failed),
        }
    }
}

impl UndoSummary {
    /// The summary of an undo of the plan `id` in the directory `plan`.
    #[must_use]
    pub fn of(report: &UndoReport, plan: String, id: String, requests: Requests) -> Self {
        let missing = report.missing.iter().map(|missing| MissingObject {
            key: missing.key.to_string(),
            message: missing.why.to_string(),
        });
        Self {
            kind: "undo",
            plan,
            plan_id: id,
            dry_run: report.is_dry_run,
            ended: match report.ended {
                Ended::Completed => "completed",
                Ended::Stopped => "stopped",
                Ended::Broken => "broken",
            },
            deleted: report.deleted,
            total: Figures::from(&report.total()),
            kinds: report.kinds.iter().map(|(kind, of)| (kind.name(), of.into())).collect(),
            missing: missing.collect(),
            aborted: amount(report.aborted),
            rewritten: (report.rewritten.objects > 0).then(|| amount(report.rewritten)),
            requests,
        }
    }
}

/// What an undo did, for people.
#[must_use]
pub fn undo_table(report: &UndoReport) -> String {
    let total = report.total();
    let back = if report.is_dry_run { "would be back" } else { "restored" };
    let title = if report.is_dry_run { "to take back" } else { "taken back" };
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{title:<16} {:>14} {:>12}", "objects", "bytes");
    // How many bytes those have that were not looked at, nobody knows.
    let seen = total.total();
    let deleted = report.deleted.unwrap_or(seen.objects);
    let bytes = if deleted == seen.objects { size(seen.bytes) } else { String::new() };
    let _ = writeln!(
        text,
        "{}",
        format!("{:<16} {:>14} {bytes:>12}", "deleted", count(deleted)).trim_end()
    );
    for (name, amount) in [
        (back, total.restored),
        ("present", total.present),
        ("lost", total.all_lost()),
        ("failed", total.failed),
    ] {
        let _ =
            writeln!(text, "{name:<16} {:>14} {:>12}", count(amount.objects), size(amount.bytes));
    }
    let unseen = deleted.saturating_sub(seen.objects);
    if unseen > 0 {
        let _ = writeln!(text, "{:<16} {:>14}", "not looked at", count(unseen));
    }
    if report.aborted.objects > 0 {
        let aborted = count(report.aborted.objects);
        let _ =
            writeln!(text, "\n{aborted} multipart uploads were aborted, which nothing brings back");
    }
    if report.rewritten.objects > 0 {
        let rewritten = count(report.rewritten.objects);
        let _ =
            writeln!(text, "\n{rewritten} broken links were written anew, and stay as they are");
    }
    for (why, lost) in &total.lost {
        let _ = writeln!(text, "\n{} lost: {why}", count(lost.objects));
    }
    for missing in &report.missing {
        let _ = writeln!(text, "not back `{}`: {}", missing.key, missing.why);
    }
    text
}
