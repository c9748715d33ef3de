//! Labels: those that every sample of a run has.

use std::fmt::Write as _;
use std::str::FromStr;

/// Why something is no label.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    /// There is no `=`.
    #[error("`{0}` is not NAME=VALUE")]
    NoValue(String),
    /// Names begin with a letter or `_`, and have letters, digits and `_` only.
    #[error("`{0}` is no name of a label: letters, digits and `_`, and no digit first")]
    Name(String),
    /// The program or Prometheus gives it a meaning.
    #[error("the label `{0}` has a meaning already")]
    Taken(String),
}

/// Names that samples have of their own, or that Prometheus gives them.
const TAKEN: [&str; 9] =
    ["below", "command", "instance", "job", "kind", "le", "outcome", "phase", "version"];

/// A label of the operator's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    name: String,
    value: String,
}

impl FromStr for Label {
    type Err = LabelError;

    /// From `NAME=VALUE`.
    fn from_str(text: &str) -> Result<Self, LabelError> {
        let (name, value) =
            text.split_once('=').ok_or_else(|| LabelError::NoValue(text.to_owned()))?;
        let (name, value) = (name.to_owned(), value.to_owned());
        if !is_name(&name) {
            return Err(LabelError::Name(name));
        }
        if name.starts_with("__") || TAKEN.contains(&&*name) {
            return Err(LabelError::Taken(name));
        }
        Ok(Self { name, value })
    }
}

/// The labels of every sample of a run, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels(Vec<Label>);

impl Labels {
    /// What tells the commands of this program apart. `command` is one of a few words.
    #[must_use]
    pub fn of(command: &str) -> Self {
        Self(vec![Label { name: "command".to_owned(), value: command.to_owned() }])
    }

    /// The same labels and another one, which takes the place of one with the same name.
    #[must_use]
    pub fn with(mut self, label: Label) -> Self {
        self.0.retain(|other| other.name != label.name);
        self.0.push(label);
        self
    }

    /// Name and labels of a sample, as they stand in its line.
    pub(crate) fn series(&self, name: &str, own: &[(&str, &str)]) -> String {
        let common = self.0.iter().map(|label| (&*label.name, &*label.value));
        let mut series = name.to_owned();
        let mut mark = '{';
        for (name, value) in common.chain(own.iter().copied()) {
            // Writing to a text cannot fail.
            let _ = write!(series, "{mark}{name}=\"{}\"", escaped(value));
            mark = ',';
        }
        series.push('}');
        series
    }
}

fn is_name(name: &str) -> bool {
    let is_inside = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    name.bytes().all(is_inside) && name.bytes().next().is_some_and(|first| !first.is_ascii_digit())
}

/// In a value, backslash, quote and line feed are written with a backslash.
fn escaped(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}
