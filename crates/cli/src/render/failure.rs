//! Failures: what, why, and what to do next.

use serde_json::{Value, json};

use crate::Failure;

/// The failure as lines: what, the causes, then the hints; `again` is the command that was typed.
#[must_use]
pub fn failure_text(failure: &Failure, again: &str) -> String {
    let mut text = format!("regsweep: {failure}");
    for cause in failure.causes() {
        text.push_str("\n  ");
        text.push_str(&cause);
    }
    let hints = hint_lines(failure, again);
    if !hints.is_empty() {
        text.push_str("\n\n");
        text.push_str(&hints);
    }
    text
}

/// The hints, a line each.
#[must_use]
pub fn hint_lines(failure: &Failure, again: &str) -> String {
    let hints = failure.hints(again).into_iter().map(|hint| format!("hint: {hint}"));
    hints.collect::<Vec<_>>().join("\n")
}

/// The failure and its causes in one line.
#[must_use]
pub fn failure_line(failure: &Failure) -> String {
    std::iter::once(failure.to_string()).chain(failure.causes()).collect::<Vec<_>>().join(": ")
}

/// The same as one JSON object.
#[must_use]
pub fn failure_json(failure: &Failure, again: &str) -> Value {
    json!({
        "type": "failure",
        "code": failure.code() as u8,
        "name": failure.code().name(),
        "message": failure.to_string(),
        "causes": failure.causes(),
        "hints": failure.hints(again),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure() -> Failure {
        Failure::File { path: "plan".into(), source: std::io::Error::other("no room") }
    }

    #[test]
    fn a_failure_says_what_then_why_then_what_to_do() {
        let stopped = Failure::Stopped { is_sweeping: true };
        let text =
            "regsweep: stopped before the end\n\nhint: `regsweep gc x` goes on where this ended";
        assert_eq!(failure_text(&stopped, "regsweep gc x"), text);
        assert_eq!(failure_text(&failure(), ""), "regsweep: cannot use plan\n  no room");
        assert_eq!(failure_line(&failure()), "cannot use plan: no room");
    }

    #[test]
    fn machines_get_the_same() {
        let object = failure_json(&failure(), "");
        assert_eq!(object["type"], "failure");
        assert_eq!((object["code"].as_u64(), object["name"].as_str()), (Some(2), Some("usage")));
        assert_eq!(object["message"], "cannot use plan");
        assert_eq!(object["causes"], json!(["no room"]));
        assert_eq!(object["hints"], json!([]));
    }
}
