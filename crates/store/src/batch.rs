//! What to delete in one request, and what became of it.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use registry::Timestamp;

use crate::{ErrorKind, Operation, StoreError};

/// An object to delete, or an incomplete multipart upload to abort, as the plan knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doomed {
    /// The exact key (G7).
    pub key: Box<str>,
    /// When it was last written, as listed. A store that can look spares an object that was written since, and an upload
    /// that got a part since.
    pub modified: Timestamp,
    /// The id of the upload; none for an object.
    pub upload: Option<Box<str>>,
}

/// 1 to 1000 objects with distinct keys, or as many incomplete multipart uploads.
#[derive(Clone, Debug)]
pub struct DeleteBatch {
    objects: Vec<Doomed>,
    trash: Option<Trash>,
    permit: Option<Permit>,
}

/// Says whether objects may still be deleted, to be asked again where a batch takes more than one step.
#[derive(Clone)]
pub struct Permit(Arc<dyn Fn() -> bool + Send + Sync>);

impl Permit {
    /// A permit that `holds` tells of.
    pub fn new(holds: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(holds))
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Permit").field(&(self.0)()).finish()
    }
}

/// Where objects go that are not deleted for good: inside the same store, under keys made from their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trash {
    root: Arc<str>,
    folder: Arc<str>,
}

impl Trash {
    /// The trash in `folder`, which ends in `/`; of a key, what stands before the end of `root` is left out.
    #[must_use]
    pub fn new(root: &str, folder: &str) -> Self {
        Self { root: root.into(), folder: folder.into() }
    }

    /// Where the object under `key` goes; `None` where the key does not lie below the root.
    #[must_use]
    pub fn key_of(&self, key: &str) -> Option<String> {
        key.strip_prefix(&*self.root).map(|rest| [&self.folder, rest].concat())
    }

    /// From where an object under `key` went there; `None` where the key does not lie in this trash.
    #[must_use]
    pub fn original_of(&self, key: &str) -> Option<String> {
        key.strip_prefix(&*self.folder).map(|rest| [&self.root, rest].concat())
    }
}

/// Why objects make no batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// Nothing to delete.
    #[error("a batch holds at least one object")]
    Empty,
    /// More than one request takes.
    #[error("a batch holds at most {} objects", DeleteBatch::LIMIT)]
    TooLong,
    /// The same key twice.
    #[error("a batch holds each key once")]
    Repeated,
    /// Objects and uploads.
    #[error("a batch holds objects or uploads, not both")]
    Mixed,
}

impl DeleteBatch {
    /// The most objects that one request deletes.
    ///
    /// Source: Amazon S3 API, `DeleteObjects`: "up to 1,000 objects".
    pub const LIMIT: usize = 1000;

    /// The most objects of one batch that a bucket copies at once, to its trash or from there (G12).
    pub const COPIES: usize = 8;

    /// Checks and takes objects; their order is kept.
    ///
    /// # Errors
    /// [`BatchError`] where there are none, too many, one twice, or both objects and uploads.
    pub fn new(objects: Vec<Doomed>) -> Result<Self, BatchError> {
        if objects.is_empty() {
            return Err(BatchError::Empty);
        }
        if objects.len() > Self::LIMIT {
            return Err(BatchError::TooLong);
        }
        let uploads = objects.iter().filter(|object| object.upload.is_some()).count();
        if uploads > 0 && uploads < objects.len() {
            return Err(BatchError::Mixed);
        }
        let keys: HashSet<_> =
            objects.iter().map(|object| (&*object.key, object.upload.as_deref())).collect();
        if keys.len() < objects.len() {
            Err(BatchError::Repeated)
        } else {
            Ok(Self { objects, trash: None, permit: None })
        }
    }

    /// Whether it holds incomplete multipart uploads, which go to no trash.
    #[must_use]
    pub fn is_of_uploads(&self) -> bool {
        self.objects.first().is_some_and(|object| object.upload.is_some())
    }

    /// A batch of some of these objects, to be deleted in the same way.
    ///
    /// # Errors
    /// As for [`DeleteBatch::new`].
    pub fn part(&self, objects: Vec<Doomed>) -> Result<Self, BatchError> {
        let (trash, permit) = (self.trash.clone(), self.permit.clone());
        Ok(Self { trash, permit, ..Self::new(objects)? })
    }

    /// The same, where each object goes to the trash. One of which that cannot be proven is kept.
    #[must_use]
    pub fn into_trash(self, trash: Trash) -> Self {
        Self { trash: Some(trash), ..self }
    }

    /// The same, where nothing is deleted any more once `permit` is gone.
    #[must_use]
    pub fn permitted_by(self, permit: Permit) -> Self {
        Self { permit: Some(permit), ..self }
    }

    /// Makes sure that objects may still be deleted, right before that is done.
    ///
    /// # Errors
    /// [`ErrorKind::Fatal`] where they may not: those of earlier steps may be in the trash as well as in their places.
    pub fn check_permit(&self) -> Result<(), StoreError> {
        match &self.permit {
            Some(permit) if !(permit.0)() => {
                let first = self.objects.first().map_or("", |object| &object.key);
                let error = StoreError::new(Operation::Delete, first, ErrorKind::Fatal);
                Err(error.because("the right to delete it was lost meanwhile"))
            }
            _ => Ok(()),
        }
    }

    /// Where the objects go.
    #[must_use]
    pub const fn trash(&self) -> Option<&Trash> {
        self.trash.as_ref()
    }

    /// The objects, in order.
    #[must_use]
    pub fn objects(&self) -> &[Doomed] {
        &self.objects
    }
}

/// What became of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyOutcome {
    /// The store says it is deleted; what is left of it.
    Deleted(Kept),
    /// It was not there any more, where the store tells.
    Gone,
    /// It was written since it was listed, and kept.
    Spared,
    /// It was not to be deleted, but written anew, and that is done. No deletion answers so.
    Rewritten,
    /// It could not be deleted.
    Failed(KeyFailure),
}

impl KeyOutcome {
    /// Deleted, and nothing is left of it.
    pub const DELETED: Self = Self::Deleted(Kept::Nothing);

    /// Whether the store says it is deleted.
    #[must_use]
    pub const fn is_deleted(&self) -> bool {
        matches!(self, Self::Deleted(_))
    }
}

/// What a deletion leaves, so that it can be taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Nothing that the store told of.
    Nothing,
    /// The version, under a delete marker with this id.
    Marker(Box<str>),
    /// The object, in the trash of its batch.
    Trash,
}

/// Why one key could not be deleted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {message}")]
pub struct KeyFailure {
    /// What to do about it.
    pub kind: ErrorKind,
    /// The store's own words.
    pub message: Box<str>,
}

/// With all that is known of it.
impl From<&StoreError> for KeyFailure {
    fn from(error: &StoreError) -> Self {
        let message = error.source.as_ref().map_or_else(|| error.to_string(), ToString::to_string);
        Self { kind: error.kind, message: message.into() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_lies_in_a_trash_is_known_by_the_key_that_it_had(
            root in "([a-z]{1,3}/){0,2}", rest in "\\PC{0,20}", other in "\\PC{0,20}",
        ) {
            let trash = Trash::new(&root, &format!("{root}regsweep/trash/plan/"));
            let key = format!("{root}{rest}");
            let place = trash.key_of(&key).unwrap();
            prop_assert_eq!(trash.original_of(&place), Some(key));
            prop_assert_eq!(trash.original_of(&other), None);
        }
    }
}
