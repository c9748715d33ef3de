//! What a collection while people push did, as a table and as an object.

use std::fmt::Write as _;
use std::time::Duration;

use collector::{Report, Waiting};
use planner::{Amount, MultipartSeen, Requests};
use report::NightBill;
use serde::Serialize;

use super::plan_table::multipart;
use super::{count, size};
use crate::online::Forecast;
use crate::registry_cache::CacheSummary;

/// What a run did, for machines. Fields are only ever added.
#[derive(Clone, Debug, Serialize)]
pub struct OnlineSummary {
    /// `online`.
    #[serde(rename = "type")]
    kind: &'static str,
    condemned: Objects,
    /// Links.
    taken: u64,
    deleted: Objects,
    rescued: u64,
    restored: u64,
    /// Links.
    given_back: u64,
    lost: usize,
    not_back: usize,
    failed: u64,
    /// Incomplete multipart uploads.
    aborted: Objects,
    /// What was seen of these; none where nobody looked.
    multipart: Option<MultipartSeen>,
    /// Generations that were given up.
    overtaken: u64,
    generations: Generations,
    /// What waits until nobody can push; none where nothing does.
    window: Option<WindowFigures>,
    registry_cache: CacheSummary,
    requests: Requests,
    /// None where no prices are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<NightBill>,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Objects {
    objects: u64,
    bytes: u64,
}

#[derive(Clone, Debug, Serialize)]
struct Generations {
    open: usize,
    closed: u64,
    /// The names of those that deleted anything: what `undo` takes.
    deleted: Vec<String>,
    waiting: Vec<Wait>,
}

/// What a window is needed for, and how long it has to be.
#[derive(Clone, Copy, Debug, Serialize)]
struct WindowFigures {
    blobs: u64,
    bytes: u64,
    seconds: u64,
}

#[derive(Clone, Debug, Serialize)]
struct Wait {
    generation: String,
    waits_for: &'static str,
    due: Option<String>,
    condemned: Objects,
}

impl From<Amount> for Objects {
    fn from(amount: Amount) -> Self {
        Self { objects: amount.count, bytes: amount.bytes }
    }
}

impl From<&Waiting> for Wait {
    fn from(waiting: &Waiting) -> Self {
        Self {
            generation: waiting.generation.to_string(),
            waits_for: if waiting.is_deleted { "end" } else { "deletion" },
            due: waiting.due.map(|due| due.to_string()),
            condemned: waiting.condemned.into(),
        }
    }
}

impl OnlineSummary {
    /// The summary of a run.
    pub(crate) fn of(
        report: &Report,
        forecast: Option<Forecast>,
        registry_cache: CacheSummary,
        requests: Requests,
    ) -> Self {
        Self {
            kind: "online",
            condemned: report.condemned.into(),
            taken: report.taken,
            deleted: report.deleted.into(),
            rescued: report.rescued,
            restored: report.restored,
            given_back: report.given_back,
            lost: report.lost.len(),
            not_back: report.not_back.len(),
            failed: report.failed,
            aborted: report.aborted.into(),
            multipart: report.uploads.clone(),
            overtaken: report.overtaken,
            generations: Generations {
                open: report.waiting.len(),
                closed: report.closed,
                deleted: report.deleted_by.iter().map(ToString::to_string).collect(),
                waiting: report.waiting.iter().map(Wait::from).collect(),
            },
            window: forecast.map(|forecast| WindowFigures {
                blobs: forecast.blobs.count,
                bytes: forecast.blobs.bytes,
                seconds: forecast.seconds(),
            }),
            registry_cache,
            requests,
            cost: None,
        }
    }

    /// The same, with what it costs where that is known.
    pub(crate) fn with_cost(self, cost: Option<NightBill>) -> Self {
        Self { cost, ..self }
    }
}

/// What a run did, for people; and where it is `windowed` what waits until nobody can push.
#[must_use]
pub(crate) fn online_table(report: &Report, windowed: bool, forecast: Option<Forecast>) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{:<16} {:>14} {:>12}", "this run", "blobs", "bytes");
    for (name, amount) in [("deleted", report.deleted), ("condemned", report.condemned)] {
        let _ = writeln!(text, "{name:<16} {:>14} {:>12}", count(amount.count), size(amount.bytes));
    }
    if report.aborted.count > 0 {
        let (uploads, bytes) = (count(report.aborted.count), size(report.aborted.bytes));
        let _ = writeln!(text, "aborted uploads  {uploads:>14} {bytes:>12}");
    }
    for (name, number) in [
        ("rescued", report.rescued),
        ("brought back", report.restored),
        ("failed", report.failed),
        ("not back", report.not_back.len() as u64),
    ] {
        if number > 0 {
            let _ = writeln!(text, "{name:<16} {:>14}", count(number));
        }
    }
    if report.overtaken > 0 {
        let _ = writeln!(
            text,
            "given up: a manifest was pushed while its link was taken; the next run begins anew"
        );
    }
    for waiting in &report.waiting {
        let _ = writeln!(text, "{}", wait(waiting, windowed));
    }
    text.push_str(&multipart(report.uploads.as_ref()));
    if let Some(forecast) = forecast {
        let (blobs, bytes) = (count(forecast.blobs.count), size(forecast.blobs.bytes));
        let time = humantime::format_duration(Duration::from_secs(forecast.seconds()));
        let _ =
            writeln!(text, "waiting until nobody can push: {blobs} blobs, {bytes}; about {time}");
    }
    text
}

fn wait(waiting: &Waiting, windowed: bool) -> String {
    let Amount { count: blobs, bytes } = waiting.condemned;
    let what = format!("{} blobs, {}", count(blobs), size(bytes));
    match (waiting.is_deleted, waiting.due) {
        (false, Some(due)) => {
            let run = if windowed { "window" } else { "run" };
            format!("condemned: {what}; the first {run} after {due} deletes them")
        }
        (true, Some(due)) => {
            format!("deleted: {what}; the first run after {due} looks for the last time")
        }
        (_, None) => format!("unfinished: {what}; the next run goes on"),
    }
}
