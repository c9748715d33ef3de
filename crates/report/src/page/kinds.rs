//! What goes, and why.

use planner::{MultipartSeen, Reason, RowKind};

use crate::html::Html;
use crate::words::{count, size};
use crate::{Figures, Subject};

use super::Section;
use super::parts::{bar, columns, lead, number};

const KINDS: [(RowKind, &str); 7] = [
    (RowKind::Blob, "Blobs"),
    (RowKind::RevisionLink, "Revision links"),
    (RowKind::LayerLink, "Layer links"),
    (RowKind::TagLink, "Tag links"),
    (RowKind::Upload, "Uploads"),
    (RowKind::MultipartUpload, "Incomplete multipart uploads"),
    (RowKind::BrokenLink, "Broken links, which are written anew"),
];

pub(super) fn section(subject: &Subject<'_>) -> Option<Section> {
    let kinds = subject.figures.kinds();
    if kinds.is_empty() {
        return None;
    }
    let mut body = Html::default();
    lead(
        &mut body,
        "Blobs hold the content. Links are the small objects by which repositories name it; they go first, so that \
         nothing ever refers to what is gone.",
    );
    body.within("table", &[], |html| {
        columns(html, &[("What, and why", false), ("Objects", true), ("Bytes", true)]);
        html.within("tbody", &[], |html| rows(html, subject.figures));
        html.within("tfoot", &[], |html| {
            html.within("tr", &[], |html| {
                let all = subject.totals.all();
                html.element("th", &[("scope", &"row")], "In all");
                number(html, count(all.count));
                number(html, size(all.bytes));
            });
        });
    });
    if let Some(MultipartSeen::Unknown { why }) = &subject.header.multipart {
        lead(
            &mut body,
            format_args!("Incomplete multipart uploads are not known, and stay: {why}."),
        );
    }
    Some(Section { id: "kinds", short: "Kinds", title: "What goes, and why", body })
}

/// A row for each kind and reason.
pub(super) fn rows(html: &mut Html, figures: &Figures) {
    let most = figures.kinds().values().map(|amount| amount.bytes).max().unwrap_or(0);
    for (kind, name) in KINDS {
        let of_kind = figures.kinds().iter().filter(|((of, _), _)| *of == kind);
        for ((_, reason), amount) in of_kind {
            html.within("tr", &[], |html| {
                html.within("th", &[("scope", &"row")], |html| {
                    html.text(name);
                    html.element("small", &[], why(*reason));
                });
                number(html, count(amount.count));
                html.within("td", &[("class", &"number half")], |html| {
                    html.text(size(amount.bytes));
                    bar(html, "bytes", amount.bytes, most);
                });
            });
        }
    }
}

const fn why(reason: Reason) -> &'static str {
    match reason {
        Reason::Unreferenced => "No manifest that is kept refers to it.",
        Reason::Untagged => "No tag reaches the manifest, and it refers to none that is kept.",
        Reason::Expired => {
            "A rule of the policy lets the tag go, or every tag that reaches the manifest."
        }
        Reason::DeadTagHistory => {
            "It is the history of a tag and names a manifest that is not kept."
        }
        Reason::UnneededHere => "No manifest that this repository keeps needs the blob.",
        Reason::StaleUpload => "The upload was begun and never finished.",
        Reason::BrokenLink => "The link is no digest, and which it has to name is known.",
        Reason::EmptyRepository => "Nothing that could be pulled is left in the repository.",
    }
}
