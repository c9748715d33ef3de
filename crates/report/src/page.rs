//! The page: a headline, then a section for each question.

mod blobs;
mod chart;
mod cost;
mod distribution;
mod doubts;
mod facts;
mod headline;
mod kinds;
mod map;
mod parts;
mod repositories;
mod run;
mod verdict;

use crate::html::Html;
use crate::{Subject, words};

const STYLE: &str = include_str!("page/style.css");

/// What the page may load: nothing. Its own style is the only exception.
const NOTHING_FROM_OUTSIDE: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// A part of the page with a heading, and a place in the table of contents.
struct Section {
    id: &'static str,
    /// Its name in the table of contents.
    short: &'static str,
    title: &'static str,
    body: Html,
}

/// The page about a subject: a whole HTML document. The same subject always gives the same page.
#[must_use]
pub fn page(subject: &Subject<'_>) -> String {
    let mut html = Html::default();
    html.raw("<!DOCTYPE html>\n");
    html.within("html", &[("lang", &"en")], |html| {
        html.within("head", &[], |html| head(html, subject));
        html.within("body", &[], |html| body(html, subject));
    });
    html.into_string()
}

fn head(html: &mut Html, subject: &Subject<'_>) {
    html.empty("meta", &[("charset", &"utf-8")]);
    html.empty(
        "meta",
        &[("http-equiv", &"Content-Security-Policy"), ("content", &NOTHING_FROM_OUTSIDE)],
    );
    html.empty(
        "meta",
        &[("name", &"viewport"), ("content", &"width=device-width, initial-scale=1")],
    );
    html.empty("meta", &[("name", &"color-scheme"), ("content", &"light dark")]);
    html.empty("meta", &[("name", &"referrer"), ("content", &"no-referrer")]);
    html.element("title", &[], format_args!("{} – regsweep", subject.header.location.source));
    html.within("style", &[], |html| html.raw(STYLE));
}

fn body(html: &mut Html, subject: &Subject<'_>) {
    let sections: Vec<Section> = [
        run::section(subject),
        kinds::section(subject),
        repositories::section(subject),
        distribution::section(subject),
        blobs::section(subject),
        doubts::section(subject),
        cost::section(subject),
        Some(facts::section(subject)),
    ]
    .into_iter()
    .flatten()
    .collect();
    html.element("a", &[("class", &"skip"), ("href", &"#content")], "Skip to the content");
    html.within("header", &[], |html| title(html, subject));
    html.within("nav", &[("aria-label", &"Sections")], |html| contents(html, &sections));
    html.within("main", &[("id", &"content")], |html| {
        verdict::write(html, subject);
        headline::write(html, subject);
        for section in &sections {
            whole(html, section);
        }
    });
    html.within("footer", &[], footer);
}

fn title(html: &mut Html, subject: &Subject<'_>) {
    let header = subject.header;
    let what =
        if subject.outcome.is_some() { "What was collected" } else { "What would be collected" };
    html.within("p", &[("class", &"kicker")], |html| {
        html.element("b", &[], "regsweep");
        html.text(format_args!(" · {what}"));
    });
    html.element("h1", &[], &header.location.source);
    html.within("p", &[("class", &"about")], |html| {
        html.text("Plan ");
        let id = subject.id.to_string();
        html.element("code", &[("title", &id)], format_args!("{id:.12}"));
        html.text(format_args!(" · as of {}", parts::minute(header.t0)));
        html.text(format_args!(" · regsweep {}", header.created_by));
    });
}

fn contents(html: &mut Html, sections: &[Section]) {
    html.within("ul", &[], |html| {
        for section in sections {
            html.within("li", &[], |html| {
                html.element("a", &[("href", &format_args!("#{}", section.id))], section.short);
            });
        }
    });
}

fn whole(html: &mut Html, section: &Section) {
    let heading = format!("{}-title", section.id);
    let attributes: [(_, &dyn std::fmt::Display); 3] =
        [("id", &section.id), ("class", &"long"), ("aria-labelledby", &heading)];
    html.within("section", &attributes, |html| {
        html.element("h2", &[("id", &heading)], section.title);
        html.push(&section.body);
    });
}

fn footer(html: &mut Html) {
    html.element(
        "p",
        &[],
        "This file is all there is: it loads nothing, runs no script and sends nothing. Sizes are binary (1 KiB is \
         1024 bytes), times are UTC by the store's clock.",
    );
}

/// `1 object`, `2 objects`.
fn objects(number: u64) -> String {
    words::counted(number, "object", "objects")
}
