//! Figures of blobs that are told one by one, each with the links to it.

use planner::{Row, RowKind};
use registry::Timestamp;

use super::{Building, Figures};

/// Figures that grow blob by blob. Memory is that of [`Figures`] (G12).
#[derive(Debug)]
pub struct Gathering(Building);

impl Gathering {
    /// None yet. Ages are told as they are at `t0`.
    #[must_use]
    pub fn new(t0: Timestamp) -> Self {
        Self(Building::new(t0))
    }

    /// Counts a blob and the links to it, all of which go.
    pub fn add(&mut self, blob: &Row, links: &[Row]) {
        for link in links {
            self.0.add_of_repository(link);
        }
        self.add_alone(blob, links);
    }

    /// Counts a blob, of which `links` say where it lies, and are not counted: they went before.
    pub fn add_alone(&mut self, blob: &Row, links: &[Row]) {
        let is_holder =
            |link: &&Row| matches!(link.kind, RowKind::RevisionLink | RowKind::LayerLink);
        let holders = links.iter().filter(is_holder).filter_map(|link| link.repository.as_ref());
        let mut holders: Vec<u32> = holders.map(|name| self.0.places.number(name)).collect();
        holders.sort_unstable();
        holders.dedup();
        self.0.add_blob(blob, &holders);
    }

    /// What they add up to.
    #[must_use]
    pub fn finish(self) -> Figures {
        self.0.finish()
    }
}
