//! For which registry, by which rules, from what.

use planner::{Facts, KeepList};

use crate::Subject;
use crate::html::Html;
use crate::words::{count, duration, size};

use super::Section;
use super::parts::fact;

pub(super) fn section(subject: &Subject<'_>) -> Section {
    let mut body = Html::default();
    body.element("h3", &[], "Rules");
    body.within("dl", &[("class", &"facts")], |html| rules(html, subject));
    body.element("h3", &[], "What was seen");
    body.within("dl", &[("class", &"facts")], |html| seen(html, &subject.header.facts));
    body.element("h3", &[], "The plan");
    body.within("dl", &[("class", &"facts")], |html| plan(html, subject));
    Section { id: "facts", short: "Details", title: "By which rules, from what", body }
}

fn rules(html: &mut Html, subject: &Subject<'_>) {
    let policy = &subject.header.policy;
    let untagged = if policy.untagged { "go" } else { "are kept" };
    match (&subject.header.retention, &subject.header.keep_list) {
        (Some(retention), _) => {
            fact(html, "Tags and manifests", format_args!("go by {}", retention.file));
        }
        (None, Some(list)) => known(html, list),
        (None, None) => fact(html, "Manifests that no tag reaches", untagged),
    }
    fact(html, "Grace", format_args!("{}: nothing younger goes", duration(policy.grace)));
    if subject.header.keep_list.is_none() {
        let uploads = policy.uploads_older_than.max(policy.grace);
        fact(html, "Unfinished uploads", format_args!("go after {}", duration(uploads)));
    }
}

/// By which list of what a database knows.
fn known(html: &mut Html, list: &KeepList) {
    let (digests, file) = (count(list.digests), &list.file);
    fact(html, "Links and uploads", "stay, all of them");
    fact(
        html,
        "Blobs",
        format_args!("stay where a manifest or one of the {digests} digests on {file} names them"),
    );
    fact(html, "That list was written", list.modified);
}

/// The numbers that the audit goes by.
pub(super) fn seen(html: &mut Html, facts: &Facts) {
    let unweighed = match facts.unweighed_blobs {
        0 => String::new(),
        unweighed => {
            format!(" without the {} that are needed and were not looked at", count(unweighed))
        }
    };
    fact(html, "Repositories", count(facts.repositories));
    fact(html, "Tags", count(facts.tags));
    fact(html, "Manifests", count(facts.revisions));
    fact(html, "Blobs", count(facts.blobs.count));
    fact(html, "Bytes of blobs", format_args!("{}{unweighed}", size(facts.blobs.bytes)));
    fact(html, "Digests that are needed", count(facts.marked));
    fact(html, "Keys", count(facts.keys));
    fact(html, "Keys that no registry writes", count(facts.foreign_keys));
}

fn plan(html: &mut Html, subject: &Subject<'_>) {
    let header = subject.header;
    fact(html, "Registry", &header.location.identity);
    fact(html, "Below", if header.location.base.is_empty() { "/" } else { &header.location.base });
    fact(html, "T0, before anything was listed", header.t0);
    html.element("dt", &[], "Plan");
    html.within("dd", &[], |html| html.element("code", &[], subject.id));
    fact(html, "Made by", format_args!("regsweep {}", header.created_by));
}
