//! What a plan is called by: the hash of its content.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

/// Identifies a plan by its content: SHA-256 of its header, which holds the checksum of every segment.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlanId([u8; 32]);

/// A text that is no id of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not the id of a plan: 64 digits of 0-9a-f")]
pub struct InvalidPlanId;

impl PlanId {
    /// The id of a plan whose canonical header is `content`.
    pub(crate) fn of(content: &[u8]) -> Self {
        Self(Sha256::digest(content).into())
    }

    /// The bytes of the hash.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for PlanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for PlanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for PlanId {
    type Err = InvalidPlanId;

    fn from_str(text: &str) -> Result<Self, InvalidPlanId> {
        let digest = registry::Digest::from_parts("sha256", text).map_err(|_| InvalidPlanId)?;
        let bytes = digest.as_bytes().try_into().map_err(|_| InvalidPlanId)?;
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips() {
        let id = PlanId::of(b"x");
        assert_eq!(id.to_string().parse(), Ok(id));
        for text in ["", "0", &"g".repeat(64), &"A".repeat(64), &"0".repeat(65)] {
            assert_eq!(text.parse::<PlanId>(), Err(InvalidPlanId), "{text}");
        }
    }
}
