//! Where it lies.

use planner::Amount;

use crate::html::Html;
use crate::words::{count, size};
use crate::{Figures, Place};

use super::parts::{bar, columns, lead, number};
use super::{Section, map};

/// Repositories that the table names.
const ROWS: usize = 20;

/// How a plan knows where a blob lies.
pub(super) const OF_A_PLAN: &str = "A plan names no repository for a blob. Here a blob counts for the repositories whose \
    links to it go by the same plan; where there are several, each has an even part of its bytes. Blobs to which no such \
    link leads are of no repository: their links went earlier, or never were.";

/// Where blobs lie, as far as that is known: `how` says how.
pub(super) fn section(figures: &Figures, how: &'static str) -> Option<Section> {
    if figures.places().is_empty() && figures.unplaced().count == 0 {
        return None;
    }
    let mut body = Html::default();
    lead(&mut body, how);
    map::write(&mut body, figures);
    body.element("h3", &[], "The largest repositories");
    body.within("table", &[], |html| table(html, figures));
    Some(Section { id: "repositories", short: "Repositories", title: "Where it lies", body })
}

/// The repositories that hold most, and the others together.
pub(super) fn table(html: &mut Html, figures: &Figures) {
    columns(html, &[("Repository", false), ("Blobs", true), ("Links", true), ("Bytes", true)]);
    let (named, others) = figures.places().split_at(figures.places().len().min(ROWS));
    let most = named.first().map(Place::bytes);
    html.within("tbody", &[], |html| {
        for place in named {
            row(html, &place.name, place, most);
        }
        if !others.is_empty() {
            let name = format!("{} more", count(others.len() as u64));
            row(html, &name, &together(others), None);
        }
        if let Some(beyond) = figures.beyond() {
            let name =
                format!("those past the first {}, not told apart", count(Figures::PLACES as u64));
            row(html, &name, beyond, None);
        }
        if figures.unplaced().count > 0 {
            let unplaced = Place { blobs: figures.unplaced(), ..Place::default() };
            row(html, "no repository", &unplaced, None);
        }
    });
}

/// The same of blobs alone.
pub(super) fn blobs(html: &mut Html, figures: &Figures) {
    let (named, others) = figures.places().split_at(figures.places().len().min(ROWS));
    let most = named.first().map(Place::bytes);
    html.within("tbody", &[], |html| {
        for place in named {
            row_of_blobs(html, &place.name, place.blobs, most);
        }
        let rest: Amount = others.iter().chain(figures.beyond()).map(|place| place.blobs).sum();
        for (name, amount) in [("others", rest), ("no repository", figures.unplaced())] {
            if amount.count > 0 {
                row_of_blobs(html, name, amount, None);
            }
        }
    });
}

/// A row; with a bar where it compares with the others.
fn row(html: &mut Html, name: &str, place: &Place, most: Option<u64>) {
    let class = if most.is_some() { "place" } else { "rest" };
    html.within("tr", &[("class", &class)], |html| {
        html.within("th", &[("scope", &"row")], |html| {
            html.text(name);
            if let Some(most) = most {
                bar(html, "bytes", place.bytes(), most);
            }
        });
        number(html, count(place.blobs.count));
        number(html, count(place.links.count));
        number(html, size(place.bytes()));
    });
}

fn row_of_blobs(html: &mut Html, name: &str, blobs: Amount, most: Option<u64>) {
    let class = if most.is_some() { "place" } else { "rest" };
    html.within("tr", &[("class", &class)], |html| {
        html.within("th", &[("scope", &"row")], |html| {
            html.text(name);
            if let Some(most) = most {
                bar(html, "bytes", blobs.bytes, most);
            }
        });
        number(html, count(blobs.count));
        number(html, size(blobs.bytes));
    });
}

fn together(places: &[Place]) -> Place {
    let sum = |of: fn(&Place) -> Amount| places.iter().map(of).sum();
    Place {
        name: String::new(),
        links: sum(|place| place.links),
        uploads: sum(|place| place.uploads),
        blobs: sum(|place| place.blobs),
    }
}
