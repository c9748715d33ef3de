//! The storage section: exactly one driver, and a few sections beside it.

use crate::error::{ConfigError, Problem};
use crate::s3::S3;
use crate::section::Section;
use crate::value::{Mapping, Value};
use crate::warning::Warning;

/// Where the registry keeps its objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Storage {
    /// The drivers `s3` and `s3aws`, which are one.
    S3(Box<S3>),
    /// The driver `filesystem`.
    Filesystem(Filesystem),
}

/// The driver `filesystem`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filesystem {
    /// The directory that holds `docker/registry/v2`; `/var/lib/registry` by default. Relative to the registry's
    /// working directory where it does not start with `/`.
    pub root_directory: String,
}

const DEFAULT_ROOT: &str = "/var/lib/registry";

/// Keys of the storage section that are no driver. `tag` is one only for version 3; a registry 2.8 with it does not
/// start, so nothing is lost by allowing it.
const BESIDE: [&str; 5] = ["cache", "delete", "maintenance", "redirect", "tag"];

/// Drivers of registries 2.8 and 3 that are not collected.
const UNSUPPORTED: [&str; 5] = ["azure", "gcs", "inmemory", "oss", "swift"];

impl Storage {
    pub(crate) fn read(
        storage: &Mapping,
        warnings: &mut Vec<Warning>,
    ) -> Result<Self, ConfigError> {
        let driver = one_driver(storage)?.ok_or(ConfigError::NoDriver)?;
        let fields = part(storage, driver).cloned().unwrap_or_default();
        let section = Section::new(format!("storage.{driver}"), &fields);
        match driver {
            "s3" | "s3aws" => Ok(Self::S3(Box::new(S3::read(&section, warnings)?))),
            "filesystem" => Ok(Self::Filesystem(Filesystem::read(&section)?)),
            driver if UNSUPPORTED.contains(&driver) => {
                Err(ConfigError::UnsupportedDriver { driver: driver.to_owned() })
            }
            driver => Err(ConfigError::UnknownDriver { driver: driver.to_owned() }),
        }
    }

    /// The `rootdirectory`, as it stands in the configuration.
    #[must_use]
    pub fn root_directory(&self) -> &str {
        match self {
            Self::S3(s3) => &s3.root_directory,
            Self::Filesystem(filesystem) => &filesystem.root_directory,
        }
    }
}

impl Filesystem {
    fn read(section: &Section<'_>) -> Result<Self, ConfigError> {
        let root_directory = match section.text("rootdirectory")? {
            Some(text) => text,
            // The registry would work in a directory named `<nil>`, or in its working directory.
            None if section.has("rootdirectory") => {
                return Err(section.error("rootdirectory", Problem::Empty));
            }
            None => DEFAULT_ROOT.to_owned(),
        };
        Ok(Self { root_directory })
    }
}

/// A part of the storage section, by name; `None` where it is missing or null.
pub(crate) fn part<'m>(storage: &'m Mapping, name: &str) -> Option<&'m Mapping> {
    match storage.get(name) {
        Some(Value::Mapping(part)) => Some(part),
        _ => None,
    }
}

/// The only driver named.
fn one_driver(storage: &Mapping) -> Result<Option<&str>, ConfigError> {
    let keys = storage.iter().map(|(key, _)| key).filter(|key| !BESIDE.contains(key));
    let mut drivers: Vec<&str> = keys.collect();
    drivers.sort_unstable();
    drivers.dedup();
    match drivers.as_slice() {
        [] => Ok(None),
        [driver] => Ok(Some(driver)),
        drivers => {
            let drivers = drivers.iter().copied().map(str::to_owned).collect();
            Err(ConfigError::SeveralDrivers { drivers })
        }
    }
}

/// Makes a storage section of a value: mappings by part, or the bare name of a driver. `subject` is the field or the
/// variable that the value comes from.
pub(crate) fn section(value: Value, subject: &str) -> Result<Mapping, ConfigError> {
    let mut storage = Mapping::open();
    match value {
        Value::Mapping(parts) => {
            for (name, fields) in parts.into_entries() {
                let subject = format!("{subject}.{name}");
                storage.push(name, fields_of(fields, &subject)?);
            }
        }
        value if value.is_null() => {}
        Value::Scalar(driver) => storage.push(driver.text, Value::Mapping(Mapping::open())),
        Value::Sequence(_) => return Err(ConfigError::field(subject, Problem::NotMapping)),
    }
    one_driver(&storage)?;
    Ok(storage)
}

/// The fields of one part of the storage section; null stays null.
pub(crate) fn fields_of(value: Value, subject: &str) -> Result<Value, ConfigError> {
    match value {
        Value::Mapping(fields) => Ok(Value::Mapping(fields.opened())),
        value if value.is_null() => Ok(value),
        _ => Err(ConfigError::field(subject, Problem::NotMapping)),
    }
}
