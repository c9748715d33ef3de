//! The tree of values that the file and the variables hold.

use crate::scalar::{Atom, Scalar};

#[derive(Clone)]
pub(crate) enum Value {
    Scalar(Scalar),
    Sequence(Vec<Value>),
    Mapping(Mapping),
}

/// Fields in the order in which they were given; of several with one name the last counts.
#[derive(Clone, Default)]
pub(crate) struct Mapping {
    entries: Vec<(String, Value)>,
    is_open: bool,
}

impl Value {
    pub(crate) fn null() -> Self {
        Self::Scalar(Scalar::plain(String::new()))
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Self::Scalar(Scalar { atom: Atom::Null, .. }))
    }

    /// How many values it is made of, itself included.
    pub(crate) fn count(&self) -> usize {
        1 + match self {
            Self::Scalar(_) => 0,
            Self::Sequence(items) => items.iter().map(Self::count).sum(),
            Self::Mapping(mapping) => mapping.entries.iter().map(|(_, value)| value.count()).sum(),
        }
    }
}

impl Mapping {
    /// A mapping that variables can reach into: one that the registry declares with text as keys, or that it made for
    /// a variable. It cannot reach into those that its parser made below: their keys may be anything.
    pub(crate) fn open() -> Self {
        Self { entries: Vec::new(), is_open: true }
    }

    pub(crate) fn opened(self) -> Self {
        Self { is_open: true, ..self }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.is_open
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.entries.iter().map(|(key, value)| (key.as_str(), value))
    }

    pub(crate) fn into_entries(self) -> Vec<(String, Value)> {
        self.entries
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        self.entries.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The value of the field whose name in capitals is `name`.
    pub(crate) fn get_by_capitals(&mut self, name: &str) -> Option<&mut Value> {
        let mut entries = self.entries.iter_mut().rev();
        entries.find(|(key, _)| key.to_uppercase() == name).map(|(_, value)| value)
    }

    /// Gives all fields of another mapping; they count from here on.
    pub(crate) fn append(&mut self, other: Self) {
        self.entries.extend(other.entries);
    }

    /// Gives a field again; it counts from here on.
    pub(crate) fn push(&mut self, key: String, value: Value) {
        self.entries.push((key, value));
    }
}
