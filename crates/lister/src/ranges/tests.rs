//! Ranges, cut and stolen.

use super::*;

fn page(keys: &[&str]) -> Vec<Listed> {
    keys.iter().map(|key| Listed::Presumed((*key).into())).collect()
}

fn keys(commit: &Commit) -> Vec<&str> {
    commit.entries.iter().map(Listed::key).collect()
}

fn ends(range: &Waiting) -> (&str, Option<&str>) {
    (&range.after, range.until.as_deref())
}

#[test]
fn g2_a_key_equal_to_a_cut_belongs_to_the_left() {
    let mut ranges = Ranges::new(Vec::new());
    let (left, _) = ranges.take().unwrap();
    ranges.commit(left, Some(page(&["p/a"])));
    ranges.cut(left, vec!["p/c".to_owned()]);
    let commit = ranges.commit(left, Some(page(&["p/b", "p/c", "p/d"])));
    assert_eq!((keys(&commit), commit.end.is_some()), (vec!["p/b", "p/c"], true));
    assert_eq!(ends(&ranges.take().unwrap().1), ("p/c", None));
}

#[test]
fn g2_ranges_that_are_cut_before_they_are_listed_leave_no_gap() {
    let cuts = ["p/t", "", "p/m", "p/t"].map(str::to_owned).to_vec();
    let mut ranges = Ranges::new(cuts);
    let taken = std::iter::from_fn(|| ranges.take()).map(|(_, range)| range);
    let taken: Vec<Waiting> = taken.collect();
    let ends: Vec<_> = taken.iter().map(ends).collect();
    assert_eq!(ends, [("", Some("p/m")), ("p/m", Some("p/t")), ("p/t", None)]);
}

#[test]
fn a_range_whose_last_key_is_its_end_needs_no_further_page() {
    let mut ranges = Ranges::new(Vec::new());
    let (left, _) = ranges.take().unwrap();
    ranges.commit(left, Some(page(&["p/a"])));
    ranges.cut(left, vec!["p/c".to_owned()]);
    assert!(ranges.commit(left, Some(page(&["p/b", "p/c"]))).end.is_some());
}

#[test]
fn g2_cuts_behind_the_position_or_past_the_end_are_ignored() {
    let mut ranges = Ranges::new(Vec::new());
    let (whole, _) = ranges.take().unwrap();
    ranges.commit(whole, Some(page(&["p/k"])));
    ranges.cut(whole, ["p/t", "", "p/a", "p/k", "p/t", "p/m"].map(str::to_owned).to_vec());
    let (_, first) = ranges.take().unwrap();
    assert_eq!(ends(&first), ("p/m", Some("p/t")));
    let (last, range) = ranges.take().unwrap();
    assert_eq!(ends(&range), ("p/t", None));
    ranges.cut(last, ["p/n", "p/t"].map(str::to_owned).to_vec());
    assert!(ranges.waiting.is_empty());
}

#[test]
fn g2_a_half_that_was_taken_while_a_page_was_on_its_way_is_not_counted_twice() {
    let mut ranges = Ranges::new(Vec::new());
    let (victim, _) = ranges.take().unwrap();
    ranges.commit(victim, Some(page(&["p/a", "p/b"])));
    let (_, half) = ranges.take().unwrap();
    assert!(half.after.as_str() > "p/b" && half.until.is_none(), "{half:?}");
    let commit = ranges.commit(victim, Some(page(&["p/c", &half.after, "p/z"])));
    assert_eq!((keys(&commit), commit.end.is_some()), (vec!["p/c", &half.after], true));
}

#[test]
fn nobody_takes_from_a_range_that_gave_no_page_since() {
    let mut ranges = Ranges::new(Vec::new());
    let (victim, _) = ranges.take().unwrap();
    assert!(ranges.take().is_none(), "nothing is known of it");
    ranges.commit(victim, Some(page(&["p/a", "p/b"])));
    assert!(ranges.take().is_some());
    assert!(ranges.take().is_none(), "both halves have yet to give a page");
}

#[test]
fn nobody_takes_from_a_range_that_seems_to_end() {
    let mut ranges = Ranges::new(Vec::new());
    let (victim, _) = ranges.take().unwrap();
    ranges.commit(victim, Some(page(&["p/a", "p/y"])));
    assert!(ranges.take().is_none());
}

#[test]
fn a_walk_is_done_when_its_last_range_is() {
    let mut ranges = Ranges::new(Vec::new());
    let (first, _) = ranges.take().unwrap();
    ranges.commit(first, Some(page(&["p/a"])));
    ranges.cut(first, vec!["p/m".to_owned()]);
    assert!(ranges.commit(first, None).end.is_some());
    assert!(!ranges.is_done());
    let (second, _) = ranges.take().unwrap();
    assert!(!ranges.is_done());
    ranges.commit(second, None);
    assert!(ranges.is_done());
    assert!(ranges.take().is_none());
}
