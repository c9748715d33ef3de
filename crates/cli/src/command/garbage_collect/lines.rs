//! The lines of the registry's command, version 3.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;

use marker::Event;
use planner::{Plan, RowKind};
use registry::{Digest, KeyKind, Layout};

use crate::collect::{Made, Told};
use crate::{Console, Failure};

/// Text is handed on in pieces of about this size.
const PIECE: usize = 1 << 16;

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
    let mut marked = HashSet::new();
    for repository in &told {
        lines.marking(repository, &mut marked)?;
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

struct Lines {
    console: Console,
    text: String,
}

impl Lines {
    fn line(&mut self, line: std::fmt::Arguments<'_>) -> Result<(), Failure> {
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "{line}");
        if self.text.len() < PIECE { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> Result<(), Failure> {
        let text = std::mem::take(&mut self.text);
        self.console.data(&text).map_err(Failure::Output)
    }

    fn marking(&mut self, told: &Told, marked: &mut HashSet<Digest>) -> Result<(), Failure> {
        let repository = &told.repository;
        self.line(format_args!("{repository}"))?;
        for event in &told.events {
            match event {
                Event::Manifest(digest) => {
                    marked.insert(*digest);
                    self.line(format_args!("{repository}: marking manifest {digest} "))?;
                }
                Event::Blob(digest) if marked.insert(*digest) => {
                    self.line(format_args!("{repository}: marking blob {digest}"))?;
                }
                Event::Blob(_) => {}
            }
        }
        Ok(())
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
