//! What the registry does that its operator may not expect.

use std::fmt;

/// Something to tell the operator; the configuration can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The field, as in `storage.maintenance.readonly`, or the variable.
    pub field: String,
    /// What is odd about it.
    pub oddity: Oddity,
}

impl Warning {
    pub(crate) fn new(field: impl Into<String>, oddity: Oddity) -> Self {
        Self { field: field.into(), oddity }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.oddity)
    }
}

/// What is odd about a field or variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Oddity {
    /// A variable that names no field.
    #[error("names no field of the configuration; the registry ignores it")]
    UnknownField,
    /// A variable that reaches below a mapping whose keys the registry does not know to be text.
    #[error("the registry cannot overwrite a field this deep in the file and ignores it")]
    TooDeep,
    /// A variable that reaches below a single value.
    #[error("reaches below a single value; the registry ignores it")]
    BelowScalar,
    /// `maintenance.readonly` in a form with which the registry does not start.
    #[error(
        "the registry refuses this form, so it is not taken as read-only; the forms that work are \
         `readonly: {{enabled: true}}` in the file and \
         `REGISTRY_STORAGE_MAINTENANCE_READONLY='{{\"enabled\":true}}'`"
    )]
    UnusableReadonly,
    /// `maintenance.uploadpurging` in a form with which the registry does not start.
    #[error(
        "the registry refuses to start with this; enabled, age, interval and dryrun must all be there"
    )]
    UnusableUploadPurging,
    /// Settings of TLS that do not make the registry use it.
    #[error(
        "the registry speaks to redis without TLS: with `addrs` it takes certificate and key, or rootcas, to ask for \
         it, with `addr` nothing but `enabled: true`"
    )]
    PlainRedis,
    /// `tls.enabled`, which the registry that reads it may not know.
    #[error(
        "version 2.8 speaks to redis without TLS whatever this says, and only builds on the way to 3.0 heed it; \
         regsweep does"
    )]
    UnheededTls,
    /// A variable for one entry of a list.
    #[error("the registry appends an empty entry; set the whole list, as in `[a, b]`")]
    EmptyEntry,
    /// A cache that the registry does not know.
    #[error("is neither inmemory nor redis; the registry caches nothing")]
    UnknownCache,
    /// Only one of accesskey and secretkey.
    #[error(
        "accesskey and secretkey count only together; the registry takes credentials from its surroundings"
    )]
    HalfCredentials,
    /// A session token in the file.
    #[error("no registry reads it from its configuration; set AWS_SESSION_TOKEN")]
    SessionToken,
    /// `v4auth: false`.
    #[error("signature version 2 is not supported; requests are signed with version 4")]
    SignatureVersion,
}
