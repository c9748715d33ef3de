//! Failures: what, why, and what to do next.

use std::error::Error;

use serde_json::{Value, json};

use crate::Failure;

/// The failure as lines: what, the causes, then the hints.
#[must_use]
pub fn failure_text(failure: &Failure) -> String {
    let mut text = format!("regsweep: {failure}");
    for cause in causes(failure) {
        text.push_str("\n  ");
        text.push_str(&cause);
    }
    let hints = failure.hints();
    if !hints.is_empty() {
        text.push('\n');
    }
    for hint in hints {
        text.push_str("\nhint: ");
        text.push_str(&hint);
    }
    text
}

/// The failure and its causes in one line.
#[must_use]
pub fn failure_line(failure: &Failure) -> String {
    std::iter::once(failure.to_string()).chain(causes(failure)).collect::<Vec<_>>().join(": ")
}

/// The same as one JSON object.
#[must_use]
pub fn failure_json(failure: &Failure) -> Value {
    json!({
        "type": "failure",
        "code": failure.code() as u8,
        "name": failure.code().name(),
        "message": failure.to_string(),
        "causes": causes(failure),
        "hints": failure.hints(),
    })
}

fn causes(failure: &Failure) -> Vec<String> {
    let mut causes = Vec::new();
    let mut next = failure.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if causes.last() != Some(&text) {
            causes.push(text);
        }
        next = cause.source();
    }
    causes
}
