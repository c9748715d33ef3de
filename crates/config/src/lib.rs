//! The registry's own configuration, read as the registry reads it: pure, no file, no process environment.
//!
//! # Words
//! A *driver* is the kind of store a registry keeps its objects in. A *section* is a mapping of the file. A *variable*
//! is an entry of the environment named `REGISTRY_…`; the registry lets it overwrite a *field* of the file. A
//! *warning* is something the registry does that its operator may not expect, or refuses where we need not.
//!
//! # Guarantees
//! G4: a registry is read-only here only where the registry itself would be; what it ignores or refuses is not
//! believed. A field that cannot be read is an error, never a default. No error, warning or `Debug` text holds a
//! secret.
//!
//! # Shape
//! ```text
//! text ──▶ yaml ──▶ Value ──▶ Draft ──▶ Configuration
//!                              ▲ overwritten by the variables, sorted by name
//! ```
//!
//! # Cost
//! One pass over the text and one over each variable; at most 100 000 values, however often aliases repeat them.
//!
//! # Start reading at
//! [`Configuration::parse`], then [`Storage`].
//!
//! Source: distribution `configuration/{configuration,parser}.go`, `registry/handlers/app.go`,
//! `registry/storage/driver/{s3-aws,filesystem}`, versions 2.8 and 3; `yaml.v2` for the meaning of scalars.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod configuration;
mod draft;
mod duration;
mod environment;
mod error;
mod log;
mod maintenance;
mod redis;
mod s3;
mod scalar;
mod secret;
mod section;
mod storage;
#[cfg(test)]
mod tests;
mod value;
mod warning;
mod yaml;

pub use configuration::{Cache, Configuration};
pub use error::{ConfigError, Origin, Problem};
pub use log::{Formatter, Level, Log};
pub use maintenance::UploadPurging;
pub use redis::{ClientCertificate, Redis, RedisAddress, RedisServers, RedisTimeouts, RedisTls};
pub use s3::{Credentials, Encryption, S3};
pub use secret::Secret;
pub use storage::{Filesystem, Storage};
pub use warning::{Oddity, Warning};
