//! What goes of each repository.

use std::cmp::Reverse;
use std::collections::HashMap;

use planner::Amount;
use registry::RepositoryName;

use super::Figures;

/// A repository, and what goes of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Its name; empty for those that are not told apart.
    pub name: String,
    /// Tag, revision and layer links.
    pub links: Amount,
    /// Parts of uploads.
    pub uploads: Amount,
    /// Blobs to which its links lead, alone or with others; the bytes are its part of theirs.
    pub blobs: Amount,
}

impl Place {
    /// Bytes of all kinds.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        [self.links, self.uploads, self.blobs].into_iter().sum::<Amount>().bytes
    }
}

/// Repositories by number; those past the limit share one.
#[derive(Debug, Default)]
pub(crate) struct Places {
    numbers: HashMap<RepositoryName, u32>,
    tallies: Vec<Place>,
    beyond: Option<Place>,
}

/// The number of all repositories past the limit.
const BEYOND: u32 = u32::MAX;

impl Places {
    pub(crate) fn number(&mut self, name: &RepositoryName) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        if self.tallies.len() == Figures::PLACES {
            return BEYOND;
        }
        let number = u32::try_from(self.tallies.len()).unwrap_or(BEYOND);
        self.numbers.insert(name.clone(), number);
        self.tallies.push(Place { name: name.to_string(), ..Place::default() });
        number
    }

    pub(crate) fn of_mut(&mut self, number: u32) -> &mut Place {
        let place = usize::try_from(number).ok().and_then(|number| self.tallies.get_mut(number));
        place.unwrap_or_else(|| self.beyond.get_or_insert_default())
    }

    /// The name of a repository; empty past the limit.
    pub(crate) fn name(&self, number: u32) -> &str {
        let place = usize::try_from(number).ok().and_then(|number| self.tallies.get(number));
        place.map_or("", |place| &place.name)
    }

    /// The first of them by name, so that the order of rows says nothing; those past the limit come last.
    pub(crate) fn first(&self, holders: &[u32]) -> Option<u32> {
        holders.iter().copied().min_by_key(|number| (*number == BEYOND, self.name(*number)))
    }

    /// Divides a blob evenly among those whose links lead to it; the first by name has what cannot be divided.
    pub(crate) fn share(&mut self, bytes: u64, holders: &[u32]) {
        let Some(number) = u64::try_from(holders.len()).ok().filter(|number| *number > 0) else {
            return;
        };
        let first = self.first(holders);
        for holder in holders {
            let more = if Some(*holder) == first { bytes % number } else { 0 };
            self.of_mut(*holder).blobs.add(bytes / number + more);
        }
    }

    /// The most bytes first; and those past the limit.
    pub(crate) fn finish(mut self) -> (Vec<Place>, Option<Place>) {
        self.tallies.sort_unstable_by(|a, b| {
            let rank = |place: &Place| (Reverse(place.bytes()), Reverse(place.links.count));
            rank(a).cmp(&rank(b)).then_with(|| a.name.cmp(&b.name))
        });
        (self.tallies, self.beyond)
    }
}
