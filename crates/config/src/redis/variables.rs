//! `REGISTRY_REDIS_*` variables.
//!
//! Version 3 keeps its fields in a structure inside the section: 3.0 finds them as `REGISTRY_REDIS_OPTIONS_*` only,
//! later versions by both names.

use super::{TLS, section, tls};
use crate::environment::Variable;
use crate::error::{ConfigError, Problem};
use crate::scalar::Scalar;
use crate::value::{Mapping, Value};
use crate::warning::Oddity;

const FIELDS: [&str; 12] = [
    "ADDR",
    "ADDRS",
    "DB",
    "DIALTIMEOUT",
    "MASTERNAME",
    "PASSWORD",
    "READTIMEOUT",
    "SENTINELPASSWORD",
    "SENTINELUSERNAME",
    "TLS",
    "USERNAME",
    "WRITETIMEOUT",
];

const TLS_FIELDS: [&str; 5] = ["CERTIFICATE", "CLIENTCAS", "ENABLED", "KEY", "ROOTCAS"];

/// Fields that bear neither on the server nor on its keys.
const UNREAD: [&str; 21] = [
    "CLIENTNAME",
    "CONNMAXIDLETIME",
    "CONNMAXLIFETIME",
    "CONTEXTTIMEOUTENABLED",
    "DISABLEIDENTITY",
    "IDENTITYSUFFIX",
    "MAXACTIVECONNS",
    "MAXIDLECONNS",
    "MAXREDIRECTS",
    "MAXRETRIES",
    "MAXRETRYBACKOFF",
    "MINIDLECONNS",
    "MINRETRYBACKOFF",
    "POOL",
    "POOLFIFO",
    "POOLSIZE",
    "POOLTIMEOUT",
    "PROTOCOL",
    "READONLY",
    "ROUTEBYLATENCY",
    "ROUTERANDOMLY",
];

/// Lets a variable overwrite its field; `path` is what follows `REGISTRY_REDIS_`.
pub(crate) fn overwrite(
    redis: &mut Mapping,
    path: &[&str],
    variable: Variable<'_>,
) -> Result<Option<Oddity>, ConfigError> {
    match path {
        ["OPTIONS"] => replace_options(redis, variable)?,
        ["OPTIONS", path @ ..] => return overwrite(redis, path, variable),
        ["TLS"] => redis.push(TLS.to_owned(), tls(variable.parse()?, variable.name)?),
        ["TLS", path @ ..] => return set_in_tls(redis, path, variable),
        [field, ..] if UNREAD.contains(field) => {}
        path => return set(redis, path, &FIELDS, variable),
    }
    Ok(None)
}

/// All fields of version 3 anew; TLS is not among them.
fn replace_options(redis: &mut Mapping, variable: Variable<'_>) -> Result<(), ConfigError> {
    let kept = redis.get(TLS).cloned();
    *redis = section(variable.parse()?, variable.name)?;
    if let Some(kept) = kept {
        redis.push(TLS.to_owned(), kept);
    }
    Ok(())
}

fn set_in_tls(
    redis: &mut Mapping,
    path: &[&str],
    variable: Variable<'_>,
) -> Result<Option<Oddity>, ConfigError> {
    let mut inner = match redis.get(TLS) {
        Some(Value::Mapping(inner)) => inner.clone(),
        _ => Mapping::open(),
    };
    let oddity = set(&mut inner, path, &TLS_FIELDS, variable)?;
    redis.push(TLS.to_owned(), Value::Mapping(inner));
    Ok(oddity)
}

fn set(
    section: &mut Mapping,
    path: &[&str],
    fields: &[&str],
    variable: Variable<'_>,
) -> Result<Option<Oddity>, ConfigError> {
    match path {
        [field] if fields.contains(field) => section.push(field.to_lowercase(), variable.parse()?),
        [field @ ("ADDRS" | "CLIENTCAS" | "ROOTCAS"), rest @ ..] if fields.contains(field) => {
            return set_entry(section, &field.to_lowercase(), rest, variable.name);
        }
        [field, ..] if fields.contains(field) => return Ok(Some(Oddity::BelowScalar)),
        _ => return Ok(Some(Oddity::UnknownField)),
    }
    Ok(None)
}

/// The registry finds an entry of a list by its number and then cannot set it; one number past the end it appends an
/// empty entry.
fn set_entry(
    section: &mut Mapping,
    field: &str,
    path: &[&str],
    variable: &str,
) -> Result<Option<Oddity>, ConfigError> {
    let mut items = match section.get(field) {
        Some(Value::Sequence(items)) => items.clone(),
        _ => Vec::new(),
    };
    let index: Option<usize> = path.first().and_then(|part| part.parse().ok());
    match index {
        Some(index) if index < items.len() => Ok(Some(Oddity::TooDeep)),
        Some(index) if index == items.len() => {
            items.push(Value::Scalar(Scalar::quoted(String::new())));
            section.push(field.to_owned(), Value::Sequence(items));
            Ok(Some(Oddity::EmptyEntry))
        }
        _ => Err(ConfigError::field(variable, Problem::Index)),
    }
}
