//! `storage.maintenance`: whether the registry refuses writes, and what it does about uploads left behind.

use std::time::Duration;

use crate::duration;
use crate::scalar::{Atom, Scalar};
use crate::storage::part;
use crate::value::{Mapping, Value};
use crate::warning::{Oddity, Warning};

/// What the registry itself does about uploads that were never finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UploadPurging {
    /// Whether it deletes them at all.
    pub enabled: bool,
    /// From which age on.
    pub age: Duration,
    /// How often it looks.
    pub interval: Duration,
    /// Whether it only says what it would delete.
    pub dry_run: bool,
}

impl Default for UploadPurging {
    /// As the registry does where nothing is configured.
    fn default() -> Self {
        let (age, interval) = (Duration::from_hours(7 * 24), Duration::from_hours(24));
        Self { enabled: true, age, interval, dry_run: false }
    }
}

/// Whether the registry refuses writes.
///
/// Only the form that works counts (G4): a mapping of the parser's own making with a boolean `enabled`. A mapping made
/// for `REGISTRY_STORAGE_MAINTENANCE_READONLY_ENABLED` is of another type to the registry, which then panics.
pub(crate) fn readonly(storage: &Mapping, warnings: &mut Vec<Warning>) -> bool {
    let Some(value) = part(storage, "maintenance").and_then(|it| it.get("readonly")) else {
        return false;
    };
    let enabled = closed(value).map(|fields| fields.get("enabled"));
    match enabled {
        Some(None) => false,
        Some(Some(Value::Scalar(Scalar { atom: Atom::Bool(enabled), .. }))) => *enabled,
        Some(Some(_)) | None => {
            warnings.push(Warning::new("storage.maintenance.readonly", Oddity::UnusableReadonly));
            false
        }
    }
}

impl UploadPurging {
    /// Reads what can be read; what cannot keeps its default.
    pub(crate) fn read(storage: &Mapping, warnings: &mut Vec<Warning>) -> Self {
        let mut purging = Self::default();
        let value = part(storage, "maintenance").and_then(|it| it.get("uploadpurging"));
        let usable = value.is_none_or(|value| closed(value).is_some_and(|it| purging.fill(it)));
        if !usable {
            let field = "storage.maintenance.uploadpurging";
            warnings.push(Warning::new(field, Oddity::UnusableUploadPurging));
        }
        purging
    }

    /// Whether the registry would start with these fields.
    fn fill(&mut self, fields: &Mapping) -> bool {
        self.enabled = boolean(fields, "enabled") != Some(false);
        let dry_run = boolean(fields, "dryrun").map(|value| self.dry_run = value);
        let age = period(fields, "age").map(|value| self.age = value);
        let interval = period(fields, "interval").map(|value| self.interval = value);
        !self.enabled || (dry_run.is_some() && age.is_some() && interval.is_some())
    }
}

fn closed(value: &Value) -> Option<&Mapping> {
    match value {
        Value::Mapping(fields) if !fields.is_open() => Some(fields),
        _ => None,
    }
}

fn boolean(fields: &Mapping, field: &str) -> Option<bool> {
    match fields.get(field) {
        Some(Value::Scalar(Scalar { atom: Atom::Bool(value), .. })) => Some(*value),
        _ => None,
    }
}

fn period(fields: &Mapping, field: &str) -> Option<Duration> {
    match fields.get(field) {
        Some(Value::Scalar(Scalar { atom: Atom::Text, text })) => duration::parse(text),
        _ => None,
    }
}
