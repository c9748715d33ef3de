//! The fields of one driver, read by the rules of the registry's factories.

use std::ops::RangeInclusive;

use crate::error::{ConfigError, Problem};
use crate::scalar::{Atom, Scalar, parse_bool, scan_integer};
use crate::value::{Mapping, Value};

pub(crate) struct Section<'m> {
    path: String,
    fields: &'m Mapping,
}

impl<'m> Section<'m> {
    pub(crate) fn new(path: String, fields: &'m Mapping) -> Self {
        Self { path, fields }
    }

    /// The path of one of its fields.
    pub(crate) fn path(&self, field: &str) -> String {
        format!("{}.{field}", self.path)
    }

    pub(crate) fn error(&self, field: &str, problem: Problem) -> ConfigError {
        ConfigError::field(self.path(field), problem)
    }

    pub(crate) fn has(&self, field: &str) -> bool {
        self.fields.get(field).is_some()
    }

    /// `None` where the field is missing or null: drivers treat both alike.
    fn scalar(&self, field: &str) -> Result<Option<&'m Scalar>, ConfigError> {
        match self.fields.get(field) {
            None => Ok(None),
            Some(value) if value.is_null() => Ok(None),
            Some(Value::Scalar(scalar)) => Ok(Some(scalar)),
            Some(_) => Err(self.error(field, Problem::NotScalar)),
        }
    }

    /// The text that the registry prints from the value; `None` where it is missing, null or empty.
    pub(crate) fn text(&self, field: &str) -> Result<Option<String>, ConfigError> {
        let text = self.scalar(field)?.and_then(Scalar::printed);
        Ok(text.filter(|text| !text.is_empty()))
    }

    /// A boolean of YAML, or a text that Go reads as one.
    pub(crate) fn boolean(&self, field: &str) -> Result<Option<bool>, ConfigError> {
        let Some(scalar) = self.scalar(field)? else { return Ok(None) };
        let value = match scalar.atom {
            Atom::Bool(value) => Some(value),
            Atom::Text => parse_bool(&scalar.text),
            Atom::Null | Atom::Integer(_) | Atom::Float(_) => None,
        };
        value.map(Some).ok_or_else(|| self.error(field, Problem::NotBoolean))
    }

    /// Refuses what the registry refuses of an integer that is not used here.
    pub(crate) fn check_integer(
        &self,
        field: &str,
        range: RangeInclusive<i64>,
    ) -> Result<(), ConfigError> {
        let Some(printed) = self.scalar(field)?.and_then(Scalar::printed) else { return Ok(()) };
        let value = scan_integer(&printed).ok_or_else(|| self.error(field, Problem::NotInteger))?;
        let (min, max) = (*range.start(), *range.end());
        if range.contains(&value) {
            return Ok(());
        }
        Err(self.error(field, Problem::OutOfRange { min, max }))
    }

    /// A text out of `words`, compared as `spelt` spells it. A number or boolean is none of them.
    pub(crate) fn word(
        &self,
        field: &str,
        words: &'static [&'static str],
        spelt: fn(&str) -> String,
    ) -> Result<Option<&'static str>, ConfigError> {
        let Some(scalar) = self.scalar(field)? else { return Ok(None) };
        let text = spelt(&scalar.text);
        let word = words.iter().copied().find(|word| scalar.atom == Atom::Text && *word == text);
        word.map(Some).ok_or_else(|| self.error(field, Problem::NotOneOf(words)))
    }
}
