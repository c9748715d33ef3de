//! What became of the plan, and how the run went on.

use monitor::Phase;
use planner::Amount;

use crate::html::Html;
use crate::words::{count, duration, size};
use crate::{FailedObject, Outcome, Point, Subject, Timeline};

use super::Section;
use super::chart::Chart;
use super::parts::{bar, columns, lead, number};

/// Fewer points make no curve.
const LEAST_POINTS: usize = 4;

pub(super) fn section(subject: &Subject<'_>) -> Option<Section> {
    let has_curves = has_curves(subject.timeline);
    let (title, short) = match subject.outcome {
        Some(_) => ("What became of it", "Outcome"),
        None if has_curves => ("How the plan was made", "Run"),
        None => return None,
    };
    let mut body = Html::default();
    if let Some(outcome) = subject.outcome {
        balance(&mut body, outcome);
        failures(&mut body, "The first that could not be deleted", &outcome.failures);
    }
    over_time(&mut body, subject.timeline, subject.is_files());
    Some(Section { id: "run", short, title, body })
}

fn has_curves(timeline: &Timeline) -> bool {
    timeline.points().count() >= LEAST_POINTS
}

/// How a run went on.
pub(super) fn over_time(html: &mut Html, timeline: &Timeline, is_files: bool) {
    if has_curves(timeline) {
        curves(html, timeline, is_files);
    } else if let Some(length) = timeline.length() {
        lead(html, format_args!("It took {}, too short for a curve.", duration(length)));
    }
}

fn balance(html: &mut Html, outcome: &Outcome) {
    html.within("table", &[], |html| {
        columns(html, &[("Objects of the plan", false), ("Objects", true), ("Bytes", true)]);
        html.within("tbody", &[], |html| {
            for (name, amount, why) in [
                ("Deleted", outcome.deleted, "The store says so."),
                ("Already gone", outcome.already_gone, "Somebody or something else deleted them."),
                ("Spared", outcome.spared, "Written since they were listed, or still referred to."),
                ("Failed", outcome.failed, "The store did not delete them."),
                ("Left", outcome.left, "The same command again takes them up."),
            ] {
                if amount.count > 0 || name == "Deleted" {
                    fate(html, name, amount, why, outcome.planned);
                }
            }
        });
        html.within("tfoot", &[], |html| {
            html.within("tr", &[], |html| {
                html.element("th", &[("scope", &"row")], "Planned");
                number(html, count(outcome.planned.count));
                number(html, size(outcome.planned.bytes));
            });
        });
    });
}

fn fate(html: &mut Html, name: &'static str, amount: Amount, why: &'static str, planned: Amount) {
    html.within("tr", &[], |html| {
        html.within("th", &[("scope", &"row")], |html| {
            html.text(name);
            html.element("small", &[], why);
        });
        number(html, count(amount.count));
        html.within("td", &[("class", &"number half")], |html| {
            html.text(size(amount.bytes));
            bar(html, "bytes", amount.bytes, planned.bytes);
        });
    });
}

/// What the store said of objects.
pub(super) fn failures(html: &mut Html, title: &'static str, failures: &[FailedObject]) {
    if failures.is_empty() {
        return;
    }
    html.element("h3", &[], title);
    html.within("ul", &[("class", &"notes")], |html| {
        for failed in failures {
            html.within("li", &[], |html| {
                html.element("span", &[("class", &"mono")], &failed.key);
                html.raw("<br />");
                html.text(&failed.message);
            });
        }
    });
}

fn curves(html: &mut Html, timeline: &Timeline, is_files: bool) {
    html.element("h3", &[], "Over time");
    if let Some(last) = timeline.last() {
        let text = format!(
            "The run took {}; {} answers asked to slow down, {} requests were sent again.",
            duration(last.at),
            count(last.throttled),
            count(last.retried),
        );
        lead(html, text);
    }
    let phases: Vec<(f64, &str)> = timeline
        .phases()
        .into_iter()
        .filter_map(|(seconds, phase)| Some((seconds, phase_name(phase)?)))
        .collect();
    for (title, of, told, base, is_trouble) in SERIES {
        let is_silent = timeline.last().is_none_or(|last| of(&last) == 0);
        let is_asked = is_trouble && !is_files;
        if !is_silent || is_asked {
            let rates = timeline.rates(of);
            Chart { title, rates: &rates, told, base, phases: &phases, is_trouble }.write(html);
        }
    }
}

type Of = fn(&Point) -> u64;
type Told = fn(f64) -> String;

const SERIES: [(&str, Of, Told, f64, bool); 4] = [
    ("Keys listed", |point| point.keys, per_second, 1000.0, false),
    ("Objects swept", |point| point.objects, per_second, 1000.0, false),
    ("Bytes freed", |point| point.bytes, bytes_per_second, 1024.0, false),
    ("Answers that asked to slow down", |point| point.throttled, per_second, 1000.0, true),
];

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rates are not negative"
)]
fn per_second(rate: f64) -> String {
    if rate == 0.0 || rate >= 10.0 {
        return format!("{}/s", count(rate.round() as u64));
    }
    format!("{rate:.1}/s")
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rates are not negative"
)]
fn bytes_per_second(rate: f64) -> String {
    format!("{}/s", size(rate.round() as u64))
}

const fn phase_name(phase: Phase) -> Option<&'static str> {
    match phase {
        Phase::Opening | Phase::Sealing | Phase::Finished => None,
        Phase::Marking => Some("marking"),
        Phase::ListingBlobs => Some("listing"),
        Phase::Verifying => Some("verifying"),
        Phase::Planning | Phase::Weighing => Some("comparing"),
        Phase::SweepingLinks => Some("sweeping links"),
        Phase::SweepingBlobs => Some("sweeping blobs"),
        Phase::Restoring => Some("taking back"),
    }
}
