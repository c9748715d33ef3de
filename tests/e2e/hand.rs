//! A store in which a test has its hand: it sees every request, and may hold, refuse or follow it.

use std::future::{Future, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use registry::{Digest, Timestamp};
use store::{
    Abilities, Condition, Content, Cursor, DeleteBatch, DeleteStore, ErrorKind, Folders,
    KeyFailure, KeyOutcome, Listed, Marker, MemoryStore, MultipartPage, MultipartPlace,
    MultipartStore, MultipartUpload, Object, Operation, Parts, PutBack, ReadStore, RestoreStore,
    StoreError, Token, Trashed, Version, Versioned, WriteStore,
};

/// A request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Call<'a> {
    Now,
    Folders,
    /// A page of a listing, and whether it is the first of it.
    List {
        within: &'a str,
        is_first: bool,
    },
    Look,
    Get(&'a str),
    Delete(&'a DeleteBatch),
    Write,
    /// One of those that bring something back.
    Restore,
    /// One for incomplete multipart uploads, or the parts of one.
    Uploads,
    /// One to the registry's cache.
    Cache,
}

/// What a listing hands out.
pub(crate) type Page = Option<Vec<Listed>>;

/// What a test does with requests.
pub(crate) trait Hand: Send + Sync + 'static {
    /// Before a request is carried out; an error is its answer.
    fn before(&self, _: Call<'_>) -> impl Future<Output = Result<(), StoreError>> + Send {
        ready(Ok(()))
    }

    /// After a page was listed: what is handed out in its place.
    fn listed(&self, _: Call<'_>, page: Page) -> Result<Page, StoreError> {
        Ok(page)
    }

    /// After a delete request was carried out: the outcomes that are handed out in place of its own.
    fn deleted(&self, outcomes: Vec<KeyOutcome>) -> Vec<KeyOutcome> {
        outcomes
    }

    /// After a request was carried out and before its answer is told.
    fn after(&self, _: Call<'_>) {}
}

/// A store with a hand in it.
#[derive(Clone)]
pub(crate) struct Handled<H, S = MemoryStore> {
    inner: S,
    hand: Arc<H>,
}

impl<H, S: Clone> Handled<H, S> {
    pub(crate) fn new(inner: &S, hand: &Arc<H>) -> Self {
        Self { inner: inner.clone(), hand: Arc::clone(hand) }
    }
}

pub(crate) struct HandledCursor<H, C> {
    inner: C,
    hand: Arc<H>,
    within: String,
    is_first: bool,
}

impl<H: Hand, C: Cursor> Cursor for HandledCursor<H, C> {
    async fn next(&mut self) -> Result<Page, StoreError> {
        let call = Call::List { within: &self.within, is_first: self.is_first };
        self.hand.before(call).await?;
        let page = self.inner.next().await?;
        self.is_first = false;
        let page = self.hand.listed(call, page);
        self.hand.after(call);
        page
    }

    fn end_at(&mut self, until: &str) {
        self.inner.end_at(until);
    }
}

impl<H: Hand, S> Handled<H, S> {
    /// Tells the hand of a request that goes elsewhere.
    pub(crate) async fn call_out(&self, call: Call<'_>) -> Result<(), StoreError> {
        self.hand.before(call).await
    }

    async fn call<T>(
        &self,
        call: Call<'_>,
        request: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.hand.before(call).await?;
        let answer = request.await;
        self.hand.after(call);
        answer
    }
}

#[deny(clippy::missing_trait_methods)]
impl<H: Hand, S: ReadStore> ReadStore for Handled<H, S> {
    type Cursor = HandledCursor<H, S::Cursor>;

    fn list(&self, within: &str, after: &str) -> Self::Cursor {
        HandledCursor {
            inner: self.inner.list(within, after),
            hand: Arc::clone(&self.hand),
            within: within.to_owned(),
            is_first: true,
        }
    }

    async fn folders(&self, within: &str) -> Result<Folders, StoreError> {
        self.call(Call::Folders, self.inner.folders(within)).await
    }

    async fn look(&self, keys: Vec<Box<str>>) -> Result<Vec<Option<Object>>, StoreError> {
        self.call(Call::Look, self.inner.look(keys)).await
    }

    async fn get(&self, key: &str, at_most: u64) -> Result<Bytes, StoreError> {
        self.call(Call::Get(key), self.inner.get(key, at_most)).await
    }

    async fn get_content(
        &self,
        key: &str,
        digest: &Digest,
        at_most: u64,
    ) -> Result<Content, StoreError> {
        self.call(Call::Get(key), self.inner.get_content(key, digest, at_most)).await
    }

    async fn now(&self) -> Result<Timestamp, StoreError> {
        self.call(Call::Now, self.inner.now()).await
    }

    fn identity(&self) -> &str {
        self.inner.identity()
    }

    fn abilities(&self) -> Abilities {
        self.inner.abilities()
    }
}

#[deny(clippy::missing_trait_methods)]
impl<H: Hand, S: DeleteStore> DeleteStore for Handled<H, S> {
    async fn delete(&self, batch: &DeleteBatch) -> Result<Vec<KeyOutcome>, StoreError> {
        let answer = self.call(Call::Delete(batch), self.inner.delete(batch)).await;
        answer.map(|outcomes| self.hand.deleted(outcomes))
    }
}

#[deny(clippy::missing_trait_methods)]
impl<H: Hand, S: WriteStore> WriteStore for Handled<H, S> {
    async fn read(&self, key: &str, at_most: u64) -> Result<Versioned, StoreError> {
        self.call(Call::Get(key), self.inner.read(key, at_most)).await
    }

    async fn write(
        &self,
        key: &str,
        content: Bytes,
        condition: &Condition,
    ) -> Result<Token, StoreError> {
        self.call(Call::Write, self.inner.write(key, content, condition)).await
    }

    fn conditional_puts(&self) -> Option<bool> {
        self.inner.conditional_puts()
    }
}

#[deny(clippy::missing_trait_methods)]
impl<H: Hand, S: MultipartStore> MultipartStore for Handled<H, S> {
    async fn multipart_uploads(
        &self,
        within: &str,
        after: Option<&MultipartPlace>,
    ) -> Result<Option<MultipartPage>, StoreError> {
        self.call(Call::Uploads, self.inner.multipart_uploads(within, after)).await
    }

    async fn parts(&self, upload: &MultipartUpload) -> Result<Option<Parts>, StoreError> {
        self.call(Call::Uploads, self.inner.parts(upload)).await
    }
}

#[deny(clippy::missing_trait_methods)]
impl<H: Hand, S: RestoreStore> RestoreStore for Handled<H, S> {
    async fn versions(&self, key: &str) -> Result<Vec<Version>, StoreError> {
        self.call(Call::Restore, self.inner.versions(key)).await
    }

    async fn unmark(&self, markers: &[Marker]) -> Result<Vec<Result<(), KeyFailure>>, StoreError> {
        self.call(Call::Restore, self.inner.unmark(markers)).await
    }

    async fn keeps_versions(&self) -> Result<bool, StoreError> {
        self.call(Call::Restore, self.inner.keeps_versions()).await
    }

    async fn put_back(
        &self,
        objects: &[Trashed],
    ) -> Result<Vec<Result<PutBack, KeyFailure>>, StoreError> {
        self.call(Call::Restore, self.inner.put_back(objects)).await
    }
}

/// Fails to read a key, so many times.
pub(crate) struct Failing {
    key: String,
    kind: ErrorKind,
    times: u64,
    failed: AtomicU64,
}

impl Failing {
    pub(crate) fn new(key: &str, kind: ErrorKind, times: u64) -> Self {
        Self { key: key.to_owned(), kind, times, failed: AtomicU64::new(0) }
    }

    /// How often it did.
    pub(crate) fn failed(&self) -> u64 {
        self.failed.load(Ordering::SeqCst)
    }
}

impl Hand for Failing {
    async fn before(&self, call: Call<'_>) -> Result<(), StoreError> {
        match call {
            Call::Get(key) if key == self.key && self.failed() < self.times => {
                self.failed.fetch_add(1, Ordering::SeqCst);
                Err(StoreError::new(Operation::Get, key, self.kind))
            }
            _ => Ok(()),
        }
    }
}
