//! What may be pushed: a bounded number of images, so that what was collected is soon pushed again.
//!
//! ```text
//! repository r:  shelves of its own images  │  shelves for the images that repository r − 1 has too
//! shelf:         images that share tags; each has a config of its own, and a layer that others have too
//! ```

use std::sync::Arc;

use crate::images::Image;

/// The repositories.
pub(crate) const REPOSITORIES: [&str; 10] = [
    "base/os",
    "base/java",
    "base/node",
    "team/app",
    "team/app-two",
    "team/db",
    "team/queue",
    "tools",
    "web",
    "web/static",
];
/// Shelves of each repository's own images.
const SHELVES: usize = 4;
/// Images of a shelf; the last of them is an index.
const IMAGES: usize = 5;
/// Layers that images share: each upload costs the registry some thirty requests, so there are few.
const LAYERS: u64 = 80;
/// Layers are made from multiples of this: those are the small ones, of a kilobyte.
const SMALL: u64 = 1024;

/// A place for images that have tags in common: who works on it, has it alone.
#[derive(Debug)]
pub(crate) struct Shelf {
    pub(crate) repository: &'static str,
    /// The repository that has the same images, to mount from.
    pub(crate) other: &'static str,
    pub(crate) images: Vec<Arc<Image>>,
    pub(crate) tags: [String; 2],
}

/// All shelves of all repositories.
pub(crate) fn shelves() -> Vec<Shelf> {
    let places = (0..REPOSITORIES.len()).flat_map(|home| (0..SHELVES).map(move |at| (home, at)));
    places.flat_map(|(home, at)| shared_shelf(home, at)).collect()
}

/// The same images in their own repository and in the next.
fn shared_shelf(home: usize, at: usize) -> [Shelf; 2] {
    let next = (home + 1) % REPOSITORIES.len();
    let images = images_of(home * SHELVES + at);
    [(home, next), (next, home)].map(|(repository, other)| Shelf {
        repository: REPOSITORIES[repository],
        other: REPOSITORIES[other],
        images: images.clone(),
        tags: [1, 2].map(|tag| format!("r{home}-{at}-{tag}")),
    })
}

fn images_of(shelf: usize) -> Vec<Arc<Image>> {
    let first = (shelf * (IMAGES + 1)) as u64;
    let singles = (first..).take(IMAGES - 1).map(|number| Image::new(number, &[layer(number)]));
    let [one, other] = ["amd64", "arm64"]
        .map(|machine| Image::for_architecture(first + IMAGES as u64, &[], machine));
    singles.chain([Image::index(vec![one, other])]).map(Arc::new).collect()
}

fn layer(number: u64) -> u64 {
    number * 7 % LAYERS * SMALL
}
