//! How large a procedural registry is, and of what.

/// A registry that is computed, not held: its size is a matter of arithmetic.
///
/// It lies at the root of the bucket and is whole: each link leads to a blob, each manifest is under its own digest and
/// names blobs that are there. Each image has a manifest, a configuration and [`Shape::layers`] layers, of which the
/// first is shared by its repository. Every fifth image has no tag. Tag `latest` of each repository has moved once.
/// Blobs that no image uses are garbage, spread evenly among the others. When the server starts, by the machine's clock,
/// everything is older than 60 days, and links are younger than blobs.
///
/// Only manifests are held, at 48 bytes each. Blobs read as zeros, not as what their digest says: a collector has no
/// reason to read them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Blobs that are not manifests: layers, configurations, garbage. At least [`Shape::used_blobs`].
    pub blobs: u64,
    /// Repositories.
    pub repositories: u32,
    /// Images of each repository.
    pub images: u32,
    /// Layers of each image.
    pub layers: u32,
    /// Another seed makes other digests.
    pub seed: u64,
}

impl Default for Shape {
    /// A million blobs and 1,000 repositories of 20 images with 5 layers: 1.2 million objects, 90 % of the blobs garbage.
    fn default() -> Self {
        Self { blobs: 1_000_000, repositories: 1000, images: 20, layers: 5, seed: 0 }
    }
}

impl Shape {
    /// Manifests of all repositories.
    #[must_use]
    pub fn manifests(&self) -> u64 {
        u64::from(self.repositories) * u64::from(self.images)
    }

    /// Blobs that manifests name.
    #[must_use]
    pub fn used_blobs(&self) -> u64 {
        u64::from(self.repositories) * self.used_per_repository()
    }

    /// Blobs that no manifest names: what a collection that spares untagged images deletes of `blobs/`.
    #[must_use]
    pub fn garbage_blobs(&self) -> u64 {
        self.blobs.saturating_sub(self.used_blobs())
    }

    /// Links of all repositories.
    #[must_use]
    pub fn links(&self) -> u64 {
        u64::from(self.repositories) * self.links_per_repository()
    }

    /// All objects.
    #[must_use]
    pub fn objects(&self) -> u64 {
        self.blobs + self.manifests() + self.links()
    }

    /// The shared layer; and of each image the configuration and the layers of its own.
    pub(super) fn used_per_repository(&self) -> u64 {
        1 + u64::from(self.images) * u64::from(self.layers)
    }

    /// Images of a repository that have a tag.
    pub(super) fn tagged(&self) -> u64 {
        u64::from(self.images - self.images / 5)
    }

    /// Layer links, revisions, two links per tag, and those of `latest`.
    pub(super) fn links_per_repository(&self) -> u64 {
        let latest = 1 + self.tagged().min(2);
        self.used_per_repository() + u64::from(self.images) + latest + 2 * self.tagged()
    }

    /// Why there is no such registry.
    pub(crate) fn fault(&self) -> Option<String> {
        if self.repositories == 0 || self.images == 0 || self.layers == 0 {
            return Some("a procedural registry has a repository, an image and a layer".to_owned());
        }
        if self.images > 9999 || self.layers > 1000 || self.manifests() > u64::from(u32::MAX) {
            return Some(
                "at most 9,999 images per repository, 1,000 layers per image and 2^32 manifests"
                    .to_owned(),
            );
        }
        let used = self.used_blobs();
        (self.blobs < used)
            .then(|| format!("these images use {used} blobs, and there are {}", self.blobs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_adds_up() {
        let shape = Shape { blobs: 30, repositories: 2, images: 6, layers: 2, seed: 0 };
        assert_eq!((shape.manifests(), shape.used_blobs(), shape.garbage_blobs()), (12, 26, 4));
        // 13 layer links, 6 revisions, 3 of `latest`, 2 of each of 5 tags.
        assert_eq!((shape.links(), shape.objects()), (64, 106));
        assert_eq!(shape.fault(), None);
    }

    #[test]
    fn a_shape_that_cannot_be_is_refused() {
        let shape = Shape::default();
        assert_eq!(shape.fault(), None);
        for wrong in [
            Shape { blobs: 100_999, ..shape },
            Shape { repositories: 0, ..shape },
            Shape { images: 0, ..shape },
            Shape { layers: 0, ..shape },
            Shape { images: 10_000, ..shape },
        ] {
            assert!(wrong.fault().is_some(), "{wrong:?}");
        }
    }
}
