//! The few numbers of a night that matter most.

use planner::Amount;

use crate::html::Html;
use crate::words::{count, counted, money, percent, size};
use crate::{Awaited, Deeds, Night, WaitsFor};

use super::super::headline::{doubts, tile};
use super::super::parts::bar;

pub(super) fn write(html: &mut Html, night: &Night<'_>) {
    let deeds = night.deeds;
    html.within("section", &[("aria-label", &"In short")], |html| {
        html.within("dl", &[("class", &"tiles")], |html| {
            html.within("div", &[("class", &"hero")], |html| hero(html, night));
            condemned(html, deeds);
            let needed = count(deeds.rescued.saturating_add(deeds.restored));
            let (kept, back) = (count(deeds.rescued), count(deeds.restored));
            tile(html, "Needed after all", needed, format!("{kept} kept, {back} brought back"));
            quarantined(html, night);
            if let Some(look) = night.look {
                doubts(html, look.doubts.total());
            }
            if let Some(bill) = night.bill.filter(|_| !night.is_files()) {
                let saved = money(bill.saved_per_month(), &bill.prices().currency);
                tile(html, "Saved in a month", saved, "at the prices below".to_owned());
            }
        });
    });
}

fn hero(html: &mut Html, night: &Night<'_>) {
    let deleted = night.deeds.deleted;
    html.element("dt", &[], "Deleted");
    html.element("dd", &[], size(deleted.bytes));
    let blobs = counted(deleted.count, "blob", "blobs");
    html.within("dd", &[("class", &"more")], |html| {
        match night.stored.filter(|stored| stored.bytes > 0) {
            None => html.text(blobs),
            Some(stored) => {
                bar(html, "bytes", deleted.bytes, stored.bytes);
                html.text(format_args!(
                    "{} of {} in {} · {blobs}",
                    percent(deleted.bytes, stored.bytes),
                    size(stored.bytes),
                    counted(stored.count, "blob", "blobs"),
                ));
            }
        }
    });
}

fn condemned(html: &mut Html, deeds: &Deeds) {
    let links = counted(deeds.taken, "link taken", "links taken");
    let blobs = counted(deeds.condemned.count, "blob", "blobs");
    tile(html, "Condemned", size(deeds.condemned.bytes), format!("{blobs}, {links}"));
}

fn quarantined(html: &mut Html, night: &Night<'_>) {
    let is_awaited =
        |one: &&Awaited| matches!(one.waits_for, WaitsFor::Deletion(_) | WaitsFor::Window(_));
    let (mut generations, mut all) = (0, Amount::default());
    for awaited in night.waiting.iter().filter(is_awaited) {
        generations += 1;
        all += awaited.condemned;
    }
    let generations = counted(generations, "generation", "generations");
    let blobs = counted(all.count, "blob", "blobs");
    tile(html, "In quarantine", size(all.bytes), format!("{blobs} of {generations}"));
}
