//! The few numbers that matter most.

use planner::{Purpose, RowKind};

use crate::Subject;
use crate::html::Html;
use crate::words::{count, counted, money, percent, size};

use super::parts::bar;
use super::{cost, objects};

pub(super) fn write(html: &mut Html, subject: &Subject<'_>) {
    html.within("section", &[("aria-label", &"In short")], |html| {
        html.within("dl", &[("class", &"tiles")], |html| {
            html.within("div", &[("class", &"hero")], |html| hero(html, subject));
            let all = count(subject.totals.all().count);
            tile(html, "Objects in the plan", all, objects_of(subject));
            repositories(html, subject);
            doubts(html, subject.header.doubts.total());
            if let Some(saved) = cost::saved_per_month(subject).filter(|_| !subject.is_refused()) {
                let saved = money(saved, &subject.prices.currency);
                tile(html, cost::saved_words(subject), saved, "at the prices below".to_owned());
            }
        });
    });
}

fn objects_of(subject: &Subject<'_>) -> String {
    let of = |kind| subject.totals.of(kind).count;
    let (blobs, uploads) = (of(RowKind::Blob), of(RowKind::Upload));
    let multipart = of(RowKind::MultipartUpload);
    let others = blobs.saturating_add(uploads).saturating_add(multipart);
    let links = subject.totals.all().count.saturating_sub(others);
    let some = |number, one, many| (number > 0).then(|| counted(number, one, many));
    let parts = [
        some(blobs, "blob", "blobs"),
        some(links, "link", "links"),
        some(uploads, "part of an upload", "parts of uploads"),
        some(multipart, "multipart upload", "multipart uploads"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// A repair is about links, however few bytes they have.
fn repaired(html: &mut Html, subject: &Subject<'_>) {
    let name = if subject.outcome.is_some() { "Repaired" } else { "Can be repaired" };
    let broken = subject.totals.of(RowKind::BrokenLink).count;
    let useless = subject.totals.all().count.saturating_sub(broken);
    html.element("dt", &[], name);
    html.element("dd", &[], counted(broken, "broken link", "broken links"));
    let others = counted(useless, "useless link", "useless links");
    html.element("dd", &[("class", &"more")], format_args!("and {others} to remove"));
}

fn hero(html: &mut Html, subject: &Subject<'_>) {
    if subject.header.purpose == Purpose::Repair {
        return repaired(html, subject);
    }
    let freed = subject.freed();
    let name = match subject.outcome {
        Some(_) => "Reclaimed",
        None if subject.is_refused() => "Would go, were it not refused",
        None => "Reclaimable",
    };
    html.element("dt", &[], name);
    html.element("dd", &[], size(freed.bytes));
    let facts = &subject.header.facts;
    html.within("dd", &[("class", &"more")], |html| {
        if facts.unweighed_blobs > 0 || facts.blobs.bytes == 0 {
            html.text(objects(freed.count));
            return;
        }
        // Links and uploads are no part of what the blobs hold.
        let blobs = freed.bytes.min(subject.totals.of(RowKind::Blob).bytes);
        bar(html, "bytes", blobs, facts.blobs.bytes);
        let share = percent(blobs, facts.blobs.bytes);
        html.text(format_args!(
            "{share} of {} in {} · {}",
            size(facts.blobs.bytes),
            counted(facts.blobs.count, "blob", "blobs"),
            objects(freed.count),
        ));
    });
}

fn repositories(html: &mut Html, subject: &Subject<'_>) {
    let places = subject.figures.places().len() as u64;
    let more = if subject.figures.beyond().is_some() { "more than " } else { "" };
    let of = format!("of {} hold some of it", count(subject.header.facts.repositories));
    tile(html, "Repositories", format!("{more}{}", count(places)), of);
}

/// How many doubts there are.
pub(super) fn doubts(html: &mut Html, doubts: u64) {
    let more = if doubts == 0 { "everything was understood" } else { "kept, with all they pin" };
    tile(html, "In doubt", count(doubts), more.to_owned());
}

/// A number with what it is of.
pub(super) fn tile(html: &mut Html, name: &'static str, value: String, more: String) {
    html.within("div", &[], |html| {
        html.element("dt", &[], name);
        html.element("dd", &[], value);
        html.element("dd", &[("class", &"more")], more);
    });
}
