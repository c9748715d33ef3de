//! Why a policy cannot be used.

use std::fmt;

use crate::Fact;

/// A place in the text; line and column count from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// All that is wrong with a policy, in the order of the text; at least one thing, at most [`PolicyErrors::LIMIT`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", summary(&self.0))]
pub struct PolicyErrors(Vec<PolicyError>);

fn summary(errors: &[PolicyError]) -> String {
    match errors {
        [only] => only.to_string(),
        [first, rest @ ..] => format!("{first}, and {} more", rest.len()),
        [] => "is not understood".to_owned(),
    }
}

impl PolicyErrors {
    /// The most that is told of one file.
    pub const LIMIT: usize = 50;

    pub(crate) fn new(mut errors: Vec<PolicyError>) -> Self {
        errors.sort_by_key(|error| error.place);
        errors.truncate(Self::LIMIT);
        Self(errors)
    }

    /// Each of them.
    #[must_use]
    pub fn all(&self) -> &[PolicyError] {
        &self.0
    }
}

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {}{problem}", label(field))]
pub struct PolicyError {
    /// Where.
    pub place: Place,
    /// Path of the field, as in `rules[2].keep.last`, where rules count from 1; empty for the text as a whole.
    pub field: String,
    /// What.
    pub problem: Problem,
}

fn label(field: &str) -> String {
    if field.is_empty() { String::new() } else { format!("{field}: ") }
}

/// What is wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// Bytes that are no text.
    #[error("the file is not UTF-8")]
    NotUtf8,
    /// More text than any policy has.
    #[error("the file is longer than {} KiB", .limit / 1024)]
    TooLong {
        /// What is allowed, in bytes.
        limit: usize,
    },
    /// No YAML, or YAML beyond what a policy needs.
    #[error("{0}")]
    Syntax(String),
    /// Another format.
    #[error("must be 1, the format that this regsweep understands")]
    Version,
    /// A field that has to be there.
    #[error("is missing")]
    Missing,
    /// A field that is given twice.
    #[error("is given a second time; the first is in line {first}")]
    Repeated {
        /// The line of the first.
        first: usize,
    },
    /// Two rules of one name.
    #[error("is the name of the rule in line {first} too")]
    SameName {
        /// The line of the other.
        first: usize,
    },
    /// No field of ours.
    #[error("is not a field here; {}", or_meant(*.meant, known))]
    Unknown {
        /// The field that may have been meant.
        meant: Option<&'static str>,
        /// All fields that could stand here.
        known: &'static [&'static str],
    },
    /// A field that would need what the registry's store does not tell.
    #[error("{0}")]
    Fact(Fact),
    /// Something else where a text should be.
    #[error("must be a text")]
    NotText,
    /// Something else where fields should be.
    #[error("must hold fields: {}", .0.join(", "))]
    NotFields(&'static [&'static str]),
    /// Something else where a list should be.
    #[error("must be a list")]
    NotList,
    /// Neither `true` nor `false`.
    #[error("must be true or false")]
    NotBoolean,
    /// Nothing in it.
    #[error("must not be empty")]
    Empty,
    /// No number of tags.
    #[error("must be a whole number from 1 to {most}")]
    NotNumber {
        /// The largest.
        most: usize,
    },
    /// No name for people to read.
    #[error("must be one line of at most {most} characters")]
    NotName {
        /// The longest.
        most: usize,
    },
    /// No time span.
    #[error("must be a time such as 12h, 30d, 8w or 1y, and longer than nothing")]
    NotDuration,
    /// A unit that means minutes to some and months to others.
    #[error(
        "`{unit}` could be minutes or months; write hours, days, weeks or years: 12h, 30d, 8w, 1y"
    )]
    Months {
        /// What was written.
        unit: String,
    },
    /// A glob that cannot be understood, and why.
    #[error("{0}")]
    Glob(&'static str),
    /// A regular expression that cannot be understood.
    #[error("is no regular expression: {0}")]
    Regex(String),
    /// A regular expression that is held at one end only.
    #[error("matches whole names, so write `^` and `$` at both ends or at neither")]
    HalfAnchored,
    /// A tag pattern with a slash.
    #[error("no tag has a `/` in it")]
    SlashInTag,
    /// No range of versions.
    #[error("is no range of versions: {0}")]
    Range(String),
    /// A version without an operator, which tools read differently.
    #[error(
        "`{0}` means this version alone to some and all that are compatible to others; write `={0}` or `^{0}`"
    )]
    BareVersion(String),
    /// A field that says nothing without another.
    #[error("needs `{0}` beside it")]
    Needs(&'static str),
    /// Several of what a rule can have one of.
    #[error("has {}; a rule does one thing", .0.join(" and "))]
    SeveralActions(Vec<&'static str>),
    /// A rule that does nothing.
    #[error("does nothing; it needs one of keep, expire, untagged-after")]
    NoAction,
    /// A rule about untagged manifests that names tags.
    #[error(
        "has no place in a rule with untagged-after, which is about manifests that no tag reaches"
    )]
    TagsOfUntagged,
    /// A rule that does not say of which tags it speaks.
    #[error(
        "does not say which tags are meant; name them by tags or semver, all of them by `tags: \"*\"`"
    )]
    NoTags,
    /// A word that means nothing here.
    #[error("must be {0}")]
    NotWord(&'static str),
}

fn or_meant(meant: Option<&'static str>, known: &'static [&'static str]) -> String {
    match meant {
        Some(name) => format!("is `{name}` meant?"),
        None => format!("known are {}", known.join(", ")),
    }
}
