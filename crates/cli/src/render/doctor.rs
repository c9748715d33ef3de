//! A diagnosis, as a table and as an object.

use std::fmt::Write as _;

use serde::Serialize;

use crate::Console;
use crate::doctor::{Check, Diagnosis, Found, Missing, Prospect};

/// A diagnosis, for machines. Fields are only ever added.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct DiagnosisSummary {
    /// `doctor`.
    #[serde(rename = "type")]
    kind: &'static str,
    location: String,
    checks: Vec<CheckSummary>,
    commands: Vec<ProspectSummary>,
}

#[derive(Clone, Debug, Serialize)]
struct CheckSummary {
    name: &'static str,
    /// `ok`, `missing` or `not probed`.
    result: &'static str,
    needed_for: Vec<&'static str>,
    found: String,
    advice: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
struct ProspectSummary {
    name: &'static str,
    ready: bool,
    missing: Vec<&'static str>,
    not_probed: Vec<&'static str>,
}

impl DiagnosisSummary {
    /// Of a diagnosis.
    pub(crate) fn of(diagnosis: &Diagnosis) -> Self {
        Self {
            kind: "doctor",
            location: diagnosis.location.clone(),
            checks: diagnosis.checks.iter().map(check_summary).collect(),
            commands: diagnosis.prospects().into_iter().map(prospect_summary).collect(),
        }
    }
}

fn check_summary(check: &Check) -> CheckSummary {
    let (result, found, advice) = told(&check.found);
    let needed_for = check.name.tasks().into_iter().map(crate::Task::name).collect();
    let advice = advice.to_vec();
    CheckSummary { name: check.name.text(), result, needed_for, found: found.to_owned(), advice }
}

fn prospect_summary(prospect: Prospect) -> ProspectSummary {
    let Prospect { task, missing, not_probed } = prospect;
    ProspectSummary { name: task.name(), ready: missing.is_empty(), missing, not_probed }
}

/// The result, what was found, and what to do about it.
fn told(found: &Found) -> (&'static str, &str, &[String]) {
    match found {
        Found::There(detail) => ("ok", detail, &[]),
        Found::Missing(Missing { what, advice, .. }) => ("missing", what, advice),
        Found::NotProbed(why) => ("not probed", why, &[]),
    }
}

/// A diagnosis, for people: a line for each check, what to do below those that are missing, then what to expect of each
/// command.
pub(crate) fn diagnosis_table(diagnosis: &Diagnosis, console: Console) -> String {
    let mut table = format!("{}\n\n", console.bold(&diagnosis.location));
    for check in &diagnosis.checks {
        let (result, found, advice) = told(&check.found);
        let shown = format!("{result:<10}");
        let shown = if result == "missing" { console.bold(&shown) } else { shown };
        let line = format!("{:<18}  {shown}  {}", check.name.text(), wrapped(found));
        let _ = writeln!(table, "{}", line.trim_end());
        for sentence in advice {
            let _ = writeln!(table, "{:INDENT$}{}", "", wrapped(&format!("hint: {sentence}")));
        }
    }
    table.push('\n');
    for prospect in diagnosis.prospects() {
        let _ = writeln!(table, "{:<18}  {}", prospect.task.name(), expected(&prospect));
    }
    table
}

fn expected(prospect: &Prospect) -> String {
    match (prospect.missing.is_empty(), prospect.not_probed.is_empty()) {
        (true, true) => "ready".to_owned(),
        (true, false) => {
            format!("ready, as far as was probed: not {}", prospect.not_probed.join(", "))
        }
        (false, _) => format!("not ready: {} missing", prospect.missing.join(", ")),
    }
}

/// Where what was found begins.
const INDENT: usize = 32;

/// How long a line may be: as wide as help.
const WIDTH: usize = 100;

/// `text` in lines that fit beside the names. What has no spaces stays whole.
fn wrapped(text: &str) -> String {
    let mut lines = String::new();
    let mut used = INDENT;
    for word in text.split(' ') {
        let length = word.chars().count();
        if used > INDENT && used + 1 + length > WIDTH {
            let _ = write!(lines, "\n{:INDENT$}", "");
            used = INDENT;
        } else if used > INDENT {
            lines.push(' ');
            used += 1;
        }
        lines.push_str(word);
        used += length;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_goes_on_below_itself_and_no_word_is_lost() {
        let text = "word ".repeat(40);
        let lines = wrapped(text.trim_end());
        assert_eq!(lines.split_whitespace().count(), 40);
        for line in lines.lines().skip(1) {
            assert!(line.starts_with(&" ".repeat(INDENT)) && line.len() <= WIDTH, "{line:?}");
        }
        assert_eq!(wrapped(&"x".repeat(200)), "x".repeat(200));
        assert_eq!(wrapped(""), "");
    }
}
