//! What a night did, and how it went on.

use planner::{Amount, MultipartSeen};

use crate::html::Html;
use crate::words::{count, size};
use crate::{Deeds, Night};

use super::super::document::Section;
use super::super::parts::{columns, lead, number};
use super::super::run::{failures, over_time};

pub(super) fn section(night: &Night<'_>) -> Section {
    let (mut body, deeds) = (Html::default(), night.deeds);
    body.within("table", &[], |html| {
        columns(html, &[("Blobs and links", false), ("Number", true), ("Bytes", true)]);
        html.within("tbody", &[], |html| rows(html, deeds));
    });
    way_back(&mut body, deeds);
    unaborted(&mut body, deeds.uploads.as_ref());
    failures(&mut body, "What the store did not do", &deeds.failures);
    over_time(&mut body, night.timeline, night.is_files());
    Section { id: "run", short: "Outcome", title: "What became of it", body }
}

/// What stays of uploads because it is not known.
fn unaborted(html: &mut Html, uploads: Option<&MultipartSeen>) {
    match uploads {
        Some(MultipartSeen::Unknown { why }) => {
            lead(
                html,
                format_args!("Incomplete multipart uploads are not known, and stay: {why}."),
            );
        }
        Some(MultipartSeen::Known { unread, .. }) if *unread > 0 => lead(
            html,
            format_args!(
                "{} incomplete multipart uploads stay, since their parts cannot be listed.",
                count(*unread)
            ),
        ),
        Some(MultipartSeen::Known { .. }) | None => {}
    }
}

/// How what was deleted comes back.
fn way_back(html: &mut Html, deeds: &Deeds) {
    for generation in &deeds.deleted_by {
        html.within("p", &[("class", &"lead")], |html| {
            html.element("code", &[], format_args!("undo LOCATION --generation {generation}"));
            html.text(" takes back what was deleted, as long as the store keeps it.");
        });
    }
}

/// Those that are always told, and those that there were.
fn rows(html: &mut Html, deeds: &Deeds) {
    let bytes = |amount: Amount| (amount.count, Some(amount.bytes));
    let (condemned, deleted) = (bytes(deeds.condemned), bytes(deeds.deleted));
    for (name, (number, bytes), why) in [
        (
            "Blobs deleted",
            deleted,
            "Condemned earlier; nobody came to need them in their quarantine.",
        ),
        ("Blobs condemned", condemned, "Nothing needs them; they wait out their quarantine."),
    ] {
        row(html, name, number, bytes, why);
    }
    if deeds.aborted.count > 0 {
        let why = "Begun, and nothing was added to them for long; nobody could pull them.";
        let Amount { count, bytes } = deeds.aborted;
        row(html, "Multipart uploads aborted", count, Some(bytes), why);
    }
    for (name, number, why) in [
        ("Links taken", deeds.taken, "To what was condemned."),
        (
            "Blobs rescued",
            deeds.rescued,
            "Came to be needed, or in doubt, before they were deleted.",
        ),
        ("Blobs brought back", deeds.restored, "Came to be needed when they were deleted."),
        ("Links given back", deeds.given_back, "To what was rescued or brought back."),
        ("Not deleted", deeds.failed, "The store did not delete them; the next run tries again."),
        (
            "Not back yet",
            deeds.not_back,
            "Needed, and could not be brought back; the next run tries again.",
        ),
        (
            "Lost",
            deeds.lost,
            "Needed, and gone before they were deleted: they have to be pushed again.",
        ),
        (
            "Generations given up",
            deeds.overtaken,
            "A manifest was pushed while its link was taken.",
        ),
        ("Generations ended", deeds.closed, "What they deleted was looked for one last time."),
    ] {
        if number > 0 {
            row(html, name, number, None, why);
        }
    }
}

fn row(html: &mut Html, name: &'static str, objects: u64, bytes: Option<u64>, why: &'static str) {
    html.within("tr", &[], |html| {
        html.within("th", &[("scope", &"row")], |html| {
            html.text(name);
            html.element("small", &[], why);
        });
        number(html, count(objects));
        number(html, bytes.map(size).unwrap_or_default());
    });
}
