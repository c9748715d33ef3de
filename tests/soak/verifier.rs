//! What does not pull comes back in time, or is broken; and at the end everything pulls.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;

use crate::catalogue::Shelf;
use crate::client::Client;
use crate::tally::Shared;
use crate::world::{Known, World};

/// Between two looks at what did not pull.
const ROUND: Duration = Duration::from_millis(300);

/// Looks again and again at what did not pull.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Verifier<'a> {
    pub(crate) world: &'a World,
    pub(crate) client: Client,
    pub(crate) tally: &'a Shared,
    /// How long the protocol may take to bring something back.
    pub(crate) patience: Duration,
}

impl Verifier<'_> {
    /// Until it is enough.
    pub(crate) fn watch(self, enough: &AtomicBool) {
        while !enough.load(Ordering::Relaxed) {
            for (shelf, mut known) in self.world.suspects() {
                self.look_again(shelf, &mut known);
            }
            thread::sleep(ROUND);
        }
    }

    fn look_again(self, shelf: &Shelf, known: &mut Known) {
        let Some(suspect) = &mut known.suspect else { return };
        let image = &shelf.images[suspect.image];
        let absence = suspect.since.elapsed();
        match self.client.pull(shelf.repository, &suspect.reference, image) {
            Ok(()) => {
                let mut tally = self.tally.lock();
                tally.restored_in_time += 1;
                tally.absent_for(absence);
                known.suspect = None;
            }
            Err(broken) if absence > self.patience => {
                suspect.lost = true;
                let why = format!("{broken}; {absence:?} ago {}", suspect.broken);
                let image = suspect.image;
                self.broke(shelf, known, image, &why);
            }
            Err(_) => {}
        }
    }

    /// Pulls everything that must pull. `how` is for the message.
    pub(crate) fn pull_everything(self, how: &str) {
        for (shelf, known) in self.world.all() {
            for (reference, image) in references(shelf, &known) {
                let pulled = self.client.pull(shelf.repository, &reference, &shelf.images[image]);
                if let Err(broken) = pulled {
                    self.broke(shelf, &known, image, &format!("{broken}, {how}"));
                }
            }
        }
    }

    fn broke(self, shelf: &Shelf, known: &Known, image: usize, why: &str) {
        let name = format!("{}@{}", shelf.repository, shelf.images[image].manifest.digest);
        let since = known.alive.get(&image).map_or_else(String::new, ToString::to_string);
        let why = format!("{why}; acknowledged {since}, seen {}", Timestamp::now());
        self.tally.lock().broke(name, why);
    }
}

/// All that must pull from a shelf: digests and tags, with the image each leads to.
fn references(shelf: &Shelf, known: &Known) -> Vec<(String, usize)> {
    let digest =
        |(&image, _): (&usize, &Timestamp)| (shelf.images[image].manifest.digest.clone(), image);
    let tag = |(&tag, &image): (&usize, &usize)| (shelf.tags[tag].clone(), image);
    known.alive.iter().map(digest).chain(known.tags.iter().map(tag)).collect()
}
