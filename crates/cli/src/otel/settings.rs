//! Where a trace goes, by the standard variables.

use std::time::Duration;

use super::ids::Parent;

/// Where nothing is said.
const ENDPOINT: &str = "http://localhost:4318";
const PATH: &str = "/v1/traces";
const TIMEOUT: Duration = Duration::from_secs(10);

/// How a trace is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) address: String,
    /// They may hold a secret, and are never told.
    pub(super) headers: Vec<(String, String)>,
    pub(super) timeout: Duration,
    /// Of the resource; the service's name first.
    pub(super) attributes: Vec<(String, String)>,
    pub(super) parent: Option<Parent>,
}

/// A variable that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum SettingsError {
    #[error("{0} is no http:// or https:// address")]
    Address(&'static str),
    #[error("{0} is `{1}`, and only OTLP over HTTP is spoken, usually at port 4318")]
    Protocol(&'static str, String),
    #[error("{0} is no number of milliseconds")]
    Timeout(&'static str),
    #[error("{0} is no list of NAME=VALUE")]
    Pairs(&'static str),
}

type Variable<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Settings {
    /// None where the variables say that there is to be no trace. A variable that is empty is as one that is not set.
    pub(super) fn of(variable: Variable<'_>) -> Result<Option<Self>, SettingsError> {
        let is = |name: &str, value: &str| {
            variable(name).is_some_and(|is| is.trim().eq_ignore_ascii_case(value))
        };
        if is("OTEL_SDK_DISABLED", "true") || is("OTEL_TRACES_EXPORTER", "none") {
            return Ok(None);
        }
        require_http(variable)?;
        Ok(Some(Self {
            address: address(variable)?,
            headers: headers(variable)?,
            timeout: timeout(variable)?,
            attributes: attributes(variable)?,
            parent: first(variable, ["TRACEPARENT"]).and_then(|(_, text)| Parent::parse(&text)),
        }))
    }
}

/// The first variable that says anything, and what it says.
fn first<const N: usize>(
    variable: Variable<'_>,
    names: [&'static str; N],
) -> Option<(&'static str, String)> {
    names.into_iter().find_map(|name| {
        let value = variable(name)?.trim().to_owned();
        (!value.is_empty()).then_some((name, value))
    })
}

/// Who takes protobuf over HTTP takes JSON at the same address.
fn require_http(variable: Variable<'_>) -> Result<(), SettingsError> {
    let names = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];
    match first(variable, names) {
        Some((_, spoken)) if ["http/json", "http/protobuf"].contains(&&*spoken) => Ok(()),
        Some((name, other)) => Err(SettingsError::Protocol(name, other)),
        None => Ok(()),
    }
}

/// An address for traces is taken as it is; one for everything is where theirs begins.
fn address(variable: Variable<'_>) -> Result<String, SettingsError> {
    const NAMES: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
    let Some((name, given)) = first(variable, NAMES) else {
        return Ok(format!("{ENDPOINT}{PATH}"));
    };
    let scheme = given.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    if !matches!(scheme.as_deref(), Some("http" | "https")) || given.contains(['?', '#', ' ']) {
        return Err(SettingsError::Address(name));
    }
    if name == NAMES[0] { Ok(given) } else { Ok(given.trim_end_matches('/').to_owned() + PATH) }
}

fn headers(variable: Variable<'_>) -> Result<Vec<(String, String)>, SettingsError> {
    let names = ["OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"];
    first(variable, names).map_or_else(|| Ok(Vec::new()), |(name, text)| pairs(name, &text))
}

fn timeout(variable: Variable<'_>) -> Result<Duration, SettingsError> {
    let names = ["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"];
    let Some((name, text)) = first(variable, names) else { return Ok(TIMEOUT) };
    text.parse().map(Duration::from_millis).map_err(|_| SettingsError::Timeout(name))
}

/// A name of the service that is said by itself wins.
fn attributes(variable: Variable<'_>) -> Result<Vec<(String, String)>, SettingsError> {
    const SERVICE: &str = "service.name";
    let given = first(variable, ["OTEL_RESOURCE_ATTRIBUTES"]);
    let mut attributes = given.map_or_else(|| Ok(Vec::new()), |(name, text)| pairs(name, &text))?;
    let among = attributes.iter().find(|(name, _)| name == SERVICE).map(|(_, value)| value.clone());
    let said = first(variable, ["OTEL_SERVICE_NAME"]).map(|(_, value)| value);
    let service = said.or(among).unwrap_or_else(|| "regsweep".to_owned());
    attributes.retain(|(name, _)| name != SERVICE);
    attributes.insert(0, (SERVICE.to_owned(), service));
    Ok(attributes)
}

/// `name=value,name=value`, the values encoded by percent where need be.
fn pairs(name: &'static str, text: &str) -> Result<Vec<(String, String)>, SettingsError> {
    let wrong = || SettingsError::Pairs(name);
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (name, value) = part.split_once('=').ok_or_else(wrong)?;
            let (name, value) = (name.trim(), decoded(value.trim()).ok_or_else(wrong)?);
            if name.is_empty() { Err(wrong()) } else { Ok((name.to_owned(), value)) }
        })
        .collect()
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut parts = text.split('%');
    bytes.extend(parts.next()?.bytes());
    for part in parts {
        let digits =
            part.get(..2).filter(|two| two.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend(part[2..].bytes());
    }
    String::from_utf8(bytes).ok()
}
