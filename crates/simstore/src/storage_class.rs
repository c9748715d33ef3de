//! Storage classes.

use crate::S3Error;

/// The class of an object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct StorageClass(usize);

/// As requests and answers name them, the usual one first; those behind [`READ_AT_ONCE`] are archived.
///
/// Source: Amazon S3 API, `PutObject`, `x-amz-storage-class`.
const NAMES: [&str; 8] = [
    "STANDARD",
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER_IR",
    "GLACIER",
    "DEEP_ARCHIVE",
];

/// How many of them are read and copied without being restored first.
const READ_AT_ONCE: usize = 6;

impl StorageClass {
    /// The class of this name; the usual one where none is named.
    pub(crate) fn named(name: Option<&str>) -> Result<Self, S3Error> {
        let Some(name) = name else { return Ok(Self::default()) };
        let place = NAMES.iter().position(|known| *known == name);
        place.map(Self).ok_or(S3Error::INVALID_STORAGE_CLASS)
    }

    pub(crate) fn name(self) -> &'static str {
        NAMES.get(self.0).copied().unwrap_or(NAMES[0])
    }

    /// As the head of an answer tells it, which is silent about the usual one.
    pub(crate) fn told(self) -> Option<&'static str> {
        (self != Self::default()).then(|| self.name())
    }

    /// An error where an object of this class cannot be read.
    pub(crate) fn check_read(self) -> Result<(), S3Error> {
        if self.0 < READ_AT_ONCE { Ok(()) } else { Err(S3Error::INVALID_OBJECT_STATE) }
    }
}
