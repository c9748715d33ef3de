//! Writing to memory.

use bytes::Bytes;

use super::MemoryStore;
use crate::{Condition, ErrorKind, Operation, StoreError, Token, WriteStore};

impl WriteStore for MemoryStore {
    async fn write(
        &self,
        key: &str,
        content: Bytes,
        condition: &Condition,
    ) -> Result<Token, StoreError> {
        let mut state = self.state();
        let is_met = match (condition, state.get(key)) {
            (Condition::None | Condition::Once, _) | (Condition::Absent, None) => true,
            (Condition::Absent, Some(_)) | (Condition::Unchanged(_), None) => false,
            (Condition::Unchanged(token), Some(stored)) => *token == Token::of(&stored.body),
        };
        if !is_met {
            return Err(StoreError::new(Operation::Write, key, ErrorKind::Precondition));
        }
        let (token, now) = (Token::of(&content), state.now);
        let stored = self.stored(content, now);
        state.put(key, stored);
        Ok(token)
    }

    fn conditional_puts(&self) -> Option<bool> {
        Some(true)
    }
}
