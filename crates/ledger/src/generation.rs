//! A generation as it is on record.

use std::fmt;

use protocol::Phase;
use registry::{Digest, Timestamp};
use serde::{Deserialize, Serialize};
use store::Token;

use crate::{Entry, fields};

/// The name of a generation: ascending by the time at which it began.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GenerationId(Box<str>);

impl GenerationId {
    /// The name of a generation that began then.
    #[must_use]
    pub fn at(t0: Timestamp) -> Self {
        Self(format!("{:015}", t0.as_millis()).into())
    }

    /// The name of the generation that follows `last` and began at `t0`.
    pub(crate) fn after(last: Option<&Self>, t0: Timestamp) -> Self {
        let next =
            last.and_then(|last| last.0.parse::<i64>().ok()).map(|last| last.saturating_add(1));
        Self::at(next.map(Timestamp::from_millis).map_or(t0, |next| next.max(t0)))
    }

    /// Reads a name; `None` where it is none.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let is_name = text.len() >= 15 && text.bytes().all(|byte| byte.is_ascii_digit());
        is_name.then(|| Self(text.into()))
    }

    /// As in keys.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for GenerationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How many entries there are of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Blobs condemned.
    pub condemned: u64,
    /// Their data, in bytes.
    pub condemned_bytes: u64,
    /// Entries of links.
    pub taken: u64,
    /// Entries of deleted data.
    pub deleted: u64,
    /// Blobs given back.
    pub given_back: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, entry: &Entry) {
        match entry {
            Entry::Condemned { size, .. } => {
                self.condemned += 1;
                self.condemned_bytes = self.condemned_bytes.saturating_add(*size);
            }
            Entry::Taken { .. } => self.taken += 1,
            Entry::Deleted { .. } => self.deleted += 1,
            Entry::GivenBack { .. } => self.given_back += 1,
        }
    }
}

/// A generation as it was last read or written.
#[derive(Clone, Debug)]
pub struct Generation {
    pub(crate) record: Record,
    pub(crate) token: Token,
}

impl Generation {
    /// Its name.
    #[must_use]
    pub const fn id(&self) -> &GenerationId {
        &self.record.id
    }

    /// The store's time before anything was listed.
    #[must_use]
    pub const fn t0(&self) -> Timestamp {
        self.record.t0
    }

    /// Where it stands. A process that did not write this itself goes on at [`Phase::resume`].
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.record.phase.into()
    }

    /// Whether anything is left to do.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.phase() != Phase::Closed
    }

    /// How many segments hold its entries.
    #[must_use]
    pub fn segments(&self) -> usize {
        self.record.segments.len()
    }

    /// How many entries it has.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.record.counts
    }
}

/// The document of a generation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    pub(crate) id: GenerationId,
    #[serde(with = "fields::time")]
    pub(crate) t0: Timestamp,
    pub(crate) phase: Stand,
    pub(crate) counts: Counts,
    /// In the order in which they were appended.
    pub(crate) segments: Vec<Segment>,
    /// Counts writes: no two have the same content.
    pub(crate) revision: u64,
    /// Who wrote it.
    pub(crate) writer: Box<str>,
}

/// An object that holds entries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Segment {
    pub(crate) number: u32,
    pub(crate) bytes: u64,
    #[serde(with = "fields::digest")]
    pub(crate) sha256: Digest,
}

/// [`Phase`] as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Stand {
    Marking,
    Unlinking,
    Purging,
    Quarantined {
        #[serde(with = "fields::time")]
        purged: Timestamp,
    },
    Looking,
    Deleting,
    PurgingAgain,
    Settling {
        #[serde(with = "fields::time")]
        purged: Timestamp,
    },
    LookingLast,
    Closed,
}

impl From<Phase> for Stand {
    fn from(phase: Phase) -> Self {
        match phase {
            Phase::Marking => Self::Marking,
            Phase::Unlinking => Self::Unlinking,
            Phase::Purging => Self::Purging,
            Phase::Quarantined { purged } => Self::Quarantined { purged },
            Phase::Looking => Self::Looking,
            Phase::Deleting => Self::Deleting,
            Phase::PurgingAgain => Self::PurgingAgain,
            Phase::Settling { purged } => Self::Settling { purged },
            Phase::LookingLast => Self::LookingLast,
            Phase::Closed => Self::Closed,
        }
    }
}

impl From<Stand> for Phase {
    fn from(stand: Stand) -> Self {
        match stand {
            Stand::Marking => Self::Marking,
            Stand::Unlinking => Self::Unlinking,
            Stand::Purging => Self::Purging,
            Stand::Quarantined { purged } => Self::Quarantined { purged },
            Stand::Looking => Self::Looking,
            Stand::Deleting => Self::Deleting,
            Stand::PurgingAgain => Self::PurgingAgain,
            Stand::Settling { purged } => Self::Settling { purged },
            Stand::LookingLast => Self::LookingLast,
            Stand::Closed => Self::Closed,
        }
    }
}
