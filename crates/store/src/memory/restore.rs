//! Bringing objects back.

use super::MemoryStore;
use crate::{KeyFailure, Marker, PutBack, RestoreStore, StoreError, Trashed, Version};

impl RestoreStore for MemoryStore {
    async fn versions(&self, key: &str) -> Result<Vec<Version>, StoreError> {
        Ok(self.state().versions(key))
    }

    async fn unmark(&self, markers: &[Marker]) -> Result<Vec<Result<(), KeyFailure>>, StoreError> {
        let mut state = self.state();
        for marker in markers {
            state.unmark(marker);
        }
        Ok(vec![Ok(()); markers.len()])
    }

    async fn keeps_versions(&self) -> Result<bool, StoreError> {
        Ok(self.state().past.is_some())
    }

    async fn put_back(
        &self,
        objects: &[Trashed],
    ) -> Result<Vec<Result<PutBack, KeyFailure>>, StoreError> {
        let mut state = self.state();
        Ok(objects.iter().map(|object| Ok(state.put_back(object))).collect())
    }
}
