//! Writing, with failures by plan.

use bytes::Bytes;

use super::{Fault, Faulty, lost};
use crate::{Condition, Operation, StoreError, Token, Versioned, WriteStore};

/// A process that dies in a write dies before it; to die after it is to die at the next call.
#[deny(clippy::missing_trait_methods)]
impl<S: WriteStore> WriteStore for Faulty<S> {
    async fn read(&self, key: &str, at_most: u64) -> Result<Versioned, StoreError> {
        let luck = self.faults.meet(Operation::Get, key)?;
        let object = self.inner.read(key, at_most).await?;
        match luck.fault {
            Some(Fault::LostAnswer | Fault::CutBody) => Err(lost(Operation::Get, key)),
            _ => Ok(object),
        }
    }

    async fn write(
        &self,
        key: &str,
        content: Bytes,
        condition: &Condition,
    ) -> Result<Token, StoreError> {
        let luck = self.faults.meet(Operation::Write, key)?;
        let answer = self.inner.write(key, content, condition).await;
        match luck.fault {
            Some(Fault::LostAnswer) => Err(lost(Operation::Write, key)),
            _ => answer,
        }
    }

    fn conditional_puts(&self) -> Option<bool> {
        self.inner.conditional_puts()
    }
}
