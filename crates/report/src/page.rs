//! The pages: a headline, then a section for each question.

mod blobs;
mod chart;
mod cost;
mod distribution;
mod document;
mod doubts;
mod facts;
mod headline;
mod kinds;
mod map;
mod night;
mod parts;
mod repositories;
mod run;
mod verdict;

use crate::html::Html;
use crate::{Subject, words};

use document::{Document, Section};

pub use night::night_page;

/// The page about a subject: a whole HTML document. The same subject always gives the same page.
#[must_use]
pub fn page(subject: &Subject<'_>) -> String {
    let mut first = Html::default();
    verdict::write(&mut first, subject);
    headline::write(&mut first, subject);
    let (figures, t0) = (subject.figures, subject.header.t0);
    let sections = [
        run::section(subject),
        kinds::section(subject),
        repositories::section(figures, repositories::OF_A_PLAN),
        distribution::section(figures),
        blobs::section(figures, t0, "no link of the plan leads to it"),
        doubts::section(&subject.header.doubts, "the next plan"),
        cost::section(subject),
        Some(facts::section(subject)),
    ];
    Document {
        source: &subject.header.location.source,
        what: match subject.outcome {
            Some(_) => "What was collected",
            None => "What would be collected",
        },
        about: about(subject),
        first,
        sections: sections.into_iter().flatten().collect(),
    }
    .into_html()
}

fn about(subject: &Subject<'_>) -> Html {
    let (mut html, header) = (Html::default(), subject.header);
    html.text("Plan ");
    let id = subject.id.to_string();
    html.element("code", &[("title", &id)], format_args!("{id:.12}"));
    html.text(format_args!(" · as of {}", parts::minute(header.t0)));
    html.text(format_args!(" · regsweep {}", header.created_by));
    html
}

/// `1 object`, `2 objects`.
fn objects(number: u64) -> String {
    words::counted(number, "object", "objects")
}
