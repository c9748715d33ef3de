//! Fields of a mapping, read strictly: what is wrong is noted, and reading goes on.

use std::time::Duration;

use crate::yaml::{Field, Node, Value};
use crate::{Fact, Place, PolicyError, Problem, duration};

/// All that was found wrong so far.
#[derive(Debug, Default)]
pub(crate) struct Findings(pub(crate) Vec<PolicyError>);

impl Findings {
    pub(crate) fn add(&mut self, place: Place, field: impl Into<String>, problem: Problem) {
        self.0.push(PolicyError { place, field: field.into(), problem });
    }

    /// The value, or nothing and a note.
    pub(crate) fn take<T>(
        &mut self,
        node: &Node,
        path: &str,
        value: Result<T, Problem>,
    ) -> Option<T> {
        value.map_err(|problem| self.add(node.place, path, problem)).ok()
    }
}

/// A mapping with its path.
pub(crate) struct Section<'n> {
    pub(crate) path: String,
    pub(crate) place: Place,
    fields: &'n [Field],
}

impl<'n> Section<'n> {
    /// Reads a mapping that may have the fields `known`; notes every other one, and those given twice.
    pub(crate) fn open(
        node: &'n Node,
        path: String,
        known: &'static [&'static str],
        findings: &mut Findings,
    ) -> Option<Self> {
        let Value::Fields(fields) = &node.value else {
            findings.add(node.place, path, Problem::NotFields(known));
            return None;
        };
        let section = Self { path, place: node.place, fields };
        for (at, field) in fields.iter().enumerate() {
            let path = section.path_of(&field.name);
            if !known.contains(&field.name.as_str()) {
                findings.add(field.place, path, unknown(&field.name, known));
            } else if let Some(first) = fields[..at].iter().find(|other| other.name == field.name) {
                findings.add(field.place, path, Problem::Repeated { first: first.place.line });
            }
        }
        Some(section)
    }

    /// The path of one of its fields.
    pub(crate) fn path_of(&self, field: &str) -> String {
        if self.path.is_empty() { field.to_owned() } else { format!("{}.{field}", self.path) }
    }

    pub(crate) fn get(&self, field: &str) -> Option<&'n Node> {
        self.fields.iter().find(|known| known.name == field).map(|known| &known.node)
    }

    /// The same; noted where it is missing.
    pub(crate) fn need(&self, field: &str, findings: &mut Findings) -> Option<&'n Node> {
        let node = self.get(field);
        if node.is_none() {
            findings.add(self.place, self.path_of(field), Problem::Missing);
        }
        node
    }

    /// Reads a field of one value, where it is there.
    pub(crate) fn read<T>(
        &self,
        field: &str,
        findings: &mut Findings,
        read: impl FnOnce(&str) -> Result<T, Problem>,
    ) -> Option<T> {
        let node = self.get(field)?;
        findings.take(node, &self.path_of(field), text(node).and_then(read))
    }

    /// Reads a time span.
    pub(crate) fn span(&self, field: &str, findings: &mut Findings) -> Option<Duration> {
        self.read(field, findings, duration::parse)
    }
}

/// The text of a single value.
pub(crate) fn text(node: &Node) -> Result<&str, Problem> {
    match &node.value {
        Value::Text(text) => Ok(text),
        Value::Null => Err(Problem::Empty),
        Value::List(_) | Value::Fields(_) => Err(Problem::NotText),
    }
}

fn unknown(field: &str, known: &'static [&'static str]) -> Problem {
    let plain = |name: &str| {
        name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
    };
    let wanted = plain(field);
    let is_near = |name: &str| {
        let name = plain(name);
        name == wanted || name == format!("{wanted}s") || format!("{name}s") == wanted
    };
    let meant = known.iter().copied().find(|name| is_near(name));
    match (meant, Fact::needed_by(field)) {
        (None, Some(fact)) => Problem::Fact(fact),
        (meant, _) => Problem::Unknown { meant, known },
    }
}
