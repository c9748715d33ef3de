//! Bringing objects back, as often as it may help.

use super::Retried;
use crate::{
    KeyFailure, Marker, Operation, PutBack, ReadStore, RestoreStore, StoreError, Trashed, Version,
};

/// What became of many keys.
type Answer<T> = Result<Vec<Result<T, KeyFailure>>, StoreError>;

/// Repeats a request for many keys until none of them may still succeed, or the failure is final.
macro_rules! until_settled {
    ($self:ident, $request:expr) => {{
        let mut effort = $self.shared.effort();
        loop {
            let outcomes = match $request.await {
                Ok(outcomes) => outcomes,
                Err(error) => {
                    effort.failed(error).await?;
                    continue;
                }
            };
            let mut failures = outcomes.iter().filter_map(|outcome| outcome.as_ref().err());
            let Some(why) = failures.find(|why| $self.shared.may_pass(why.kind)) else {
                effort.succeeded();
                return Ok(outcomes);
            };
            let failure = StoreError::new(Operation::Restore, $self.identity(), why.kind);
            if effort.failed(failure.because(why.clone())).await.is_err() {
                return Ok(outcomes);
            }
        }
    }};
}

#[deny(clippy::missing_trait_methods)]
impl<S: RestoreStore> RestoreStore for Retried<S> {
    async fn versions(&self, key: &str) -> Result<Vec<Version>, StoreError> {
        let mut effort = self.shared.effort();
        loop {
            match self.store.versions(key).await {
                Ok(versions) => {
                    effort.succeeded();
                    return Ok(versions);
                }
                Err(error) => effort.failed(error).await?,
            }
        }
    }

    /// Asks again for all of them where any may still go: one that is gone is removed.
    async fn unmark(&self, markers: &[Marker]) -> Answer<()> {
        until_settled!(self, self.store.unmark(markers))
    }

    async fn keeps_versions(&self) -> Result<bool, StoreError> {
        let mut effort = self.shared.effort();
        loop {
            match self.store.keeps_versions().await {
                Ok(keeps) => {
                    effort.succeeded();
                    return Ok(keeps);
                }
                Err(error) => effort.failed(error).await?,
            }
        }
    }

    /// Asks again for all of them where any may still come back: one that is back is present.
    async fn put_back(&self, objects: &[Trashed]) -> Answer<PutBack> {
        until_settled!(self, self.store.put_back(objects))
    }
}
