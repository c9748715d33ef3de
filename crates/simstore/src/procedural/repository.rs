//! The links of one repository, in order.

use md5::{Digest, Md5};

use super::images::{Images, Recipe};
use super::row::Row;
use crate::hex;

/// Length of a link's text: `sha256:` and 64 digits.
const LINK_SIZE: u64 = 71;

/// One repository, its links sorted as their keys are.
#[derive(Debug)]
pub(super) struct Repository {
    number: u64,
    /// Its name and a slash.
    name: Vec<u8>,
    layers: Vec<u64>,
    revisions: Vec<u64>,
    /// The images that tag `latest` has pointed to, by digest.
    latest: Vec<u64>,
    /// The image that tag `latest` points to.
    current: u64,
}

/// What a link is.
enum Link {
    Layer(u64),
    Revision(u64),
    Current { tag: Option<u64>, image: u64 },
    Index { tag: Option<u64>, image: u64 },
}

impl Repository {
    pub(super) fn new(number: u64, recipe: &Recipe, images: &Images) -> Self {
        let count = u64::from(recipe.shape.images);
        let by_digest = |image: &u64| images.held(*image).digest;
        let mut layers: Vec<u64> = recipe.blobs_of_repository(number).collect();
        layers.sort_unstable();
        let mut revisions: Vec<u64> = (number * count..(number + 1) * count).collect();
        revisions.sort_unstable_by_key(by_digest);
        let tagged = recipe.shape.tagged();
        let mut latest: Vec<u64> = (tagged.saturating_sub(2)..tagged)
            .map(|tag| number * count + image_of_tag(tag))
            .collect();
        let current = number * count + image_of_tag(tagged - 1);
        latest.sort_unstable_by_key(by_digest);
        let mut name = Vec::with_capacity(32);
        push_name(&mut name, number);
        Self { number, name, layers, revisions, latest, current }
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    #[expect(clippy::cast_possible_truncation, reason = "a repository has at most 10^7 links")]
    fn link(&self, place: u64, images: u64) -> Link {
        let layers = self.layers.len() as u64;
        let tags = layers + self.revisions.len() as u64;
        let first_tag = tags + 1 + self.latest.len() as u64;
        match place {
            _ if place < layers => Link::Layer(self.layers[place as usize]),
            _ if place < tags => Link::Revision(self.revisions[(place - layers) as usize]),
            _ if place == tags => Link::Current { tag: None, image: self.current },
            _ if place < first_tag => {
                Link::Index { tag: None, image: self.latest[(place - tags - 1) as usize] }
            }
            _ => {
                let tag = (place - first_tag) / 2;
                let image = self.number * images + image_of_tag(tag);
                match (place - first_tag) % 2 {
                    0 => Link::Current { tag: Some(tag), image },
                    _ => Link::Index { tag: Some(tag), image },
                }
            }
        }
    }

    /// Writes the link at `place` down.
    pub(super) fn write(&self, row: &mut Row, place: u64, recipe: &Recipe, images: &Images) {
        let link = self.link(place, recipe.shape.images.into());
        let digest = match link {
            Link::Layer(blob) => recipe.fillers.digest(blob),
            Link::Revision(image) | Link::Current { image, .. } | Link::Index { image, .. } => {
                images.held(image).digest
            }
        };
        row.key.extend_from_slice(&self.name);
        match link {
            Link::Layer(_) => row.key.extend_from_slice(b"_layers/"),
            Link::Revision(_) => row.key.extend_from_slice(b"_manifests/revisions/"),
            Link::Current { tag, .. } => push_tag(&mut row.key, tag, b"/current/"),
            Link::Index { tag, .. } => push_tag(&mut row.key, tag, b"/index/"),
        }
        if !matches!(link, Link::Current { .. }) {
            row.key.extend_from_slice(b"sha256/");
            hex::push(&mut row.key, &digest);
            row.key.push(b'/');
        }
        row.key.extend_from_slice(b"link");
        row.size = LINK_SIZE;
        row.text.clear();
        row.text.extend_from_slice(b"sha256:");
        hex::push(&mut row.text, &digest);
        row.etag = hex::etag(&Md5::digest(&row.text).into());
    }
}

/// Every fifth image has no tag.
fn image_of_tag(tag: u64) -> u64 {
    tag / 4 * 5 + tag % 4
}

/// A repository's name and a slash; a thousand repositories share their first component.
pub(super) fn push_name(key: &mut Vec<u8>, number: u64) {
    key.extend_from_slice(b"team-");
    push_decimal(key, number / 1000, 8);
    key.extend_from_slice(b"/app-");
    push_decimal(key, number % 1000, 3);
    key.push(b'/');
}

fn push_tag(key: &mut Vec<u8>, tag: Option<u64>, folder: &[u8]) {
    key.extend_from_slice(b"_manifests/tags/");
    match tag {
        None => key.extend_from_slice(b"latest"),
        Some(tag) => {
            key.push(b'v');
            push_decimal(key, tag, 4);
        }
    }
    key.extend_from_slice(folder);
}

fn push_decimal(text: &mut Vec<u8>, number: u64, width: u32) {
    for place in (0..width).rev() {
        text.push(b'0' + (number / 10_u64.pow(place) % 10) as u8);
    }
}
