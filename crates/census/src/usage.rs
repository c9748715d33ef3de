//! What a census says.

use lister::TagTree;
use marker::{Marked, What};
use planner::{Amount, Cutoffs, Row, RowKind, judge_repository};
use registry::{Digest, RepositoryName};
use store::Listed;

/// Every repository, and the sums.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// In the order of their names.
    pub repositories: Vec<RepositoryUsage>,
    /// What is there in all.
    pub totals: Totals,
}

/// What is there in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Blobs, each once.
    pub blobs: BlobTotals,
    /// Manifests by their links: one that two repositories serve counts twice.
    pub manifests: u64,
    /// Tags.
    pub tags: u64,
    /// All parts of unfinished uploads.
    pub uploads: Amount,
    /// What a plan would delete.
    pub reclaimable: Reclaimable,
    /// Repositories of which all that is linked is kept, because something is in doubt (G4).
    pub doubtful: u64,
}

/// Blobs by who needs them: `exclusive`, `shared`, `too_young` and [`Reclaimable::blobs`] are `all`, each blob once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BlobTotals {
    /// Every blob.
    pub all: Amount,
    /// Kept by one repository.
    pub exclusive: Amount,
    /// Kept by several.
    pub shared: Amount,
    /// Needed by nobody, and too young to judge (G1).
    pub too_young: Amount,
    /// Among the reclaimable: those that no repository links.
    pub orphans: Amount,
    /// Digests that somebody needs and that are not there.
    pub missing: u64,
}

/// What a plan by the same rules would delete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reclaimable {
    /// Blobs that nobody needs. A repository counts those that it links; several may link the same.
    pub blobs: Amount,
    /// Links to manifests and blobs that are not needed.
    pub links: Amount,
    /// Parts of abandoned uploads.
    pub uploads: Amount,
}

impl Reclaimable {
    /// All of it.
    #[must_use]
    pub fn all(&self) -> Amount {
        [self.blobs, self.links, self.uploads].into_iter().sum()
    }

    fn count(&mut self, row: &Row) {
        match row.kind {
            RowKind::Upload | RowKind::MultipartUpload => self.uploads.add(row.bytes),
            RowKind::Blob => self.blobs.add(row.bytes),
            RowKind::BrokenLink | RowKind::TagLink | RowKind::RevisionLink | RowKind::LayerLink => {
                self.links.add(row.bytes);
            }
        }
    }
}

/// What somebody keeps, each blob once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keeps {
    /// All of it.
    pub all: Amount,
    /// What nobody else keeps: it becomes garbage where the keeper goes.
    pub exclusive: Amount,
    /// Digests that are needed and not there: lost ones, layers that lie elsewhere, platforms nobody pushed.
    pub missing: u64,
}

impl Keeps {
    /// What somebody else keeps too.
    #[must_use]
    pub fn shared(&self) -> Amount {
        let (all, exclusive) = (self.all, self.exclusive);
        Amount {
            count: all.count.saturating_sub(exclusive.count),
            bytes: all.bytes.saturating_sub(exclusive.bytes),
        }
    }
}

/// A repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryUsage {
    /// Its name.
    pub name: RepositoryName,
    /// Why all that it links is kept, where something is in doubt (G4): the first doubt.
    pub doubt: Option<String>,
    /// How many manifests it links.
    pub manifests: u64,
    /// How many tags it has.
    pub tags: u64,
    /// What it keeps.
    pub keeps: Keeps,
    /// What a plan would delete of it.
    pub reclaimable: Reclaimable,
    /// All parts of its unfinished uploads.
    pub uploads: Amount,
    /// By tag, where that was asked for.
    pub by_tag: Option<ByTag>,
}

/// What a repository keeps, by tag.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ByTag {
    /// Every tag, in the order of the names.
    pub tags: Vec<TagUsage>,
    /// What is kept for another reason than a tag: manifests that no tag reaches, doubt, youth.
    pub no_tag: Amount,
}

/// A tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagUsage {
    /// Its name.
    pub name: Box<str>,
    /// What it points to; none where its link does not tell.
    pub digest: Option<Digest>,
    /// What it keeps: its manifest with all that this names and all that refers to it. Exclusive is what no other tag
    /// keeps, nor a manifest that no tag reaches, of any repository.
    pub keeps: Keeps,
}

impl RepositoryUsage {
    /// All that can be said of a repository before its blobs are known.
    pub(crate) fn of(marked: &Marked, cutoffs: &Cutoffs, with_tags: bool) -> Self {
        let tree = &marked.tree;
        let doubt = marked.reach.doubts.iter().find(|doubt| doubt.pins());
        let mut reclaimable = Reclaimable::default();
        judge_repository(marked, cutoffs).rows.iter().for_each(|row| reclaimable.count(row));
        let mut uploads = Amount::default();
        let parts = tree.uploads.iter().flat_map(lister::Upload::entries);
        parts.filter_map(Listed::object).for_each(|part| uploads.add(part.size));
        Self {
            name: tree.name.clone(),
            doubt: doubt.map(What::to_string),
            manifests: tree.revisions.len() as u64,
            tags: tree.tags.iter().filter(|tag| tag.current.is_some()).count() as u64,
            keeps: Keeps::default(),
            reclaimable,
            uploads,
            by_tag: with_tags.then(|| ByTag { tags: tags_of(marked), no_tag: Amount::default() }),
        }
    }
}

/// The tags that point somewhere and that no retention policy lets go, by position in the tree.
fn staying_tags(marked: &Marked) -> impl Iterator<Item = (usize, &TagTree)> {
    let goes = |at| marked.expiry.as_ref().is_some_and(|expiry| expiry.tags.contains_key(&at));
    let tags = marked.tree.tags.iter().enumerate();
    tags.filter(move |(at, tag)| tag.current.is_some() && !goes(*at))
}

/// These tags, and what they point to.
fn tags_of(marked: &Marked) -> Vec<TagUsage> {
    let pointers = &marked.evidence.pointers;
    let targets: std::collections::HashMap<usize, Digest> =
        pointers.iter().map(|pointer| (pointer.tag, pointer.digest)).collect();
    let usage = |(at, tag): (usize, &TagTree)| TagUsage {
        name: tag.name.clone(),
        digest: targets.get(&at).copied(),
        keeps: Keeps::default(),
    };
    // They are held to the end, millions of them: a list that doubles while it grows would have room for more.
    let mut tags = Vec::with_capacity(staying_tags(marked).count());
    tags.extend(staying_tags(marked).map(usage));
    tags
}
