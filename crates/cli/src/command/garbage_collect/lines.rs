//! The lines of the registry's command, version 3.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;

use marker::Event;
use planner::{Plan, RowKind};
use rayon::prelude::*;
use registry::{Digest, KeyKind, Layout};

use crate::collect::{Made, Told};
use crate::{Console, Failure};

/// Text is handed on in pieces of about this size.
const PIECE: usize = 1 << 16;
/// The lines of so many repositories are written side by side before they are printed.
const AT_ONCE: usize = 64;

/// Prints what was marked and what goes. `is_by_key`: repositories come in the byte order of their keys, as from a
/// bucket; otherwise folder by folder, as from a directory.
pub(super) fn print(
    made: &Made,
    layout: &Layout,
    is_by_key: bool,
    console: Console,
) -> Result<(), Failure> {
    let mut lines = Lines { console, text: String::new() };
    let told = in_order(&made.told, is_by_key);
    for news in in_news(&told).chunks(AT_ONCE) {
        for text in marking(news) {
            lines.piece(&text)?;
        }
    }
    for repository in &told {
        lines.dead(repository)?;
    }
    let plan = &made.plan;
    let manifests: usize = made.told.iter().map(|repository| repository.dead.len()).sum();
    let blobs = plan.totals().of(RowKind::Blob).count;
    let count = plan.header().facts.marked;
    lines.line(format_args!(
        "\n{count} blobs marked, {blobs} blobs and {manifests} manifests eligible for deletion"
    ))?;
    lines.eligible(plan, layout)?;
    lines.flush()
}

/// Repositories that have manifests, or had: the registry finds no others.
fn in_order(told: &[Told], is_by_key: bool) -> Vec<&Told> {
    let mut told: Vec<&Told> = told.iter().filter(|told| told.has_manifests).collect();
    told.sort_by_cached_key(|told| place(told.repository.as_str(), is_by_key));
    told
}

/// What a repository is sorted by.
fn place(repository: &str, is_by_key: bool) -> Vec<String> {
    let folder = format!("{repository}/_manifests");
    if is_by_key { vec![folder] } else { folder.split('/').map(str::to_owned).collect() }
}

/// A repository, and what is told of it.
type News<'t> = (&'t Told, Vec<&'t Event>);

/// What is told of each repository: a blob where it is marked first.
fn in_news<'t>(told: &[&'t Told]) -> Vec<News<'t>> {
    let events = told.iter().map(|told| told.events.len()).sum();
    let mut marked: HashSet<&Digest> = HashSet::with_capacity(events);
    let mut news = Vec::with_capacity(told.len());
    for told in told {
        let mut events = Vec::with_capacity(told.events.len());
        for event in &told.events {
            let (Event::Manifest(digest) | Event::Blob(digest)) = event;
            let is_first = marked.insert(digest);
            events.extend((is_first || matches!(event, Event::Manifest(_))).then_some(event));
        }
        news.push((*told, events));
    }
    news
}

fn marking(news: &[News<'_>]) -> Vec<String> {
    news.par_iter().map(|(told, events)| marking_of(told.repository.as_str(), events)).collect()
}

fn marking_of(repository: &str, events: &[&Event]) -> String {
    let mut text = format!("{repository}\n");
    for event in events {
        let (what, digest, end) = match event {
            Event::Manifest(digest) => (": marking manifest ", digest, " \n"),
            Event::Blob(digest) => (": marking blob ", digest, "\n"),
        };
        text.push_str(repository);
        text.push_str(what);
        // Writing to a string cannot fail.
        let _ = write!(text, "{digest}");
        text.push_str(end);
    }
    text
}

struct Lines {
    console: Console,
    text: String,
}

impl Lines {
    fn line(&mut self, line: std::fmt::Arguments<'_>) -> Result<(), Failure> {
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "{line}");
        self.flush_if_full()
    }

    fn piece(&mut self, text: &str) -> Result<(), Failure> {
        self.text.push_str(text);
        self.flush_if_full()
    }

    fn flush_if_full(&mut self) -> Result<(), Failure> {
        if self.text.len() < PIECE { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> Result<(), Failure> {
        let told = self.console.data(&self.text).map_err(Failure::Output);
        self.text.clear();
        told
    }

    fn dead(&mut self, told: &Told) -> Result<(), Failure> {
        let (repository, tags) = (&told.repository, told.tags.join(" "));
        for digest in &told.dead {
            self.line(format_args!(
                "manifest eligible for deletion: {{{repository} {digest} [{tags}]}}"
            ))?;
        }
        Ok(())
    }

    /// Blobs as they come, then layer links by repository.
    fn eligible(&mut self, plan: &Plan, layout: &Layout) -> Result<(), Failure> {
        let mut links: BTreeMap<String, Vec<Digest>> = BTreeMap::new();
        for segment in plan.segments() {
            for row in plan.rows(segment)? {
                match layout.classify(&row?.key) {
                    KeyKind::Blob(digest) => {
                        self.line(format_args!("blob eligible for deletion: {digest}"))?;
                    }
                    KeyKind::Layer { repository, digest } => {
                        links.entry(repository.to_owned()).or_default().push(digest);
                    }
                    _ => {}
                }
            }
        }
        for (repository, mut digests) in links {
            digests.sort_unstable();
            for digest in digests {
                self.line(format_args!(
                    "{repository}: layer link eligible for deletion: {digest}"
                ))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_come_by_key_from_buckets_and_folder_by_folder_from_directories() {
        let sorted = |is_by_key| {
            let mut names = ["foo", "foo-bar", "foo/bar", "foo.x", "foo/0x"];
            names.sort_by_key(|name| place(name, is_by_key));
            names
        };
        assert_eq!(sorted(true), ["foo-bar", "foo.x", "foo/0x", "foo", "foo/bar"]);
        assert_eq!(sorted(false), ["foo/0x", "foo", "foo/bar", "foo-bar", "foo.x"]);
    }
}
