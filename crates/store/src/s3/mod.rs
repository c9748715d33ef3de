//! Buckets: S3 and all that speak its protocol.

mod abort;
mod address;
mod body;
mod classify;
mod clock;
mod config;
mod connect;
mod copy;
mod credentials;
mod delete;
mod delete_answer;
mod each;
mod exchange;
mod http_client;
mod list;
#[cfg(feature = "benches")]
mod measured;
mod page;
mod page_error;
mod percent;
mod request;
mod sign;
mod storage_class;
mod tap;
mod text;
mod trash;
mod uploads;
mod versioning;
mod versions;
mod wire;
mod write;
mod xml;

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use aws_sdk_s3::Client;
use bytes::Bytes;
use monitor::Monitor;
use registry::{Digest, Timestamp};

pub use config::{
    Addresses, DefaultEndpoint, DeleteChecksum, S3Config, StaticCredentials, Timeouts,
};
use connect::Connected;
pub use list::S3Cursor;
#[cfg(feature = "benches")]
pub use measured::Signing;
#[cfg(feature = "benches")]
pub use page::keys_of_page;
use wire::Wire;

use crate::{
    Abilities, Content, DeleteBatch, DeleteStore, Folders, KeyFailure, KeyOutcome, Marker,
    MultipartPage, MultipartPlace, MultipartStore, MultipartUpload, Object, PartStore, Parts,
    PutBack, ReadStore, RestoreStore, StoreError, Trashed, Version,
};

/// A bucket.
///
/// Sends each request once: [`Retried`](crate::Retried) asks again and [`Paced`](crate::Paced) counts and slows down.
/// Clones share connections.
#[derive(Clone, Debug)]
pub struct S3Store {
    bucket: Arc<Bucket>,
}

/// What every request needs.
#[derive(Debug)]
struct Bucket {
    /// For requests that read.
    wire: Wire,
    /// For requests that change something.
    client: Client,
    config: S3Config,
    identity: String,
    monitor: Arc<Monitor>,
    /// The server was seen to take `Content-MD5` after it refused a CRC32.
    wants_md5: AtomicBool,
}

impl S3Store {
    /// Finds credentials, region and address. The bucket itself is not asked.
    ///
    /// `monitor` counts the requests that this store sends, each attempt.
    ///
    /// # Errors
    /// [`ErrorKind::Credentials`](crate::ErrorKind::Credentials) where none are found,
    /// [`ErrorKind::WrongAddress`](crate::ErrorKind::WrongAddress) where no region is, and
    /// [`ErrorKind::Fatal`](crate::ErrorKind::Fatal) where the settings contradict themselves.
    pub async fn connect(config: S3Config, monitor: &Arc<Monitor>) -> Result<Self, StoreError> {
        let Connected { client, wire, identity } = connect::connect(&config, monitor).await?;
        let monitor = Arc::clone(monitor);
        let wants_md5 = AtomicBool::new(false);
        let bucket = Arc::new(Bucket { wire, client, config, identity, monitor, wants_md5 });
        Ok(Self { bucket })
    }
}

#[deny(clippy::missing_trait_methods)]
impl ReadStore for S3Store {
    type Cursor = S3Cursor;

    fn list(&self, within: &str, after: &str) -> S3Cursor {
        S3Cursor::new(Arc::clone(&self.bucket), within, after)
    }

    async fn folders(&self, within: &str) -> Result<Folders, StoreError> {
        list::folders(&self.bucket, within).await
    }

    async fn look(&self, keys: Vec<Box<str>>) -> Result<Vec<Option<Object>>, StoreError> {
        list::look(&self.bucket, keys).await
    }

    async fn get(&self, key: &str, at_most: u64) -> Result<Bytes, StoreError> {
        request::get(&self.bucket, key, at_most).await
    }

    async fn get_content(
        &self,
        key: &str,
        digest: &Digest,
        at_most: u64,
    ) -> Result<Content, StoreError> {
        Ok(Content::under(digest, self.get(key, at_most).await?))
    }

    async fn now(&self) -> Result<Timestamp, StoreError> {
        list::now(&self.bucket).await
    }

    fn identity(&self) -> &str {
        &self.bucket.identity
    }

    /// The entity tag of an object need not be its MD5: not under encryption with customer keys, not after a multipart
    /// upload. Whoever uses it compares it with the MD5 of a text; equal is proof, and anything else leads to a read.
    ///
    /// Directory buckets, which alone have the name's ending `--x-s3`, list in no order.
    fn abilities(&self) -> Abilities {
        Abilities {
            lists_in_byte_order: !self.bucket.config.bucket.ends_with("--x-s3"),
            lists_all: true,
            tells_etags: true,
            reads_in_place: false,
            keeps_waiting: true,
            delete_batch: DeleteBatch::LIMIT,
        }
    }
}

#[deny(clippy::missing_trait_methods)]
impl PartStore for S3Store {
    async fn get_part(&self, key: &str, part: Range<u64>) -> Result<Bytes, StoreError> {
        request::get_part(&self.bucket, key, part).await
    }
}

#[deny(clippy::missing_trait_methods)]
impl DeleteStore for S3Store {
    async fn delete(&self, batch: &DeleteBatch) -> Result<Vec<KeyOutcome>, StoreError> {
        match batch.trash() {
            _ if batch.is_of_uploads() => Ok(abort::abort(&self.bucket, batch).await),
            None => delete::delete(&self.bucket, batch).await,
            Some(trash) => trash::delete(&self.bucket, batch, trash).await,
        }
    }
}

#[deny(clippy::missing_trait_methods)]
impl MultipartStore for S3Store {
    async fn multipart_uploads(
        &self,
        within: &str,
        after: Option<&MultipartPlace>,
    ) -> Result<Option<MultipartPage>, StoreError> {
        uploads::page(&self.bucket, within, after).await
    }

    async fn parts(&self, upload: &MultipartUpload) -> Result<Option<Parts>, StoreError> {
        uploads::parts(&self.bucket, &upload.key, &upload.id).await
    }
}

#[deny(clippy::missing_trait_methods)]
impl RestoreStore for S3Store {
    async fn versions(&self, key: &str) -> Result<Vec<Version>, StoreError> {
        versions::versions(&self.bucket, key).await
    }

    async fn unmark(&self, markers: &[Marker]) -> Result<Vec<Result<(), KeyFailure>>, StoreError> {
        delete::unmark(&self.bucket, markers).await
    }

    async fn keeps_versions(&self) -> Result<bool, StoreError> {
        versioning::keeps_versions(&self.bucket).await
    }

    async fn put_back(
        &self,
        objects: &[Trashed],
    ) -> Result<Vec<Result<PutBack, KeyFailure>>, StoreError> {
        Ok(trash::put_back(&self.bucket, objects).await)
    }
}
