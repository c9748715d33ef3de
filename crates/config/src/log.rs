//! How the registry logs.

use crate::error::{ConfigError, Problem};

/// How the registry logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Log {
    /// From which level on.
    pub level: Level,
    /// In which form.
    pub formatter: Formatter,
}

/// Levels of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Level {
    /// Failures.
    Error,
    /// What may become one.
    Warn,
    /// What happens.
    #[default]
    Info,
    /// Everything.
    Debug,
}

/// Forms of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Formatter {
    /// `key=value` pairs.
    Text,
    /// One JSON object each.
    Json,
    /// One JSON object each, with the fields that logstash asks for.
    Logstash,
}

impl Level {
    /// Reads a level in any case; `subject` is the field or variable that it comes from.
    pub(crate) fn parse(text: &str, subject: &str) -> Result<Self, ConfigError> {
        const LEVELS: &[&str] = &["error", "warn", "info", "debug"];
        match text.to_lowercase().as_str() {
            "error" => Ok(Self::Error),
            "warn" => Ok(Self::Warn),
            "info" => Ok(Self::Info),
            "debug" => Ok(Self::Debug),
            _ => Err(ConfigError::field(subject, Problem::NotOneOf(LEVELS))),
        }
    }
}

impl Formatter {
    /// Text where nothing is said.
    pub(crate) fn parse(text: &str) -> Result<Self, ConfigError> {
        const FORMATTERS: &[&str] = &["text", "json", "logstash"];
        match text {
            "" | "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            "logstash" => Ok(Self::Logstash),
            _ => Err(ConfigError::field("log.formatter", Problem::NotOneOf(FORMATTERS))),
        }
    }
}
