//! The largest blobs that go.

use registry::Timestamp;

use crate::html::Html;
use crate::words::{age, counted, size};
use crate::{Figures, LargeBlob};

use super::Section;
use super::parts::{columns, number};

/// Blobs by their age at `t0`; `nobody` says that no repository is known of one.
pub(super) fn section(figures: &Figures, t0: Timestamp, nobody: &'static str) -> Option<Section> {
    let largest = figures.largest();
    if largest.is_empty() {
        return None;
    }
    let mut body = Html::default();
    body.within("table", &[], |html| {
        columns(html, &[("Blob", false), ("Age", true), ("Bytes", true)]);
        html.within("tbody", &[], |html| {
            for blob in largest {
                row(html, blob, t0, nobody);
            }
        });
    });
    Some(Section { id: "blobs", short: "Largest blobs", title: "The largest blobs", body })
}

fn row(html: &mut Html, blob: &LargeBlob, t0: Timestamp, nobody: &'static str) {
    html.within("tr", &[], |html| {
        html.within("th", &[("scope", &"row")], |html| {
            html.element("code", &[], blob.digest);
            html.element("small", &[], held_by(blob, nobody));
        });
        number(html, age(t0.since(blob.modified)));
        number(html, size(blob.bytes));
    });
}

fn held_by(blob: &LargeBlob, nobody: &'static str) -> String {
    let Some(repository) = &blob.repository else {
        return nobody.to_owned();
    };
    let others = counted(blob.others as u64, "other repository", "other repositories");
    match (repository.as_str(), blob.others) {
        ("", _) => "linked by repositories that are not told apart".to_owned(),
        (repository, 0) => format!("linked by {repository}"),
        (repository, _) => format!("linked by {repository} and {others}"),
    }
}
