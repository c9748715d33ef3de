//! All that was found, counted, and some of it kept.

use std::collections::{BTreeMap, BTreeSet};

use crate::{BrokenImage, Finding, Kind, Severity};

/// All that was found. The same registry gives the same report, whatever was seen first: what is kept is first by
/// repository and key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    counts: BTreeMap<Kind, u64>,
    sample: BTreeMap<Kind, BTreeSet<Finding>>,
    images: BTreeSet<BrokenImage>,
    /// Manifests that cannot be pulled by their digest.
    manifests: u64,
    /// Tags that cannot be pulled.
    tags: u64,
    /// Manifests, and tags without one.
    broken: u64,
    /// So many of a kind, and so many images, are kept (G12).
    most: usize,
}

impl Report {
    /// Nothing found; `most` findings of a kind are kept.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, ..Self::default() }
    }

    /// Takes in a finding.
    pub fn add(&mut self, finding: Finding) {
        *self.counts.entry(finding.kind).or_default() += 1;
        keep(self.sample.entry(finding.kind).or_default(), finding, self.most);
    }

    /// Takes in findings of which only the number is known.
    pub fn add_unseen(&mut self, kind: Kind, count: u64) {
        if count > 0 {
            *self.counts.entry(kind).or_default() += count;
            self.sample.entry(kind).or_default();
        }
    }

    /// Takes in an image.
    pub fn add_image(&mut self, image: BrokenImage) {
        self.manifests += u64::from(image.digest.is_some());
        self.tags += image.tags.len() as u64;
        self.broken += 1;
        keep(&mut self.images, image, self.most);
    }

    /// Takes in all that another found.
    pub fn merge(&mut self, more: Self) {
        for (kind, count) in more.counts {
            *self.counts.entry(kind).or_default() += count;
        }
        for (kind, sample) in more.sample {
            let kept = self.sample.entry(kind).or_default();
            for finding in sample {
                keep(kept, finding, self.most);
            }
        }
        self.manifests += more.manifests;
        self.tags += more.tags;
        self.broken += more.broken;
        for image in more.images {
            keep(&mut self.images, image, self.most);
        }
    }

    /// What was found of a kind, how often, and what is kept of it; the worst first.
    pub fn kinds(&self) -> impl Iterator<Item = (Kind, u64, &BTreeSet<Finding>)> {
        self.counts.iter().filter_map(|(kind, count)| Some((*kind, *count, self.sample.get(kind)?)))
    }

    /// Findings of a severity.
    #[must_use]
    pub fn count(&self, severity: Severity) -> u64 {
        let of_it = self.counts.iter().filter(|(kind, _)| kind.severity() == severity);
        of_it.map(|(_, count)| count).sum()
    }

    /// So many findings of a kind are kept.
    #[must_use]
    pub fn most(&self) -> usize {
        self.most
    }

    /// How many images cannot be pulled.
    #[must_use]
    pub fn broken_images(&self) -> u64 {
        self.broken
    }

    /// Images that cannot be pulled: what is kept of them.
    #[must_use]
    pub fn images(&self) -> &BTreeSet<BrokenImage> {
        &self.images
    }

    /// How many manifests cannot be pulled by their digest.
    #[must_use]
    pub fn broken_manifests(&self) -> u64 {
        self.manifests
    }

    /// How many tags cannot be pulled.
    #[must_use]
    pub fn broken_tags(&self) -> u64 {
        self.tags
    }

    /// Whether there is no damage, and every image can be pulled.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.count(Severity::Damage) == 0 && self.tags == 0 && self.manifests == 0
    }
}

fn keep<T: Ord>(kept: &mut BTreeSet<T>, thing: T, most: usize) {
    kept.insert(thing);
    if kept.len() > most {
        kept.pop_last();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(kind: Kind, key: u32) -> Finding {
        Finding { kind, repository: None, key: format!("{key:04}").into(), detail: "".into() }
    }

    #[test]
    fn g12_some_are_kept_all_are_counted_and_the_order_does_not_matter() {
        let all: Vec<Finding> = (0..100)
            .map(|key| finding([Kind::MissingBlob, Kind::ForeignKey][key as usize % 2], key))
            .collect();
        let report = |parts: &[&[Finding]]| {
            let mut whole = Report::new(7);
            for part in parts {
                let mut report = Report::new(7);
                part.iter().rev().for_each(|finding| report.add(finding.clone()));
                whole.merge(report);
            }
            whole
        };
        let once = report(&[&all]);
        assert_eq!(once, report(&[&all[60..], &all[..20], &all[20..60]]));
        for (_, count, sample) in once.kinds() {
            assert_eq!((count, sample.len()), (50, 7));
        }
        assert_eq!((once.count(Severity::Damage), once.count(Severity::Odd)), (50, 50));
        assert!(!once.is_sound() && report(&[]).is_sound());
    }
}
