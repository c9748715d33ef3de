//! Bringing objects back, with failures by plan.

use bytes::Bytes;

use super::{Fault, Faulty, Luck, below, dead, failure_of, lost, mix};
use crate::{KeyFailure, Marker, Operation, RestoreStore, StoreError, Version};

#[deny(clippy::missing_trait_methods)]
impl<S: RestoreStore> RestoreStore for Faulty<S> {
    async fn versions(&self, key: &str) -> Result<Vec<Version>, StoreError> {
        let luck = self.faults.meet(Operation::Look, key)?;
        let versions = self.inner.versions(key).await?;
        match luck.fault {
            Some(Fault::LostAnswer) => Err(lost(Operation::Look, key)),
            _ => Ok(versions),
        }
    }

    async fn unmark(&self, markers: &[Marker]) -> Result<Vec<Result<(), KeyFailure>>, StoreError> {
        let subject = markers.first().map_or("", Marker::key);
        let luck = self.faults.meet(Operation::Restore, subject)?;
        let is_done = |index: usize| is_done(luck, index, markers.len());
        let done: Vec<Marker> = chosen(markers, is_done).cloned().collect();
        let mut answers = self.inner.unmark(&done).await?.into_iter();
        match luck.fault {
            _ if luck.is_dying => return Err(dead(Operation::Restore, subject)),
            Some(Fault::LostAnswer | Fault::HalfDone) => {
                return Err(lost(Operation::Restore, subject));
            }
            _ => {}
        }
        let is_told = |index| luck.fault != Some(Fault::LostKeys) || !is_chosen(luck, index);
        let outcome = |index| {
            let answer = if is_done(index) { answers.next() } else { None };
            answer.filter(|_| is_told(index)).unwrap_or_else(|| Err(failure_of(index)))
        };
        Ok((0..markers.len()).map(outcome).collect())
    }

    async fn put(&self, key: &str, body: Bytes) -> Result<(), StoreError> {
        let luck = self.faults.meet(Operation::Restore, key)?;
        self.inner.put(key, body).await?;
        match luck.fault {
            _ if luck.is_dying => Err(dead(Operation::Restore, key)),
            Some(Fault::LostAnswer | Fault::HalfDone) => Err(lost(Operation::Restore, key)),
            _ => Ok(()),
        }
    }
}

fn chosen<T>(all: &[T], is_chosen: impl Fn(usize) -> bool) -> impl Iterator<Item = &T> {
    all.iter().enumerate().filter(move |(index, _)| is_chosen(*index)).map(|(_, one)| one)
}

fn is_chosen(luck: Luck, index: usize) -> bool {
    mix(luck.dice ^ index as u64).is_multiple_of(3)
}

/// Whether the request is carried out for the one at this index.
fn is_done(luck: Luck, index: usize, length: usize) -> bool {
    match luck.fault {
        _ if luck.is_dying => index < below(luck.dice, length + 1),
        Some(Fault::HalfDone) => index < below(luck.dice, length + 1),
        Some(Fault::FailedKeys) => !is_chosen(luck, index),
        _ => true,
    }
}
