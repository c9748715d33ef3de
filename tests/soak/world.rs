//! What clients were told: which images were acknowledged under which tags, and not deleted since.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, TryLockError};
use std::time::Instant;

use jiff::Timestamp;

use crate::catalogue::{self, Shelf};
use crate::random::Random;

/// All shelves, each with what is known of it.
#[derive(Debug)]
pub(crate) struct World {
    shelves: Vec<(Shelf, Mutex<Known>)>,
}

/// What is known of a shelf, by whoever works on it.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Images that must pull by digest, by their place on the shelf, and since when.
    pub(crate) alive: BTreeMap<usize, Timestamp>,
    /// Tags that must pull, by their place, and the image they must pull.
    pub(crate) tags: BTreeMap<usize, usize>,
    /// Images that were here before.
    pub(crate) gone: BTreeSet<usize>,
    /// Whether an image that no tag leads to may go.
    pub(crate) only_tagged: bool,
    /// An image that did not pull. Nothing more is done on this shelf until it is known what becomes of it.
    pub(crate) suspect: Option<Suspect>,
}

/// An image that did not pull.
#[derive(Clone, Debug)]
pub(crate) struct Suspect {
    pub(crate) image: usize,
    /// The tag or digest it was pulled by.
    pub(crate) reference: String,
    pub(crate) since: Instant,
    /// What was wrong first.
    pub(crate) broken: String,
    /// Whether the time is over within which it can come back.
    pub(crate) lost: bool,
}

impl Known {
    /// A push was acknowledged.
    pub(crate) fn acknowledge(&mut self, tag: usize, image: usize) {
        self.alive.insert(image, Timestamp::now());
        self.gone.remove(&image);
        self.tags.insert(tag, image);
    }

    /// A tag may lead anywhere now.
    pub(crate) fn doubt_tag(&mut self, tag: usize) {
        let Some(image) = self.tags.remove(&tag) else { return };
        if self.only_tagged && !self.tags.values().any(|&to| to == image) {
            self.alive.remove(&image);
            self.gone.insert(image);
        }
    }

    /// An image was deleted, or may have been, and every tag with it that led there.
    pub(crate) fn delete(&mut self, image: usize) {
        self.alive.remove(&image);
        self.gone.insert(image);
        self.tags.retain(|_, to| *to != image);
    }
}

impl World {
    /// Nothing was pushed yet.
    pub(crate) fn new(only_tagged: bool) -> World {
        let unknown = |shelf| (shelf, Mutex::new(Known { only_tagged, ..Known::default() }));
        World { shelves: catalogue::shelves().into_iter().map(unknown).collect() }
    }

    /// A shelf that nobody works on and where nothing is suspect; `None` where none of some was.
    pub(crate) fn free_shelf(
        &self,
        random: &mut Random,
    ) -> Option<(&Shelf, MutexGuard<'_, Known>)> {
        (0..20).find_map(|_| {
            let (shelf, known) = &self.shelves[random.index(self.shelves.len())];
            let known = free(known)?;
            known.suspect.is_none().then_some((shelf, known))
        })
    }

    /// Every shelf, one after the other.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&Shelf, MutexGuard<'_, Known>)> {
        self.shelves.iter().map(|(shelf, known)| (shelf, known.lock().expect("no client panics")))
    }

    /// The shelves where something does not pull that may come back.
    pub(crate) fn suspects(&self) -> impl Iterator<Item = (&Shelf, MutexGuard<'_, Known>)> {
        let suspect = |known: &Known| known.suspect.as_ref().is_some_and(|suspect| !suspect.lost);
        let all = self.shelves.iter().filter_map(|(shelf, known)| Some((shelf, free(known)?)));
        all.filter(move |(_, known)| suspect(known))
    }

    /// The digests of all blobs that an image needs which must pull.
    pub(crate) fn needed(&self) -> BTreeSet<String> {
        let mut needed = BTreeSet::new();
        for (shelf, known) in self.all() {
            for image in known.alive.keys().flat_map(|&at| shelf.images[at].manifests()) {
                let blobs = image.blobs.iter().chain([&image.manifest]);
                needed.extend(blobs.map(|blob| blob.digest.clone()));
            }
        }
        needed
    }
}

fn free(known: &Mutex<Known>) -> Option<MutexGuard<'_, Known>> {
    match known.try_lock() {
        Ok(known) => Some(known),
        Err(TryLockError::WouldBlock) => None,
        Err(TryLockError::Poisoned(_)) => panic!("a client panicked"),
    }
}
