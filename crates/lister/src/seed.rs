//! First cuts of a listing that turned out to be long.

use std::future::Future;
use std::sync::Arc;

use registry::{KeyKind, Layout, Shard};
use store::{ReadStore, StoreError};

/// Knows where to cut what remains of a listing after its first page.
pub trait Seeder: Send + Sync + 'static {
    /// Cuts for the keys after `position`, the last key of a first page of `listed` keys. Any order; cuts that lie
    /// elsewhere are ignored.
    ///
    /// # Errors
    /// Where looking for cuts failed; the listing could go on without, but a store that fails here fails there.
    fn cuts(
        &self,
        position: &str,
        listed: usize,
    ) -> impl Future<Output = Result<Vec<String>, StoreError>> + Send;
}

/// No cuts: idle workers find their own.
#[derive(Clone, Copy, Debug)]
pub struct NoSeeder;

impl Seeder for NoSeeder {
    async fn cuts(&self, _position: &str, _listed: usize) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }
}

/// Cuts blobs evenly: digests are uniform, so the first page tells how many pages there are.
#[derive(Clone, Debug)]
pub struct BlobSeeder {
    layout: Layout,
}

impl BlobSeeder {
    /// Cuts for the blobs of `layout`.
    #[must_use]
    pub fn new(layout: &Layout) -> Self {
        Self { layout: layout.clone() }
    }
}

impl Seeder for BlobSeeder {
    async fn cuts(&self, position: &str, _listed: usize) -> Result<Vec<String>, StoreError> {
        let KeyKind::Blob(digest) = self.layout.classify(position) else { return Ok(Vec::new()) };
        let seen = u32::from(u16::from_be_bytes([digest.as_bytes()[0], digest.as_bytes()[1]])) + 1;
        let pages = 0x1_0000 / seen;
        let prefix = |shard| self.layout.blob_shard(digest.algorithm(), shard);
        Ok(match pages {
            0..16 => Shard::all().filter(|shard| shard.0 % 16 == 0).map(prefix).collect(),
            16..10_000 => Shard::all().map(prefix).collect(),
            _ => Shard::all().flat_map(|shard| sixteenths(&prefix(shard), shard)).collect(),
        })
    }
}

/// Sixteen cuts of one shard, by the third hex digit of the digest.
fn sixteenths(prefix: &str, shard: Shard) -> Vec<String> {
    "0123456789abcdef".chars().map(|digit| format!("{prefix}{shard}{digit}")).collect()
}

/// Cuts a tree of repositories at its folders, a few levels deep while there are few.
#[derive(Debug)]
pub struct FolderSeeder<S> {
    store: Arc<S>,
    within: String,
    /// How many cuts are worth having.
    enough: usize,
}

impl<S: ReadStore> FolderSeeder<S> {
    /// Cuts for the keys below `within`; `enough` is a small multiple of the number of workers.
    #[must_use]
    pub fn new(store: Arc<S>, within: &str, enough: usize) -> Self {
        Self { store, within: within.to_owned(), enough }
    }
}

/// How many folders are looked into at most; each costs a request.
const PROBES: usize = 16;

impl<S: ReadStore> Seeder for FolderSeeder<S> {
    async fn cuts(&self, position: &str, _listed: usize) -> Result<Vec<String>, StoreError> {
        let mut cuts = self.store.folders(&self.within).await?.prefixes;
        let mut next = 0;
        for _ in 1..PROBES {
            let Some(folder) = cuts.get(next).cloned().filter(|_| cuts.len() < self.enough) else {
                break;
            };
            next += 1;
            // What starts with `_` is the inside of a repository; what was listed needs no cut.
            let is_behind = position > folder.as_str() && !position.starts_with(&folder);
            if !folder[self.within.len()..].contains("/_") && !is_behind {
                cuts.extend(self.store.folders(&folder).await?.prefixes);
            }
        }
        cuts.sort_unstable();
        Ok(thinned(cuts, self.enough.max(1)))
    }
}

/// At most `most` of the cuts, evenly chosen.
fn thinned(cuts: Vec<String>, most: usize) -> Vec<String> {
    let step = cuts.len().div_ceil(most).max(1);
    cuts.into_iter().step_by(step).collect()
}
