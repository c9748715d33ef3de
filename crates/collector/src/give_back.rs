//! Giving back: data first, then every link that was taken (G8).

use std::sync::Arc;

use bytes::Bytes;
use ledger::GenerationId;
use monitor::{Counter, Phase as Progress};
use registry::Timestamp;
use store::{
    Condition, DeleteBatch, ErrorKind, Marker, PutBack, RestoreStore, StoreError, Trashed, Version,
    WriteStore,
};

use crate::blobs::{Blob, TakenLink};
use crate::collector::Done;
use crate::error::Unsent;
use crate::{CollectError, Collector, Surroundings};

impl<S, R> Collector<S, R>
where
    S: RestoreStore + WriteStore,
    R: Surroundings,
    R::Error: std::error::Error + 'static,
{
    /// Gives blobs of a generation back; of how many the data had to come back. Again is harmless.
    pub(crate) async fn give_back(&mut self, of: &GenerationId, blobs: &[Blob]) -> Done<u64, R> {
        self.monitor.enter(Progress::Restoring);
        let all: Vec<&Blob> = blobs.iter().collect();
        let there = self.look_at(&all).await?;
        let gone = all.iter().zip(there).filter(|(_, modified)| modified.is_none());
        let gone: Vec<&Blob> = gone.map(|(blob, _)| *blob).collect();
        let mut restored = 0;
        for blob in gone {
            restored += u64::from(self.restore(of, blob).await?);
        }
        self.monitor.count(Counter::RestoredObjects, restored);
        let links = blobs.iter().flat_map(|blob| blob.links.iter().cloned()).collect();
        self.report.given_back += self.write_links(links).await?;
        Ok(restored)
    }

    /// When the data of each was last written; none where there is none.
    pub(crate) async fn look_at(&self, blobs: &[&Blob]) -> Done<Vec<Option<Timestamp>>, R> {
        let mut times = Vec::with_capacity(blobs.len());
        for some in blobs.chunks(DeleteBatch::LIMIT) {
            let keys = some.iter().map(|blob| blob.key.clone()).collect();
            let looked = self.store.look(keys).await?;
            times.extend(looked.into_iter().map(|object| object.map(|object| object.modified)));
        }
        Ok(times)
    }

    /// Brings the data of a blob back: from under its delete markers, or from the trash; whether that was possible. What
    /// has another size is not what was deleted.
    async fn restore(&mut self, of: &GenerationId, blob: &Blob) -> Done<bool, R> {
        let versions = self.store.versions(&blob.key).await?;
        let markers: Vec<Marker> = versions.iter().map_while(marker).collect();
        match versions.get(markers.len()) {
            Some(Version::Object { size, .. }) if *size == blob.size => {
                for marker in markers {
                    self.unmark(blob, marker).await?;
                }
                Ok(true)
            }
            _ => self.put_back(of, blob).await,
        }
    }

    async fn unmark(&self, blob: &Blob, marker: Marker) -> Done<(), R> {
        for outcome in self.store.unmark(&[marker]).await? {
            let key = blob.key.clone();
            outcome.map_err(|source| CollectError::NotBack { key, source })?;
        }
        Ok(())
    }

    async fn put_back(&mut self, of: &GenerationId, blob: &Blob) -> Done<bool, R> {
        if let Some(place) = self.around.trash_of(of).key_of(&blob.key) {
            let object = Trashed { key: blob.key.clone(), trash: place.into() };
            for outcome in self.store.put_back(&[object]).await? {
                let key = blob.key.clone();
                match outcome.map_err(|source| CollectError::NotBack { key, source })? {
                    PutBack::Restored | PutBack::Present => return Ok(true),
                    PutBack::Absent => {}
                }
            }
        }
        tracing::error!(key = &*blob.key, "needed, and nowhere");
        self.report.lost.push(blob.key.clone());
        Ok(false)
    }

    /// Writes links where there are none; how many.
    async fn write_links(&self, links: Vec<TakenLink>) -> Done<u64, R> {
        let (store, is_conditional) = (Arc::clone(&self.store), self.settings.conditional);
        let write = move |link: TakenLink| {
            let store = Arc::clone(&store);
            async move { write_link(store.as_ref(), link, is_conditional).await }
        };
        let written = crew::each(links, self.settings.width, write, Unsent::Lost).await?;
        Ok(written.iter().map(|is_new| u64::from(*is_new)).sum())
    }
}

fn marker(version: &Version) -> Option<Marker> {
    match version {
        Version::Marker(marker) => Some(marker.clone()),
        Version::Object { .. } => None,
    }
}

/// Writes a link, unless somebody else did.
async fn write_link<S: WriteStore>(
    store: &S,
    link: TakenLink,
    is_conditional: bool,
) -> Result<bool, Unsent> {
    let condition = if is_conditional { Condition::Absent } else { Condition::None };
    let text = Bytes::copy_from_slice(link.text.as_bytes());
    match store.write(&link.key, text, &condition).await {
        Ok(_) => Ok(true),
        Err(StoreError { kind: ErrorKind::Precondition, .. }) => Ok(false),
        Err(error) => Err(Unsent::Store(error)),
    }
}
