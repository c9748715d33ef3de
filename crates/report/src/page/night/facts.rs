//! For which registry, by which rules, from what.

use crate::Night;
use crate::html::Html;
use crate::words::duration;

use super::super::document::Section;
use super::super::facts::seen;
use super::super::parts::fact;

pub(super) fn section(night: &Night<'_>) -> Section {
    let mut body = Html::default();
    body.element("h3", &[], "Rules");
    body.within("dl", &[("class", &"facts")], |html| rules(html, night));
    if let Some(look) = night.look {
        body.element("h3", &[], "What was seen at the last look");
        body.within("dl", &[("class", &"facts")], |html| seen(html, &look.facts));
    }
    body.element("h3", &[], "The run");
    body.within("dl", &[("class", &"facts")], |html| run(html, night));
    Section { id: "facts", short: "Details", title: "By which rules, from what", body }
}

fn rules(html: &mut Html, night: &Night<'_>) {
    let rules = night.rules;
    let untagged = if rules.untagged { "are condemned" } else { "are kept" };
    fact(html, "Manifests that no tag reaches", untagged);
    fact(html, "Grace", format_args!("{}: nothing younger is condemned", duration(rules.grace)));
    let quarantine = duration(rules.quarantine);
    fact(html, "Quarantine", format_args!("{quarantine}: nothing is deleted sooner after that"));
    fact(html, "Longest push", duration(rules.longest_push));
    let uploads = rules.uploads_older_than.max(rules.grace);
    if !night.is_files() {
        fact(html, "Unfinished multipart uploads", format_args!("go after {}", duration(uploads)));
    }
    let when = if rules.windowed { "only while nobody can push" } else { "while people push" };
    fact(html, "Deleted", when);
}

fn run(html: &mut Html, night: &Night<'_>) {
    fact(html, "Registry", night.identity);
    fact(html, "Below", if night.base.is_empty() { "/" } else { night.base });
    fact(html, "Began, by the store's clock", night.began);
    fact(html, "By", format_args!("regsweep {}", night.created_by));
}
