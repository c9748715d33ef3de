//! `REGISTRY_*` variables, which overwrite fields of the file.
//!
//! Source: distribution `configuration/parser.go`.

use crate::draft::{Draft, LogDraft, ProxyDraft, document, level, text};
use crate::error::{ConfigError, Origin, Problem};
use crate::redis;
use crate::storage;
use crate::value::{Mapping, Value};
use crate::warning::{Oddity, Warning};

const PREFIX: &str = "REGISTRY_";

/// Names the file itself; no field.
const FILE: &str = "REGISTRY_CONFIGURATION_PATH";

/// Fields of the configuration that are not read here.
const UNREAD: [&str; 11] = [
    "AUTH",
    "CATALOG",
    "COMPATIBILITY",
    "HEALTH",
    "HTTP",
    "MIDDLEWARE",
    "NOTIFICATIONS",
    "POLICY",
    "REPORTING",
    "VALIDATION",
    "VERSION",
];

const UNREAD_LOG: [&str; 4] = ["ACCESSLOG", "FIELDS", "HOOKS", "REPORTCALLER"];

const UNREAD_PROXY: [&str; 4] = ["EXEC", "PASSWORD", "TTL", "USERNAME"];

/// Deeper than any field; what lies deeper is not looked at.
const DEPTH_LIMIT: usize = 16;

impl Draft {
    /// Lets all variables overwrite their fields, in the byte order of their names.
    pub(crate) fn overwrite(
        &mut self,
        environment: impl IntoIterator<Item = (String, String)>,
        warnings: &mut Vec<Warning>,
    ) -> Result<(), ConfigError> {
        let is_ours = |name: &str| name.starts_with(PREFIX) && name != FILE;
        let mut variables: Vec<(String, String)> =
            environment.into_iter().filter(|(name, _)| is_ours(name)).collect();
        variables.sort();
        for (name, value) in &variables {
            let variable = Variable { name, value };
            if let Some(oddity) = self.overwrite_one(variable)? {
                warnings.push(Warning::new(name, oddity));
            }
        }
        Ok(())
    }

    fn overwrite_one(&mut self, variable: Variable<'_>) -> Result<Option<Oddity>, ConfigError> {
        let name = variable.name;
        let parts: Vec<&str> = name[PREFIX.len()..].split('_').take(DEPTH_LIMIT + 1).collect();
        match parts.as_slice() {
            ["STORAGE"] => self.storage = storage::section(variable.parse()?, name)?,
            ["STORAGE", path @ ..] => return overwrite_storage(&mut self.storage, path, variable),
            ["REDIS"] => self.redis = redis::section(variable.parse()?, name)?,
            ["REDIS", path @ ..] => return redis::overwrite(&mut self.redis, path, variable),
            ["LOG"] => self.log = variable.read(LogDraft::read)?,
            ["LOG", "LEVEL"] => self.log.level = level(variable.parse()?, name)?,
            ["LOG", "FORMATTER"] => self.log.formatter = text(variable.parse()?, name)?,
            ["LOGLEVEL"] => self.log_level = level(variable.parse()?, name)?,
            ["PROXY"] => self.proxy = variable.read(ProxyDraft::read)?,
            ["PROXY", "REMOTEURL"] => self.proxy.remote_url = text(variable.parse()?, name)?,
            ["LOG", "LEVEL" | "FORMATTER", ..] | ["LOGLEVEL", ..] | ["PROXY", "REMOTEURL", ..] => {
                return Ok(Some(Oddity::BelowScalar));
            }
            ["LOG", field, ..] if UNREAD_LOG.contains(field) => {}
            ["PROXY", field, ..] if UNREAD_PROXY.contains(field) => {}
            [field, ..] if UNREAD.contains(field) => {}
            _ => return Ok(Some(Oddity::UnknownField)),
        }
        Ok(None)
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Variable<'v> {
    pub(crate) name: &'v str,
    value: &'v str,
}

impl Variable<'_> {
    pub(crate) fn parse(self) -> Result<Value, ConfigError> {
        document(self.value, &Origin::Variable(self.name.to_owned()))
    }

    /// Reads a whole section anew.
    fn read<S: Default>(
        self,
        read: fn(&mut S, Value, &str) -> Result<(), ConfigError>,
    ) -> Result<S, ConfigError> {
        let mut section = S::default();
        read(&mut section, self.parse()?, self.name)?;
        Ok(section)
    }
}

/// The parts of the storage section are declared to be mappings, so one that is set as a whole must be one.
fn overwrite_storage(
    storage: &mut Mapping,
    path: &[&str],
    variable: Variable<'_>,
) -> Result<Option<Oddity>, ConfigError> {
    if let [part] = path {
        let fields = storage::fields_of(variable.parse()?, variable.name)?;
        storage.push(part.to_lowercase(), fields);
        return Ok(None);
    }
    overwrite(storage, path, variable)
}

/// Sets the field at `path`: an existing one is found by its name in capitals, a new one is named in small letters.
fn overwrite(
    mapping: &mut Mapping,
    path: &[&str],
    variable: Variable<'_>,
) -> Result<Option<Oddity>, ConfigError> {
    let Some((name, rest)) = path.split_first() else { return Ok(None) };
    if rest.is_empty() {
        mapping.push(name.to_lowercase(), variable.parse()?);
        return Ok(None);
    }
    match mapping.get_by_capitals(name).filter(|value| !value.is_null()) {
        Some(Value::Mapping(inner)) if inner.is_open() => overwrite(inner, rest, variable),
        Some(Value::Mapping(_)) => Ok(Some(Oddity::TooDeep)),
        Some(Value::Sequence(items)) => below_sequence(items, rest, variable),
        Some(Value::Scalar(_)) => Ok(Some(Oddity::BelowScalar)),
        None => {
            let mut inner = Mapping::open();
            let oddity = overwrite(&mut inner, rest, variable)?;
            mapping.push(name.to_lowercase(), Value::Mapping(inner));
            Ok(oddity)
        }
    }
}

/// The registry finds the entry by its number, and then cannot set it.
fn below_sequence(
    items: &[Value],
    path: &[&str],
    variable: Variable<'_>,
) -> Result<Option<Oddity>, ConfigError> {
    let index: Option<usize> = path.first().and_then(|part| part.parse().ok());
    match index {
        Some(index) if index < items.len() => Ok(Some(Oddity::TooDeep)),
        Some(_) | None => Err(ConfigError::field(variable.name, Problem::Index)),
    }
}
