//! Files that are read and refused, and the laws of judging.

mod judging;
mod laws;
mod reading;

use crate::Retention;

/// A policy of these rules, written as YAML.
fn policy(rules: &str) -> Retention {
    Retention::parse(format!("version: 1\nrules:\n{rules}").as_bytes()).unwrap()
}

/// What is said of a text that is refused, a line each.
fn refused(text: &str) -> Vec<String> {
    let errors = Retention::parse(text.as_bytes()).unwrap_err();
    errors.all().iter().map(ToString::to_string).collect()
}
