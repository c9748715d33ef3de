//! What an undo of a generation did, as a table and as an object.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use collector::Undone;
use planner::{Amount, Requests};
use serde::Serialize;
use sweeper::Why;

use super::undo::{Figures, MissingObject};
use super::{count, size};

/// What an undo of a generation did, for machines: as that of a plan where it can be. Fields are only ever added.
#[derive(Clone, Debug, Serialize)]
pub struct UndoneSummary {
    /// `undo`.
    #[serde(rename = "type")]
    kind: &'static str,
    generation: String,
    dry_run: bool,
    ended: &'static str,
    #[serde(flatten)]
    total: Figures,
    kinds: BTreeMap<&'static str, Figures>,
    missing: Vec<MissingObject>,
    /// Whether the generation ended with it.
    closed: bool,
    requests: Requests,
}

fn figures(restored: Amount, present: Amount, lost: &[(Why, Amount)]) -> Figures {
    let lost = lost.iter().filter(|(_, amount)| amount.count > 0);
    let lost = lost.map(|(why, amount)| (why.name(), *amount)).collect();
    Figures { restored, present, lost, failed: Amount::default() }
}

/// Links are counted, not weighed.
const fn links(count: u64) -> Amount {
    Amount { count, bytes: 0 }
}

fn sum(one: Amount, other: Amount) -> Amount {
    Amount { count: one.count + other.count, bytes: one.bytes + other.bytes }
}

impl UndoneSummary {
    /// The summary of an undo; `is_complete` where it came to its end.
    #[must_use]
    pub fn of(report: &Undone, is_complete: bool, requests: Requests) -> Self {
        let (written, there) = (links(report.links), links(report.links_present));
        let dangling = (Why::Dangling, links(report.links_dangling));
        let lost = (Why::NothingKept, report.lost);
        let missing = report.missing.iter().map(|key| MissingObject {
            key: key.to_string(),
            message: Why::NothingKept.to_string(),
        });
        Self {
            kind: "undo",
            generation: report.generation.to_string(),
            dry_run: report.is_dry_run,
            ended: if is_complete { "completed" } else { "broken" },
            total: figures(
                sum(report.restored, written),
                sum(report.present, there),
                &[lost, dangling],
            ),
            kinds: BTreeMap::from([
                ("blob", figures(report.restored, report.present, &[lost])),
                ("link", figures(written, there, &[dangling])),
            ]),
            missing: missing.collect(),
            closed: report.is_closed,
            requests,
        }
    }
}

/// What an undo of a generation did, for people.
#[must_use]
pub fn undone_table(report: &Undone) -> String {
    let (title, back) = if report.is_dry_run {
        ("to take back", "would be back")
    } else {
        ("taken back", "restored")
    };
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{title:<16} {:>14} {:>12} {:>14}", "blobs", "bytes", "links");
    for (name, blobs, links) in [
        (back, report.restored, report.links),
        ("present", report.present, report.links_present),
        ("lost", report.lost, report.links_dangling),
    ] {
        let (blobs, bytes) = (count(blobs.count), size(blobs.bytes));
        let _ = writeln!(text, "{name:<16} {blobs:>14} {bytes:>12} {:>14}", count(links));
    }
    for key in &report.missing {
        let _ = writeln!(text, "not back `{key}`: {}", Why::NothingKept);
    }
    let _ = writeln!(text, "generation {}", report.generation);
    text
}
