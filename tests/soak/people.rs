//! The people who use the registry: each pushes, pushes again, mounts, retags, deletes and pulls without pause.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::catalogue::Shelf;
use crate::pusher::{BREATH, Push, Pusher, Refusal};
use crate::random::Random;
use crate::world::{Known, Suspect, World};

/// How often a push is tried again before it is a failure.
const TRIES: usize = 10;
/// The longest sleep in a push in milliseconds, well within the longest push that the collector is told of.
const LONGEST_PAUSE: u64 = 1500;
/// The same for the few who sleep over all waits: then a push may be refused, but nothing may break.
const TOO_LONG: u64 = 15_000;

/// What somebody does.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// Pushes an image that is not there.
    Push,
    /// Pushes an image that was there and was deleted.
    PushAgain,
    /// The same as a push, with blobs mounted from another repository where that has them.
    Mount,
    /// Puts the manifest of an image that is there under another tag.
    Retag,
    /// Deletes an image, and with it the tags that lead there.
    Delete,
    /// Pulls an image and compares every byte.
    Pull,
}

impl Event {
    fn choose(random: &mut Random) -> Event {
        match random.below(100) {
            0..8 => Event::Push,
            8..22 => Event::PushAgain,
            22..28 => Event::Mount,
            28..40 => Event::Retag,
            40..64 => Event::Delete,
            _ => Event::Pull,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Event::Push => "push",
            Event::PushAgain => "push_again",
            Event::Mount => "mount",
            Event::Retag => "retag",
            Event::Delete => "delete",
            Event::Pull => "pull",
        }
    }
}

/// One of the people.
#[derive(Debug)]
pub(crate) struct Person<'a> {
    pub(crate) world: &'a World,
    pub(crate) pusher: Pusher<'a>,
    pub(crate) random: Random,
}

impl Person<'_> {
    /// Does one thing after the other until it is enough.
    pub(crate) fn live(mut self, enough: &AtomicBool) {
        while !enough.load(Ordering::Relaxed) {
            let event = Event::choose(&mut self.random);
            match self.do_somewhere(event) {
                Some(()) => *self.pusher.tally.lock().events.entry(event.name()).or_default() += 1,
                None => thread::yield_now(),
            }
        }
    }

    /// `None` where there is nothing to do it with.
    fn do_somewhere(&mut self, event: Event) -> Option<()> {
        let (shelf, mut known) = self.world.free_shelf(&mut self.random)?;
        match event {
            Event::Push => self.push(shelf, &mut known, None),
            Event::Mount => self.push(shelf, &mut known, Some(shelf.other)),
            Event::PushAgain => {
                let gone: Vec<usize> = known.gone.iter().copied().collect();
                let image = self.random.pick(&gone)?;
                self.push_image(shelf, &mut known, image, None);
                Some(())
            }
            Event::Retag => self.retag(shelf, &mut known),
            Event::Delete => self.delete(shelf, &mut known),
            Event::Pull => self.pull(shelf, &mut known),
        }
    }

    fn push(&mut self, shelf: &Shelf, known: &mut Known, from: Option<&'static str>) -> Option<()> {
        let absent = (0..shelf.images.len()).filter(|image| !known.alive.contains_key(image));
        let image = self.random.pick(&absent.collect::<Vec<_>>())?;
        self.push_image(shelf, known, image, from);
        Some(())
    }

    fn push_image(
        &mut self,
        shelf: &Shelf,
        known: &mut Known,
        image: usize,
        from: Option<&'static str>,
    ) {
        let tag = self.random.index(shelf.tags.len());
        let push = Push {
            repository: shelf.repository,
            tag: &shelf.tags[tag],
            image: &shelf.images[image],
            from,
            pauses: self.pauses(),
        };
        known.doubt_tag(tag);
        if self.push_until_it_is_taken(push) {
            known.acknowledge(tag, image);
        }
    }

    /// Who is refused sends everything again.
    fn push_until_it_is_taken(&self, push: Push<'_>) -> bool {
        let mut result = self.pusher.push(push);
        for _ in 0..TRIES {
            let Err(refusal) = &result else { return true };
            self.count(refusal);
            thread::sleep(BREATH);
            self.pusher.tally.lock().retried += 1;
            result = self.pusher.push_all(push);
        }
        let Err(refusal) = result else { return true };
        let message = format!("refused {TRIES} times in a row: {}", refusal.message);
        self.pusher.tally.lock().failures.push(message);
        false
    }

    fn count(&self, refusal: &Refusal) {
        let mut tally = self.pusher.tally.lock();
        tally.refused += 1;
        tally.refuse(&refusal.kind, 1, &refusal.message);
    }

    /// Some sleep between asking what is there and relying on it, or between their blobs and their manifests.
    fn pauses(&mut self) -> [Duration; 2] {
        let longest = match self.random.below(200) {
            0 => TOO_LONG,
            1..=10 => LONGEST_PAUSE,
            _ => 1,
        };
        let pause = Duration::from_millis(self.random.below(longest));
        let is_early = self.random.below(2) == 0;
        if is_early { [pause, Duration::ZERO] } else { [Duration::ZERO, pause] }
    }

    fn retag(&mut self, shelf: &Shelf, known: &mut Known) -> Option<()> {
        let image = self.any_alive(known)?;
        let tag = self.random.index(shelf.tags.len());
        let (name, content) = (&shelf.tags[tag], &shelf.images[image]);
        if known.tags.get(&tag) != Some(&image) {
            known.doubt_tag(tag);
        }
        match self.pusher.put_manifest(shelf.repository, name, content) {
            Ok(()) => known.acknowledge(tag, image),
            Err(refusal) => suspect(shelf, known, image, refusal.message),
        }
        Some(())
    }

    fn delete(&mut self, shelf: &Shelf, known: &mut Known) -> Option<()> {
        let image = self.any_alive(known)?;
        match self.pusher.delete(shelf.repository, &shelf.images[image]) {
            Ok(()) => known.delete(image),
            Err(refusal) if refusal.kind == "404" => {
                suspect(shelf, known, image, refusal.message);
            }
            // It may be deleted, and it may not.
            Err(refusal) => {
                known.delete(image);
                self.count(&refusal);
            }
        }
        Some(())
    }

    fn pull(&mut self, shelf: &Shelf, known: &mut Known) -> Option<()> {
        let tags: Vec<_> = known.tags.iter().map(|(&tag, &image)| (Some(tag), image)).collect();
        let bare = known.alive.keys().map(|&image| (None, image));
        let (tag, image) = self.random.pick(&tags.into_iter().chain(bare).collect::<Vec<_>>())?;
        let content = &shelf.images[image];
        let reference = tag.map_or(&content.manifest.digest, |tag| &shelf.tags[tag]);
        if let Err(broken) = self.pusher.client.pull(shelf.repository, reference, content) {
            let since = Instant::now();
            let reference = reference.clone();
            known.suspect = Some(Suspect { image, reference, since, broken, lost: false });
        }
        Some(())
    }

    fn any_alive(&mut self, known: &Known) -> Option<usize> {
        self.random.pick(&known.alive.keys().copied().collect::<Vec<_>>())
    }
}

fn suspect(shelf: &Shelf, known: &mut Known, image: usize, broken: String) {
    let reference = shelf.images[image].manifest.digest.clone();
    known.suspect = Some(Suspect { image, reference, since: Instant::now(), broken, lost: false });
}
