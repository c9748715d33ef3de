//! Blobs: listed, and shown page by page.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lister::{BlobSeeder, ListError, Part, Walk, walk};
use monitor::Counter;
use store::{Listed, ReadStore};

use super::Survey;
use crate::Failure;

/// Sees the keys below `blobs/`, page by page.
pub(crate) trait SeesBlobs: Send + 'static {
    /// Takes a page, and gives back the keys of it that have to be looked at first: they are shown again then.
    ///
    /// # Errors
    /// Nothing more is shown then, to anybody.
    fn see(&mut self, page: Vec<Listed>) -> Result<Vec<Box<str>>, Failure>;
}

/// Lists every blob and shows the pages of each range to a visitor of its own. Gives them back, in the order of the keys.
///
/// # Errors
/// Where any key may have been missed (G3), or a visitor fails.
pub(crate) async fn visit_blobs<S: ReadStore, V: SeesBlobs>(
    survey: Survey<'_, S>,
    new_visitor: impl Fn() -> V + Send + Sync + 'static,
) -> Result<Vec<V>, Failure> {
    let within = survey.layout.blobs();
    let ask = Walk {
        store: Arc::clone(survey.store),
        within: within.clone(),
        seeder: BlobSeeder::new(survey.layout),
        workers: survey.width,
        keys: Counter::BlobKeys,
        monitor: Arc::clone(survey.monitor),
        stop: Arc::clone(survey.stop),
    };
    let failure = Arc::new(Mutex::new(None));
    let (store, slot) = (Arc::clone(survey.store), Arc::clone(&failure));
    let within: Arc<str> = within.into();
    let new_part = move || Range {
        store: Arc::clone(&store),
        within: Arc::clone(&within),
        visitor: new_visitor(),
        failure: Arc::clone(&slot),
    };
    let walked = walk(ask, new_part).await;
    // Why a visitor took nothing more comes before the walk's word that it did not.
    if let Some(failure) = lock(&failure).take() {
        return Err(failure);
    }
    Ok(walked?.into_iter().map(|range| range.visitor).collect())
}

/// One range, and who sees its pages.
struct Range<S, V> {
    store: Arc<S>,
    within: Arc<str>,
    visitor: V,
    /// The first failure of any range.
    failure: Arc<Mutex<Option<Failure>>>,
}

fn lock(slot: &Mutex<Option<Failure>>) -> MutexGuard<'_, Option<Failure>> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<S: ReadStore, V: SeesBlobs> Part for Range<S, V> {
    async fn take(&mut self, page: Vec<Listed>) -> Result<(), ListError> {
        let unlooked = self.show(page)?;
        if unlooked.is_empty() {
            return Ok(());
        }
        let looked = self.store.look(unlooked).await;
        let looked = looked.map_err(|source| ListError::Store { within: self.within(), source })?;
        let left = self.show(looked.into_iter().flatten().map(Listed::Object).collect())?;
        debug_assert!(left.is_empty(), "{left:?} was looked at");
        Ok(())
    }
}

impl<S, V: SeesBlobs> Range<S, V> {
    fn within(&self) -> Box<str> {
        (&*self.within).into()
    }

    fn show(&mut self, page: Vec<Listed>) -> Result<Vec<Box<str>>, ListError> {
        self.visitor.see(page).map_err(|failure| {
            lock(&self.failure).get_or_insert(failure);
            ListError::Abandoned { within: self.within() }
        })
    }
}
