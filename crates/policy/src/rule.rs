//! Rules: of which tags they speak, and what they say.

use std::sync::Arc;
use std::time::Duration;

use crate::{Pattern, Place, Versions};

/// Which rule of a policy: its position in the file, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(pub usize);

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name, which no other rule of the file has.
    pub name: Arc<str>,
    /// Where it stands.
    pub place: Place,
    /// The repositories it speaks of: those that any of these matches; at least one.
    pub repositories: Vec<Pattern>,
    /// What it says.
    pub action: Action,
}

/// What a rule says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Some tags stay, whatever other rules say.
    Keep(Scope, Keep),
    /// Some tags go, unless a rule keeps them.
    Expire(Scope, Expire),
    /// Manifests that no tag reaches go when they were pushed longer ago than this; `None`: they stay.
    Untagged(Option<Duration>),
}

/// The tags that a rule speaks of: those that a pattern matches, where there are any, and that lie in the range, where
/// there is one. At least one of both is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Patterns of which one has to match.
    pub tags: Vec<Pattern>,
    /// Versions.
    pub versions: Option<Versions>,
}

/// Which tags of the scope stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// All.
    Always,
    /// Those that either says, where it is there; at least one is.
    Some {
        /// So many of each repository, those that were written last.
        last: Option<usize>,
        /// Those that were written less long ago.
        newer_than: Option<Duration>,
    },
}

/// Which tags of the scope go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expire {
    /// All.
    Always,
    /// Those that were written longer ago.
    OlderThan(Duration),
}

impl Rule {
    /// Whether it speaks of this repository.
    #[must_use]
    pub fn covers(&self, repository: &str) -> bool {
        self.repositories.iter().any(|pattern| pattern.matches(repository))
    }

    /// Whether it can let anything go.
    #[must_use]
    pub const fn lets_go(&self) -> bool {
        matches!(self.action, Action::Expire(..) | Action::Untagged(Some(_)))
    }
}

impl Scope {
    /// Whether a tag is meant.
    #[must_use]
    pub fn holds(&self, tag: &str) -> bool {
        let is_matched = || self.tags.iter().any(|pattern| pattern.matches(tag));
        (self.tags.is_empty() || is_matched())
            && self.versions.as_ref().is_none_or(|versions| versions.holds(tag))
    }
}
