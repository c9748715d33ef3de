//! Questions that a visitor has about a repository which the listing did not answer.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use marker::MarkError;
use monitor::Stop;
use registry::RepositoryName;
use store::{ErrorKind, Object, ReadStore, StoreError};

use super::lost;
use crate::Failure;

/// The longest content of any link, with room for what was appended by mistake, in bytes.
const LINK_LIMIT: u64 = 1024;
/// So many keys are looked at together: neighbours share what is opened for them.
pub(crate) const TOGETHER: usize = 8;

/// Keys to ask for, in the order of the keys.
#[derive(Clone, Debug, Default)]
pub(crate) struct Questions {
    /// Whether they are there, and of which size.
    pub(crate) looks: Vec<Box<str>>,
    /// What these links say.
    pub(crate) reads: Vec<Box<str>>,
}

/// What was asked, and what the store said.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    pub(crate) looked: HashMap<Box<str>, Option<Object>>,
    /// An error only where it says something definite of the link.
    pub(crate) read: HashMap<Box<str>, Result<Bytes, StoreError>>,
}

impl Questions {
    pub(crate) fn is_empty(&self) -> bool {
        self.looks.is_empty() && self.reads.is_empty()
    }
}

/// Asks about a repository, `width` questions at once.
///
/// # Errors
/// Where the store does not answer: nothing may be concluded then (G4).
pub(super) async fn ask<S: ReadStore>(
    store: &Arc<S>,
    repository: &RepositoryName,
    questions: Questions,
    width: usize,
    stop: &Arc<Stop>,
) -> Result<Answers, Failure> {
    let Questions { looks, reads } = questions;
    let bundles: Vec<Vec<Box<str>>> = looks.chunks(TOGETHER).map(<[_]>::to_vec).collect();
    let repository = repository.clone();
    let asking = Asking { store: Arc::clone(store), repository, stop: Arc::clone(stop) };
    let work = asking.clone();
    let look = move |keys| work.clone().look(keys);
    let looked = crew::each(bundles, width, look, lost).await?;
    let read = crew::each(reads, width, move |key| asking.clone().read(key), lost).await?;
    Ok(Answers { looked: looked.into_iter().flatten().collect(), read: read.into_iter().collect() })
}

struct Asking<S> {
    store: Arc<S>,
    repository: RepositoryName,
    stop: Arc<Stop>,
}

impl<S> Clone for Asking<S> {
    fn clone(&self) -> Self {
        let (store, stop) = (Arc::clone(&self.store), Arc::clone(&self.stop));
        Self { store, repository: self.repository.clone(), stop }
    }
}

impl<S: ReadStore> Asking<S> {
    async fn look(self, keys: Vec<Box<str>>) -> Result<Vec<(Box<str>, Option<Object>)>, Failure> {
        self.require_going()?;
        let objects = self.store.look(keys.clone()).await;
        let failed = |source| MarkError::Look { repository: self.repository, source };
        let objects = objects.map_err(failed)?;
        Ok(keys.into_iter().zip(objects).collect())
    }

    async fn read(self, key: Box<str>) -> Result<(Box<str>, Result<Bytes, StoreError>), Failure> {
        self.require_going()?;
        match self.store.get(&key, LINK_LIMIT).await {
            Err(source) if !says_something(source.kind) => {
                Err(MarkError::Link { key, source }.into())
            }
            answer => Ok((key, answer)),
        }
    }

    fn require_going(&self) -> Result<(), Failure> {
        if self.stop.is_asked() { Err(Failure::Stopped { is_sweeping: false }) } else { Ok(()) }
    }
}

/// Whether a failure to read says something of the object.
pub(crate) fn says_something(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::Denied | ErrorKind::TooLarge)
}
