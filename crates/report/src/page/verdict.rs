//! Whether a sweep is allowed, or how it ended, and what the audit says.

use planner::{Note, Severity, allows_sweep};

use crate::html::Html;
use crate::{Ended, Outcome, Subject};

use super::objects;

/// How it looks; never told by colour alone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Good,
    Warn,
    Bad,
    Plain,
}

impl Tone {
    const fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Plain => "plain",
        }
    }

    /// A tick, an exclamation mark, a cross or a dash in a disc.
    const fn icon(self) -> &'static str {
        match self {
            Self::Good => "M7 12.5l3.5 3.5L17 9",
            Self::Warn => "M12 7v6M12 16.5v.5",
            Self::Bad => "M8.5 8.5l7 7M15.5 8.5l-7 7",
            Self::Plain => "M8 12h8",
        }
    }
}

/// What stands first.
pub(super) struct Verdict {
    pub(super) tone: Tone,
    pub(super) title: String,
    pub(super) text: String,
}

pub(super) fn write(html: &mut Html, subject: &Subject<'_>) {
    show(html, verdict(subject), &subject.header.notes);
}

/// Writes a verdict, with what an audit says.
pub(super) fn show(html: &mut Html, verdict: Verdict, audit: &[Note]) {
    let Verdict { tone, title, text } = verdict;
    let class = format!("verdict {}", tone.class());
    html.within("section", &[("class", &class), ("aria-labelledby", &"verdict")], |html| {
        html.within("h2", &[("id", &"verdict")], |html| {
            html.within("svg", &[("viewBox", &"0 0 24 24"), ("aria-hidden", &"true")], |html| {
                icon(html, tone);
            });
            html.text(title);
        });
        html.element("p", &[], text);
        notes(html, audit);
    });
}

fn icon(html: &mut Html, tone: Tone) {
    html.raw(
        r#"<circle cx="12" cy="12" r="10.5" fill="none" stroke="currentColor" stroke-width="2" />"#,
    );
    html.empty(
        "path",
        &[
            ("d", &tone.icon()),
            ("fill", &"none"),
            ("stroke", &"currentColor"),
            ("stroke-width", &"2.2"),
            ("stroke-linecap", &"round"),
        ],
    );
}

fn verdict(subject: &Subject<'_>) -> Verdict {
    match subject.outcome {
        Some(outcome) => ended(outcome),
        None => planned(subject),
    }
}

fn planned(subject: &Subject<'_>) -> Verdict {
    let notes = &subject.header.notes;
    if !allows_sweep(notes) {
        let text = "The numbers look as if this plan would delete what is still needed. regsweep will not carry it \
                    out. Look at the evidence; where it is as it should be, make the plan again with --accept and \
                    the name of the test.";
        return Verdict { tone: Tone::Bad, title: "A sweep is refused".into(), text: text.into() };
    }
    if subject.totals.all().count == 0 {
        let text = "Everything that was found is needed, too young, or in doubt.";
        return Verdict { tone: Tone::Plain, title: "Nothing to delete".into(), text: text.into() };
    }
    let (tone, title) = if notes.is_empty() {
        (Tone::Good, "A sweep is allowed")
    } else {
        (Tone::Warn, "A sweep is allowed, with something to look at first")
    };
    let text = if notes.is_empty() {
        "The audit found nothing remarkable. This is what a sweep would do; making the plan deleted nothing."
    } else {
        "This is what a sweep would do; making the plan deleted nothing."
    };
    Verdict { tone, title: title.into(), text: text.into() }
}

fn ended(outcome: &Outcome) -> Verdict {
    let deleted = objects(outcome.deleted.count);
    let (failed, left) = (outcome.failed.count, outcome.left.count);
    let (tone, title, text) = match outcome.ended {
        Ended::Stopped => (
            Tone::Warn,
            "Stopped before the end",
            format!("Deleted {deleted}; {} wait for the same command again.", objects(left)),
        ),
        Ended::Broken => (
            Tone::Bad,
            "The sweep broke off",
            format!("Deleted {deleted}; {} wait for the same command again.", objects(left)),
        ),
        Ended::Completed if failed > 0 => (
            Tone::Warn,
            "Carried out, but not everything could be deleted",
            format!("Deleted {deleted}; the store did not delete {}.", objects(failed)),
        ),
        Ended::Completed => (
            Tone::Good,
            "Carried out",
            format!("Deleted {deleted}. Every object of the plan is accounted for."),
        ),
    };
    Verdict { tone, title: title.into(), text }
}

fn notes(html: &mut Html, notes: &[Note]) {
    if notes.is_empty() {
        return;
    }
    html.within("ul", &[("class", &"notes")], |html| {
        for note in notes {
            html.within("li", &[], |html| {
                let (class, word) = severity(note.severity);
                html.element("span", &[("class", &format_args!("word {class}"))], word);
                html.text(" ");
                html.element("code", &[], note.breaker);
                html.text(format_args!(": {}", note.evidence));
            });
        }
    });
}

const fn severity(severity: Severity) -> (&'static str, &'static str) {
    match severity {
        Severity::Fatal => ("bad", "Refused"),
        Severity::Warning => ("warn", "Warning"),
        Severity::Accepted => ("plain", "Accepted"),
    }
}
