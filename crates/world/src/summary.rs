//! A world in a few lines.

use std::collections::BTreeMap;
use std::fmt;

use crate::World;
use crate::world::Meaning;

/// What is in a world, and what was done to get there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Repositories that hold anything.
    pub repositories: usize,
    /// Revision links.
    pub revisions: usize,
    /// Tags that point somewhere.
    pub tags: usize,
    /// Layer links.
    pub layers: usize,
    /// Unfinished uploads.
    pub uploads: usize,
    /// Blobs.
    pub blobs: usize,
    /// Bytes of all blobs.
    pub blob_bytes: u64,
    /// All objects.
    pub objects: usize,
    /// How often each thing was done: "images", "mounts", "tags moved on".
    pub deeds: BTreeMap<&'static str, u64>,
}

impl World {
    /// Counts what is in it.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let repositories = self.repositories();
        let blobs = self
            .objects
            .iter()
            .filter(|(key, _)| matches!(self.meanings.get(*key), Some(Meaning::Blob(_))));
        let sizes: Vec<usize> = blobs.map(|(_, stored)| stored.bytes.len()).collect();
        Summary {
            repositories: repositories.len(),
            revisions: repositories.values().map(|one| one.revisions.len()).sum(),
            tags: repositories.values().map(|one| one.current.len()).sum(),
            layers: repositories.values().map(|one| one.layers.len()).sum(),
            uploads: repositories.values().map(|one| one.uploads.len()).sum(),
            blobs: sizes.len(),
            blob_bytes: sizes.iter().map(|size| u64::try_from(*size).unwrap_or(u64::MAX)).sum(),
            objects: self.objects.len(),
            deeds: self.deeds.clone(),
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            repositories, revisions, tags, layers, uploads, blobs, blob_bytes, objects, ..
        } = self;
        writeln!(
            f,
            "{objects} objects: {repositories} repositories with {revisions} manifests, {tags} tags, \
             {layers} layer links and {uploads} unfinished uploads; {blobs} blobs of {blob_bytes} bytes"
        )?;
        let deeds: Vec<String> =
            self.deeds.iter().map(|(deed, count)| format!("{count} {deed}")).collect();
        write!(f, "made by: {}", deeds.join(", "))
    }
}
