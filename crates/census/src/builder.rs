//! Takes in repositories and blobs, from any number of threads.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use foldhash::{HashSet, HashSetExt as _};
use marker::{Follow, Marked, MemoryLimit};
use planner::Cutoffs;
use registry::{Digest, Shard, Timestamp};

use crate::CensusError;
use crate::claim::{self, Claim, Why, tag_number};
use crate::closure::Closures;
use crate::join::{Tally, join};
use crate::pile::Pile;
use crate::usage::{BlobTotals, Census, RepositoryUsage, Totals};

/// A blob that was listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blob {
    /// What it is called.
    pub digest: Digest,
    /// Its size.
    pub bytes: u64,
    /// When it was last written.
    pub modified: Timestamp,
}

/// A census being taken; any thread may add.
#[derive(Debug)]
pub struct CensusBuilder {
    cutoffs: Cutoffs,
    follow: Follow,
    claims: Pile,
    blobs: Pile,
    /// By number.
    repositories: Mutex<Vec<RepositoryUsage>>,
}

impl CensusBuilder {
    /// An empty census by the rules of `cutoffs`, which also counts by tag where tags are followed.
    ///
    /// # Errors
    /// [`CensusError`] where nothing can be written to the folder of the limit.
    pub fn new(cutoffs: Cutoffs, follow: Follow, limit: &MemoryLimit) -> Result<Self, CensusError> {
        let half = MemoryLimit { bytes: limit.bytes / 2, folder: limit.folder.clone() };
        Ok(Self {
            cutoffs,
            follow,
            claims: Pile::limited(&half)?,
            blobs: Pile::limited(&half)?,
            repositories: Mutex::default(),
        })
    }

    /// Takes in a repository, once.
    ///
    /// # Errors
    /// [`CensusError`]: the census cannot be finished then.
    pub fn add_repository(&self, marked: &Marked) -> Result<(), CensusError> {
        let with_tags = self.follow.covers(&marked.tree.name);
        let usage = RepositoryUsage::of(marked, &self.cutoffs, with_tags);
        let tags = usage.by_tag.iter().flat_map(|by_tag| &by_tag.tags);
        let targets: Vec<Option<Digest>> = tags.map(|tag| tag.digest).collect();
        let claims = Claims { marked, repository: self.register(usage)?, aliases: aliases(marked) };
        if with_tags {
            self.claim_by_tag(&claims, &targets)?;
        } else {
            self.claims.add(claims.of(marked.reach.marks(), Why::Root))?;
        }
        Ok(self.claims.add(claims.of(unneeded_links(marked), Why::Link))?)
    }

    /// Gives a repository its number.
    fn register(&self, usage: RepositoryUsage) -> Result<u32, CensusError> {
        let mut repositories = self.repositories.lock().unwrap_or_else(PoisonError::into_inner);
        let number = u32::try_from(repositories.len());
        repositories.push(usage);
        number.map_err(|_| CensusError::TooMany { what: "repositories" })
    }

    /// Claims what each tag keeps, and then what else is kept: by manifests that no tag reaches, or by doubt or youth.
    fn claim_by_tag(
        &self,
        claims: &Claims<'_>,
        targets: &[Option<Digest>],
    ) -> Result<(), CensusError> {
        let closures = Closures::of(claims.marked);
        let (mut reached, mut covered) = (HashSet::new(), HashSet::new());
        for (target, tags) in by_target(targets)? {
            let closure = closures.from([target]);
            for tag in tags {
                self.claims.add(claims.of(closure.digests.iter().copied(), Why::Tag(tag)))?;
            }
            reached.extend(closure.manifests);
            covered.extend(closure.digests);
        }
        let reach = &claims.marked.reach;
        let untagged = reach.manifests.difference(&reached).copied();
        let rest = closures.from(untagged).digests;
        let others = reach.marks().filter(|digest| !covered.contains(digest));
        Ok(self.claims.add(claims.of(rest.iter().copied().chain(others), Why::Root))?)
    }

    /// Takes in blobs, each once.
    ///
    /// # Errors
    /// [`CensusError`]: the census cannot be finished then.
    pub fn add_blobs(&self, blobs: impl IntoIterator<Item = Blob>) -> Result<(), CensusError> {
        let cutoff = self.cutoffs.objects;
        let record = |blob: Blob| claim::blob(&blob.digest, blob.bytes, blob.modified >= cutoff);
        Ok(self.blobs.add(blobs.into_iter().map(record))?)
    }

    /// Counts, once everything was taken in.
    ///
    /// # Errors
    /// [`CensusError`] where what went to disk is not what comes back.
    pub fn finish(self) -> Result<Census, CensusError> {
        let repositories = self.repositories.into_inner().unwrap_or_else(PoisonError::into_inner);
        let (blobs, reclaimable) = (BlobTotals::default(), planner::Amount::default());
        let mut tally = Tally { repositories, blobs, reclaimable };
        let (claims, blobs) = (self.claims.finish()?, self.blobs.finish()?);
        for shard in Shard::all() {
            join(claims.of(shard)?, blobs.of(shard)?, &mut tally)?;
        }
        Ok(tally.census())
    }
}

/// Tags by what they point to: what they keep is found out once.
fn by_target(targets: &[Option<Digest>]) -> Result<BTreeMap<Digest, Vec<u32>>, CensusError> {
    let mut tags: BTreeMap<Digest, Vec<u32>> = BTreeMap::new();
    for (at, target) in targets.iter().enumerate() {
        let Some(target) = target else { continue };
        tags.entry(*target).or_default().push(tag_number(at)?);
    }
    Ok(tags)
}

/// What a repository claims.
struct Claims<'m> {
    marked: &'m Marked,
    repository: u32,
    aliases: HashSet<Digest>,
}

impl Claims<'_> {
    fn of(
        &self,
        digests: impl Iterator<Item = Digest>,
        why: Why,
    ) -> impl Iterator<Item = (Shard, claim::Record)> {
        digests.map(move |digest| {
            let is_alias = self.aliases.contains(&digest);
            Claim { repository: self.repository, why, is_alias }.on(&digest)
        })
    }
}

fn aliases(marked: &Marked) -> HashSet<Digest> {
    marked.evidence.aliases.iter().map(|alias| alias.digest).collect()
}

/// What a repository links, by any key, and does not keep.
fn unneeded_links(marked: &Marked) -> impl Iterator<Item = Digest> {
    let (tree, reach) = (&marked.tree, &marked.reach);
    let history = tree.tags.iter().flat_map(|tag| &tag.index);
    let signatures = tree.signatures.iter().map(|signature| &signature.link);
    let links = tree.revisions.iter().chain(&tree.layers).chain(history).chain(signatures);
    let aliases = marked.evidence.aliases.iter().map(|alias| alias.canonical);
    let named = links.map(|link| link.digest).chain(aliases);
    named.filter(|digest| !reach.needed.contains(digest) && !reach.signatures.contains(digest))
}

impl Tally {
    fn census(self) -> Census {
        let Self { mut repositories, blobs, reclaimable } = self;
        repositories.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        let mut totals = Totals { blobs, ..Totals::default() };
        for usage in &repositories {
            totals.manifests += usage.manifests;
            totals.tags += usage.tags;
            totals.uploads += usage.uploads;
            totals.reclaimable.links += usage.reclaimable.links;
            totals.reclaimable.uploads += usage.reclaimable.uploads;
            totals.doubtful += u64::from(usage.doubt.is_some());
        }
        totals.reclaimable.blobs = reclaimable;
        Census { repositories, totals }
    }
}
