//! What still waits, and until when.

use crate::html::Html;
use crate::words::{count, size};
use crate::{Awaited, Night, WaitsFor};

use super::super::document::Section;
use super::super::parts::{columns, lead, minute, number};

pub(super) fn section(night: &Night<'_>) -> Option<Section> {
    if night.waiting.is_empty() {
        return None;
    }
    let mut body = Html::default();
    lead(
        &mut body,
        "What one night condemned is a generation. Blobs that came back are counted too.",
    );
    body.within("table", &[], |html| {
        columns(
            html,
            &[("Generation, and what it waits for", false), ("Blobs", true), ("Bytes", true)],
        );
        html.within("tbody", &[], |html| night.waiting.iter().for_each(|one| row(html, one)));
    });
    Some(Section { id: "waiting", short: "Waiting", title: "What waits, and until when", body })
}

fn row(html: &mut Html, awaited: &Awaited) {
    html.within("tr", &[], |html| {
        html.within("th", &[("scope", &"row")], |html| {
            html.element("code", &[], &awaited.generation);
            html.element("small", &[], until(awaited.waits_for));
        });
        number(html, count(awaited.condemned.count));
        number(html, size(awaited.condemned.bytes));
    });
}

fn until(waits_for: WaitsFor) -> String {
    match waits_for {
        WaitsFor::Deletion(due) => {
            format!("In quarantine: the first run after {} deletes it.", minute(due))
        }
        WaitsFor::Window(due) => {
            format!("In quarantine: the first window after {} deletes it.", minute(due))
        }
        WaitsFor::LastLook(due) => {
            format!("Deleted: the first run after {} looks for the last time.", minute(due))
        }
        WaitsFor::NextRun => "Unfinished: the next run goes on.".to_owned(),
    }
}
