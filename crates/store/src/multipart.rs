//! Incomplete multipart uploads: begun, and neither completed nor aborted. Their parts take room, and nobody can read them.

use std::collections::HashSet;

use registry::Timestamp;

use crate::{ErrorKind, MultipartStore, Operation, StoreError};

/// An upload that was begun and neither completed nor aborted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MultipartUpload {
    /// The exact key of the object that it would become (G7).
    pub key: Box<str>,
    /// Tells it from other uploads of the same key.
    pub id: Box<str>,
    /// When it was begun, by the store's clock.
    pub initiated: Timestamp,
}

/// What the parts of an upload add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// How many there are.
    pub count: u64,
    /// Sum of their sizes.
    pub bytes: u64,
    /// When the newest of them came, by the store's clock; none where there is no part.
    pub newest: Option<Timestamp>,
}

/// Behind which upload a page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MultipartPlace {
    /// Its key.
    pub key: Box<str>,
    /// Its id.
    pub id: Box<str>,
}

/// Some of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MultipartPage {
    /// Ascending by key; several of one key in any order. There may be none although more follow.
    pub uploads: Vec<MultipartUpload>,
    /// Where the next page begins; none at the end and only there (G3).
    pub next: Option<MultipartPlace>,
}

/// A step of a [`MultipartWalk`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MultipartStep {
    /// Some uploads, at least one.
    Uploads(Vec<MultipartUpload>),
    /// There are no more.
    End,
    /// The store has no such listing: how many uploads there are is not known.
    Untold,
}

/// Why a listing of uploads cannot be believed (G3).
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Oddity {
    #[error("the upload of `{key}` comes after one of `{after}`")]
    OutOfOrder { after: Box<str>, key: Box<str> },
    #[error("the upload of `{0}` does not start with the prefix")]
    Outside(Box<str>),
    #[error("upload {id} of `{key}` comes twice")]
    Twice { key: Box<str>, id: Box<str> },
    #[error("the page holds nothing and leads back to `{0}`")]
    NoWayOn(Box<str>),
    #[error("the store began the listing and then knew of none")]
    Untold,
}

/// Every incomplete multipart upload below a prefix, page by page, each told once. Holds the ids of one key at a time
/// (G12).
#[derive(Clone, Debug, Default)]
pub struct MultipartWalk {
    within: Box<str>,
    next: Option<MultipartPlace>,
    last_key: Box<str>,
    ids: HashSet<Box<str>>,
    is_done: bool,
}

impl MultipartWalk {
    /// A walk over all keys that start with `within`. Nothing is asked before the first [`MultipartWalk::next`].
    #[must_use]
    pub fn new(within: &str) -> Self {
        Self { within: within.into(), ..Self::default() }
    }

    /// Goes on.
    ///
    /// # Errors
    /// Where the store does not tell: the walk then stands where it stood. Where what it tells cannot be believed (G3): the
    /// walk is over then.
    pub async fn next<S: MultipartStore>(
        &mut self,
        store: &S,
    ) -> Result<MultipartStep, StoreError> {
        while !self.is_done {
            let page = store.multipart_uploads(&self.within, self.next.as_ref()).await?;
            let Some(page) = page else {
                let is_first = self.next.is_none();
                return if is_first { Ok(MultipartStep::Untold) } else { self.odd(Oddity::Untold) };
            };
            if let Err(oddity) = self.take(&page) {
                return self.odd(oddity);
            }
            self.is_done = page.next.is_none();
            self.next = page.next;
            if !page.uploads.is_empty() {
                return Ok(MultipartStep::Uploads(page.uploads));
            }
        }
        Ok(MultipartStep::End)
    }

    fn odd(&self, oddity: Oddity) -> Result<MultipartStep, StoreError> {
        let error = StoreError::new(Operation::ListUploads, &self.within, ErrorKind::Malformed);
        Err(error.because(oddity))
    }

    fn take(&mut self, page: &MultipartPage) -> Result<(), Oddity> {
        for upload in &page.uploads {
            if !upload.key.starts_with(&*self.within) {
                return Err(Oddity::Outside(upload.key.clone()));
            }
            if upload.key < self.last_key {
                let (after, key) = (self.last_key.clone(), upload.key.clone());
                return Err(Oddity::OutOfOrder { after, key });
            }
            if upload.key != self.last_key {
                self.last_key = upload.key.clone();
                self.ids.clear();
            }
            if !self.ids.insert(upload.id.clone()) {
                let (key, id) = (upload.key.clone(), upload.id.clone());
                return Err(Oddity::Twice { key, id });
            }
        }
        let stood = self.next.as_ref().map_or("", |place| &*place.key);
        match &page.next {
            Some(next) if page.uploads.is_empty() && *next.key <= *stood => {
                Err(Oddity::NoWayOn(next.key.clone()))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
