//! The frame of a page: its head, the table of contents, and the sections in their order.

use std::fmt::Display;

use crate::html::Html;

const STYLE: &str = include_str!("style.css");

/// What the page may load: nothing. Its own style is the only exception.
const NOTHING_FROM_OUTSIDE: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// A part of the page with a heading, and a place in the table of contents.
pub(super) struct Section {
    pub(super) id: &'static str,
    /// Its name in the table of contents.
    pub(super) short: &'static str,
    pub(super) title: &'static str,
    pub(super) body: Html,
}

/// A page before it is written.
pub(super) struct Document<'a> {
    /// The registry, as it was typed.
    pub(super) source: &'a str,
    /// What kind of page it is.
    pub(super) what: &'static str,
    /// The line below its title.
    pub(super) about: Html,
    /// What stands before all sections.
    pub(super) first: Html,
    pub(super) sections: Vec<Section>,
}

impl Document<'_> {
    /// The whole HTML document.
    pub(super) fn into_html(self) -> String {
        let mut html = Html::default();
        html.raw("<!DOCTYPE html>\n");
        html.within("html", &[("lang", &"en")], |html| {
            html.within("head", &[], |html| head(html, self.source));
            html.within("body", &[], |html| self.body(html));
        });
        html.into_string()
    }

    fn body(&self, html: &mut Html) {
        html.element("a", &[("class", &"skip"), ("href", &"#content")], "Skip to the content");
        html.within("header", &[], |html| self.title(html));
        let label: [(_, &dyn Display); 1] = [("aria-label", &"Sections")];
        html.within("nav", &label, |html| contents(html, &self.sections));
        html.within("main", &[("id", &"content")], |html| {
            html.push(&self.first);
            for section in &self.sections {
                whole(html, section);
            }
        });
        html.within("footer", &[], footer);
    }

    fn title(&self, html: &mut Html) {
        html.within("p", &[("class", &"kicker")], |html| {
            html.element("b", &[], "regsweep");
            html.text(format_args!(" · {}", self.what));
        });
        html.element("h1", &[], self.source);
        html.within("p", &[("class", &"about")], |html| html.push(&self.about));
    }
}

fn head(html: &mut Html, source: &str) {
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
    html.element("title", &[], format_args!("{source} – regsweep"));
    html.within("style", &[], |html| html.raw(STYLE));
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
    let attributes: [(_, &dyn Display); 3] =
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
