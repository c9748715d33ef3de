//! A census as a table, 100 columns wide.

use std::cmp::Reverse;
use std::fmt::Write as _;

use census::{ByTag, Keeps, RepositoryUsage, TagUsage};
use planner::Amount;

use super::{UsageView, count, size};
use crate::args::UsageOrder;
use crate::usage::MultipartUsage;

/// A name that is longer has a line of its own.
const NAME: usize = 34;

/// What is first in the table of a census, and then the sums.
#[must_use]
pub fn usage_table(view: &UsageView<'_>) -> String {
    let (census, console) = (view.census, view.console);
    let mut text = format!("{}\n\n", console.bold(view.source));
    let head = ["bytes", "exclusive", "shared", "reclaimable", "uploads"];
    line(&mut text, "repository", "tags", &head.map(str::to_owned));
    let mut repositories: Vec<&RepositoryUsage> = census.repositories.iter().collect();
    repositories.sort_by_key(|usage| Reverse(weight(usage, view.order)));
    let most = view.most.unwrap_or(usize::MAX);
    for usage in repositories.iter().take(most) {
        repository(&mut text, usage, view);
    }
    more(&mut text, "", repositories.len(), most, "repositories");
    text.push_str(&totals(view));
    text
}

/// By what a repository is sorted, the most first; those of equal weight stay in the order of their names.
fn weight(usage: &RepositoryUsage, order: UsageOrder) -> u64 {
    match order {
        UsageOrder::Bytes => usage.keeps.all.bytes,
        UsageOrder::Exclusive => usage.keeps.exclusive.bytes,
        UsageOrder::Reclaimable => usage.reclaimable.all().bytes,
        UsageOrder::Uploads => usage.uploads.bytes,
        UsageOrder::Name => 0,
    }
}

fn repository(text: &mut String, usage: &RepositoryUsage, view: &UsageView<'_>) {
    let (reclaimable, uploads) = (usage.reclaimable.all(), usage.uploads);
    let [all, exclusive, shared] = bytes(&usage.keeps);
    let sums = [all, exclusive, shared, size(reclaimable.bytes), size(uploads.bytes)];
    line(text, usage.name.as_str(), &count(usage.tags), &sums);
    // Writing to a string cannot fail.
    if let Some(doubt) = &usage.doubt {
        let _ = writeln!(text, "  in doubt, so all that it links is kept: {doubt}");
    }
    if let Some(by_tag) = &usage.by_tag {
        tags(text, by_tag, view);
    }
}

fn tags(text: &mut String, by_tag: &ByTag, view: &UsageView<'_>) {
    let mut tags: Vec<&TagUsage> = by_tag.tags.iter().collect();
    tags.sort_by_key(|tag| Reverse(tag_weight(&tag.keeps, view.order)));
    let most = view.most.unwrap_or(usize::MAX);
    for tag in tags.iter().take(most) {
        line(text, &format!("  :{}", tag.name), "", &bytes(&tag.keeps));
    }
    more(text, "  ", tags.len(), most, "tags");
    if by_tag.no_tag.count > 0 {
        line(text, "  kept for no tag", "", &[size(by_tag.no_tag.bytes)]);
    }
}

fn tag_weight(keeps: &Keeps, order: UsageOrder) -> u64 {
    match order {
        UsageOrder::Exclusive => keeps.exclusive.bytes,
        UsageOrder::Name => 0,
        UsageOrder::Bytes | UsageOrder::Reclaimable | UsageOrder::Uploads => keeps.all.bytes,
    }
}

fn bytes(keeps: &Keeps) -> [String; 3] {
    [keeps.all, keeps.exclusive, keeps.shared()].map(|amount| size(amount.bytes))
}

fn line(text: &mut String, name: &str, tags: &str, sums: &[String]) {
    let is_long = name.chars().count() > NAME;
    let (before, beside) = if is_long { (name, "") } else { ("", name) };
    let end = if is_long { "\n" } else { "" };
    let _ = write!(text, "{before}{end}{beside:<NAME$} {tags:>5}");
    for sum in sums {
        let _ = write!(text, " {sum:>11}");
    }
    text.push('\n');
}

fn more(text: &mut String, indent: &str, all: usize, shown: usize, what: &str) {
    if let Some(more) = all.checked_sub(shown).filter(|more| *more > 0) {
        let _ = writeln!(text, "{indent}and {} more {what}; --all shows them", count(more as u64));
    }
}

fn totals(view: &UsageView<'_>) -> String {
    let totals = &view.census.totals;
    let (blobs, reclaimable) = (&totals.blobs, &totals.reclaimable);
    let multipart = match view.multipart {
        MultipartUsage::Known(known) => Some(known),
        MultipartUsage::Unknown { .. } => None,
    };
    let abortable = multipart.map(|known| known.reclaimable);
    let rows: [(&str, Option<Amount>); 12] = [
        ("blobs", Some(blobs.all)),
        ("  kept by one repository", Some(blobs.exclusive)),
        ("  kept by several, counted once", Some(blobs.shared)),
        ("  needed by nobody, too young to judge", Some(blobs.too_young)),
        ("  needed by nobody, reclaimable", Some(reclaimable.blobs)),
        ("    of these, linked by no repository", Some(blobs.orphans)),
        ("uploads", Some(totals.uploads)),
        ("  abandoned, reclaimable", Some(reclaimable.uploads)),
        ("incomplete multipart uploads", multipart.map(|known| known.all)),
        ("  abandoned, reclaimable", abortable),
        ("links, reclaimable", Some(reclaimable.links)),
        (
            "reclaimable in all",
            Some([Some(reclaimable.all()), abortable].into_iter().flatten().sum()),
        ),
    ];
    let heading = view.console.bold(&format!("{:<40}", "the whole registry"));
    let mut text = format!("\n{heading} {:>12} {:>12}\n", "objects", "bytes");
    for (name, amount) in rows {
        let [objects, bytes] = amount.map_or_else(
            || [(); 2].map(|()| "not known".to_owned()),
            |amount| [count(amount.count), size(amount.bytes)],
        );
        let _ = writeln!(text, "{name:<40} {objects:>12} {bytes:>12}");
    }
    notes(&mut text, view);
    text
}

fn notes(text: &mut String, view: &UsageView<'_>) {
    let totals = &view.census.totals;
    let (unread, foreign) = match view.multipart {
        MultipartUsage::Known(known) => (known.unread, known.foreign),
        MultipartUsage::Unknown { .. } => (0, 0),
    };
    let notes = [
        (totals.doubtful, "repositories in doubt"),
        (totals.blobs.missing, "digests needed and not there"),
        (unread, "multipart uploads of unknown size"),
        (foreign, "multipart uploads that are no registry's"),
    ];
    for (number, what) in notes.iter().filter(|(number, _)| *number > 0) {
        let _ = writeln!(text, "{what:<40} {:>12}", count(*number));
    }
    if let MultipartUsage::Unknown { why } = view.multipart {
        let _ = writeln!(text, "\nincomplete multipart uploads are not known: {why}");
    }
}
