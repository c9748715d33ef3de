//! The page of a night: one run of a collection while people push.

mod deeds;
mod facts;
mod headline;
mod verdict;
mod waiting;

use planner::Amount;

use crate::html::Html;
use crate::words::{count, money, size};
use crate::{Figures, Night, NightBill, Prices};

use super::document::{Document, Section};
use super::parts::{columns, lead, minute, number};
use super::{blobs, cost, distribution, doubts, kinds, repositories};

/// How it is known where what was condemned lies.
const OF_LINKS: &str = "A blob counts for the repositories whose links to it were taken with it; where there are several, \
    each has an even part of its bytes. Blobs to which no link led are of no repository.";

/// The page of a night: a whole HTML document. The same night always gives the same page.
#[must_use]
pub fn night_page(night: &Night<'_>) -> String {
    let mut first = Html::default();
    verdict::write(&mut first, night);
    headline::write(&mut first, night);
    let (condemned, began) = (night.condemned, night.began);
    let sections = [
        Some(deeds::section(night)),
        waiting::section(night),
        kinds_condemned(condemned),
        repositories::section(condemned, OF_LINKS),
        distribution::section(condemned),
        blobs::section(condemned, began, "no link led to it"),
        places_deleted(night.deleted),
        night.look.and_then(|look| doubts::section(&look.doubts, "the next run")),
        requests(night),
        Some(facts::section(night)),
    ];
    Document {
        source: night.source,
        what: "What a night of collecting did",
        about: about(night),
        first,
        sections: sections.into_iter().flatten().collect(),
    }
    .into_html()
}

fn about(night: &Night<'_>) -> Html {
    let mut html = Html::default();
    html.text(format_args!("While people push · as of {}", minute(night.began)));
    html.text(format_args!(" · regsweep {}", night.created_by));
    html
}

fn kinds_condemned(condemned: &Figures) -> Option<Section> {
    let all: Amount = condemned.kinds().values().copied().sum();
    if all.count == 0 {
        return None;
    }
    let mut body = Html::default();
    lead(
        &mut body,
        "The links went tonight, so that whoever still needs a blob writes its link again. The blobs are there until their \
         quarantine is over, and go only if nobody did.",
    );
    body.within("table", &[], |html| {
        columns(html, &[("What, and why", false), ("Objects", true), ("Bytes", true)]);
        html.within("tbody", &[], |html| kinds::rows(html, condemned));
        html.within("tfoot", &[], |html| {
            html.within("tr", &[], |html| {
                html.element("th", &[("scope", &"row")], "In all");
                number(html, count(all.count));
                number(html, size(all.bytes));
            });
        });
    });
    Some(Section { id: "kinds", short: "Condemned", title: "What was condemned, and why", body })
}

/// Where lay what was deleted.
fn places_deleted(deleted: &Figures) -> Option<Section> {
    if deleted.places().is_empty() && deleted.unplaced().count == 0 {
        return None;
    }
    let mut body = Html::default();
    lead(
        &mut body,
        "The repositories from which the links to the deleted blobs were taken when these were condemned.",
    );
    body.within("table", &[], |html| {
        columns(html, &[("Repository", false), ("Blobs", true), ("Bytes", true)]);
        repositories::blobs(html, deleted);
    });
    Some(Section { id: "deleted", short: "Deleted", title: "Where lay what was deleted", body })
}

/// What was asked of a store that may bill it, and what that costs where it is known.
fn requests(night: &Night<'_>) -> Option<Section> {
    if night.is_files() {
        return None;
    }
    let mut body = Html::default();
    let prices = night.bill.map(NightBill::prices);
    body.within("table", &[], |html| match prices {
        Some(prices) => priced(html, night, prices),
        None => unpriced(html, night),
    });
    if let Some(prices) = prices {
        notes(&mut body, night, prices);
    }
    let (short, title) = match prices {
        Some(_) => ("Cost", "What was asked of the store, and what it costs"),
        None => ("Requests", "What was asked of the store"),
    };
    Some(Section { id: "cost", short, title, body })
}

fn priced(html: &mut Html, night: &Night<'_>, prices: &Prices) {
    columns(html, &[("Requests", false), ("Number", true), ("Price", true)]);
    html.within("tbody", &[], |html| cost::requests(html, "in this run", &night.requests, prices));
    let Some(bill) = night.bill else { return };
    html.within("tfoot", &[], |html| {
        html.within("tr", &[], |html| {
            html.element("th", &[("scope", &"row")], "Saved in a month");
            number(html, size(night.deeds.deleted.bytes));
            number(html, money(bill.saved_per_month(), &prices.currency));
        });
    });
}

fn unpriced(html: &mut Html, night: &Night<'_>) {
    columns(html, &[("Requests", false), ("Number", true)]);
    html.within("tbody", &[], |html| {
        // Which kinds there are does not depend on the prices.
        for (name, asked, _) in Prices::default().charges(&night.requests) {
            if asked > 0 {
                html.within("tr", &[], |html| {
                    html.element("th", &[("scope", &"row")], name);
                    number(html, count(asked));
                });
            }
        }
    });
}

fn notes(html: &mut Html, night: &Night<'_>, prices: &Prices) {
    let Some(bill) = night.bill else { return };
    lead(
        html,
        format_args!(
            "Prices: {}. The storage class of a blob is not known: {} is assumed for all of them.",
            prices.source, prices.storage_class
        ),
    );
    if prices.minimum_days > 0 {
        lead(
            html,
            format_args!(
                "{} bills {} days at least: what went before its time is billed on, {} in all.",
                prices.storage_class,
                prices.minimum_days,
                money(bill.early_deletion(), &prices.currency),
            ),
        );
    }
    lead(html, cost::NOTHING_SAVED_YET);
}
