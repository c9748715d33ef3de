//! Giving back: data first, then every link that was taken (G8).

use std::sync::Arc;

use bytes::Bytes;
use ledger::GenerationId;
use monitor::{Counter, Phase as Progress};
use registry::Timestamp;
use store::{
    Condition, DeleteBatch, ErrorKind, KeyFailure, Marker, Object, Operation, PutBack, ReadStore,
    RestoreStore, StoreError, Trash, Trashed, Version, WriteStore,
};

use crate::answer::in_full;
use crate::blobs::{Blob, TakenLink};
use crate::collector::Done;
use crate::error::Unsent;
use crate::{Collector, Stubborn, Surroundings};

/// What was given back.
#[derive(Debug, Default)]
pub(crate) struct Given {
    /// Blobs that need nothing any more: they are back, or nobody has them.
    pub(crate) back: Vec<Blob>,
    /// Of how many the data had to come back.
    pub(crate) restored: u64,
}

impl<S, R> Collector<S, R>
where
    S: RestoreStore + WriteStore,
    R: Surroundings,
    R::Error: std::error::Error + 'static,
{
    /// Gives blobs of a generation back. Again is harmless. What the store does not bring back is told and left out; links to
    /// what nobody has are not written.
    pub(crate) async fn give_back(
        &mut self,
        of: &GenerationId,
        blobs: Vec<Blob>,
    ) -> Done<Given, R> {
        self.monitor.enter(Progress::Restoring);
        let there = self.look_at(&blobs.iter().collect::<Vec<_>>()).await?;
        let giver = Giver {
            store: Arc::clone(&self.store),
            trash: self.around.trash_of(of),
            width: self.settings.width,
            conditional: self.settings.conditional,
        };
        let (mut done, mut linked) = (Given::default(), Vec::new());
        for (blob, there) in blobs.into_iter().zip(there) {
            let is_back = match there {
                Some(_) => true,
                None => match giver.restore(vec![blob.clone()]).await {
                    Ok(back) => {
                        done.restored +=
                            back.iter().map(|is_back| u64::from(*is_back)).sum::<u64>();
                        back.contains(&true)
                    }
                    Err(Unsent::NotBack { key, source }) => {
                        let message = source.to_string();
                        self.report.not_back.push(Stubborn { key, message });
                        continue;
                    }
                    Err(error) => return Err(error.into()),
                },
            };
            if is_back {
                linked.extend(blob.links.iter().cloned());
            } else {
                tracing::error!(key = &*blob.key, "needed, and nowhere");
                self.report.lost.push(blob.key.clone());
            }
            done.back.push(blob);
        }
        self.monitor.count(Counter::RestoredObjects, done.restored);
        self.report.given_back += giver.write_links(linked).await?;
        Ok(done)
    }

    /// When the data of each was last written; none where there is none.
    pub(crate) async fn look_at(&self, blobs: &[&Blob]) -> Done<Vec<Option<Timestamp>>, R> {
        let keys = blobs.iter().map(|blob| blob.key.clone()).collect();
        let found = look_for(self.store.as_ref(), keys).await?;
        Ok(found.into_iter().map(|object| object.map(|object| object.modified)).collect())
    }
}

/// Looks for objects, in their order.
pub(crate) async fn look_for<S: ReadStore>(
    store: &S,
    keys: Vec<Box<str>>,
) -> Result<Vec<Option<Object>>, StoreError> {
    let mut found = Vec::with_capacity(keys.len());
    for some in keys.chunks(DeleteBatch::LIMIT) {
        let seen = store.look(some.to_vec()).await?;
        found.extend(in_full(seen, some.len(), Operation::Look, store.identity())?);
    }
    Ok(found)
}

/// What brings the objects of one generation back.
#[derive(Debug)]
pub(crate) struct Giver<S> {
    pub(crate) store: Arc<S>,
    /// Where the data would have gone, filled or not.
    pub(crate) trash: Trash,
    /// How many requests may be in flight.
    pub(crate) width: usize,
    /// Whether the store looks at conditions.
    pub(crate) conditional: bool,
}

impl<S: RestoreStore + WriteStore> Giver<S> {
    /// Brings the data of blobs back that is gone; of each whether that was possible.
    pub(crate) async fn restore(&self, blobs: Vec<Blob>) -> Result<Vec<bool>, Unsent> {
        let (store, trash) = (Arc::clone(&self.store), self.trash.clone());
        let restore = move |blob: Blob| {
            let (store, trash) = (Arc::clone(&store), trash.clone());
            async move { restore(store.as_ref(), &trash, &blob).await }
        };
        crew::each(blobs, self.width, restore, Unsent::Lost).await
    }

    /// Whether the data of blobs that is gone could come back, of each.
    pub(crate) async fn is_kept(&self, blobs: Vec<Blob>) -> Result<Vec<bool>, Unsent> {
        let (store, trash) = (Arc::clone(&self.store), self.trash.clone());
        let is_kept = move |blob: Blob| {
            let (store, trash) = (Arc::clone(&store), trash.clone());
            async move { is_kept(store.as_ref(), &trash, &blob).await.map_err(Unsent::Store) }
        };
        crew::each(blobs, self.width, is_kept, Unsent::Lost).await
    }

    /// Writes links where there are none; how many.
    pub(crate) async fn write_links(&self, links: Vec<TakenLink>) -> Result<u64, Unsent> {
        let (store, is_conditional) = (Arc::clone(&self.store), self.conditional);
        let write = move |link: TakenLink| {
            let store = Arc::clone(&store);
            async move { write_link(store.as_ref(), link, is_conditional).await }
        };
        let written = crew::each(links, self.width, write, Unsent::Lost).await?;
        Ok(written.iter().map(|is_new| u64::from(*is_new)).sum())
    }
}

/// Brings the data of a blob back: from the trash, or from under its delete markers; whether that was possible.
async fn restore<S: RestoreStore>(store: &S, trash: &Trash, blob: &Blob) -> Result<bool, Unsent> {
    // A store that has a trash may have no versions to ask for.
    if put_back(store, trash, blob).await? {
        return Ok(true);
    }
    let Some(markers) = hidden(store, blob).await.map_err(Unsent::Store)? else {
        return Ok(false);
    };
    for marker in markers {
        let outcomes = store.unmark(&[marker]).await;
        let outcomes = outcomes.and_then(|all| in_full(all, 1, Operation::Restore, &blob.key));
        for outcome in outcomes.map_err(Unsent::Store)? {
            outcome.map_err(|source| not_back(blob, source))?;
        }
    }
    Ok(true)
}

/// The delete markers over the data of a blob; none where it is not below them. What has another size is not what was
/// deleted.
async fn hidden<S: RestoreStore>(
    store: &S,
    blob: &Blob,
) -> Result<Option<Vec<Marker>>, StoreError> {
    let versions = store.versions(&blob.key).await?;
    let markers: Vec<Marker> = versions.iter().map_while(marker).collect();
    let is_below = matches!(
        versions.get(markers.len()),
        Some(Version::Object { size, .. }) if *size == blob.size
    );
    Ok(is_below.then_some(markers))
}

async fn put_back<S: RestoreStore>(store: &S, trash: &Trash, blob: &Blob) -> Result<bool, Unsent> {
    let Some(place) = trash.key_of(&blob.key) else { return Ok(false) };
    let object = Trashed { key: blob.key.clone(), trash: place.into() };
    let outcomes = store.put_back(&[object]).await;
    let outcomes = outcomes.and_then(|all| in_full(all, 1, Operation::Restore, &blob.key));
    for outcome in outcomes.map_err(Unsent::Store)? {
        match outcome.map_err(|source| not_back(blob, source))? {
            PutBack::Restored | PutBack::Present => return Ok(true),
            PutBack::Absent => {}
        }
    }
    Ok(false)
}

async fn is_kept<S: RestoreStore>(
    store: &S,
    trash: &Trash,
    blob: &Blob,
) -> Result<bool, StoreError> {
    if let Some(place) = trash.key_of(&blob.key)
        && store.look(vec![place.into()]).await?.iter().any(Option::is_some)
    {
        return Ok(true);
    }
    Ok(hidden(store, blob).await?.is_some())
}

fn not_back(blob: &Blob, source: KeyFailure) -> Unsent {
    Unsent::NotBack { key: blob.key.clone(), source }
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
