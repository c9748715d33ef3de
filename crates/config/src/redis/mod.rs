//! `redis`: the server of the registry's cache.
//!
//! Version 2.8 reads `addr` and one set of fields, version 3 reads `addrs` and another. The file does not say which
//! version reads it; which address it gives does. Builds on the way from the one to the other read `addr` and knew
//! TLS, 2.8.2 does not. Who asks for TLS is given it: a password is better kept than an exact likeness.
//!
//! Source: distribution `configuration/configuration.go`, `registry/handlers/app.go` (`configureRedis`); `go-redis` 9,
//! `universal.go` and `options.go`.

mod fields;
mod variables;

pub(crate) use variables::overwrite;

use std::fmt;
use std::time::Duration;

use self::fields::Fields;
use crate::error::{ConfigError, Problem};
use crate::secret::Secret;
use crate::value::{Mapping, Value};
use crate::warning::{Oddity, Warning};

/// How the registry reaches the redis that caches its blob descriptors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redis {
    /// Where it is.
    pub servers: RedisServers,
    /// As whom; redis's own `default` where nobody is named.
    pub username: Option<String>,
    /// With which password.
    pub password: Option<Secret>,
    /// The number of the database.
    pub database: u32,
    /// Whether and how TLS is spoken.
    pub tls: Option<RedisTls>,
    /// How long the registry waits. It treats a cache that does not answer as one that knows nothing, so these may be
    /// far too short for whoever needs an answer.
    pub timeouts: RedisTimeouts,
}

/// Which servers the addresses are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedisServers {
    /// One that holds everything.
    Single(RedisAddress),
    /// Those that know which server holds everything.
    Sentinels {
        /// What they call it.
        master: String,
        /// Where they are; at least one.
        sentinels: Vec<RedisAddress>,
        /// As whom to ask them.
        username: Option<String>,
        /// With which password.
        password: Option<Secret>,
    },
    /// Some of those between which the keys are divided.
    Cluster(Vec<RedisAddress>),
}

/// The address of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedisAddress {
    /// On the network.
    Network {
        /// A name, or an IP address without brackets.
        host: String,
        /// Never 0.
        port: u16,
    },
    /// A socket in the file system.
    Socket(String),
}

impl fmt::Display for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Network { host, port } => write!(f, "{host}:{port}"),
            Self::Socket(path) => f.write_str(path),
        }
    }
}

/// How TLS is spoken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RedisTls {
    /// How the registry proves who it is.
    pub client: Option<ClientCertificate>,
    /// Files of the certificates that the server's must come from, in PEM; the system's where there are none.
    pub root_certificates: Vec<String>,
}

/// A certificate and its key, as files in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The certificate, with those between it and its root.
    pub certificate: String,
    /// The key.
    pub key: String,
}

/// How long the registry waits; none where it uses its default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RedisTimeouts {
    /// For a connection.
    pub dial: Option<Duration>,
    /// For an answer.
    pub read: Option<Duration>,
    /// To send a request.
    pub write: Option<Duration>,
}

impl Redis {
    /// Reads the section as the version does that its address is for. A section for both versions must lead both to
    /// the same keys.
    pub(crate) fn read(
        section: &Mapping,
        warnings: &mut Vec<Warning>,
    ) -> Result<Self, ConfigError> {
        let fields = Fields::new("redis", section);
        let two = fields.text("addr")?.filter(|address| !address.is_empty());
        let three = fields.texts("addrs")?;
        match (two, three.as_slice()) {
            (None, []) => Err(fields.error("addrs", Problem::Missing)),
            (Some(address), []) => Self::version_2(&fields, &address, warnings),
            (None, addresses) => Self::version_3(&fields, addresses, warnings),
            (Some(address), addresses) => {
                let two = Self::version_2(&fields, &address, &mut Vec::new())?;
                let three = Self::version_3(&fields, addresses, warnings)?;
                let same = two == three;
                same.then_some(three).ok_or_else(|| fields.error("addr", Problem::OtherVersion))
            }
        }
    }

    fn version_2(
        fields: &Fields<'_>,
        address: &str,
        warnings: &mut Vec<Warning>,
    ) -> Result<Self, ConfigError> {
        let address = network(address).ok_or_else(|| fields.error("addr", Problem::NotAddress))?;
        let tls = fields.below("tls")?;
        let is_enabled = tls.as_ref().map_or(Ok(false), |tls| tls.boolean("enabled"))?;
        let wished = match &tls {
            Some(tls) => version_3_tls(tls)?,
            None => None,
        };
        if is_enabled {
            warnings.push(Warning::new("redis.tls.enabled", Oddity::UnheededTls));
        } else if wished.is_some() {
            warnings.push(Warning::new("redis.tls", Oddity::PlainRedis));
        }
        Ok(Self {
            servers: RedisServers::Single(address),
            username: None,
            password: fields.secret("password")?,
            database: fields.database()?,
            tls: is_enabled.then(RedisTls::default),
            timeouts: fields.timeouts()?,
        })
    }

    fn version_3(
        fields: &Fields<'_>,
        addresses: &[String],
        warnings: &mut Vec<Warning>,
    ) -> Result<Self, ConfigError> {
        let tls = match fields.below("tls")? {
            Some(section) => {
                let tls = version_3_tls(&section)?;
                if tls.is_none() && section.boolean("enabled")? {
                    warnings.push(Warning::new("redis.tls", Oddity::PlainRedis));
                }
                tls
            }
            None => None,
        };
        Ok(Self {
            servers: servers(fields, addresses)?,
            username: fields.filled("username")?,
            password: fields.secret("password")?,
            database: fields.database()?,
            tls,
            timeouts: fields.timeouts()?,
        })
    }
}

/// A name makes the addresses sentinels, several addresses without one a cluster.
fn servers(fields: &Fields<'_>, addresses: &[String]) -> Result<RedisServers, ConfigError> {
    let wrong = || fields.error("addrs", Problem::NotAddress);
    let parse = |text: &String| socket(text).or_else(|| network(text)).ok_or_else(wrong);
    let addresses = addresses.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    if let Some(master) = fields.filled("mastername")? {
        let username = fields.filled("sentinelusername")?;
        let password = fields.secret("sentinelpassword")?;
        return Ok(RedisServers::Sentinels { master, sentinels: addresses, username, password });
    }
    match <[RedisAddress; 1]>::try_from(addresses) {
        Ok([address]) => Ok(RedisServers::Single(address)),
        Err(addresses) => Ok(RedisServers::Cluster(addresses)),
    }
}

/// TLS is spoken where a certificate or its key is given, or roots are. `clientcas`, as 3.0 has it, decides nothing:
/// it is a server's setting.
fn version_3_tls(fields: &Fields<'_>) -> Result<Option<RedisTls>, ConfigError> {
    let root_certificates = fields.texts("rootcas")?;
    let client = match (fields.filled("certificate")?, fields.filled("key")?) {
        (Some(certificate), Some(key)) => Some(ClientCertificate { certificate, key }),
        (None, None) if root_certificates.is_empty() => return Ok(None),
        (None, None) => None,
        (None, Some(_)) => return Err(fields.error("certificate", Problem::Missing)),
        (Some(_), None) => return Err(fields.error("key", Problem::Missing)),
    };
    Ok(Some(RedisTls { client, root_certificates }))
}

/// `host:port`, `:port` for this machine, `[address]:port` for IPv6.
fn network(text: &str) -> Option<RedisAddress> {
    let (host, port) = text.rsplit_once(':')?;
    let port = port.parse().ok().filter(|port| *port > 0)?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host = match bare {
        Some(host) => host,
        None if host.contains([':', '[', ']']) => return None,
        None if host.is_empty() => "localhost",
        None => host,
    };
    Some(RedisAddress::Network { host: host.to_owned(), port })
}

fn socket(text: &str) -> Option<RedisAddress> {
    text.starts_with('/').then(|| RedisAddress::Socket(text.to_owned()))
}

/// Makes the section of a value: fields, of which `tls` is a section of its own. `subject` is the field or the
/// variable that the value comes from.
pub(crate) fn section(value: Value, subject: &str) -> Result<Mapping, ConfigError> {
    let mut section = Mapping::open();
    match value {
        Value::Mapping(fields) => {
            for (name, value) in fields.into_entries() {
                let value = if name == TLS { tls(value, subject)? } else { value };
                section.push(name, value);
            }
        }
        value if value.is_null() => {}
        _ => return Err(ConfigError::field(subject, Problem::NotMapping)),
    }
    Ok(section)
}

/// The one section inside the section.
pub(crate) const TLS: &str = "tls";

/// Fields of it; null stays null.
pub(crate) fn tls(value: Value, subject: &str) -> Result<Value, ConfigError> {
    crate::storage::fields_of(value, &format!("{subject}.{TLS}"))
}
