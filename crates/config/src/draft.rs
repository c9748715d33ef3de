//! The configuration while it is put together: what the file says, then what variables overwrite.

use crate::error::{ConfigError, Origin, Problem};
use crate::log::{Formatter, Level, Log};
use crate::redis;
use crate::storage;
use crate::value::{Mapping, Value};
use crate::yaml;

#[derive(Default)]
pub(crate) struct Draft {
    pub(crate) storage: Mapping,
    pub(crate) log: LogDraft,
    /// The older `loglevel`, which counts where `log.level` says nothing.
    pub(crate) log_level: Option<Level>,
    pub(crate) proxy: ProxyDraft,
    pub(crate) redis: Mapping,
}

#[derive(Default)]
pub(crate) struct LogDraft {
    pub(crate) level: Option<Level>,
    pub(crate) formatter: String,
}

#[derive(Default)]
pub(crate) struct ProxyDraft {
    pub(crate) remote_url: String,
}

impl Draft {
    /// Reads the file. A section that is given twice is read twice, as the registry does.
    pub(crate) fn read(yaml: &str) -> Result<Self, ConfigError> {
        let mut draft = Self::default();
        let mut version = None;
        for (name, value) in fields(document(yaml, &Origin::File)?, "configuration")? {
            match name.as_str() {
                "version" => version = Some(text(value, "version")?),
                "storage" => draft.storage = storage::section(value, "storage")?,
                "log" => draft.log.read(value, "log")?,
                "loglevel" => draft.log_level = level(value, "loglevel")?,
                "redis" => draft.redis.append(redis::section(value, "redis")?),
                "proxy" => draft.proxy.read(value, "proxy")?,
                _ => {}
            }
        }
        match version.as_deref() {
            Some("0.1") => Ok(draft),
            found => Err(ConfigError::Version {
                found: found.filter(|text| !text.is_empty()).map(str::to_owned),
            }),
        }
    }

    pub(crate) fn log(&self) -> Result<Log, ConfigError> {
        Ok(Log {
            level: self.log.level.or(self.log_level).unwrap_or_default(),
            formatter: Formatter::parse(&self.log.formatter)?,
        })
    }
}

impl LogDraft {
    pub(crate) fn read(&mut self, value: Value, subject: &str) -> Result<(), ConfigError> {
        for (name, value) in fields(value, subject)? {
            let subject = format!("{subject}.{name}");
            match name.as_str() {
                "level" => self.level = level(value, &subject)?,
                "formatter" => self.formatter = text(value, &subject)?,
                _ => {}
            }
        }
        Ok(())
    }
}

impl ProxyDraft {
    pub(crate) fn read(&mut self, value: Value, subject: &str) -> Result<(), ConfigError> {
        for (name, value) in fields(value, subject)? {
            if name == "remoteurl" {
                self.remote_url = text(value, &format!("{subject}.{name}"))?;
            }
        }
        Ok(())
    }
}

pub(crate) fn document(text: &str, origin: &Origin) -> Result<Value, ConfigError> {
    yaml::parse(text).map_err(|error| ConfigError::Syntax {
        origin: origin.clone(),
        line: error.line,
        column: error.column,
        problem: error.problem,
    })
}

/// The fields of a section; none where it is null.
fn fields(value: Value, subject: &str) -> Result<Vec<(String, Value)>, ConfigError> {
    match value {
        Value::Mapping(fields) => Ok(fields.into_entries()),
        value if value.is_null() => Ok(Vec::new()),
        _ => Err(ConfigError::field(subject, Problem::NotMapping)),
    }
}

/// A field of type text: what is written, whatever it looks like; empty for null.
pub(crate) fn text(value: Value, subject: &str) -> Result<String, ConfigError> {
    match value {
        value if value.is_null() => Ok(String::new()),
        Value::Scalar(scalar) => Ok(scalar.text),
        _ => Err(ConfigError::field(subject, Problem::NotScalar)),
    }
}

pub(crate) fn level(value: Value, subject: &str) -> Result<Option<Level>, ConfigError> {
    if value.is_null() {
        return Ok(None);
    }
    Level::parse(&text(value, subject)?, subject).map(Some)
}
