//! Whole registries, for the demo and for benches.

use registry::{Digest, Timestamp};

use crate::mode::hours;
use crate::{Content, Form, Image, Index, Part, Random, World};

/// How large a sample is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Repositories.
    pub repositories: usize,
    /// Events in each: pushes, mostly.
    pub events_per_repository: usize,
    /// Longest layer in bytes.
    pub layer_bytes: usize,
    /// Days over which it happens.
    pub days: u64,
    /// Whether one repository holds a manifest that nobody understands.
    pub has_doubt: bool,
}

impl Default for Size {
    /// Some thousand objects over 200 days.
    fn default() -> Self {
        Self {
            repositories: 24,
            events_per_repository: 30,
            layer_bytes: 4096,
            days: 200,
            has_doubt: true,
        }
    }
}

/// A registry that was used for months until `now`: images whose tags moved on, images for several platforms, build
/// caches, referrers of what lives and of what does not, sha512 layers, schema 1, mounts and copies, orphans, uploads
/// that never ended, pushes of the last hours, names that begin alike. [`World::summary`] tells what came together.
#[must_use]
pub fn sample(now: Timestamp, seed: u64, size: &Size) -> World {
    let start = now.before(hours(size.days * 24));
    let mut sampler =
        Sampler { world: World::new(start, ""), random: Random::new(seed), size: *size, serial: 0 };
    sampler.live_on(now);
    sampler.world
}

struct Sampler {
    world: World,
    random: Random,
    size: Size,
    serial: u64,
}

const NAMES: [&str; 8] = [
    "app",
    "app-api",
    "app.web",
    "app/worker",
    "base/alpine",
    "base/debian",
    "team-a/shop",
    "team/shop",
];

fn repository(index: usize) -> String {
    match (NAMES[index % NAMES.len()], index / NAMES.len()) {
        (name, 0) => name.to_owned(),
        (name, round) => format!("{name}{round}"),
    }
}

impl Sampler {
    fn live_on(&mut self, now: Timestamp) {
        let events = self.size.repositories * self.size.events_per_repository;
        let span = now.since(self.world.now());
        let pause = span / u32::try_from(events + 1).unwrap_or(u32::MAX);
        for event in 0..events {
            self.world.age(pause);
            let name = repository(self.random.index(self.size.repositories));
            self.happen(&name, event * 2 < events);
            if event == events / 2 {
                self.mishap();
            }
        }
        self.world.age(now.since(self.world.now()).saturating_sub(hours(2)));
        for _ in 0..self.size.repositories / 4 {
            let name = repository(self.random.index(self.size.repositories));
            self.push_image(&name);
        }
        self.world.age(now.since(self.world.now()));
    }

    fn happen(&mut self, name: &str, is_long_ago: bool) {
        match self.random.below(100) {
            0..=49 => drop(self.push_image(name)),
            50..=61 => self.push_platforms(name),
            62..=71 => self.push_referrer(name),
            72..=75 => self.push_cache(name),
            76..=79 => self.push_sha512(name),
            80..=82 if is_long_ago => self.push_schema1(name),
            80..=86 => self.copy(name),
            87..=90 => self.mount(name),
            91..=93 => self.orphan(name),
            94..=96 => self.upload(name),
            97 | 98 => self.untag(name),
            _ => self.delete(name),
        }
    }

    /// What goes wrong once in a registry's life.
    fn mishap(&mut self) {
        let retired = repository(self.size.repositories.saturating_sub(1));
        for digest in self.world.revisions(&retired) {
            self.world.delete_manifest(&retired, digest);
        }
        self.world.put_marker(&repository(0), "_uploads/");
        self.world.put_foreign(&repository(1), "_layers/sha256/note.txt");
        let lost = self.content();
        self.world.put_blob(&lost.bytes());
        if self.size.has_doubt {
            let layer = self.content();
            self.world.push_unknown("legacy/odd", self.serial, &[layer], Some("v1"));
        }
    }

    fn content(&mut self) -> Content {
        self.serial += 1;
        let most = u64::try_from(self.size.layer_bytes).unwrap_or(u64::MAX);
        let size = 64 + self.random.below(most.saturating_sub(63));
        Content::new(self.serial, usize::try_from(size).unwrap_or(64))
    }

    /// A few own layers on one of the layers that many images share.
    fn layers(&mut self) -> Vec<Content> {
        let base = Content::new((1 << 40) | self.random.below(12), 512);
        let own = 1 + self.random.below(3);
        std::iter::once(base).chain((0..own).map(|_| self.content())).collect()
    }

    fn image(&mut self) -> Image {
        let layers = self.layers();
        self.serial += 1;
        let form = match self.random.below(10) {
            0..=5 => Form::Oci,
            6..=8 => Form::Docker,
            _ => Form::Untyped,
        };
        Image::new((1 << 41) | self.serial, &layers).form(form)
    }

    fn tag(&mut self) -> String {
        match self.random.below(9) {
            0 | 1 => "latest".to_owned(),
            version => format!("v1.{version}"),
        }
    }

    fn revision(&mut self, name: &str) -> Option<Digest> {
        let revisions = self.world.revisions(name);
        revisions.get(self.random.index(revisions.len())).copied()
    }

    fn push_image(&mut self, name: &str) -> Digest {
        let (image, tag) = (self.image(), self.tag());
        self.world.push_image(name, &image, Some(&tag))
    }

    fn push_platforms(&mut self, name: &str) {
        let count = 2 + self.random.below(2);
        let children: Vec<Digest> = (0..count)
            .map(|_| {
                let image = self.image();
                self.world.push_image(name, &image, None)
            })
            .collect();
        let form = if self.random.chance(30) { Form::Docker } else { Form::Oci };
        let tag = self.tag();
        self.world.push_index(name, &Index::of(&children).form(form), Some(&tag));
    }

    fn push_referrer(&mut self, name: &str) {
        let content = self.content();
        if let Some(subject) = self.revision(name) {
            self.world.push_artifact(name, subject, content, None);
        }
    }

    fn push_cache(&mut self, name: &str) {
        let layers = self.layers();
        self.world.push_cache_index(name, &layers, Some("buildcache"));
    }

    fn push_sha512(&mut self, name: &str) {
        let (content, tag) = (self.content(), self.tag());
        let mut image = self.image();
        image.layers.push(Part::Sha512(content));
        self.world.push_image(name, &image, Some(&tag));
    }

    fn push_schema1(&mut self, name: &str) {
        let (layers, signature, tag) = (self.layers(), self.content(), self.tag());
        self.world.push_schema1(name, &layers, &[signature], Some(&tag));
    }

    fn copy(&mut self, name: &str) {
        let from = repository(self.random.index(self.size.repositories));
        let tag = self.tag();
        if let Some(digest) = self.revision(&from) {
            self.world.copy(&from, name, digest, Some(&tag));
        }
    }

    fn mount(&mut self, name: &str) {
        let from = repository(self.random.index(self.size.repositories));
        let layers = self.world.layers(&from);
        if let Some(digest) = layers.get(self.random.index(layers.len())) {
            self.world.mount(&from, name, *digest);
        }
    }

    fn orphan(&mut self, name: &str) {
        let content = self.content();
        self.world.upload_orphan(name, content);
    }

    fn upload(&mut self, name: &str) {
        let content = self.content();
        self.world.start_upload(name, content);
    }

    fn untag(&mut self, name: &str) {
        let tags = self.world.tags(name);
        if let Some(tag) = tags.get(self.random.index(tags.len())) {
            self.world.untag(name, tag);
        }
    }

    fn delete(&mut self, name: &str) {
        if let Some(digest) = self.revision(name) {
            self.world.delete_manifest(name, digest);
        }
    }
}

/// A registry of a known shape, large and regular; each field is a count per repository unless it says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bulk {
    /// Repositories in all.
    pub repositories: u64,
    /// Images pushed one after the other over the tags.
    pub images: u64,
    /// Tags that these images move over.
    pub tags: u64,
    /// Indexes of two images each, pushed one after the other to one tag.
    pub indexes: u64,
    /// Referrers; half of them of an image that no tag reaches.
    pub referrers: u64,
    /// Layers that the images share; they come from 120 in all.
    pub base_layers: u64,
    /// Orphaned blobs in all.
    pub orphans: u64,
}

impl Default for Bulk {
    /// 300 repositories with 13,800 manifests, 63,321 blobs and 145,821 objects, of which 5,000 blobs are garbage
    /// and about 44,000 are where untagged manifests go.
    fn default() -> Self {
        Self {
            repositories: 300,
            images: 36,
            tags: 11,
            indexes: 2,
            referrers: 4,
            base_layers: 30,
            orphans: 5000,
        }
    }
}

/// Makes the registry, all of it 60 days old at `now`, with contents of 64 bytes.
#[must_use]
pub fn bulk(now: Timestamp, shape: &Bulk) -> World {
    let age = hours(60 * 24);
    let mut world = World::new(now.before(age), "");
    for place in 0..shape.repositories {
        fill(&mut world, shape, place);
    }
    for orphan in 0..shape.orphans {
        world.put_blob(&Content::new((1 << 43) | orphan, 64).bytes());
    }
    world.age(age);
    world
}

fn fill(world: &mut World, shape: &Bulk, place: u64) {
    let name = format!("group-{:02}/app-{place:05}", place % 17);
    let mut images = Vec::new();
    for number in 0..shape.images {
        let tag = format!("v{}", number % shape.tags.max(1));
        let image = bulk_image(shape, place, number);
        images.push(world.push_image(&name, &image, Some(&tag)));
    }
    for round in 0..shape.indexes {
        let first = shape.images + round * 2;
        let children = [first, first + 1]
            .map(|number| world.push_image(&name, &bulk_image(shape, place, number), None));
        world.push_index(&name, &Index::of(&children), Some("multi"));
    }
    for number in 0..shape.referrers {
        // The last image has its tag; the first lost it, unless all of them fit.
        let subject = if number % 2 == 0 { images.last() } else { images.first() };
        if let Some(subject) = subject {
            let content = Content::new((1 << 42) | (place << 16) | number, 64);
            world.push_artifact(&name, *subject, content, None);
        }
    }
}

fn bulk_image(shape: &Bulk, place: u64, number: u64) -> Image {
    let seed = (place << 24) | (number << 8);
    let own = (0..2 + u64::from(number % 5 < 3)).map(|layer| Content::new(seed | layer, 64));
    let shared = (0..3).map(|layer| {
        let base = (number * 3 + layer) % shape.base_layers.max(1);
        Content::new((1 << 44) | ((place * 11 + base) % 120), 64)
    });
    let layers: Vec<Content> = shared.chain(own).collect();
    Image::new((1 << 45) | seed, &layers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Mode;

    fn now() -> Timestamp {
        Timestamp::from_seconds(1_700_000_000)
    }

    #[test]
    fn a_sample_has_something_of_everything_and_ends_now() {
        let world = sample(now(), 1, &Size::default());
        assert_eq!(world.now(), now());
        let summary = world.summary();
        assert!((3_000..20_000).contains(&summary.objects), "{summary}");
        for deed in [
            "images",
            "indexes",
            "build caches",
            "referrers",
            "schema 1 images",
            "mounts",
            "orphans",
            "uploads abandoned",
            "tags moved on",
            "tags deleted",
            "manifests deleted",
        ] {
            assert!(summary.deeds.get(deed).is_some_and(|count| *count > 1), "{deed}: {summary}");
        }
        let (default, untagged) =
            (world.garbage(&Mode::default()), world.garbage(&Mode::untagged()));
        for part in ["/v2/blobs/", "/_layers/", "/_uploads/"] {
            assert!(default.iter().any(|key| key.contains(part)), "{part}");
        }
        for part in ["/_manifests/revisions/", "/index/sha256/", "/signatures/"] {
            assert!(untagged.iter().any(|key| key.contains(part)), "{part}");
        }
        assert!(untagged.len() > default.len() && untagged.len() < world.objects().len());
    }

    #[test]
    fn a_seed_decides_a_sample() {
        let size = Size { repositories: 4, events_per_repository: 8, ..Size::default() };
        let of = |seed| sample(now(), seed, &size).objects().clone();
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }

    #[test]
    fn the_bulk_has_the_shape_it_promises() {
        let world = bulk(now(), &Bulk { repositories: 30, orphans: 500, ..Bulk::default() });
        let summary = world.summary();
        let near = |count: usize, promised: usize| {
            // A tenth of the repositories; base layers are shared by fewer of them.
            assert!(
                count.abs_diff(promised / 10) <= promised / 400,
                "{count} of {promised}: {summary}"
            );
        };
        near(summary.revisions, 13_885);
        near(summary.blobs, 63_411);
        near(summary.objects, 145_788);
        let is_blob = |key: &&String| key.contains("/v2/blobs/");
        assert_eq!(world.garbage(&Mode::default()).iter().filter(is_blob).count(), 500);
        assert_eq!(world.garbage(&Mode::default()).len(), 500);
        near(world.garbage(&Mode::untagged()).iter().filter(is_blob).count(), 43_914);
    }
}
