//! What stands together on the map: repositories that begin with the same path segment.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::words::{count, counted, size};
use crate::{Figures, Place};

/// Groups that have a colour of their own.
pub(super) const GROUPS: usize = 8;

/// Repositories that are drawn one by one, the largest first.
const LEAVES: usize = 250;

/// What is less than one in so many is drawn together with its like.
const LEAST: u64 = 3000;

/// A repository, or several.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Leaf {
    pub(super) label: String,
    pub(super) title: String,
    pub(super) bytes: u64,
    /// Whether it stands for several.
    pub(super) is_many: bool,
}

/// Repositories that begin with the same path segment.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) label: String,
    /// Its colour; the last one is of those that are no group by themselves.
    pub(super) colour: usize,
    pub(super) leaves: Vec<Leaf>,
    pub(super) bytes: u64,
}

impl Group {
    fn new(label: String, colour: usize, leaves: Vec<Leaf>) -> Self {
        let bytes = sum(leaves.iter().map(|leaf| leaf.bytes));
        Self { label, colour, leaves, bytes }
    }
}

/// A repository, and whether it is drawn by itself.
#[derive(Clone, Copy)]
struct Drawn<'a> {
    place: &'a Place,
    is_shown: bool,
}

fn sum(bytes: impl IntoIterator<Item = u64>) -> u64 {
    bytes.into_iter().fold(0, u64::saturating_add)
}

fn bytes_of(places: &[Drawn<'_>]) -> u64 {
    sum(places.iter().map(|drawn| drawn.place.bytes()))
}

/// The repositories by first path segment, the most bytes first; the smaller groups are one, and so are the repositories
/// that are not told apart.
pub(super) fn groups(figures: &Figures) -> Vec<Group> {
    let mut segments = by_segment(figures.places());
    let others = segments.split_off(segments.len().min(GROUPS));
    let named = segments.iter().enumerate();
    let mut groups: Vec<Group> =
        named.map(|(colour, (segment, places))| group(segment, colour, places)).collect();
    let mut others: Vec<Drawn<'_>> = others.into_iter().flat_map(|(_, places)| places).collect();
    others.sort_by_key(|drawn| (Reverse(drawn.is_shown), Reverse(drawn.place.bytes())));
    let whole_names = leaves(&others, |place| place.name.clone());
    groups.push(Group::new("other repositories".to_owned(), GROUPS, whole_names));
    groups.extend(figures.beyond().map(beyond));
    groups.retain(|group| group.bytes > 0);
    groups
}

/// Groups with the most bytes first; in each the largest repositories first.
fn by_segment(places: &[Place]) -> Vec<(&str, Vec<Drawn<'_>>)> {
    let total = sum(places.iter().map(Place::bytes));
    let mut segments: BTreeMap<&str, Vec<Drawn<'_>>> = BTreeMap::new();
    for (rank, place) in places.iter().enumerate() {
        let is_large = place.bytes() > 0 && place.bytes().saturating_mul(LEAST) >= total;
        let drawn = Drawn { place, is_shown: rank < LEAVES && is_large };
        segments.entry(first_segment(&place.name)).or_default().push(drawn);
    }
    let mut segments: Vec<_> = segments.into_iter().collect();
    segments.sort_by_key(|(_, places)| Reverse(bytes_of(places)));
    segments
}

fn first_segment(name: &str) -> &str {
    name.split_once('/').map_or(name, |(first, _)| first)
}

/// A group; in it the names go without what they have in common.
fn group(segment: &str, colour: usize, places: &[Drawn<'_>]) -> Group {
    let short = |place: &Place| match place.name.strip_prefix(segment) {
        Some(rest) if places.len() > 1 && !rest.is_empty() => {
            rest.trim_start_matches('/').to_owned()
        }
        _ => place.name.clone(),
    };
    Group::new(format!("{segment}/"), colour, leaves(places, short))
}

/// Those that are not shown by themselves are one leaf; one alone is better named than counted.
fn leaves(places: &[Drawn<'_>], label: impl Fn(&Place) -> String) -> Vec<Leaf> {
    let shown = places.iter().take_while(|drawn| drawn.is_shown).count();
    let shown = if shown + 1 == places.len() { places.len() } else { shown };
    let (shown, small) = places.split_at(shown);
    let leaf = |drawn: &Drawn<'_>| Leaf {
        label: label(drawn.place),
        title: title(drawn.place),
        bytes: drawn.place.bytes(),
        is_many: false,
    };
    let mut leaves: Vec<Leaf> = shown.iter().map(leaf).collect();
    let (number, bytes) = (count(small.len() as u64), bytes_of(small));
    if bytes > 0 {
        let title = format!("{number} repositories more, together {}", size(bytes));
        leaves.push(Leaf { label: format!("{number} more"), title, bytes, is_many: true });
    }
    leaves
}

fn title(place: &Place) -> String {
    let blobs = counted(place.blobs.count, "blob", "blobs");
    format!("{}: {}, {blobs}", place.name, size(place.bytes()))
}

fn beyond(place: &Place) -> Group {
    let (label, bytes) = ("not told apart".to_owned(), place.bytes());
    let title = format!("{label}: {}", size(bytes));
    Group::new(label.clone(), GROUPS, vec![Leaf { label, title, bytes, is_many: true }])
}

#[cfg(test)]
mod tests {
    use planner::Amount;
    use proptest::prelude::*;

    use super::*;

    fn place(name: String, bytes: u64) -> Place {
        Place { name, blobs: Amount { count: 1, bytes }, ..Place::default() }
    }

    #[test]
    fn a_first_segment_may_be_all_there_is() {
        assert_eq!(first_segment("team/app/api"), "team");
        assert_eq!(first_segment("alpine"), "alpine");
    }

    #[test]
    fn names_go_without_what_they_have_in_common_and_one_alone_is_named() {
        let places = [
            place("team/api".into(), 10_000),
            place("team/web".into(), 1),
            place("solo".into(), 9),
        ];
        let segments = by_segment(&places);
        let labels = |(segment, places): &(&str, Vec<Drawn<'_>>)| {
            group(segment, 0, places).leaves.into_iter().map(|leaf| leaf.label).collect::<Vec<_>>()
        };
        assert_eq!(
            segments.iter().map(labels).collect::<Vec<_>>(),
            [vec!["api", "web"], vec!["solo"]]
        );
    }

    proptest! {
        #[test]
        fn no_byte_is_lost_and_leaves_are_bounded(
            sizes in prop::collection::vec((0..12_u8, 0..1000_u64), 0..400),
        ) {
            let places = sizes.iter().enumerate().map(|(at, (team, bytes))| {
                place(format!("team-{team}/app-{at}"), *bytes)
            });
            let mut places: Vec<Place> = places.collect();
            places.sort_by_key(|place| Reverse(place.bytes()));
            let total = sum(places.iter().map(Place::bytes));
            let groups: Vec<Group> =
                by_segment(&places).iter().map(|(name, places)| group(name, 0, places)).collect();
            prop_assert_eq!(sum(groups.iter().map(|group| group.bytes)), total);
            let leaves: usize = groups.iter().map(|group| group.leaves.len()).sum();
            prop_assert!(leaves <= LEAVES + 2 * groups.len());
            prop_assert!(groups.is_sorted_by_key(|group| Reverse(group.bytes)));
        }
    }
}
