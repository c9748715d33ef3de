//! Comparing what was said with what should be said.

use std::fs;
use std::path::Path;

/// Compares `said` with the file in `expected`, or writes the file where `REGSWEEP_BLESS` is set.
#[track_caller]
pub(crate) fn assert_expected(file: &str, said: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cli/expected").join(file);
    if std::env::var_os("REGSWEEP_BLESS").is_some() {
        fs::write(&path, said).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(said == expected, "{file} should say\n{expected}\nand it says\n{said}");
}

/// `text` with what differs from run to run replaced: `names` by what they stand for, then times, ids of plans.
pub(crate) fn redacted(text: &str, names: &[(&str, &str)]) -> String {
    let mut text = text.to_owned();
    for (value, name) in names {
        text = text.replace(value, name);
    }
    let lines = text.lines().map(|line| words(&plan_line(line)));
    let mut text = lines.collect::<Vec<_>>().join("\n");
    text.push('\n');
    text
}

/// The last line of a plan's table.
fn plan_line(line: &str) -> String {
    match line.strip_prefix("plan ").and_then(|rest| rest.split_once(" of ")) {
        Some((id, time)) if id.len() == 12 => format!("plan [id] of {time}"),
        _ => line.to_owned(),
    }
}

/// Times, and the ids of plans in JSON.
fn words(line: &str) -> String {
    let is_inside = |c: char| c.is_ascii_alphanumeric() || "-:.".contains(c);
    let mut text = String::new();
    let mut rest = line;
    while let Some(start) = rest.find(is_inside) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c| !is_inside(c)).unwrap_or(from.len());
        let (word, after) = from.split_at(end);
        text.push_str(before);
        text.push_str(if is_time(word) { "[time]" } else { word });
        rest = after;
    }
    text + rest
}

/// RFC 3339, in UTC.
fn is_time(word: &str) -> bool {
    let shape: String = word.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    shape.starts_with("0000-00-00T00:00:00") && shape.ends_with('Z')
}

#[test]
fn only_what_differs_from_run_to_run_is_replaced() {
    let line = "t0 2026-11-21T21:13:07.984Z of sha256:ab/12 in /tmp/x, 2026-11-21";
    assert_eq!(
        redacted(line, &[("/tmp/x", "[dir]")]),
        "t0 [time] of sha256:ab/12 in [dir], 2026-11-21\n"
    );
    assert_eq!(redacted("plan 8ee37d0811b9 of then", &[]), "plan [id] of then\n");
}
