//! Fields by the types that the registry declares.

use std::time::Duration;

use super::RedisTimeouts;
use crate::duration;
use crate::error::{ConfigError, Problem};
use crate::scalar::{Atom, Scalar};
use crate::secret::Secret;
use crate::value::{Mapping, Value};

/// The fields of a section that the registry declares with types.
pub(super) struct Fields<'m> {
    path: String,
    fields: &'m Mapping,
}

impl<'m> Fields<'m> {
    pub(super) fn new(path: &str, fields: &'m Mapping) -> Self {
        Self { path: path.to_owned(), fields }
    }

    pub(super) fn error(&self, field: &str, problem: Problem) -> ConfigError {
        ConfigError::field(format!("{}.{field}", self.path), problem)
    }

    /// The value; `None` where it is missing or null.
    fn value(&self, field: &str) -> Option<&'m Value> {
        self.fields.get(field).filter(|value| !value.is_null())
    }

    fn scalar(&self, field: &str) -> Result<Option<&'m Scalar>, ConfigError> {
        match self.value(field) {
            None => Ok(None),
            Some(Value::Scalar(scalar)) => Ok(Some(scalar)),
            Some(_) => Err(self.error(field, Problem::NotScalar)),
        }
    }

    pub(super) fn text(&self, field: &str) -> Result<Option<String>, ConfigError> {
        Ok(self.scalar(field)?.map(|scalar| scalar.text.clone()))
    }

    /// A text that is not empty.
    pub(super) fn filled(&self, field: &str) -> Result<Option<String>, ConfigError> {
        Ok(self.text(field)?.filter(|text| !text.is_empty()))
    }

    pub(super) fn secret(&self, field: &str) -> Result<Option<Secret>, ConfigError> {
        Ok(self.filled(field)?.map(Secret::new))
    }

    pub(super) fn texts(&self, field: &str) -> Result<Vec<String>, ConfigError> {
        let text = |item: &Value| match item {
            Value::Scalar(scalar) => Ok(scalar.text.clone()),
            _ => Err(self.error(field, Problem::NotScalar)),
        };
        match self.value(field) {
            None => Ok(Vec::new()),
            Some(Value::Sequence(items)) => items.iter().map(text).collect(),
            Some(_) => Err(self.error(field, Problem::NotList)),
        }
    }

    pub(super) fn boolean(&self, field: &str) -> Result<bool, ConfigError> {
        match self.scalar(field)?.map(|scalar| &scalar.atom) {
            None => Ok(false),
            Some(Atom::Bool(value)) => Ok(*value),
            Some(_) => Err(self.error(field, Problem::NotBoolean)),
        }
    }

    pub(super) fn database(&self) -> Result<u32, ConfigError> {
        match self.scalar("db")?.map(|scalar| &scalar.atom) {
            None => Ok(0),
            Some(Atom::Integer(value)) => u32::try_from(*value).map_err(|_| {
                self.error("db", Problem::OutOfRange { min: 0, max: i64::from(u32::MAX) })
            }),
            Some(_) => Err(self.error("db", Problem::NotInteger)),
        }
    }

    pub(super) fn timeouts(&self) -> Result<RedisTimeouts, ConfigError> {
        Ok(RedisTimeouts {
            dial: self.period("dialtimeout")?,
            read: self.period("readtimeout")?,
            write: self.period("writetimeout")?,
        })
    }

    /// A duration as Go writes it, or nanoseconds; zero and less ask for the default, or for none at all.
    fn period(&self, field: &str) -> Result<Option<Duration>, ConfigError> {
        let Some(scalar) = self.scalar(field)? else { return Ok(None) };
        let period = match &scalar.atom {
            Atom::Integer(nanos) => {
                Some(Duration::from_nanos(u64::try_from(*nanos).unwrap_or_default()))
            }
            Atom::Text => duration::parse(&scalar.text),
            Atom::Null | Atom::Bool(_) | Atom::Float(_) => None,
        };
        let period = period.ok_or_else(|| self.error(field, Problem::NotDuration))?;
        Ok(Some(period).filter(|period| !period.is_zero()))
    }

    pub(super) fn below(&self, field: &str) -> Result<Option<Self>, ConfigError> {
        match self.value(field) {
            None => Ok(None),
            Some(Value::Mapping(fields)) => {
                Ok(Some(Self { path: format!("{}.{field}", self.path), fields }))
            }
            Some(_) => Err(self.error(field, Problem::NotMapping)),
        }
    }
}
