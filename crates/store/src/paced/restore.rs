//! Bringing objects back no faster than the store bears.

use super::{Paced, Verdict, count, verdict};
use crate::stopping::Stopped;
use crate::{
    ErrorKind, KeyFailure, Marker, Operation, PutBack, ReadStore, RestoreStore, StoreError,
    Trashed, Version,
};

/// What became of many keys.
type Answer<T> = Result<Vec<Result<T, KeyFailure>>, StoreError>;

#[deny(clippy::missing_trait_methods)]
impl<S: RestoreStore> RestoreStore for Paced<S> {
    async fn versions(&self, key: &str) -> Result<Vec<Version>, StoreError> {
        let place = self.pace.enter(&self.pace.gets).await;
        let place = place.map_err(|Stopped| Stopped::at(Operation::Look, key))?;
        let answer = self.store.versions(key).await;
        place.leave(&self.pace, verdict(&answer));
        answer
    }

    async fn unmark(&self, markers: &[Marker]) -> Answer<()> {
        self.as_deletes(markers.len(), self.store.unmark(markers)).await
    }

    async fn keeps_versions(&self) -> Result<bool, StoreError> {
        let place = self.pace.enter(&self.pace.gets).await;
        let place = place.map_err(|Stopped| Stopped::at(Operation::Look, self.identity()))?;
        let answer = self.store.keeps_versions().await;
        place.leave(&self.pace, verdict(&answer));
        answer
    }

    async fn put_back(&self, objects: &[Trashed]) -> Answer<PutBack> {
        self.as_deletes(objects.len(), self.store.put_back(objects)).await
    }
}

impl<S: ReadStore> Paced<S> {
    /// Stores count what is brought back as they count deletes: by the key.
    async fn as_deletes<T>(
        &self,
        keys: usize,
        request: impl Future<Output = Answer<T>>,
    ) -> Answer<T> {
        let place = self.pace.enter_to_delete(count(keys)).await;
        let place = place.map_err(|Stopped| Stopped::at(Operation::Restore, self.identity()))?;
        let answer = request.await;
        let (verdict, granted) = verdict_of_keys(&answer);
        self.pace.learn(granted, verdict, place.sent);
        place.leave_after_delete(&self.pace, verdict);
        answer
    }
}

/// Keys that were throttled inside an answer make it a throttled one, once. The others were granted.
fn verdict_of_keys<T>(answer: &Answer<T>) -> (Verdict, u32) {
    let Ok(outcomes) = answer else { return (verdict(answer), 0) };
    let failures = outcomes.iter().filter_map(|outcome| outcome.as_ref().err());
    let throttled = failures.filter(|failure| failure.kind == ErrorKind::Throttled).count();
    let verdict = if throttled > 0 { Verdict::Throttled } else { Verdict::Clean };
    (verdict, count(outcomes.len() - throttled))
}
