//! What manifests name, and why.

use crate::{Digest, MediaType};

/// Why a manifest names a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// The image configuration.
    Config,
    /// A layer, or a blob of an artifact; also foreign layers, which a registry may or may not hold.
    Layer,
    /// An entry of an index: another manifest, or a layer where the index is a build cache.
    Child,
    /// The manifest that this one refers to. It is not kept alive by this edge: a referrer lives as long as its
    /// subject, not the other way round.
    Subject,
}

/// One digest that a manifest names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Edge {
    /// Why it is named.
    pub role: Role,
    /// What is named.
    pub digest: Digest,
    /// What the descriptor says the target is, where that is a manifest.
    pub target: Option<MediaType>,
}

impl Edge {
    /// Whether its target lives because of it: all but that of a [`Role::Subject`] does.
    #[must_use]
    pub fn keeps_alive(&self) -> bool {
        self.role != Role::Subject
    }
}
