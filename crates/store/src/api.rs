//! What every store does.

use std::future::Future;
use std::ops::Range;

use bytes::Bytes;
use registry::{Digest, Timestamp};

use crate::{
    Content, DeleteBatch, KeyFailure, KeyOutcome, Listed, Marker, MultipartPage, MultipartPlace,
    MultipartUpload, Object, Parts, PutBack, StoreError, Trashed, Version, WriteStore,
};

/// What a store can do, asked by ability and never by brand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is the answer to a question of its own")]
pub struct Abilities {
    /// Listings come in the byte order of the keys. A store that says no is refused: every stage relies on it.
    pub lists_in_byte_order: bool,
    /// Listings tell every key. Others pass by whatever lies beside a file that the layout expects to be alone in its
    /// folder, as far as nobody lists in that folder.
    pub lists_all: bool,
    /// Objects are listed with their entity tags, as far as the store gives them any.
    pub tells_etags: bool,
    /// Reading a small object keeps a processor busy and waits for nobody, so that asking for many at once gains little.
    pub reads_in_place: bool,
    /// Who asks has to wait for the answer, so that many should ask at once; where nobody has to, no more than there are
    /// processors. A store may find out while it is asked.
    pub keeps_waiting: bool,
    /// How many keys a delete request takes at best.
    pub delete_batch: usize,
}

/// The folders directly below a prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folders {
    /// Prefixes, each ending in `/`, ascending.
    pub prefixes: Vec<String>,
    /// Whether these are all; a store may give up after the first 1000.
    pub is_complete: bool,
}

/// Reading: all that listing, marking and planning ever get.
pub trait ReadStore: Send + Sync + 'static {
    /// A listing under way.
    type Cursor: Cursor;

    /// Lists every key that starts with `within` and is greater than `after`, ascending in byte order.
    ///
    /// `after` need not exist and may be empty or sort before `within`. Nothing is asked before the first
    /// [`Cursor::next`].
    fn list(&self, within: &str, after: &str) -> Self::Cursor;

    /// Looks at keys that a listing presumed; the answers come in the order of the keys, `None` where there is no such
    /// object.
    ///
    /// # Errors
    /// Where any of them could not be looked at: what is there is not known then (G4).
    fn look(
        &self,
        keys: Vec<Box<str>>,
    ) -> impl Future<Output = Result<Vec<Option<Object>>, StoreError>> + Send;

    /// The folders directly below `within`, which is empty or ends in `/`.
    ///
    /// # Errors
    /// As for listing.
    fn folders(&self, within: &str) -> impl Future<Output = Result<Folders, StoreError>> + Send;

    /// Reads an object whole.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) where it is not there;
    /// [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge) where it has more than `at_most` bytes. A body that ends
    /// early is an error, never a short answer.
    fn get(
        &self,
        key: &str,
        at_most: u64,
    ) -> impl Future<Output = Result<Bytes, StoreError>> + Send;

    /// Reads what lies under a digest, whole, and hashes it. Whatever has the digest is whole: a store need not make sure of
    /// that otherwise.
    ///
    /// # Errors
    /// As of [`ReadStore::get`].
    fn get_content(
        &self,
        key: &str,
        digest: &Digest,
        at_most: u64,
    ) -> impl Future<Output = Result<Content, StoreError>> + Send {
        async move { Ok(Content::under(digest, self.get(key, at_most).await?)) }
    }

    /// The time by the store's own clock, which may lag by up to a second and never runs ahead.
    ///
    /// # Errors
    /// Where the store does not answer or does not tell the time.
    fn now(&self) -> impl Future<Output = Result<Timestamp, StoreError>> + Send;

    /// What this store is, in words that stay the same between runs and differ between stores: endpoint and bucket,
    /// or the canonical path. Never holds a secret.
    fn identity(&self) -> &str;

    /// What this store can do.
    fn abilities(&self) -> Abilities;
}

/// A listing under way.
pub trait Cursor: Send {
    /// The next objects, ascending, at least one; `None` at the end and only there (G3).
    ///
    /// # Errors
    /// The cursor then stands where it stood: calling again asks again.
    fn next(&mut self) -> impl Future<Output = Result<Option<Vec<Listed>>, StoreError>> + Send;

    /// Says that nothing after the key `until` will be asked for: the listing may end there, and need not.
    fn end_at(&mut self, until: &str);
}

/// Reading objects that are too large to be held whole.
pub trait PartStore: ReadStore {
    /// Reads a part of an object: the bytes from `part.start` on, as many as there are, and none behind `part.end`. Fewer
    /// came only where the object ends there; none where it ends before.
    ///
    /// # Errors
    /// As of [`ReadStore::get`]; [`ErrorKind::Malformed`](crate::ErrorKind::Malformed) where the answer is another part.
    fn get_part(
        &self,
        key: &str,
        part: Range<u64>,
    ) -> impl Future<Output = Result<Bytes, StoreError>> + Send;
}

/// Reading what uploads in parts left behind. A store that has no such uploads tells of none.
pub trait MultipartStore: ReadStore {
    /// Some of the incomplete multipart uploads whose keys start with `within`, ascending by key: those behind `after`.
    /// `None` where the store has no such listing, so that nobody knows. For all of them there is
    /// [`MultipartWalk`](crate::MultipartWalk).
    ///
    /// # Errors
    /// As for listing (G3).
    fn multipart_uploads(
        &self,
        within: &str,
        after: Option<&MultipartPlace>,
    ) -> impl Future<Output = Result<Option<MultipartPage>, StoreError>> + Send;

    /// What the parts of an upload add up to; `None` where it is completed or aborted.
    ///
    /// # Errors
    /// Where any part may have been missed: how old the upload is, is not known then (G4).
    fn parts(
        &self,
        upload: &MultipartUpload,
    ) -> impl Future<Output = Result<Option<Parts>, StoreError>> + Send;
}

/// Reading and deleting: what the sweeper gets.
pub trait DeleteStore: ReadStore {
    /// Deletes objects (G9), or moves them to the trash of the batch; what cannot be moved stays. Aborts incomplete
    /// multipart uploads, of which nothing stays. The answer has one outcome for each, in the order of the batch (G10).
    ///
    /// # Errors
    /// Where the request as a whole failed: each key may or may not be deleted, and asking again is harmless (G11).
    fn delete(
        &self,
        batch: &DeleteBatch,
    ) -> impl Future<Output = Result<Vec<KeyOutcome>, StoreError>> + Send;
}

/// Bringing back what was deleted, and writing that down: what an undo gets. No way back overwrites what somebody
/// else wrote.
pub trait RestoreStore: DeleteStore + WriteStore + MultipartStore {
    /// What there is of exactly this key, newest first: its object, where it has one, and below it what the store keeps
    /// of its past. Nothing where the key is unknown; at most [`Version::MOST`] entries. It ends at a delete marker that
    /// is nobody's to remove, as those are that a bucket makes while versioning is suspended.
    ///
    /// # Errors
    /// Where the store does not tell: what is there is not known then (G4).
    fn versions(&self, key: &str) -> impl Future<Output = Result<Vec<Version>, StoreError>> + Send;

    /// Removes delete markers, so that what they hide is there again. At most [`DeleteBatch::LIMIT`], each of another
    /// key. The answer has one outcome for each, in their order (G10); one that is gone already is removed.
    ///
    /// # Errors
    /// Where the request as a whole failed: each may or may not be removed, and asking again is harmless (G11).
    fn unmark(
        &self,
        markers: &[Marker],
    ) -> impl Future<Output = Result<Vec<Result<(), KeyFailure>>, StoreError>> + Send;

    /// Whether a delete leaves the object below a delete marker: then no trash is needed. No where the store has no
    /// versions, or keeps none any more.
    ///
    /// # Errors
    /// Where the store does not tell: what a delete leaves is not known then.
    fn keeps_versions(&self) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Brings objects back from the trash, and overwrites nothing. The answer has one outcome for each, in their order
    /// (G10). Whether a copy stays in the trash is the store's business.
    ///
    /// # Errors
    /// Where the request as a whole failed: each may or may not be back, and asking again is harmless (G11).
    fn put_back(
        &self,
        objects: &[Trashed],
    ) -> impl Future<Output = Result<Vec<Result<PutBack, KeyFailure>>, StoreError>> + Send;
}
