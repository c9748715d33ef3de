//! Compares data with its digests.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use checker::{Blobs, Kind, Report, has_data, is_selected};
use lister::ListError;
use monitor::{Counter, Monitor, Stop};
use registry::{Algorithm, Digest, Digester, KeyKind, Layout, Shard, Timestamp};
use serde::Serialize;
use store::{Cursor as _, ErrorKind, Listed, Object, PartStore, StoreError};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::blobs::in_no_repository;
use crate::Failure;
use crate::survey::{Survey, lost, says_something};

/// Memory is handed out in pieces of so many bytes.
const PIECE: u64 = 64 << 10;
/// Blobs are read in parts of so many bytes: each comes within the time of a request also where a connection carries
/// little, and blobs of any size take no more memory.
const PART: u64 = 16 << 20;
/// Contents up to this size, in bytes, are hashed where the caller stands.
const INLINE: usize = 64 << 10;

/// What was compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Verified {
    /// The part that was to be compared.
    pub(crate) percent: u8,
    pub(crate) blobs: u64,
    pub(crate) bytes: u64,
}

/// What comparing gave.
#[derive(Debug, Default)]
pub(super) struct Compared {
    verified: Verified,
    /// Blobs whose content hashes to something else, and to what.
    others: Vec<(Digest, Digest)>,
    unreadable: Vec<Digest>,
}

impl Compared {
    fn merge(&mut self, more: Self) {
        self.verified.blobs += more.verified.blobs;
        self.verified.bytes += more.verified.bytes;
        self.others.extend(more.others);
        self.unreadable.extend(more.unreadable);
    }

    /// Tells what is wrong, and notes it for those who judge images.
    pub(super) fn tell(self, layout: &Layout, blobs: &mut Blobs, report: &mut Report) -> Verified {
        for (digest, actual) in self.others {
            let detail = format!("hashes to {actual}");
            report.add(in_no_repository(Kind::WrongContent, &layout.blob(&digest), &detail));
            blobs.add_other(digest);
        }
        for digest in self.unreadable {
            report.add(in_no_repository(Kind::Unreadable, &layout.blob(&digest), ""));
            blobs.add_unreadable(digest);
        }
        self.verified
    }
}

/// Reads the part of all blobs whose turn it is, and compares.
pub(super) async fn verify<S: PartStore>(
    survey: Survey<'_, S>,
    algorithms: &BTreeSet<Algorithm>,
    percent: u8,
) -> Result<Compared, Failure> {
    let within = survey.layout.blobs();
    let failed = |source| ListError::Store { within: within.as_str().into(), source };
    let now = survey.store.now().await.map_err(failed)?;
    let room = (survey.memory as u64 / 2 / PIECE).clamp(1, u64::from(u32::MAX >> 3));
    let reader = Arc::new(Reader {
        store: Arc::clone(survey.store),
        layout: survey.layout.clone(),
        percent,
        now,
        part: PART.min(room * PIECE),
        pieces: Semaphore::new(usize::try_from(room).unwrap_or(1)),
        monitor: Arc::clone(survey.monitor),
        stop: Arc::clone(survey.stop),
    });
    let shards = algorithms.iter().flat_map(|&algorithm| Shard::all().map(move |s| (algorithm, s)));
    let work = move |(algorithm, shard)| {
        let reader = Arc::clone(&reader);
        async move { reader.verify(algorithm, shard).await }
    };
    let parts = crew::each(shards.collect(), survey.width, work, lost).await?;
    let mut all = Compared::default();
    for part in parts {
        all.merge(part);
    }
    all.verified.percent = percent;
    Ok(all)
}

struct Reader<S> {
    store: Arc<S>,
    layout: Layout,
    percent: u8,
    now: Timestamp,
    /// How many bytes are read at once, at most.
    part: u64,
    /// Of memory.
    pieces: Semaphore,
    monitor: Arc<Monitor>,
    stop: Arc<Stop>,
}

impl<S: PartStore> Reader<S> {
    /// Compares the blobs of a shard, one after the other.
    async fn verify(&self, algorithm: Algorithm, shard: Shard) -> Result<Compared, Failure> {
        let within = self.layout.blob_shard(algorithm, shard);
        let mut compared = Compared::default();
        let mut cursor = self.store.list(&within, "");
        while let Some(page) = cursor.next().await.map_err(|source| failed(&within, source))? {
            for listed in page {
                if let Some((digest, object)) = self.selected(&listed) {
                    self.compare(digest, object, &mut compared).await?;
                }
            }
        }
        Ok(compared)
    }

    fn selected<'l>(&self, listed: &'l Listed) -> Option<(Digest, &'l Object)> {
        let (KeyKind::Blob(digest), Some(object)) =
            (self.layout.classify(listed.key()), listed.object())
        else {
            return None;
        };
        let is_wanted = has_data(&digest, object.size);
        (is_wanted && is_selected(&digest, self.percent, self.now)).then_some((digest, object))
    }

    async fn compare(
        &self,
        digest: Digest,
        object: &Object,
        compared: &mut Compared,
    ) -> Result<(), Failure> {
        if self.stop.is_asked() {
            return Err(Failure::Stopped { is_sweeping: false });
        }
        let pieces = object.size.min(self.part).div_ceil(PIECE).max(1);
        // The semaphore is never closed; if it were, reading one more would still be right.
        let _permit = self.pieces.acquire_many(u32::try_from(pieces).unwrap_or(1)).await.ok();
        match self.hash(digest, object).await {
            Ok(actual) => self.count(digest, actual, object.size, compared),
            Err(error) if error.kind == ErrorKind::NotFound => {}
            Err(error) if says_something(error.kind) => compared.unreadable.push(digest),
            Err(source) => return Err(failed(&object.key, source)),
        }
        Ok(())
    }

    fn count(&self, digest: Digest, actual: Digest, size: u64, compared: &mut Compared) {
        self.monitor.count(Counter::VerifiedBlobs, 1);
        self.monitor.count(Counter::VerifiedBytes, size);
        compared.verified.blobs += 1;
        compared.verified.bytes += size;
        compared.others.extend((actual != digest).then_some((digest, actual)));
    }

    /// What the content hashes to. One that is not right is read once more: it may have been seen while it was written.
    async fn hash(&self, digest: Digest, object: &Object) -> Result<Digest, StoreError> {
        let first = self.hash_once(digest, object).await?;
        if first == digest {
            return Ok(first);
        }
        self.hash_once(digest, object).await
    }

    async fn hash_once(&self, digest: Digest, object: &Object) -> Result<Digest, StoreError> {
        let mut digester = Digester::new(digest.algorithm());
        // One byte more than was listed, or it would not be known that there is more.
        let (mut start, size) = (0_u64, object.size.saturating_add(1));
        loop {
            let end = size.min(start.saturating_add(self.part));
            let content = self.store.get_part(&object.key, start..end).await?;
            // Where fewer bytes came than were asked for, the object ends, whatever the listing said.
            let is_last = (content.len() as u64) < end - start || end == size;
            digester = update(digester, content).await;
            if is_last {
                return Ok(digester.finish());
            }
            start = end;
        }
    }
}

async fn update(mut digester: Digester, content: Bytes) -> Digester {
    if content.len() > INLINE {
        let (mut other, content) = (digester.clone(), content.clone());
        let hashed = spawn_blocking(move || {
            other.update(&content);
            other
        });
        // Where the other thread is lost, this one does it.
        if let Ok(hashed) = hashed.await {
            return hashed;
        }
    }
    digester.update(&content);
    digester
}

fn failed(within: &str, source: StoreError) -> Failure {
    ListError::Store { within: within.into(), source }.into()
}

#[cfg(test)]
mod tests {
    use store::MemoryStore;

    use super::*;

    #[tokio::test]
    async fn an_object_that_is_listed_as_endless_ends_where_it_does() {
        let (content, layout) = (b"not that long", Layout::new(""));
        let (digest, store) = (Digest::sha256(content), MemoryStore::new());
        let key = layout.blob(&digest);
        store.put(&key, content.to_vec(), Timestamp::default());
        let reader = Reader {
            store: Arc::new(store),
            layout,
            percent: 100,
            now: Timestamp::default(),
            part: PIECE,
            pieces: Semaphore::new(1),
            monitor: Arc::default(),
            stop: Arc::default(),
        };
        let (key, modified) = (key.as_str().into(), Timestamp::default());
        let object = Object { key, size: u64::MAX, modified, etag: None };
        assert_eq!(reader.hash_once(digest, &object).await.unwrap(), digest);
    }
}
