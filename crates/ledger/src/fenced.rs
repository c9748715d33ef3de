//! A store that changes nothing once the lease is lost.

use bytes::Bytes;
use registry::{Digest, Timestamp};
use store::{
    Abilities, Condition, Content, DeleteBatch, DeleteStore, ErrorKind, Folders, KeyFailure,
    KeyOutcome, Marker, MultipartPage, MultipartPlace, MultipartStore, MultipartUpload, Object,
    Operation, Parts, Permit, PutBack, ReadStore, RestoreStore, StoreError, Token, Trashed,
    Version, Versioned, WriteStore,
};

use crate::Held;

/// A store whose requests are sent only while a lease is held. Belongs below all that waits or asks again, right around
/// the store itself, so that the lease is looked at when the request is sent and not when it was wanted. The lease itself
/// is written past it.
#[derive(Debug)]
pub struct Fenced<S> {
    store: S,
    held: Held,
}

impl<S> Fenced<S> {
    /// Puts the fence around `store`.
    pub fn new(store: S, held: Held) -> Self {
        Self { store, held }
    }

    fn check(&self, operation: Operation, subject: &str) -> Result<(), StoreError> {
        let check = self.held.check_now();
        check.map_err(|lost| StoreError::new(operation, subject, ErrorKind::Fatal).because(lost))
    }
}

#[deny(clippy::missing_trait_methods)]
impl<S: ReadStore> ReadStore for Fenced<S> {
    type Cursor = S::Cursor;

    fn list(&self, within: &str, after: &str) -> Self::Cursor {
        self.store.list(within, after)
    }

    async fn look(&self, keys: Vec<Box<str>>) -> Result<Vec<Option<Object>>, StoreError> {
        self.store.look(keys).await
    }

    async fn folders(&self, within: &str) -> Result<Folders, StoreError> {
        self.store.folders(within).await
    }

    async fn get(&self, key: &str, at_most: u64) -> Result<Bytes, StoreError> {
        self.store.get(key, at_most).await
    }

    async fn get_content(
        &self,
        key: &str,
        digest: &Digest,
        at_most: u64,
    ) -> Result<Content, StoreError> {
        self.store.get_content(key, digest, at_most).await
    }

    async fn now(&self) -> Result<Timestamp, StoreError> {
        self.store.now().await
    }

    fn identity(&self) -> &str {
        self.store.identity()
    }

    fn abilities(&self) -> Abilities {
        self.store.abilities()
    }
}

#[deny(clippy::missing_trait_methods)]
impl<S: DeleteStore> DeleteStore for Fenced<S> {
    async fn delete(&self, batch: &DeleteBatch) -> Result<Vec<KeyOutcome>, StoreError> {
        self.check(Operation::Delete, self.store.identity())?;
        let held = self.held.clone();
        let permit = Permit::new(move || held.check_now().is_ok());
        self.store.delete(&batch.clone().permitted_by(permit)).await
    }
}

#[deny(clippy::missing_trait_methods)]
impl<S: WriteStore> WriteStore for Fenced<S> {
    async fn read(&self, key: &str, at_most: u64) -> Result<Versioned, StoreError> {
        self.store.read(key, at_most).await
    }

    async fn write(
        &self,
        key: &str,
        content: Bytes,
        condition: &Condition,
    ) -> Result<Token, StoreError> {
        self.check(Operation::Write, key)?;
        self.store.write(key, content, condition).await
    }

    fn conditional_puts(&self) -> Option<bool> {
        self.store.conditional_puts()
    }
}

#[deny(clippy::missing_trait_methods)]
impl<S: MultipartStore> MultipartStore for Fenced<S> {
    async fn multipart_uploads(
        &self,
        within: &str,
        after: Option<&MultipartPlace>,
    ) -> Result<Option<MultipartPage>, StoreError> {
        self.store.multipart_uploads(within, after).await
    }

    async fn parts(&self, upload: &MultipartUpload) -> Result<Option<Parts>, StoreError> {
        self.store.parts(upload).await
    }
}

#[deny(clippy::missing_trait_methods)]
impl<S: RestoreStore> RestoreStore for Fenced<S> {
    async fn versions(&self, key: &str) -> Result<Vec<Version>, StoreError> {
        self.store.versions(key).await
    }

    async fn unmark(&self, markers: &[Marker]) -> Result<Vec<Result<(), KeyFailure>>, StoreError> {
        self.check(Operation::Restore, self.store.identity())?;
        self.store.unmark(markers).await
    }

    async fn keeps_versions(&self) -> Result<bool, StoreError> {
        self.store.keeps_versions().await
    }

    async fn put_back(
        &self,
        objects: &[Trashed],
    ) -> Result<Vec<Result<PutBack, KeyFailure>>, StoreError> {
        self.check(Operation::Restore, self.store.identity())?;
        self.store.put_back(objects).await
    }
}
