//! The spans of a run: from its course and its counters.

use std::time::{Duration, Instant};

use monitor::{Counts, Monitor, Step};

use crate::Code;

/// A moment by both clocks, from which all others are told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    pub(super) at: Instant,
    /// Since 1970.
    pub(super) time: Duration,
}

impl Origin {
    fn time_of(self, at: Instant) -> Duration {
        match at.checked_duration_since(self.at) {
            Some(later) => self.time + later,
            None => self.time.saturating_sub(self.at.duration_since(at)),
        }
    }
}

/// How a run ended.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub(super) at: Instant,
    pub(super) code: Code,
    /// What the failure says.
    pub(super) error: Option<String>,
}

/// Something that took its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) name: String,
    /// Since 1970.
    pub(super) began: Duration,
    /// The same.
    pub(super) ended: Duration,
    pub(super) words: Vec<(&'static str, String)>,
    pub(super) numbers: Vec<(String, u64)>,
    pub(super) status: Status,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// Nothing is said of it.
    Unset,
    Ok,
    Error(String),
}

/// The run's span, and then one for each phase of it, in the order of time. A run that failed did so in its last phase.
pub(super) fn spans(command: &str, monitor: &Monitor, origin: Origin, ended: &Ended) -> Vec<Span> {
    let (course, counts) = (monitor.course(), monitor.counts());
    let began = course.first().map_or(origin.at, |step| step.at);
    let zero = course.first().map(|step| &step.counts);
    let mut numbers = grown(zero, &counts);
    numbers.push(("regsweep.exit_code".to_owned(), ended.code as u64));
    let run = Span {
        name: format!("regsweep {command}"),
        began: origin.time_of(began),
        ended: origin.time_of(ended.at),
        words: vec![
            ("regsweep.command", command.to_owned()),
            ("regsweep.outcome", ended.code.name().to_owned()),
        ],
        numbers,
        status: ended.error.clone().map_or(Status::Ok, Status::Error),
    };
    let ends = course.iter().skip(1).map(|step| (step.at, &step.counts));
    let steps = course.iter().zip(ends.chain([(ended.at, &counts)]));
    let mut spans: Vec<Span> = steps.map(|(step, end)| phase(step, end, origin)).collect();
    if let (Some(last), Some(error)) = (spans.last_mut(), &ended.error) {
        last.status = Status::Error(error.clone());
    }
    spans.insert(0, run);
    spans
}

fn phase(step: &Step, (end, counts): (Instant, &Counts), origin: Origin) -> Span {
    let name = metrics::phase_name(step.phase);
    Span {
        name: name.to_owned(),
        began: origin.time_of(step.at),
        ended: origin.time_of(end),
        words: vec![("regsweep.phase", name.to_owned())],
        numbers: grown(Some(&step.counts), counts),
        status: Status::Unset,
    }
}

/// By how much counters grew, those that did.
fn grown(before: Option<&Counts>, after: &Counts) -> Vec<(String, u64)> {
    let grown = metrics::counters().map(|(name, counter)| {
        let before = before.map_or(0, |counts| counts.get(counter));
        (format!("regsweep.{name}"), after.get(counter).saturating_sub(before))
    });
    grown.filter(|(_, by)| *by > 0).collect()
}
