//! What it costs, and what it saves.

use planner::Requests;

use crate::bill::{copies, still_to_come};
use crate::html::Html;
use crate::words::{count, money, size};
use crate::{Prices, Subject};

use super::Section;
use super::parts::{columns, lead, number};

/// What is saved in a month; none for files, which nobody bills by the month.
pub(super) fn saved_per_month(subject: &Subject<'_>) -> Option<f64> {
    let stored = subject.header.facts.blobs.bytes;
    (!subject.is_files()).then(|| subject.prices.saved(stored, subject.freed().bytes))
}

pub(super) fn section(subject: &Subject<'_>) -> Option<Section> {
    let saved = saved_per_month(subject)?;
    let mut body = Html::default();
    body.within("table", &[], |html| {
        columns(html, &[("Requests", false), ("Number", true), ("Price", true)]);
        html.within("tbody", &[], |html| {
            let prices = subject.prices;
            requests(html, "to make the plan", &subject.header.requests, prices);
            let (when, asked) = match subject.outcome {
                Some(outcome) => ("to carry it out", outcome.requests),
                None => ("to carry it out, about", still_to_come(subject.header, subject.totals)),
            };
            requests(html, when, &asked, prices);
        });
        html.within("tfoot", &[], |html| {
            html.within("tr", &[], |html| {
                html.element("th", &[("scope", &"row")], saved_words(subject));
                number(html, size(subject.freed().bytes));
                number(html, money(saved, &subject.prices.currency));
            });
        });
    });
    notes(&mut body, subject);
    Some(Section { id: "cost", short: "Cost", title: "What it costs, and what it saves", body })
}

/// What to call that.
pub(super) const fn saved_words(subject: &Subject<'_>) -> &'static str {
    if subject.outcome.is_some() { "Saved in a month" } else { "Saves in a month" }
}

/// A row for each kind of request.
pub(super) fn requests(html: &mut Html, when: &'static str, requests: &Requests, prices: &Prices) {
    for (name, number, price) in prices.charges(requests) {
        if number > 0 {
            row(html, name, when, number, price, prices);
        }
    }
}

fn row(
    html: &mut Html,
    name: &'static str,
    when: &'static str,
    requests: u64,
    price: f64,
    prices: &Prices,
) {
    html.within("tr", &[], |html| {
        html.within("th", &[("scope", &"row")], |html| {
            html.text(name);
            html.element("small", &[], when);
        });
        number(html, count(requests));
        number(html, money(price, &prices.currency));
    });
}

/// When nothing is saved, although it was deleted.
pub(super) const NOTHING_SAVED_YET: &str = "Nothing is saved as long as the bucket keeps the versions of what was deleted, \
    or what was deleted lies in the trash.";

fn notes(html: &mut Html, subject: &Subject<'_>) {
    let prices = subject.prices;
    lead(
        html,
        format_args!(
            "Prices: {}. A plan does not know the storage class of a blob: {} is assumed for all of them.",
            prices.source, prices.storage_class
        ),
    );
    if prices.minimum_days > 0 {
        let early = prices.early(subject.figures.bytes_by_day());
        lead(
            html,
            format_args!(
                "{} bills {} days at least: what goes before its time is billed on, {} in all.",
                prices.storage_class,
                prices.minimum_days,
                money(early, &prices.currency),
            ),
        );
    }
    lead(
        html,
        format_args!(
            "The registry is {}; elsewhere prices differ.",
            subject.header.location.identity
        ),
    );
    lead(html, NOTHING_SAVED_YET);
    if subject.outcome.is_none() {
        let copies = copies(subject.totals);
        let price: f64 = prices.charges(&copies).iter().map(|(.., price)| price).sum();
        lead(
            html,
            format_args!(
                "With --trash each object is copied first: {} COPY and {} LIST requests, {}.",
                count(copies.put),
                count(copies.list),
                money(price, &prices.currency)
            ),
        );
    }
}
