//! The book: every page is in its summary, every link leads somewhere, every command is one.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use regsweep::Args;

use crate::help::COMMANDS;

fn book() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../book/src")
}

/// Pages by their path, without the summary.
pub(crate) fn pages() -> Vec<(PathBuf, String)> {
    let mut folders = vec![book()];
    let mut pages = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("SUMMARY.md") {
                let text = fs::read_to_string(&path).unwrap();
                pages.push((path, text));
            }
        }
    }
    pages
}

/// Between each `open` and the next `close`.
pub(crate) fn between<'a>(
    text: &'a str,
    open: &'a str,
    close: &'a str,
) -> impl Iterator<Item = &'a str> {
    text.split(open).skip(1).filter_map(move |rest| rest.split(close).next())
}

#[test]
fn every_page_is_in_the_summary_and_the_summary_names_nothing_else() {
    let summary = fs::read_to_string(book().join("SUMMARY.md")).unwrap();
    let named: BTreeSet<PathBuf> =
        between(&summary, "](", ")").map(|page| book().join(page)).collect();
    let written: BTreeSet<PathBuf> = pages().into_iter().map(|(path, _)| path).collect();
    assert!(written.len() > 10);
    assert_eq!(named, written);
}

#[test]
fn links_and_inclusions_lead_to_files() {
    let mut followed = 0;
    for (page, text) in pages() {
        let links = between(&text, "](", ")").filter(|link| !link.starts_with("https://"));
        for link in links.chain(between(&text, "{{#include ", "}}")) {
            let target = page.parent().unwrap().join(link.split('#').next().unwrap());
            assert!(target.is_file(), "{link} in {}", page.display());
            followed += 1;
        }
    }
    assert!(followed > 30, "{followed}");
}

#[test]
fn every_command_of_the_book_can_be_typed() {
    let mut typed = 0;
    for (page, text) in pages() {
        let blocks = between(&text, "```sh\n", "```");
        for line in blocks.flat_map(str::lines).filter(|line| line.starts_with("regsweep ")) {
            let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
            if let Err(wrong) = Args::understand(&words) {
                panic!("{line} in {}: {wrong}", page.display());
            }
            typed += 1;
        }
    }
    assert!(typed > 30, "{typed}");
}

#[test]
fn the_help_of_every_command_is_in_the_book() {
    let reference = fs::read_to_string(book().join("reference/commands.md")).unwrap();
    let told: BTreeSet<&str> =
        between(&reference, "tests/cli/expected/help-long-", ".txt}}").collect();
    assert_eq!(told, BTreeSet::from(COMMANDS));
}
