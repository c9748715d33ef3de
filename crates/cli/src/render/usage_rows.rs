//! A census as CSV: one row for each repository, followed by those of its tags.

use std::io::{self, Write};

use census::{Keeps, RepositoryUsage, TagUsage};

use super::UsageView;
use super::csv::quoted;
use crate::Failure;

const COLUMNS: &str = "repository,tag,digest,manifests,tags,bytes,exclusive,shared,reclaimable,uploads,\
                       missing,doubt";

/// Writes every repository and tag, in the order of their names, RFC 4180 quoted. The row of a repository has no tag.
/// A reader that goes away ends it quietly.
///
/// # Errors
/// Where `out` cannot be written.
pub fn write_usage_csv(view: &UsageView<'_>, out: &mut impl Write) -> Result<(), Failure> {
    match write_rows(view, out) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::Output(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn write_rows(view: &UsageView<'_>, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{COLUMNS}")?;
    for usage in &view.census.repositories {
        writeln!(out, "{}", of_repository(usage))?;
        for tag in usage.by_tag.iter().flat_map(|by_tag| &by_tag.tags) {
            writeln!(out, "{}", of_tag(usage, tag))?;
        }
    }
    out.flush()
}

fn of_repository(usage: &RepositoryUsage) -> String {
    let (name, bytes) = (quoted(usage.name.as_str()), bytes(&usage.keeps));
    let (reclaimable, uploads) = (usage.reclaimable.all().bytes, usage.uploads.bytes);
    let doubt = quoted(usage.doubt.as_deref().unwrap_or_default());
    let (manifests, tags, missing) = (usage.manifests, usage.tags, usage.keeps.missing);
    format!("{name},,,{manifests},{tags},{bytes},{reclaimable},{uploads},{missing},{doubt}")
}

fn of_tag(repository: &RepositoryUsage, usage: &TagUsage) -> String {
    let (name, tag) = (quoted(repository.name.as_str()), quoted(&usage.name));
    let digest = usage.digest.map_or_else(String::new, |digest| digest.to_string());
    format!("{name},{tag},{digest},,,{},,,{},", bytes(&usage.keeps), usage.keeps.missing)
}

fn bytes(keeps: &Keeps) -> String {
    format!("{},{},{}", keeps.all.bytes, keeps.exclusive.bytes, keeps.shared().bytes)
}
