//! The configuration as a whole.

use crate::draft::Draft;
use crate::error::ConfigError;
use crate::log::Log;
use crate::maintenance::{UploadPurging, readonly};
use crate::redis::Redis;
use crate::scalar::{Atom, Scalar};
use crate::storage::{Storage, part};
use crate::value::{Mapping, Value};
use crate::warning::{Oddity, Warning};

/// What a registry's configuration says, as far as it bears on collecting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    /// Where the objects are.
    pub storage: Storage,
    /// Whether the registry refuses writes. Never true on a guess: see [`Oddity::UnusableReadonly`].
    pub readonly: bool,
    /// Whether the registry deletes on request.
    pub delete_enabled: bool,
    /// What caches the registry's blob descriptors.
    pub cache: Cache,
    /// What the registry does about uploads left behind.
    pub upload_purging: UploadPurging,
    /// How the registry logs.
    pub log: Log,
    /// Whether the registry is a pull-through cache: `proxy.remoteurl` is set.
    pub proxy: bool,
    /// What the operator should hear of, in the order found.
    pub warnings: Vec<Warning>,
}

/// What caches blob descriptors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cache {
    /// Nothing.
    None,
    /// The registry's own memory.
    InMemory,
    /// A redis server, shared by registries.
    Redis(Box<Redis>),
}

impl Configuration {
    /// Reads the text of a registry's configuration file, then lets the variables of `environment` that are named
    /// `REGISTRY_*` overwrite it.
    ///
    /// The environment may hold any variables, in any order; `REGISTRY_CONFIGURATION_PATH` is passed over.
    ///
    /// # Errors
    /// [`ConfigError`] where the registry would refuse the configuration, and where its storage is not one that can be
    /// collected. What is wrong in sections that are not read here (`http`, `auth` and the like) goes unnoticed.
    pub fn parse(
        yaml: &str,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut draft = Draft::read(yaml)?;
        let mut warnings = Vec::new();
        draft.overwrite(environment, &mut warnings)?;
        let storage = &draft.storage;
        Ok(Self {
            storage: Storage::read(storage, &mut warnings)?,
            readonly: readonly(storage, &mut warnings),
            delete_enabled: delete_enabled(storage),
            cache: Cache::read(storage, &draft.redis, &mut warnings)?,
            upload_purging: UploadPurging::read(storage, &mut warnings),
            log: draft.log()?,
            proxy: !draft.proxy.remote_url.is_empty(),
            warnings,
        })
    }
}

/// Only a boolean counts; the registry passes over anything else.
fn delete_enabled(storage: &Mapping) -> bool {
    let enabled = part(storage, "delete").and_then(|delete| delete.get("enabled"));
    matches!(enabled, Some(Value::Scalar(Scalar { atom: Atom::Bool(true), .. })))
}

impl Cache {
    /// The section of redis is not looked at where it is not the cache.
    fn read(
        storage: &Mapping,
        redis: &Mapping,
        warnings: &mut Vec<Warning>,
    ) -> Result<Self, ConfigError> {
        let cache = part(storage, "cache");
        let kind = cache.and_then(|it| it.get("blobdescriptor").or_else(|| it.get("layerinfo")));
        Ok(match kind {
            None => Self::None,
            Some(Value::Scalar(Scalar { text, .. })) if text == "inmemory" => Self::InMemory,
            Some(Value::Scalar(Scalar { text, .. })) if text == "redis" => {
                Self::Redis(Box::new(Redis::read(redis, warnings)?))
            }
            Some(Value::Scalar(Scalar { text, .. })) if text.is_empty() => Self::None,
            Some(_) => {
                warnings.push(Warning::new("storage.cache", Oddity::UnknownCache));
                Self::None
            }
        })
    }
}
