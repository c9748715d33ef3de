//! Bringing objects back, with failures by plan.

use super::{Fault, Faulty, Luck, below, dead, failure_of, lost, mix};
use crate::{
    KeyFailure, Marker, Operation, PutBack, ReadStore as _, RestoreStore, StoreError, Trashed,
    Version,
};

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

    async fn unmark(&self, markers: &[Marker]) -> Answer<()> {
        let subject = markers.first().map_or("", Marker::key);
        let luck = self.faults.meet(Operation::Restore, subject)?;
        let answers = self.inner.unmark(&done(luck, markers)).await?;
        told(luck, subject, markers.len(), answers)
    }

    async fn keeps_versions(&self) -> Result<bool, StoreError> {
        let subject = self.identity();
        let luck = self.faults.meet(Operation::Look, subject)?;
        let keeps = self.inner.keeps_versions().await?;
        match luck.fault {
            Some(Fault::LostAnswer) => Err(lost(Operation::Look, subject)),
            _ => Ok(keeps),
        }
    }

    async fn put_back(&self, objects: &[Trashed]) -> Answer<PutBack> {
        let subject = objects.first().map_or("", |object| &object.key);
        let luck = self.faults.meet(Operation::Restore, subject)?;
        let answers = self.inner.put_back(&done(luck, objects)).await?;
        told(luck, subject, objects.len(), answers)
    }
}

/// What became of many keys.
type Answer<T> = Result<Vec<Result<T, KeyFailure>>, StoreError>;

/// Those for which the request is carried out.
fn done<T: Clone>(luck: Luck, all: &[T]) -> Vec<T> {
    let numbered = all.iter().enumerate();
    let done = numbered.filter(|(index, _)| is_done(luck, *index, all.len()));
    done.map(|(_, one)| one.clone()).collect()
}

/// What is told of all, where `answers` are of those that are done.
fn told<T>(
    luck: Luck,
    subject: &str,
    length: usize,
    answers: Vec<Result<T, KeyFailure>>,
) -> Answer<T> {
    match luck.fault {
        _ if luck.is_dying => return Err(dead(Operation::Restore, subject)),
        Some(Fault::LostAnswer | Fault::HalfDone) => {
            return Err(lost(Operation::Restore, subject));
        }
        _ => {}
    }
    let mut answers = answers.into_iter();
    let is_told = |index| luck.fault != Some(Fault::LostKeys) || !is_chosen(luck, index);
    let outcome = |index| {
        let answer = if is_done(luck, index, length) { answers.next() } else { None };
        answer.filter(|_| is_told(index)).unwrap_or_else(|| Err(failure_of(index)))
    };
    Ok((0..length).map(outcome).collect())
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
