//! First cuts of a listing.

use std::future::Future;
use std::sync::Arc;

use registry::{KeyKind, Layout, Shard};
use store::{ErrorKind, Folders, Operation, ReadStore, StoreError};
use tokio::task::{JoinError, JoinSet};

/// Knows where to cut a listing: before anything of it is listed, or what remains after its first page.
pub trait Seeder: Send + Sync + 'static {
    /// Cuts for the keys after `position`, the last key of the first page; empty before that. Any order; cuts that lie
    /// elsewhere are ignored.
    ///
    /// # Errors
    /// Where looking for cuts failed; the listing could go on without, but a store that fails here fails there.
    fn cuts(&self, position: &str) -> impl Future<Output = Result<Vec<String>, StoreError>> + Send;
}

/// No cuts: idle workers find their own.
#[derive(Clone, Copy, Debug)]
pub struct NoSeeder;

impl Seeder for NoSeeder {
    async fn cuts(&self, _position: &str) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }
}

/// Cuts blobs evenly: digests are uniform, so the first page tells how many pages there are. Before it, into as many
/// parts as there are hex digits.
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
    async fn cuts(&self, position: &str) -> Result<Vec<String>, StoreError> {
        if position.is_empty() {
            return Ok(by_digest(&format!("{}sha256/", self.layout.blobs())));
        }
        let KeyKind::Blob(digest) = self.layout.classify(position) else { return Ok(Vec::new()) };
        let seen = u32::from(u16::from_be_bytes([digest.as_bytes()[0], digest.as_bytes()[1]])) + 1;
        let parts = (0x1_0000 / seen / PAGES_OF_A_RANGE).clamp(1, MOST_PARTS);
        let cut = |part| {
            let beginning = u16::try_from(part * 0x1_0000 / parts).unwrap_or(u16::MAX);
            let shard = Shard(beginning.to_be_bytes()[0]);
            format!("{}{beginning:04x}", self.layout.blob_shard(digest.algorithm(), shard))
        };
        Ok((1..parts).map(cut).collect())
    }
}

/// A range may cost a page more than it has keys for, so it should have a few.
const PAGES_OF_A_RANGE: u32 = 8;
/// Into so many parts a listing is cut at most, as the end of each costs a page that another reads again; idle workers
/// cut on.
const MOST_PARTS: u32 = 1024;

/// Cuts a tree of repositories at its folders, level by level while there are few, and large repositories by digest.
#[derive(Debug)]
pub struct FolderSeeder<S> {
    store: Arc<S>,
    within: String,
    /// How many cuts are worth having.
    enough: usize,
    /// How many folders are looked into at once.
    workers: usize,
}

/// So many cuts for each worker are worth having.
const CUTS_OF_A_WORKER: usize = 4;

impl<S: ReadStore> FolderSeeder<S> {
    /// Cuts for the keys below `within`, for so many workers.
    #[must_use]
    pub fn new(store: Arc<S>, within: &str, workers: usize) -> Self {
        let workers = workers.max(1);
        Self { store, within: within.to_owned(), enough: workers * CUTS_OF_A_WORKER, workers }
    }

    /// Where to cut inside each folder, as many asked at once as there are workers (G12): they wait for the cuts. Where
    /// nobody waits for the store, the thread that stands here is as fast as those it would have to wake.
    async fn inside(&self, folders: Vec<String>) -> Result<Vec<Vec<String>>, StoreError> {
        let in_place = self.store.abilities().reads_in_place;
        let mut asked = JoinSet::new();
        let mut inside = vec![Vec::new(); folders.len()];
        for (at, folder) in folders.into_iter().enumerate() {
            if let Some(cuts) = self.known_inside(&folder) {
                inside[at] = cuts;
                continue;
            }
            if in_place {
                inside[at] = self.store.folders(&folder).await?.prefixes;
                continue;
            }
            if asked.len() == self.workers {
                self.take_one(&mut asked, &mut inside).await?;
            }
            let store = Arc::clone(&self.store);
            asked.spawn(async move { (at, store.folders(&folder).await) });
        }
        while !asked.is_empty() {
            self.take_one(&mut asked, &mut inside).await?;
        }
        Ok(inside)
    }

    /// Waits for one of the answers.
    async fn take_one(
        &self,
        asked: &mut JoinSet<(usize, Result<Folders, StoreError>)>,
        inside: &mut [Vec<String>],
    ) -> Result<(), StoreError> {
        let lost = |error: JoinError| {
            StoreError::new(Operation::List, &self.within, ErrorKind::Fatal).because(error)
        };
        if let Some(answer) = asked.join_next().await {
            let (at, folders) = answer.map_err(lost)?;
            inside[at] = folders?.prefixes;
        }
        Ok(())
    }

    /// Where to cut inside `folder`, where the layout says it.
    fn known_inside(&self, folder: &str) -> Option<Vec<String>> {
        if folder.ends_with("/_layers/") {
            return Some(by_digest(&format!("{folder}sha256/")));
        }
        if folder.ends_with("/_manifests/") {
            let mut cuts = by_digest(&format!("{folder}revisions/sha256/"));
            cuts.push(format!("{folder}tags/"));
            return Some(cuts);
        }
        folder[self.within.len()..].contains("/_").then(Vec::new)
    }
}

/// How many folders below the first are looked into at most; each may cost a request.
const PROBES: usize = 15;

impl<S: ReadStore> Seeder for FolderSeeder<S> {
    async fn cuts(&self, position: &str) -> Result<Vec<String>, StoreError> {
        let is_ahead =
            |folder: &String| *folder.as_str() > *position || position.starts_with(folder);
        let mut level = self.store.folders(&self.within).await?.prefixes;
        let all = level.len();
        level.retain(is_ahead);
        // The first page tells how many pages there are, where it went past any folder.
        let pages = all.checked_div(all - level.len()).unwrap_or(usize::MAX);
        let enough = self.enough.min(pages / PAGES_OF_A_RANGE as usize);
        let mut probes = PROBES;
        let mut cuts = thinned(level.clone(), enough);
        while cuts.len() < enough && probes > 0 && !level.is_empty() {
            let chosen = thinned(level, probes);
            let share = enough.div_ceil(chosen.len());
            probes -= chosen.len();
            level = Vec::new();
            for mut inside in self.inside(chosen).await? {
                inside.retain(is_ahead);
                level.extend(thinned(inside, share));
            }
            cuts.extend_from_slice(&level);
        }
        cuts.retain(|cut| cut.as_str() > position);
        Ok(cuts)
    }
}

/// Sixteen cuts by the first hex digit of a digest.
fn by_digest(prefix: &str) -> Vec<String> {
    "0123456789abcdef".chars().map(|digit| format!("{prefix}{digit}")).collect()
}

/// At most `most` of the cuts, evenly chosen.
fn thinned(cuts: Vec<String>, most: usize) -> Vec<String> {
    let step = cuts.len().div_ceil(most.max(1)).max(1);
    cuts.into_iter().step_by(step).take(most).collect()
}

#[cfg(test)]
mod tests;
