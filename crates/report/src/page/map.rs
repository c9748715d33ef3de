//! Repositories as a treemap: their first path segments, and in these the repositories.

use std::collections::BTreeMap;

use crate::html::Html;
use crate::words::{count, counted, size};
use crate::{Figures, Place, Rectangle, squarify};

/// Groups that have a colour of their own.
const GROUPS: usize = 8;

/// Repositories of one group that are drawn one by one.
const LEAVES: usize = 60;

/// What is less than one in so many is drawn together with its like.
const LEAST: u64 = 1500;

/// The room for the name of a group.
const STRIP: f64 = 18.0;

/// How wide a letter is, at most, at 12 px.
const LETTER: f64 = 7.4;

/// A drawing's size and for what screens it is.
const FRAMES: [(&str, f64, f64); 3] =
    [("wide", 1000.0, 480.0), ("middle", 560.0, 480.0), ("narrow", 300.0, 420.0)];

/// A repository, or several.
#[derive(Debug, PartialEq, Eq)]
struct Leaf {
    label: String,
    title: String,
    bytes: u64,
    /// Whether it stands for several.
    is_many: bool,
}

/// Repositories that begin with the same path segment.
#[derive(Debug, PartialEq, Eq)]
struct Group {
    label: String,
    /// Its colour; the last one is of those that are no group by themselves.
    colour: usize,
    leaves: Vec<Leaf>,
    bytes: u64,
}

/// Draws the repositories; nothing where there is nothing to compare.
pub(super) fn write(html: &mut Html, figures: &Figures) {
    let groups = groups(figures);
    if groups.iter().map(|group| group.leaves.len()).sum::<usize>() < 2 {
        return;
    }
    html.within("figure", &[], |html| {
        html.element(
            "figcaption",
            &[],
            "Area stands for bytes. Repositories that begin alike stand together; the table below has the numbers.",
        );
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

/// The repositories by first path segment, the most bytes first; the last groups together, and what is of no
/// repository.
fn groups(figures: &Figures) -> Vec<Group> {
    let mut by_segment: BTreeMap<&str, Vec<&Place>> = BTreeMap::new();
    for place in figures.places() {
        by_segment.entry(first_segment(&place.name)).or_default().push(place);
    }
    let bytes =
        |places: &[&Place]| places.iter().map(|place| place.bytes()).fold(0, u64::saturating_add);
    let mut segments: Vec<(&str, Vec<&Place>)> = by_segment.into_iter().collect();
    segments.sort_by_key(|(_, places)| std::cmp::Reverse(bytes(places)));
    let others = segments.split_off(segments.len().min(GROUPS));
    let total = bytes(&figures.places().iter().collect::<Vec<_>>())
        .saturating_add(figures.unplaced().bytes);
    let mut groups: Vec<Group> =
        segments.iter().map(|(segment, places)| group(segment, places, total)).collect();
    groups.iter_mut().enumerate().for_each(|(colour, group)| group.colour = colour);
    groups.extend(rest(&others, figures, total));
    groups.retain(|group| group.bytes > 0);
    groups
}

fn first_segment(name: &str) -> &str {
    name.split_once('/').map_or(name, |(first, _)| first)
}

/// A group; in it the names go without what they have in common.
fn group(segment: &str, places: &[&Place], total: u64) -> Group {
    let short = |place: &Place| match place.name.strip_prefix(segment) {
        Some(rest) if places.len() > 1 && !rest.is_empty() => {
            rest.trim_start_matches('/').to_owned()
        }
        _ => place.name.clone(),
    };
    let leaves = leaves(places, short, total);
    let bytes = leaves.iter().map(|leaf| leaf.bytes).fold(0, u64::saturating_add);
    Group { label: format!("{segment}/"), colour: GROUPS, leaves, bytes }
}

/// The small ones together are one leaf.
fn leaves(places: &[&Place], label: impl Fn(&Place) -> String, total: u64) -> Vec<Leaf> {
    let is_shown =
        |place: &Place| place.bytes() > 0 && place.bytes().saturating_mul(LEAST) >= total;
    let shown = places.iter().take(LEAVES).take_while(|place| is_shown(place)).count();
    // One alone is better named than counted.
    let shown = if shown + 1 == places.len() { places.len() } else { shown };
    let (shown, small) = places.split_at(shown);
    let mut leaves: Vec<Leaf> = shown
        .iter()
        .map(|place| Leaf {
            label: label(place),
            title: title(place),
            bytes: place.bytes(),
            is_many: false,
        })
        .collect();
    let bytes = small.iter().map(|place| place.bytes()).fold(0, u64::saturating_add);
    if bytes > 0 {
        let label = format!("{} more", count(small.len() as u64));
        let title =
            format!("{} repositories more, together {}", count(small.len() as u64), size(bytes));
        leaves.push(Leaf { label, title, bytes, is_many: true });
    }
    leaves
}

fn title(place: &Place) -> String {
    let blobs = counted(place.blobs.count, "blob", "blobs");
    format!("{}: {}, {blobs}", place.name, size(place.bytes()))
}

/// What has no group of its own: the smaller groups, the repositories that are not told apart, and the blobs of none.
fn rest(others: &[(&str, Vec<&Place>)], figures: &Figures, total: u64) -> Vec<Group> {
    let mut places: Vec<&Place> = others.iter().flat_map(|(_, places)| places).copied().collect();
    places.sort_by_key(|place| std::cmp::Reverse(place.bytes()));
    let of_others = leaves(&places, |place| place.name.clone(), total);
    let single = |label: &str, bytes: u64| {
        let title = format!("{label}: {}", size(bytes));
        vec![Leaf { label: label.to_owned(), title, bytes, is_many: true }]
    };
    let beyond = figures.beyond().map_or(0, Place::bytes);
    let several = [
        ("other repositories", of_others),
        ("no repository", single("no repository", figures.unplaced().bytes)),
        ("not told apart", single("not told apart", beyond)),
    ];
    let group = |(label, leaves): (&str, Vec<Leaf>)| {
        let bytes = leaves.iter().map(|leaf| leaf.bytes).fold(0, u64::saturating_add);
        Group { label: label.to_owned(), colour: GROUPS, leaves, bytes }
    };
    several.into_iter().map(group).collect()
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

    #[test]
    fn a_first_segment_may_be_all_there_is() {
        assert_eq!(first_segment("team/app/api"), "team");
        assert_eq!(first_segment("alpine"), "alpine");
    }
}
