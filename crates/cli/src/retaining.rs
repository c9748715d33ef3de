//! The retention policy that the operator names.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use policy::Retention;
use registry::Digest;

use crate::Failure;

/// A retention policy, and what plans say of it.
#[derive(Clone, Debug)]
pub struct Retaining {
    /// The policy.
    pub policy: Arc<Retention>,
    /// For plans; nothing has become of its rules so far.
    pub record: planner::Retention,
}

impl Retaining {
    /// Reads a policy.
    ///
    /// # Errors
    /// [`Failure::File`] where the file cannot be read, [`Failure::Policy`] where it is not understood.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let file = path.to_string_lossy().into_owned();
        Self::of(&file, &text(path)?)
            .map_err(|source| Failure::Policy { path: path.to_owned(), source })
    }

    /// A policy of this text.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn of(file: &str, text: &[u8]) -> Result<Self, policy::PolicyErrors> {
        let policy = Retention::parse(text)?;
        let told = |rule: &policy::Rule| planner::RuleTold {
            name: rule.name.to_string(),
            means: rule.to_string(),
            ..planner::RuleTold::default()
        };
        let record = planner::Retention {
            file: file.to_owned(),
            sha256: Digest::sha256(text).hex(),
            rules: policy.rules().iter().map(told).collect(),
        };
        Ok(Self { policy: Arc::new(policy), record })
    }

    /// The same, where a file is named.
    ///
    /// # Errors
    /// As [`Retaining::read`].
    pub(crate) fn named(path: Option<&Path>) -> Result<Option<Self>, Failure> {
        path.map(Self::read).transpose()
    }
}

/// The bytes of a policy, and no more than it may have: a policy that is longer is refused as such.
fn text(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |source| Failure::File { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let limit = Retention::LIMIT as u64 + 1;
    File::open(path).map_err(failed)?.take(limit).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}
