//! Where it lies.

use planner::Amount;

use crate::html::Html;
use crate::words::{count, size};
use crate::{Figures, Place, Subject};

use super::parts::{bar, columns, lead, number};
use super::{Section, map};

/// Repositories that the table names.
const ROWS: usize = 20;

pub(super) fn section(subject: &Subject<'_>) -> Option<Section> {
    let figures = subject.figures;
    if figures.places().is_empty() && figures.unplaced().count == 0 {
        return None;
    }
    let mut body = Html::default();
    lead(
        &mut body,
        "A plan names no repository for a blob. Here a blob counts for the repositories whose links to it go by the \
         same plan; where there are several, each has an even part of its bytes. Blobs to which no such link leads \
         are of no repository: their links went earlier, or never were.",
    );
    map::write(&mut body, figures);
    body.element("h3", &[], "The largest repositories");
    body.within("table", &[], |html| table(html, figures));
    Some(Section { id: "repositories", short: "Repositories", title: "Where it lies", body })
}

fn table(html: &mut Html, figures: &Figures) {
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

fn together(places: &[Place]) -> Place {
    let sum = |of: fn(&Place) -> Amount| places.iter().map(of).sum();
    Place {
        name: String::new(),
        links: sum(|place| place.links),
        uploads: sum(|place| place.uploads),
        blobs: sum(|place| place.blobs),
    }
}
