//! The largest blobs that go.

use crate::html::Html;
use crate::words::{age, counted, size};
use crate::{LargeBlob, Subject};

use super::Section;
use super::parts::{columns, number};

pub(super) fn section(subject: &Subject<'_>) -> Option<Section> {
    let largest = subject.figures.largest();
    if largest.is_empty() {
        return None;
    }
    let mut body = Html::default();
    body.within("table", &[], |html| {
        columns(html, &[("Blob", false), ("Age", true), ("Bytes", true)]);
        html.within("tbody", &[], |html| largest.iter().for_each(|blob| row(html, blob, subject)));
    });
    Some(Section { id: "blobs", short: "Largest blobs", title: "The largest blobs", body })
}

fn row(html: &mut Html, blob: &LargeBlob, subject: &Subject<'_>) {
    html.within("tr", &[], |html| {
        html.within("th", &[("scope", &"row")], |html| {
            html.element("code", &[], blob.digest);
            html.element("small", &[], held_by(blob));
        });
        number(html, age(subject.header.t0.since(blob.modified)));
        number(html, size(blob.bytes));
    });
}

fn held_by(blob: &LargeBlob) -> String {
    let Some(repository) = &blob.repository else {
        return "no link of the plan leads to it".to_owned();
    };
    let others = counted(blob.others as u64, "other repository", "other repositories");
    match (repository.as_str(), blob.others) {
        ("", _) => "linked by repositories that are not told apart".to_owned(),
        (repository, 0) => format!("linked by {repository}"),
        (repository, _) => format!("linked by {repository} and {others}"),
    }
}
