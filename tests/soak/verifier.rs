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
/// Pulls under way at once at the end.
const AT_ONCE: usize = 6;

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
                self.tally.lock().came_back(absence, &suspect.broken);
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
        thread::scope(|scope| {
            for part in 0..AT_ONCE {
                scope.spawn(move || self.pull_part(part, how));
            }
        });
    }

    fn pull_part(self, part: usize, how: &str) {
        for (shelf, known) in self.world.all().skip(part).step_by(AT_ONCE) {
            for &image in known.alive.keys() {
                let content = &shelf.images[image];
                let digest = &content.manifest.digest;
                if let Err(broken) = self.client.pull(shelf.repository, digest, content) {
                    self.broke(shelf, &known, image, &format!("{broken}, {how}"));
                }
            }
            self.follow_tags(shelf, &known, how);
        }
    }

    /// What tags lead to was pulled by its digest.
    fn follow_tags(self, shelf: &Shelf, known: &Known, how: &str) {
        for (&tag, &image) in &known.tags {
            let (name, content) = (&shelf.tags[tag], &shelf.images[image]);
            if let Err(broken) = self.client.pull_manifest(shelf.repository, name, content) {
                self.broke(shelf, known, image, &format!("{broken}, {how}"));
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
