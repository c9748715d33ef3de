//! Repositories as a treemap: their first path segments, and in these the repositories.

mod groups;

use crate::html::Html;
use crate::words::size;
use crate::{Figures, Rectangle, squarify};

use groups::{Group, Leaf, groups};

/// The room for the name of a group.
const STRIP: f64 = 18.0;

/// How wide a letter is, at most, at 12 px.
const LETTER: f64 = 7.4;

/// A drawing's size and for what screens it is.
const FRAMES: [(&str, f64, f64); 3] =
    [("wide", 1000.0, 480.0), ("middle", 560.0, 480.0), ("narrow", 300.0, 420.0)];

/// Draws the repositories; nothing where there is nothing to compare.
pub(super) fn write(html: &mut Html, figures: &Figures) {
    let groups = groups(figures);
    if groups.iter().map(|group| group.leaves.len()).sum::<usize>() < 2 {
        return;
    }
    html.within("figure", &[], |html| {
        html.element("figcaption", &[], caption(figures));
        for (class, width, height) in FRAMES {
            let view = format!("0 0 {width} {height}");
            let label = "Treemap of what goes, by repository";
            let attributes: [(_, &dyn std::fmt::Display); 4] =
                [("class", &class), ("viewBox", &view), ("role", &"img"), ("aria-label", &label)];
            let frame = Rectangle { left: 0.0, top: 0.0, width, height };
            html.within("svg", &attributes, |html| draw(html, &groups, frame));
        }
    });
}

fn caption(figures: &Figures) -> String {
    let unplaced = figures.unplaced();
    let left_out = match unplaced.count {
        0 => String::new(),
        _ => format!(" Left out: {} of no repository.", size(unplaced.bytes)),
    };
    format!(
        "Area stands for bytes. Repositories that begin alike stand together; the table below has the numbers.{left_out}"
    )
}

fn draw(html: &mut Html, groups: &[Group], frame: Rectangle) {
    let weights: Vec<u64> = groups.iter().map(|group| group.bytes).collect();
    let rectangles = squarify(&weights, frame);
    for (group, rectangle) in groups.iter().zip(rectangles) {
        draw_group(html, group, rectangle.inset(1.5));
    }
}

/// A group of one repository needs no name beside that.
fn draw_group(html: &mut Html, group: &Group, room: Rectangle) {
    let has_strip = group.leaves.len() > 1 && room.height > 3.0 * STRIP && room.width > 60.0;
    if has_strip {
        let strip = Rectangle { height: STRIP, ..room };
        let text = format!("{} · {}", group.label, size(group.bytes));
        let short = fit(&text, room.width).or_else(|| fit(&group.label, room.width));
        label(html, strip, 13.0, "strong", &short.unwrap_or_else(|| cut(&group.label, room.width)));
    }
    let room = if has_strip { room.below(STRIP) } else { room };
    let weights: Vec<u64> = group.leaves.iter().map(|leaf| leaf.bytes).collect();
    for (leaf, rectangle) in group.leaves.iter().zip(squarify(&weights, room)) {
        draw_leaf(html, leaf, rectangle, group.colour);
    }
}

fn draw_leaf(html: &mut Html, leaf: &Leaf, room: Rectangle, colour: usize) {
    let class = format!("cell g{colour}{}", if leaf.is_many { " many" } else { "" });
    html.within("g", &[], |html| {
        html.element("title", &[], &leaf.title);
        let [x, y, width, height] =
            [room.left, room.top, room.width, room.height].map(|number| format!("{number:.1}"));
        html.empty(
            "rect",
            &[
                ("class", &class),
                ("x", &x),
                ("y", &y),
                ("width", &width),
                ("height", &height),
                ("rx", &"2"),
            ],
        );
        let has_room = letters(room.width) >= 9 || fit(&leaf.label, room.width).is_some();
        if room.height < 18.0 || !has_room {
            return;
        }
        label(html, room, 14.0, "", &cut(&leaf.label, room.width));
        if let Some(bytes) = fit(&size(leaf.bytes), room.width).filter(|_| room.height >= 36.0) {
            label(html, room, 29.0, "", &bytes);
        }
    });
}

fn label(html: &mut Html, room: Rectangle, down: f64, class: &'static str, text: &str) {
    let (x, y) = (format!("{:.1}", room.left + 5.0), format!("{:.1}", room.top + down));
    html.element("text", &[("x", &x), ("y", &y), ("class", &class)], text);
}

/// How many letters there is room for.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a width in letters")]
fn letters(width: f64) -> usize {
    ((width - 8.0) / LETTER).max(0.0) as usize
}

fn fit(text: &str, width: f64) -> Option<String> {
    (text.chars().count() <= letters(width)).then(|| text.to_owned())
}

/// The text, or as much of it as there is room for.
fn cut(text: &str, width: f64) -> String {
    fit(text, width).unwrap_or_else(|| {
        let kept: String = text.chars().take(letters(width).saturating_sub(1)).collect();
        kept + "…"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_never_runs_out_of_its_cell() {
        assert_eq!(cut("library/app", 200.0), "library/app");
        assert_eq!(cut("library/app", 60.0), "librar…");
        assert_eq!(cut("日本日本日本日本", 50.0).chars().count(), 5);
        assert_eq!(fit("library/app", 60.0), None);
    }
}
