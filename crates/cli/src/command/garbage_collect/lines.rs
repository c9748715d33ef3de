//! The lines of the registry's command, version 3.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};

use foldhash::{HashSet, HashSetExt as _};
use marker::Event;
use planner::{Header, PlanError, Row, RowKind, Totals};
use registry::{Digest, RepositoryName};

use crate::collect::{Listener, Told};
use crate::{Console, Failure};

/// Text is handed on in pieces of about this size.
const PIECE: usize = 1 << 16;

/// The lines about marking, printed as soon as everything is marked, and those about what goes.
#[derive(Debug)]
pub(super) struct MarkingLines {
    console: Console,
    /// Whether repositories come in the byte order of their keys, as from a bucket; otherwise folder by folder, as
    /// from a directory.
    is_by_key: bool,
    /// How many manifests go.
    dead: AtomicUsize,
}

impl MarkingLines {
    pub(super) fn new(console: Console, is_by_key: bool) -> Self {
        Self { console, is_by_key, dead: AtomicUsize::new(0) }
    }

    /// Prints what goes.
    pub(super) fn end(
        &self,
        header: &Header,
        totals: &Totals,
        rows: impl Iterator<Item = Result<Row, PlanError>>,
    ) -> Result<(), Failure> {
        let mut lines = Lines::new(self.console);
        let (marked, dead) = (header.facts.marked, self.dead.load(Ordering::Relaxed));
        let blobs = totals.of(RowKind::Blob).count;
        lines.line(format_args!(
            "\n{marked} blobs marked, {blobs} blobs and {dead} manifests eligible for deletion"
        ))?;
        lines.eligible(rows)?;
        lines.flush()
    }
}

impl Listener for MarkingLines {
    /// Prints what was marked, and which manifests go.
    fn hear(&self, told: Vec<Told>) -> Result<(), Failure> {
        let mut lines = Lines::new(self.console);
        let told = in_order(&told, self.is_by_key);
        let events = told.iter().map(|told| told.events.len()).sum();
        let mut marked = HashSet::with_capacity(events);
        for repository in &told {
            lines.marking(repository, &mut marked)?;
        }
        for repository in told {
            lines.dead(repository)?;
            self.dead.fetch_add(repository.dead.len(), Ordering::Relaxed);
        }
        lines.flush()
    }
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
    fn new(console: Console) -> Self {
        Self { console, text: String::with_capacity(PIECE + PIECE / 16) }
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) -> Result<(), Failure> {
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "{line}");
        self.flush_if_full()
    }

    /// What is told of a repository: a blob where it is marked first.
    fn marking<'t>(
        &mut self,
        told: &'t Told,
        marked: &mut HashSet<&'t Digest>,
    ) -> Result<(), Failure> {
        let repository = told.repository.as_str();
        let (manifest, blob) =
            (format!("{repository}: marking manifest "), format!("{repository}: marking blob "));
        self.line(format_args!("{repository}"))?;
        for event in &told.events {
            let (Event::Manifest(digest) | Event::Blob(digest)) = event;
            let is_first = marked.insert(digest);
            match event {
                Event::Manifest(_) => {
                    self.digest(&manifest, digest, " \n");
                }
                Event::Blob(_) if is_first => {
                    self.digest(&blob, digest, "\n");
                }
                Event::Blob(_) => {}
            }
            self.flush_if_full()?;
        }
        Ok(())
    }

    /// A line about a digest, of which there are millions: put together by hand, it takes half the time.
    fn digest(&mut self, before: &str, digest: &Digest, after: &str) {
        self.text.push_str(before);
        digest.append_to(&mut self.text);
        self.text.push_str(after);
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
    fn eligible(
        &mut self,
        rows: impl Iterator<Item = Result<Row, PlanError>>,
    ) -> Result<(), Failure> {
        let mut links: BTreeMap<RepositoryName, Vec<Digest>> = BTreeMap::new();
        for row in rows {
            let Row { kind, repository, digest, .. } = row?;
            match (kind, repository, digest) {
                (RowKind::Blob, _, Some(digest)) => {
                    self.digest("blob eligible for deletion: ", &digest, "\n");
                    self.flush_if_full()?;
                }
                (RowKind::LayerLink, Some(repository), Some(digest)) => {
                    links.entry(repository).or_default().push(digest);
                }
                _ => {}
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
