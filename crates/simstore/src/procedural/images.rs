//! Manifests: the only objects whose digests cannot be computed from their places, as they are those of their contents.

use std::num::NonZero;
use std::thread;

use registry::Digest;

use super::fillers::{Fillers, Spread};
use super::shape::Shape;
use crate::hex;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIGURATION: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// What images are made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recipe {
    pub(super) shape: Shape,
    pub(super) fillers: Fillers,
    spread: Spread,
}

impl Recipe {
    pub(super) fn new(shape: Shape) -> Self {
        Self {
            shape,
            fillers: Fillers::new(shape.blobs, shape.seed),
            spread: Spread::new(shape.blobs, shape.used_blobs()),
        }
    }

    /// The blobs of a repository: the shared layer, then those of each image.
    pub(super) fn blobs_of_repository(&self, repository: u64) -> impl Iterator<Item = u64> {
        let used = self.shape.used_per_repository();
        (repository * used..(repository + 1) * used).map(|reference| self.spread.blob(reference))
    }

    /// The blobs of an image: its configuration, then its layers from the shared one on.
    fn blobs_of_image(&self, image: u64) -> impl Iterator<Item = u64> {
        let (images, layers) = (u64::from(self.shape.images), u64::from(self.shape.layers));
        let shared = image / images * self.shape.used_per_repository();
        let own = shared + 1 + image % images * layers;
        let references = [own, shared].into_iter().chain(own + 1..own + layers);
        references.map(|reference| self.spread.blob(reference))
    }

    /// The manifest of an image.
    pub(super) fn manifest(&self, image: u64) -> Vec<u8> {
        let mut json = Vec::with_capacity(200 * (self.shape.layers as usize + 2));
        json.extend_from_slice(b"{\"schemaVersion\":2,\"mediaType\":\"");
        json.extend_from_slice(MANIFEST.as_bytes());
        json.extend_from_slice(b"\",\"config\":");
        for (place, blob) in self.blobs_of_image(image).enumerate() {
            json.extend_from_slice(match place {
                0 => b"".as_slice(),
                1 => b",\"layers\":[",
                _ => b",",
            });
            self.descriptor(&mut json, if place == 0 { CONFIGURATION } else { LAYER }, blob);
        }
        json.extend_from_slice(b"]}");
        json
    }

    fn descriptor(&self, json: &mut Vec<u8>, media_type: &str, blob: u64) {
        json.extend_from_slice(b"{\"mediaType\":\"");
        json.extend_from_slice(media_type.as_bytes());
        json.extend_from_slice(b"\",\"digest\":\"sha256:");
        hex::push(json, &self.fillers.digest(blob));
        json.extend_from_slice(b"\",\"size\":");
        json.extend_from_slice(self.fillers.size(blob).to_string().as_bytes());
        json.push(b'}');
    }
}

/// A manifest without its content, which is made again when it is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Held {
    pub(super) digest: [u8; 32],
    pub(super) size: u32,
}

/// All manifests, by image and by digest.
#[derive(Debug)]
pub(super) struct Images {
    by_image: Vec<Held>,
    /// Numbers of images in the order of their digests.
    by_digest: Vec<u32>,
    /// Where each of `by_digest` lies among all blobs.
    places: Vec<u64>,
}

impl Images {
    /// Makes every manifest once, on all cores.
    #[expect(clippy::cast_possible_truncation, reason = "there are at most 2^32 manifests")]
    pub(super) fn make(recipe: &Recipe) -> Self {
        let count = recipe.shape.manifests() as usize;
        let mut by_image = vec![Held::default(); count];
        let each = count.div_ceil(thread::available_parallelism().map_or(1, NonZero::get)).max(1);
        thread::scope(|scope| {
            for (part, held) in by_image.chunks_mut(each).enumerate() {
                scope.spawn(move || hold(recipe, (part * each) as u64, held));
            }
        });
        let mut by_digest: Vec<u32> = (0..count as u32).collect();
        by_digest.sort_unstable_by_key(|image| by_image[*image as usize].digest);
        let place = |(before, image): (usize, &u32)| {
            recipe.fillers.below(&by_image[*image as usize].digest) + before as u64
        };
        let places = by_digest.iter().enumerate().map(place).collect();
        Self { by_image, by_digest, places }
    }

    #[expect(clippy::cast_possible_truncation, reason = "there are at most 2^32 manifests")]
    pub(super) fn held(&self, image: u64) -> &Held {
        &self.by_image[image as usize]
    }

    /// How many manifests lie before `place` among all blobs.
    pub(super) fn before(&self, place: u64) -> usize {
        self.places.partition_point(|found| *found < place)
    }

    /// The place of a manifest in the order of digests.
    pub(super) fn place(&self, rank: usize) -> Option<u64> {
        self.places.get(rank).copied()
    }

    /// The image of a manifest in the order of digests.
    pub(super) fn image(&self, rank: usize) -> u64 {
        self.by_digest[rank].into()
    }

    /// Where the blob at `index` of those that are not manifests lies among all.
    pub(super) fn place_of_filler(&self, index: u64) -> u64 {
        // Those before the n-th manifest are `places[n] - n` many, which never falls.
        let (mut low, mut high) = (0, self.places.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.places[middle] - middle as u64 <= index {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        index + low as u64
    }

    /// Where a manifest lies among all blobs.
    pub(super) fn place_of(&self, digest: &[u8; 32]) -> Option<u64> {
        let key = |image: &u32| self.by_image[*image as usize].digest;
        let rank = self.by_digest.binary_search_by_key(digest, key).ok()?;
        self.place(rank)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a manifest of 1,000 layers has 200 KB")]
fn hold(recipe: &Recipe, first: u64, held: &mut [Held]) {
    for (image, held) in (first..).zip(held) {
        let content = recipe.manifest(image);
        held.size = content.len() as u32;
        held.digest.copy_from_slice(Digest::sha256(&content).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use registry::{Manifest, Role};

    use super::*;

    const SHAPE: Shape = Shape { blobs: 40, repositories: 3, images: 4, layers: 3, seed: 5 };

    #[test]
    fn manifests_name_a_configuration_the_shared_layer_and_layers_of_their_own() {
        let recipe = Recipe::new(SHAPE);
        let edges = |image| {
            let manifest = Manifest::parse(&recipe.manifest(image)).unwrap();
            manifest.edges().map(|edge| (edge.role, edge.digest)).collect::<Vec<_>>()
        };
        for image in 0..12 {
            let roles: Vec<Role> = edges(image).iter().map(|(role, _)| *role).collect();
            assert_eq!(roles, [Role::Config, Role::Layer, Role::Layer, Role::Layer]);
        }
        assert_eq!(edges(0)[1], edges(3)[1], "of one repository");
        assert_ne!(edges(0)[1], edges(4)[1], "of two");
        assert_ne!(edges(0)[2], edges(1)[2]);
    }

    #[test]
    fn manifests_and_other_blobs_have_places_of_their_own_in_order() {
        let recipe = Recipe::new(SHAPE);
        let images = Images::make(&recipe);
        let mut found = vec![None; 52];
        for image in 0..12 {
            let digest = images.held(image).digest;
            let place = usize::try_from(images.place_of(&digest).unwrap()).unwrap();
            assert_eq!(found[place].replace(digest), None);
        }
        for index in 0..40 {
            let place = usize::try_from(images.place_of_filler(index)).unwrap();
            assert_eq!(found[place].replace(recipe.fillers.digest(index)), None);
        }
        assert!(found.iter().all(Option::is_some) && found.is_sorted());
    }
}
