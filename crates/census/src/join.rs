//! The join: for every digest of a shard its size, and who keeps it.

use std::iter::Peekable;

use marker::SpillError;
use planner::Amount;

use crate::claim::{Claim, Fingerprint, Record, Why, fingerprint_of, size_of};
use crate::usage::{BlobTotals, Keeps, RepositoryUsage};

/// What was counted so far.
#[derive(Debug)]
pub(crate) struct Tally {
    /// By number.
    pub(crate) repositories: Vec<RepositoryUsage>,
    pub(crate) blobs: BlobTotals,
    /// Blobs that nobody needs and that are old enough to go, each once.
    pub(crate) reclaimable: Amount,
}

impl Tally {
    /// What a tag keeps. Tags are claimed for only where they are counted.
    fn tag(&mut self, repository: u32, number: u32) -> Option<&mut Keeps> {
        let by_tag = self.repositories[repository as usize].by_tag.as_mut()?;
        by_tag.tags.get_mut(number as usize).map(|tag| &mut tag.keeps)
    }
}

/// Counts a shard: both its claims and its blobs are sorted.
pub(crate) fn join(
    claims: impl Iterator<Item = Result<Record, SpillError>>,
    blobs: impl Iterator<Item = Result<Record, SpillError>>,
    tally: &mut Tally,
) -> Result<(), SpillError> {
    let (mut claims, mut blobs) = (claims.peekable(), blobs.peekable());
    while let Some(digest) = head(&mut claims).into_iter().chain(head(&mut blobs)).min() {
        let mut group = Group::new(tally);
        while let Some(blob) = next_of(&mut blobs, digest)? {
            group.see(&blob);
        }
        while let Some(claim) = next_of(&mut claims, digest)? {
            group.claim(Claim::of(&claim));
        }
        group.end();
    }
    Ok(())
}

/// The digest that is next; an error is always next.
fn head<I: Iterator<Item = Result<Record, SpillError>>>(
    records: &mut Peekable<I>,
) -> Option<Fingerprint> {
    records.peek().map(|record| record.as_ref().map_or([0, 0], fingerprint_of))
}

fn next_of<I: Iterator<Item = Result<Record, SpillError>>>(
    records: &mut Peekable<I>,
    digest: Fingerprint,
) -> Result<Option<Record>, SpillError> {
    let is_of_it = |record: &Result<Record, SpillError>| match record {
        Ok(record) => fingerprint_of(record) == digest,
        Err(_) => true,
    };
    records.next_if(is_of_it).transpose()
}

/// Who keeps a digest, as far as was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keepers<T> {
    Nobody,
    One(T),
    Several,
}

impl<T: PartialEq + Copy> Keepers<T> {
    fn add(&mut self, keeper: T) {
        *self = match *self {
            Self::Nobody => Self::One(keeper),
            Self::One(known) if known == keeper => return,
            Self::One(_) | Self::Several => Self::Several,
        };
    }
}

/// A digest with all that is said of it. Claims come in the order of the repositories.
struct Group<'t> {
    tally: &'t mut Tally,
    found: Amount,
    is_young: bool,
    /// The repository that keeps it and claimed last, and whether a tag is among its reasons.
    last: Option<(u32, bool)>,
    repositories: Keepers<u32>,
    owners: Keepers<(u32, Why)>,
    /// Repositories that link it and do not keep it, while nobody is known to.
    linkers: Vec<u32>,
    may_be_missing: bool,
}

impl<'t> Group<'t> {
    fn new(tally: &'t mut Tally) -> Self {
        Self {
            tally,
            found: Amount::default(),
            is_young: false,
            last: None,
            repositories: Keepers::Nobody,
            owners: Keepers::Nobody,
            linkers: Vec::new(),
            may_be_missing: false,
        }
    }

    fn see(&mut self, blob: &Record) {
        let (bytes, is_young) = size_of(blob);
        self.found.add(bytes);
        self.is_young |= is_young;
    }

    fn claim(&mut self, Claim { repository, why, is_alias }: Claim) {
        if why == Why::Link {
            if self.repositories == Keepers::Nobody {
                self.linkers.push(repository);
            }
            return;
        }
        let missing = u64::from(self.found.count == 0 && !is_alias);
        self.may_be_missing |= missing > 0;
        if self.last.is_none_or(|(last, _)| last != repository) {
            self.leave();
            self.last = Some((repository, false));
            let usage = &mut self.tally.repositories[repository as usize];
            usage.keeps.all += self.found;
            usage.keeps.missing += missing;
        }
        if let Why::Tag(number) = why {
            self.last = Some((repository, true));
            let found = self.found;
            if let Some(keeps) = self.tally.tag(repository, number) {
                keeps.all += found;
                keeps.missing += missing;
            }
        }
        self.repositories.add(repository);
        self.owners.add((repository, why));
    }

    /// All claims of the last repository were seen.
    fn leave(&mut self) {
        let Some((repository, false)) = self.last else { return };
        if let Some(by_tag) = &mut self.tally.repositories[repository as usize].by_tag {
            by_tag.no_tag += self.found;
        }
    }

    fn end(mut self) {
        self.leave();
        let Self { tally, found, .. } = self;
        tally.blobs.all += found;
        tally.blobs.missing += u64::from(self.may_be_missing);
        if let Keepers::One((repository, Why::Tag(number))) = self.owners {
            tally.tag(repository, number).into_iter().for_each(|keeps| keeps.exclusive += found);
        }
        match self.repositories {
            Keepers::Several => tally.blobs.shared += found,
            Keepers::One(repository) => {
                tally.blobs.exclusive += found;
                tally.repositories[repository as usize].keeps.exclusive += found;
            }
            Keepers::Nobody if self.is_young => tally.blobs.too_young += found,
            Keepers::Nobody => {
                tally.reclaimable += found;
                for repository in &self.linkers {
                    tally.repositories[*repository as usize].reclaimable.blobs += found;
                }
                if self.linkers.is_empty() {
                    tally.blobs.orphans += found;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
