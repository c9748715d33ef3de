//! By which rules repositories are marked.

use policy::Untagged;
use registry::Timestamp;

/// What keeps a manifest alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Whether only tagged manifests, what they reach, and young ones are kept; otherwise every revision is.
    pub untagged: bool,
    /// Links written at or after this are too young to judge (G1).
    pub cutoff: Timestamp,
    /// Manifests that were pushed at or after this stay although no tag reaches them.
    pub pushed: Timestamp,
    /// When the run began, by the store's clock.
    pub t0: Timestamp,
    /// What is kept beside what manifests need.
    pub beside: Beside,
}

impl Rules {
    /// The rules where nobody pushes: nothing is kept beside what manifests need.
    #[must_use]
    pub const fn new(untagged: bool, cutoff: Timestamp) -> Self {
        Self { untagged, cutoff, pushed: cutoff, t0: cutoff, beside: Beside::Nothing }
    }

    /// The same rules for a repository of which a policy says when manifests go that no tag reaches.
    pub(crate) fn under(self, untagged: Option<Untagged>) -> Self {
        let after = untagged.map(|untagged| untagged.after);
        let pushed = after.map_or(self.pushed, |after| self.cutoff.min(self.t0.before(after)));
        Self { untagged: after.is_some(), pushed, ..self }
    }
}

/// What is kept beside what manifests need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Beside {
    /// Nothing.
    Nothing,
    /// Where a database knows more than links: every blob that is served under another digest than its own. A list of
    /// what the database knows may have only the other one.
    Aliased,
    /// While people push: every layer of a repository to which something is being uploaded, by an upload too young to
    /// judge, and every blob that is served under another digest than its own.
    InUse,
    /// Whatever a layer link or a revision link names, also one that nobody needs, and all that is in use. What only the
    /// history of a tag names cannot be pulled.
    Linked,
}
