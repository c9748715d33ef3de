//! Writing at the store's pace: small objects, a few at a time, beside those that are read.

use bytes::Bytes;

use super::{Paced, Stopped, verdict};
use crate::{Condition, Operation, StoreError, Token, Versioned, WriteStore};

#[deny(clippy::missing_trait_methods)]
impl<S: WriteStore> WriteStore for Paced<S> {
    async fn read(&self, key: &str, at_most: u64) -> Result<Versioned, StoreError> {
        let place = self.pace.enter(&self.pace.gets).await;
        let place = place.map_err(|Stopped| Stopped::at(Operation::Get, key))?;
        let answer = self.store.read(key, at_most).await;
        place.leave(&self.pace, verdict(&answer));
        answer
    }

    async fn write(
        &self,
        key: &str,
        content: Bytes,
        condition: &Condition,
    ) -> Result<Token, StoreError> {
        let place = self.pace.enter(&self.pace.gets).await;
        let place = place.map_err(|Stopped| Stopped::at(Operation::Write, key))?;
        let answer = self.store.write(key, content, condition).await;
        place.leave(&self.pace, verdict(&answer));
        answer
    }

    fn conditional_puts(&self) -> Option<bool> {
        self.store.conditional_puts()
    }
}
