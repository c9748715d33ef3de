//! Listings that fail by plan.

use std::sync::Arc;

use super::{Fault, Faults, below, lost};
use crate::{Cursor, Listed, Operation, StoreError};

/// A listing under way that fails by plan.
#[derive(Debug)]
pub struct FaultyCursor<C> {
    inner: C,
    faults: Arc<Faults>,
    /// Objects that were listed and not handed out.
    held: Vec<Listed>,
    /// The last key that was handed out, or what was asked.
    position: String,
    is_at_end: bool,
}

impl<C> FaultyCursor<C> {
    pub(super) fn new(inner: C, faults: Arc<Faults>, position: String) -> Self {
        Self { inner, faults, held: Vec::new(), position, is_at_end: false }
    }
}

#[deny(clippy::missing_trait_methods)]
impl<C: Cursor> Cursor for FaultyCursor<C> {
    async fn next(&mut self) -> Result<Option<Vec<Listed>>, StoreError> {
        let luck = self.faults.meet(Operation::List, &self.position)?;
        if self.held.is_empty() && !self.is_at_end {
            match self.inner.next().await? {
                Some(objects) => self.held = objects,
                None => self.is_at_end = true,
            }
        }
        let length = match luck.fault {
            Some(Fault::LostAnswer) => return Err(lost(Operation::List, &self.position)),
            Some(Fault::ShortPage) if !self.held.is_empty() => {
                1 + below(luck.dice, self.held.len())
            }
            _ => self.held.len(),
        };
        let rest = self.held.split_off(length);
        let page = std::mem::replace(&mut self.held, rest);
        if let Some(last) = page.last() {
            last.key().clone_into(&mut self.position);
        }
        Ok((!page.is_empty()).then_some(page))
    }

    fn end_at(&mut self, until: &str) {
        self.inner.end_at(until);
    }
}
