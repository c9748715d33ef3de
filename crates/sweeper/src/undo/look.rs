//! Looking at many keys at once.

use std::sync::Arc;

use store::{RestoreStore, StoreError, Version};
use tokio::task::JoinSet;

/// The history of each key, in the order of the keys; `width` looks in flight at most.
///
/// The first failure ends it: a store that does not tell what it holds would fail for every key (G4).
pub(super) async fn look_at_all<S: RestoreStore>(
    store: &Arc<S>,
    keys: Vec<Box<str>>,
    width: usize,
) -> Result<Vec<Vec<Version>>, StoreError> {
    let mut told: Vec<Vec<Version>> = vec![Vec::new(); keys.len()];
    let mut keys = keys.into_iter().enumerate();
    let mut looks = JoinSet::new();
    loop {
        while looks.len() < width
            && let Some((place, key)) = keys.next()
        {
            let store = Arc::clone(store);
            looks.spawn(async move { (place, store.versions(&key).await) });
        }
        match looks.join_next().await {
            None => return Ok(told),
            Some(Ok((place, versions))) => told[place] = versions?,
            // A look that panicked told nothing; whoever joins it panics as well.
            Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}
