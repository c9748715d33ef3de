//! How old and how large it is.

use planner::Amount;

use crate::html::Html;
use crate::words::{count, size};
use crate::{Figures, Spread};

use super::Section;
use super::parts::{bar, columns, lead};

pub(super) fn section(figures: &Figures) -> Option<Section> {
    if figures.ages().steps().is_empty() {
        return None;
    }
    let mut body = Html::default();
    lead(
        &mut body,
        "The steps grow as on a logarithmic scale; the bars of a column compare with each other.",
    );
    body.within("div", &[("class", &"pair")], |html| {
        html.within("div", &[], |html| {
            html.element("h3", &[], "By age");
            spread(
                html,
                "Age",
                "Everything that goes, by the time since it was last written",
                figures.ages(),
            );
        });
        if !figures.sizes().steps().is_empty() {
            html.within("div", &[], |html| {
                html.element("h3", &[], "By size");
                spread(html, "Size", "Blobs that go, by their size", figures.sizes());
            });
        }
    });
    Some(Section { id: "distribution", short: "Age and size", title: "How old, how large", body })
}

fn spread(html: &mut Html, what: &'static str, caption: &'static str, spread: &Spread) {
    let steps = spread.steps();
    let most =
        |of: fn(&Amount) -> u64| steps.iter().map(|(_, amount)| of(amount)).max().unwrap_or(0);
    let (most_bytes, most_objects) = (most(|amount| amount.bytes), most(|amount| amount.count));
    html.within("table", &[], |html| {
        html.element("caption", &[], caption);
        columns(html, &[(what, false), ("Bytes", false), ("Objects", false)]);
        html.within("tbody", &[], |html| {
            for (name, amount) in &steps {
                html.within("tr", &[], |html| {
                    html.element("th", &[("scope", &"row")], *name);
                    measured(html, "bytes", size(amount.bytes), amount.bytes, most_bytes);
                    measured(html, "objects", count(amount.count), amount.count, most_objects);
                });
            }
        });
    });
}

fn measured(html: &mut Html, class: &'static str, text: String, part: u64, of: u64) {
    html.within("td", &[("class", &"half")], |html| {
        html.text(text);
        bar(html, class, part, of);
    });
}
