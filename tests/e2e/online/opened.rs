//! A bucket as the collector sees it: over HTTP where it is on a server.

use std::sync::Arc;

use bytes::Bytes;
use monitor::Monitor;
use registry::{Digest, Timestamp};
use simstore::Server;
use store::{
    Abilities, Condition, Content, Cursor, DeleteBatch, DeleteStore, Folders, KeyFailure,
    KeyOutcome, Listed, Marker, MemoryCursor, MemoryStore, MultipartPage, MultipartPlace,
    MultipartStore, MultipartUpload, Object, Parts, PutBack, ReadStore, RestoreStore, S3Config,
    S3Cursor, S3Store, StaticCredentials, StoreError, Token, Trashed, Version, Versioned,
    WriteStore,
};

use super::bucket::Bucket;

/// A store of either kind.
#[derive(Clone)]
pub(crate) enum Opened {
    Memory(MemoryStore),
    Wire(Arc<S3Store>),
}

impl Opened {
    /// Opens a bucket as a new process does.
    pub(crate) async fn open(bucket: &Bucket) -> Self {
        match bucket {
            Bucket::Memory(store) => Self::Memory(store.clone()),
            Bucket::Server(server) => {
                let store = S3Store::connect(config(server), &Arc::new(Monitor::new())).await;
                Self::Wire(Arc::new(store.unwrap()))
            }
        }
    }
}

fn config(server: &Server) -> S3Config {
    let credentials = StaticCredentials {
        access_key: "ACCESS".into(),
        secret_key: "secret".into(),
        session_token: None,
    };
    S3Config {
        endpoint_url: Some(server.endpoint()),
        region: Some("us-east-1".into()),
        path_style: true,
        credentials: Some(credentials),
        keys_per_page: u16::try_from(Bucket::PAGE).unwrap(),
        ..S3Config::new(server.bucket())
    }
}

pub(crate) enum OpenedCursor {
    Memory(MemoryCursor),
    Wire(S3Cursor),
}

impl Cursor for OpenedCursor {
    async fn next(&mut self) -> Result<Option<Vec<Listed>>, StoreError> {
        match self {
            Self::Memory(cursor) => cursor.next().await,
            Self::Wire(cursor) => cursor.next().await,
        }
    }

    fn end_at(&mut self, until: &str) {
        match self {
            Self::Memory(cursor) => cursor.end_at(until),
            Self::Wire(cursor) => cursor.end_at(until),
        }
    }
}

/// The same of a store, whichever kind it is.
macro_rules! of {
    ($opened:ident, $store:ident => $answer:expr) => {
        match $opened {
            Opened::Memory($store) => $answer,
            Opened::Wire($store) => $answer,
        }
    };
}

#[deny(clippy::missing_trait_methods)]
impl ReadStore for Opened {
    type Cursor = OpenedCursor;

    fn list(&self, within: &str, after: &str) -> OpenedCursor {
        match self {
            Self::Memory(store) => OpenedCursor::Memory(store.list(within, after)),
            Self::Wire(store) => OpenedCursor::Wire(store.list(within, after)),
        }
    }

    async fn folders(&self, within: &str) -> Result<Folders, StoreError> {
        of!(self, store => store.folders(within).await)
    }

    async fn look(&self, keys: Vec<Box<str>>) -> Result<Vec<Option<Object>>, StoreError> {
        of!(self, store => store.look(keys).await)
    }

    async fn get(&self, key: &str, at_most: u64) -> Result<Bytes, StoreError> {
        of!(self, store => store.get(key, at_most).await)
    }

    async fn get_content(
        &self,
        key: &str,
        digest: &Digest,
        at_most: u64,
    ) -> Result<Content, StoreError> {
        of!(self, store => store.get_content(key, digest, at_most).await)
    }

    async fn now(&self) -> Result<Timestamp, StoreError> {
        of!(self, store => store.now().await)
    }

    fn identity(&self) -> &str {
        of!(self, store => store.identity())
    }

    fn abilities(&self) -> Abilities {
        of!(self, store => store.abilities())
    }
}

#[deny(clippy::missing_trait_methods)]
impl DeleteStore for Opened {
    async fn delete(&self, batch: &DeleteBatch) -> Result<Vec<KeyOutcome>, StoreError> {
        of!(self, store => store.delete(batch).await)
    }
}

#[deny(clippy::missing_trait_methods)]
impl WriteStore for Opened {
    async fn read(&self, key: &str, at_most: u64) -> Result<Versioned, StoreError> {
        of!(self, store => store.read(key, at_most).await)
    }

    async fn write(
        &self,
        key: &str,
        content: Bytes,
        condition: &Condition,
    ) -> Result<Token, StoreError> {
        of!(self, store => store.write(key, content, condition).await)
    }

    fn conditional_puts(&self) -> Option<bool> {
        of!(self, store => store.conditional_puts())
    }
}

#[deny(clippy::missing_trait_methods)]
impl MultipartStore for Opened {
    async fn multipart_uploads(
        &self,
        within: &str,
        after: Option<&MultipartPlace>,
    ) -> Result<Option<MultipartPage>, StoreError> {
        of!(self, store => store.multipart_uploads(within, after).await)
    }

    async fn parts(&self, upload: &MultipartUpload) -> Result<Option<Parts>, StoreError> {
        of!(self, store => store.parts(upload).await)
    }
}

#[deny(clippy::missing_trait_methods)]
impl RestoreStore for Opened {
    async fn versions(&self, key: &str) -> Result<Vec<Version>, StoreError> {
        of!(self, store => store.versions(key).await)
    }

    async fn unmark(&self, markers: &[Marker]) -> Result<Vec<Result<(), KeyFailure>>, StoreError> {
        of!(self, store => store.unmark(markers).await)
    }

    async fn keeps_versions(&self) -> Result<bool, StoreError> {
        of!(self, store => store.keeps_versions().await)
    }

    async fn put_back(
        &self,
        objects: &[Trashed],
    ) -> Result<Vec<Result<PutBack, KeyFailure>>, StoreError> {
        of!(self, store => store.put_back(objects).await)
    }
}
