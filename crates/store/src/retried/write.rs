//! Writing again, without taking one's own write for somebody else's.

use bytes::Bytes;

use super::Retried;
use crate::{Condition, ErrorKind, StoreError, Token, Versioned, WriteStore};

#[deny(clippy::missing_trait_methods)]
impl<S: WriteStore> WriteStore for Retried<S> {
    async fn read(&self, key: &str, at_most: u64) -> Result<Versioned, StoreError> {
        retry!(self, self.store.read(key, at_most))
    }

    /// An attempt that failed may have written all the same. So before the next one, and where that finds its condition
    /// broken, the object is read: this very content is taken for our own. Without a condition nothing is taken for it:
    /// what was there before may have this content, and an older time. What is to be written once is not written again,
    /// unless the store said that it did not take it.
    async fn write(
        &self,
        key: &str,
        content: Bytes,
        condition: &Condition,
    ) -> Result<Token, StoreError> {
        let mut effort = self.shared.effort();
        let mut is_in_doubt = false;
        loop {
            let error = match self.store.write(key, content.clone(), condition).await {
                Ok(token) => {
                    effort.succeeded();
                    return Ok(token);
                }
                Err(error) => error,
            };
            if *condition == Condition::Once && error.kind != ErrorKind::Throttled {
                return Err(error);
            }
            if error.kind != ErrorKind::Precondition {
                effort.failed(error).await?;
                is_in_doubt = !matches!(condition, Condition::None | Condition::Once);
                if is_in_doubt && let Some(token) = self.find(key, &content).await? {
                    return Ok(token);
                }
            } else if is_in_doubt && let Some(token) = self.find(key, &content).await? {
                return Ok(token);
            } else {
                return Err(error);
            }
        }
    }

    fn conditional_puts(&self) -> Option<bool> {
        self.store.conditional_puts()
    }
}

impl<S: WriteStore> Retried<S> {
    /// The token of this very content, where the object has it.
    async fn find(&self, key: &str, content: &Bytes) -> Result<Option<Token>, StoreError> {
        match self.read(key, content.len() as u64).await {
            Ok(found) => Ok((found.content == content).then_some(found.token)),
            Err(error) if is_another(error.kind) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Whether there is no object, or one that is larger.
fn is_another(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::TooLarge)
}
