//! Why a configuration cannot be used.

use std::fmt;

/// Why a configuration cannot be used. Every message starts with the field, or the place in the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The text is no YAML, or YAML that the registry's parser refuses.
    #[error("{origin}: line {line}, column {column}: {problem}")]
    Syntax {
        /// The file or a variable.
        origin: Origin,
        /// Counted from 1.
        line: usize,
        /// Counted from 1, in characters.
        column: usize,
        /// What the parser says.
        problem: String,
    },
    /// `version` is missing or is not the text `0.1`.
    #[error("version: must be 0.1, the version of both 2.8 and 3{}", instead(.found.as_ref()))]
    Version {
        /// The text that stands there instead.
        found: Option<String>,
    },
    /// A field has a value that the registry refuses.
    #[error("{field}: {problem}")]
    Field {
        /// Path of the field, as in `storage.s3.bucket`, or the variable that sets it.
        field: String,
        /// What is wrong with it.
        problem: Problem,
    },
    /// No driver in the storage section, or no storage section.
    #[error("storage: no storage driver is configured")]
    NoDriver,
    /// More than one driver; the registry refuses to start.
    #[error(
        "storage: exactly one storage driver is allowed, found {}; \
         to replace the file's by variables, set `REGISTRY_STORAGE=<driver>` as well",
        .drivers.join(", ")
    )]
    SeveralDrivers {
        /// Their names, in byte order.
        drivers: Vec<String>,
    },
    /// A driver of the registry whose objects we do not collect.
    #[error(
        "storage.{driver}: the {driver} driver is not supported; supported are s3 and filesystem"
    )]
    UnsupportedDriver {
        /// Its name.
        driver: String,
    },
    /// A key of the storage section that is no driver of any registry.
    #[error(
        "storage.{driver}: is neither a storage driver nor one of cache, delete, maintenance, redirect, tag"
    )]
    UnknownDriver {
        /// The key.
        driver: String,
    },
}

fn instead(text: Option<&String>) -> String {
    text.map_or_else(|| ", and is missing".to_owned(), |text| format!(", not `{text}`"))
}

impl ConfigError {
    pub(crate) fn field(field: impl Into<String>, problem: Problem) -> Self {
        Self::Field { field: field.into(), problem }
    }
}

/// Which text a syntax error is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The configuration file.
    File,
    /// A variable of the environment, by name.
    Variable(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File => "configuration",
            Self::Variable(name) => name,
        })
    }
}

/// What is wrong with the value of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// A field without which the driver cannot work.
    #[error("is missing")]
    Missing,
    /// A single value or fields where a list should be.
    #[error("must be a list")]
    NotList,
    /// No address of a server.
    #[error("must be host:port")]
    NotAddress,
    /// Neither a duration as Go writes it nor a number of nanoseconds.
    #[error("must be a duration such as 500ms")]
    NotDuration,
    /// A field of 2.8 and those of 3 that lead to different keys.
    #[error("leads version 2.8 to other keys than `addrs` leads version 3; keep the one in use")]
    OtherVersion,
    /// A single value or a list where fields should be.
    #[error("must be a mapping of fields")]
    NotMapping,
    /// A mapping or a list where one value should be.
    #[error("must be a single value")]
    NotScalar,
    /// Neither a YAML boolean nor one of the texts that Go reads as one.
    #[error("must be a boolean: true or false")]
    NotBoolean,
    /// No decimal digits at its start.
    #[error("must be an integer")]
    NotInteger,
    /// An integer outside its range.
    #[error("must be between {min} and {max}")]
    OutOfRange {
        /// The smallest that is allowed.
        min: i64,
        /// The largest that is allowed.
        max: i64,
    },
    /// None of the allowed words.
    #[error("must be one of {}", .0.join(", "))]
    NotOneOf(&'static [&'static str]),
    /// Empty or null where the registry would build a nonsensical path from it.
    #[error("must not be empty")]
    Empty,
    /// `v4auth: false` where only Amazon answers.
    #[error("must be true for Amazon S3")]
    SignatureVersion,
    /// A variable whose part should be the number of an entry of a list.
    #[error("must name an existing entry of the list by its number")]
    Index,
}
