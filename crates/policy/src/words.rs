//! Rules in words.

use std::fmt;
use std::time::Duration;

use crate::rule::{Action, Expire, Keep, Rule, Scope};
use crate::{Pattern, Versions};

impl fmt::Display for Rule {
    /// What the rule means, in one sentence.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "in {}: ", either(&self.repositories))?;
        match &self.action {
            Action::Keep(scope, keep) => kept(f, scope, *keep),
            Action::Expire(scope, Expire::Always) => {
                write!(f, "{scope} go unless another rule keeps them")
            }
            Action::Expire(scope, Expire::OlderThan(age)) => {
                let age = span(*age);
                write!(
                    f,
                    "{scope} go {age} after they were written, unless another rule keeps them"
                )
            }
            Action::Untagged(None) => f.write_str("manifests that no tag reaches stay"),
            Action::Untagged(Some(age)) => {
                write!(f, "manifests that no tag reaches go {} after they were pushed", span(*age))
            }
        }
    }
}

fn kept(f: &mut fmt::Formatter<'_>, scope: &Scope, keep: Keep) -> fmt::Result {
    let last = |count: usize| match count {
        1 => "the one written last".to_owned(),
        count => format!("the {count} written last"),
    };
    match keep {
        Keep::Always => write!(f, "{scope} always stay"),
        Keep::Some { last: Some(count), newer_than: None } => {
            write!(f, "of {scope}, {} in each repository stay{}", last(count), third(count))
        }
        Keep::Some { last: None, newer_than: Some(age) } => {
            write!(f, "{scope} stay for {} after they were written", span(age))
        }
        Keep::Some { last: Some(count), newer_than: Some(age) } => {
            let (last, age) = (last(count), span(age));
            write!(f, "of {scope}, {last} in each repository and all of the last {age} stay")
        }
        Keep::Some { last: None, newer_than: None } => write!(f, "of {scope}, none stay"),
    }
}

const fn third(count: usize) -> &'static str {
    if count == 1 { "s" } else { "" }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.tags[..], &self.versions) {
            ([only], None) if only.text() == "*" || only.text() == "**" => f.write_str("all tags"),
            (tags, None) => write!(f, "tags {}", either(tags)),
            ([], Some(versions)) => write!(f, "tags {}", said(versions)),
            (tags, Some(versions)) => write!(f, "tags {} {}", either(tags), said(versions)),
        }
    }
}

fn said(versions: &Versions) -> String {
    let pre_releases = if versions.takes_pre_releases() { "with" } else { "without" };
    format!("that are versions {versions} ({pre_releases} pre-releases)")
}

fn either(patterns: &[Pattern]) -> String {
    let texts: Vec<String> = patterns.iter().map(Pattern::to_string).collect();
    match &texts[..] {
        [] => "nothing".to_owned(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// A time span of whole hours, in words.
#[must_use]
pub fn span(span: Duration) -> String {
    const UNITS: [(u64, &str); 4] =
        [(365 * 24, "year"), (7 * 24, "week"), (24, "day"), (1, "hour")];
    let hours = span.as_secs() / 3600;
    let fits = |(size, _): &(u64, &str)| hours >= *size && hours.is_multiple_of(*size);
    let (size, unit) = UNITS.into_iter().find(fits).unwrap_or((1, "hour"));
    let count = hours / size;
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}
