//! The join, compared with sets too simple to be wrong.

use std::collections::{BTreeMap, BTreeSet};

use planner::Amount;
use proptest::prelude::*;
use registry::{Digest, RepositoryName, Shard};

use super::*;
use crate::claim;
use crate::pile::tests::limited;
use crate::usage::{ByTag, Reclaimable, TagUsage};

const REPOSITORIES: u32 = 4;
const TAGS: u32 = 3;

/// Who says what of which digest.
type Said = (u32, Why, u8);

fn why() -> impl Strategy<Value = Why> {
    prop_oneof![Just(Why::Link), Just(Why::Root), (0..TAGS).prop_map(Why::Tag)]
}

fn digest(n: u8) -> Digest {
    Digest::sha256(&[n])
}

/// The sizes of blobs, and whether they are young.
type Sizes = BTreeMap<u8, (u64, bool)>;

fn empty(number: u32) -> RepositoryUsage {
    let tag = |n| TagUsage { name: format!("v{n}").into(), digest: None, keeps: Keeps::default() };
    RepositoryUsage {
        name: RepositoryName::new(&format!("r{number}")).unwrap(),
        doubt: None,
        manifests: 0,
        tags: 0,
        keeps: Keeps::default(),
        reclaimable: Reclaimable::default(),
        uploads: Amount::default(),
        by_tag: Some(ByTag { tags: (0..TAGS).map(tag).collect(), no_tag: Amount::default() }),
    }
}

fn counted(said: &[Said], sizes: &Sizes, aliases: &BTreeSet<u8>, of_a_shard: usize) -> Tally {
    let ((claims, _a), (blobs, _b)) = (limited(of_a_shard), limited(of_a_shard));
    for (repository, why, n) in said {
        let is_alias = aliases.contains(n);
        let claim = Claim { repository: *repository, why: *why, is_alias };
        claims.add([claim.on(&digest(*n))]).unwrap();
    }
    for (n, (bytes, is_young)) in sizes {
        blobs.add([claim::blob(&digest(*n), *bytes, *is_young)]).unwrap();
    }
    let mut tally = Tally {
        repositories: (0..REPOSITORIES).map(empty).collect(),
        blobs: BlobTotals::default(),
        reclaimable: Amount::default(),
    };
    let (claims, blobs) = (claims.finish().unwrap(), blobs.finish().unwrap());
    for shard in Shard::all() {
        join(claims.of(shard).unwrap(), blobs.of(shard).unwrap(), &mut tally).unwrap();
    }
    tally
}

/// What is said, asked plainly.
struct Plain<'s> {
    said: &'s [Said],
    sizes: &'s Sizes,
    aliases: &'s BTreeSet<u8>,
}

impl Plain<'_> {
    /// The digests of which somebody of `who` says that it keeps them.
    fn kept(&self, who: impl Fn(u32, Why) -> bool) -> BTreeSet<u8> {
        let keeps = |(repository, why, _): &&Said| *why != Why::Link && who(*repository, *why);
        self.said.iter().filter(keeps).map(|(_, _, n)| *n).collect()
    }

    fn amount(&self, digests: &BTreeSet<u8>) -> Amount {
        let sizes = digests.iter().filter_map(|n| self.sizes.get(n));
        sizes.map(|(bytes, _)| Amount { count: 1, bytes: *bytes }).sum()
    }

    fn missing(&self, digests: &BTreeSet<u8>) -> u64 {
        let is_missing = |n: &&u8| !self.sizes.contains_key(n) && !self.aliases.contains(n);
        digests.iter().filter(is_missing).count() as u64
    }

    fn keeps(&self, who: impl Fn(u32, Why) -> bool) -> Keeps {
        let (mine, others) = (self.kept(&who), self.kept(|repository, why| !who(repository, why)));
        Keeps {
            all: self.amount(&mine),
            exclusive: self.amount(&mine.difference(&others).copied().collect()),
            missing: self.missing(&mine),
        }
    }

    /// What nobody keeps, young or not.
    fn unneeded(&self, young: bool) -> BTreeSet<u8> {
        let kept = self.kept(|_, _| true);
        let unneeded =
            self.sizes.iter().filter(|(n, (_, is_young))| !kept.contains(n) && *is_young == young);
        unneeded.map(|(n, _)| *n).collect()
    }

    fn linked(&self, by: impl Fn(u32) -> bool) -> BTreeSet<u8> {
        self.said.iter().filter(|(repository, _, _)| by(*repository)).map(|(_, _, n)| *n).collect()
    }
}

fn check(tally: &Tally, plain: &Plain<'_>) {
    for (number, usage) in (0..).zip(&tally.repositories) {
        assert_eq!(usage.keeps, plain.keeps(|repository, _| repository == number));
        let by_tag = usage.by_tag.as_ref().unwrap();
        let is_mine = |repository| repository == number;
        let tagged = plain.kept(|repository, why| is_mine(repository) && why != Why::Root);
        let untagged = &plain.kept(|repository, _| is_mine(repository)) - &tagged;
        assert_eq!(by_tag.no_tag, plain.amount(&untagged), "{number}");
        for (tag, usage) in (0..).zip(&by_tag.tags) {
            let keeps = plain.keeps(|repository, why| (repository, why) == (number, Why::Tag(tag)));
            assert_eq!(usage.keeps, keeps, "{number} {tag}");
        }
        let linked = plain.linked(|repository| repository == number);
        let reclaimable = plain.unneeded(false).intersection(&linked).copied().collect();
        assert_eq!(usage.reclaimable.blobs, plain.amount(&reclaimable));
    }
    let orphans = &plain.unneeded(false) - &plain.linked(|_| true);
    assert_eq!(tally.blobs.orphans, plain.amount(&orphans));
    assert_eq!(tally.reclaimable, plain.amount(&plain.unneeded(false)));
    assert_eq!(tally.blobs.too_young, plain.amount(&plain.unneeded(true)));
    assert_eq!(tally.blobs.missing, plain.missing(&plain.kept(|_, _| true)));
}

proptest! {
    #[test]
    fn who_keeps_what_is_what_sets_say(
        said in prop::collection::vec((0..REPOSITORIES, why(), 0u8..40), 0..120),
        sizes in prop::collection::btree_map(0u8..40, (0u64..1000, any::<bool>()), 0..40),
        aliases in prop::collection::btree_set(0u8..40, 0..6),
        of_a_shard in prop_oneof![Just(0), Just(1 << 10)],
    ) {
        let tally = counted(&said, &sizes, &aliases, of_a_shard);
        check(&tally, &Plain { said: &said, sizes: &sizes, aliases: &aliases });
    }

    #[test]
    fn every_blob_counts_once(
        said in prop::collection::vec((0..REPOSITORIES, why(), 0u8..40), 0..120),
        sizes in prop::collection::btree_map(0u8..40, (0u64..1000, any::<bool>()), 0..40),
    ) {
        let Tally { repositories, blobs, reclaimable } = counted(&said, &sizes, &BTreeSet::new(), 0);
        let parts = [blobs.exclusive, blobs.shared, blobs.too_young, reclaimable];
        prop_assert_eq!(parts.into_iter().sum::<Amount>(), blobs.all);
        let exclusive: Amount = repositories.iter().map(|usage| usage.keeps.exclusive).sum();
        prop_assert_eq!(exclusive, blobs.exclusive);
    }
}

#[test]
fn an_error_of_either_side_ends_the_count() {
    let error = || Err(SpillError::Damaged { folder: std::path::Path::new("x").into() });
    let tally = || Tally {
        repositories: vec![empty(0)],
        blobs: BlobTotals::default(),
        reclaimable: Amount::default(),
    };
    let (_, record) = claim::blob(&digest(1), 1, false);
    let good = || vec![Ok(record)];
    for (claims, blobs) in [
        (vec![error()], good()),
        (good(), vec![error()]),
        (vec![Ok([0, 0, 1 << 1]), error()], good()),
        (Vec::new(), vec![Ok(record), error()]),
    ] {
        let joined = join(claims.into_iter(), blobs.into_iter(), &mut tally());
        assert!(matches!(joined, Err(SpillError::Damaged { .. })));
    }
}
