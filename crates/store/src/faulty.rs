//! A store that fails on purpose: worse than any real one, and the same way for the same seed.

mod cursor;
mod multipart;
mod restore;
mod write;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use registry::{Digest, Timestamp};

pub use cursor::FaultyCursor;

use crate::{
    Abilities, Content, DeleteBatch, DeleteStore, ErrorKind, Folders, KeyFailure, KeyOutcome,
    Object, Operation, PartStore, ReadStore, StoreError,
};

/// A way to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// [`ErrorKind::Transient`]; nothing was done.
    Unserved,
    /// [`ErrorKind::Throttled`]; nothing was done.
    Throttled,
    /// [`ErrorKind::Transient`]; all was done and only the answer was lost.
    LostAnswer,
    /// [`ErrorKind::Denied`]; nothing was done.
    Denied,
    /// Listing: a page shorter than it could be. Folders: only the first ones, said to be not all.
    ShortPage,
    /// Reading: the body ends early, which is an error.
    CutBody,
    /// Deleting: part of the batch is deleted, then [`ErrorKind::Transient`] for all of it.
    HalfDone,
    /// Deleting: some keys are not deleted, and are reported so.
    FailedKeys,
    /// Deleting: some keys are deleted, and are reported as failed.
    LostKeys,
}

impl Fault {
    /// Every fault after which asking again helps.
    pub const PASSING: &[Self] = &[
        Self::Unserved,
        Self::Throttled,
        Self::LostAnswer,
        Self::ShortPage,
        Self::CutBody,
        Self::HalfDone,
        Self::FailedKeys,
        Self::LostKeys,
    ];

    /// Whether a call of this kind can fail in this way.
    fn fits(self, operation: Operation) -> bool {
        match self {
            Self::Unserved | Self::Throttled | Self::LostAnswer | Self::Denied => true,
            Self::ShortPage => matches!(operation, Operation::List | Operation::ListUploads),
            Self::CutBody => operation == Operation::Get,
            Self::HalfDone | Self::FailedKeys | Self::LostKeys => {
                matches!(operation, Operation::Delete | Operation::Restore)
            }
        }
    }
}

/// Which calls fail, and how. What happens to a call depends on the seed, on what it asks and on how often that was
/// asked before; never on what other calls do at the same time.
#[derive(Clone, Debug)]
pub struct FaultPlan {
    /// Another seed, other faults.
    pub seed: u64,
    /// How many of 1000 calls fail.
    pub rate_per_1000: u16,
    /// The ways to fail; each call that fails takes one that fits it.
    pub kinds: Vec<Fault>,
}

impl FaultPlan {
    /// Nothing fails.
    #[must_use]
    pub fn none() -> Self {
        Self { seed: 0, rate_per_1000: 0, kinds: Vec::new() }
    }

    /// Every fault after which asking again helps, in `rate_per_1000` of 1000 calls.
    #[must_use]
    pub fn passing(seed: u64, rate_per_1000: u16) -> Self {
        Self { seed, rate_per_1000, kinds: Fault::PASSING.to_vec() }
    }
}

/// The instant at which the process dies, counted in calls. Clones share the count.
#[derive(Clone, Debug)]
pub struct Crash(Arc<Countdown>);

#[derive(Debug)]
struct Countdown {
    calls: AtomicU64,
    limit: u64,
}

impl Crash {
    /// `calls` calls are served; the next one dies in the middle of its work, and all that follow fail with
    /// [`ErrorKind::Fatal`] and do nothing.
    #[must_use]
    pub fn after(calls: u64) -> Self {
        Self(Arc::new(Countdown { calls: AtomicU64::new(0), limit: calls }))
    }

    /// The process lives; the calls are counted all the same.
    #[must_use]
    pub fn never() -> Self {
        Self::after(u64::MAX)
    }

    /// How many calls were made so far.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.0.calls.load(Ordering::SeqCst)
    }

    /// Whether the process is dead.
    #[must_use]
    pub fn has_happened(&self) -> bool {
        self.calls() > self.0.limit
    }

    fn next(&self) -> Fate {
        match self.0.calls.fetch_add(1, Ordering::SeqCst).cmp(&self.0.limit) {
            std::cmp::Ordering::Less => Fate::Alive,
            std::cmp::Ordering::Equal => Fate::Dying,
            std::cmp::Ordering::Greater => Fate::Dead,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Alive,
    Dying,
    Dead,
}

/// A store that fails by plan. A cheap handle where the store inside is one.
#[derive(Clone, Debug)]
pub struct Faulty<S> {
    inner: S,
    faults: Arc<Faults>,
}

#[derive(Debug)]
struct Faults {
    plan: FaultPlan,
    crash: Crash,
    /// How often each thing was asked, by a hash of the question: equal hashes only share their luck.
    asked: Mutex<HashMap<u64, u64>>,
}

/// What happens to one call.
#[derive(Clone, Copy)]
struct Luck {
    fault: Option<Fault>,
    is_dying: bool,
    /// Random bits for the details.
    dice: u64,
}

impl<S> Faulty<S> {
    /// A store that fails as `plan` says.
    pub fn new(inner: S, plan: FaultPlan) -> Self {
        Self::crashing(inner, plan, Crash::never())
    }

    /// A store that fails as `plan` says, until the process dies.
    pub fn crashing(inner: S, plan: FaultPlan, crash: Crash) -> Self {
        Self { inner, faults: Arc::new(Faults { plan, crash, asked: Mutex::default() }) }
    }
}

/// Mixes 64 bits. Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators" (2014), the finalizer
/// with Stafford's constants.
const fn mix(bits: u64) -> u64 {
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

fn hash(seed: u64, text: &str) -> u64 {
    text.bytes().fold(mix(seed), |hash, byte| mix(hash ^ u64::from(byte)))
}

impl Faults {
    /// What happens to this call; an error where it ends before anything is done.
    fn meet(&self, operation: Operation, subject: &str) -> Result<Luck, StoreError> {
        let fate = self.crash.next();
        let is_whole = !matches!(operation, Operation::Delete | Operation::Restore);
        if fate == Fate::Dead || (fate == Fate::Dying && is_whole) {
            return Err(dead(operation, subject));
        }
        let luck = Luck { is_dying: fate == Fate::Dying, ..self.draw(operation, subject) };
        match luck.fault {
            Some(Fault::Unserved) => Err(failed(operation, subject, ErrorKind::Transient)),
            Some(Fault::Throttled) => Err(failed(operation, subject, ErrorKind::Throttled)),
            Some(Fault::Denied) => Err(failed(operation, subject, ErrorKind::Denied)),
            _ => Ok(luck),
        }
    }

    fn draw(&self, operation: Operation, subject: &str) -> Luck {
        let question = hash(self.plan.seed.wrapping_add(operation as u64), subject);
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let times = asked.entry(question).or_insert(0);
        *times += 1;
        let dice = mix(question ^ mix(*times));
        let kinds: Vec<Fault> =
            self.plan.kinds.iter().copied().filter(|kind| kind.fits(operation)).collect();
        let is_hit = dice % 1000 < u64::from(self.plan.rate_per_1000) && !kinds.is_empty();
        let dice = mix(dice);
        let fault = is_hit.then(|| kinds[below(dice, kinds.len())]);
        Luck { fault, is_dying: false, dice: mix(dice) }
    }
}

/// A number below `limit`, which is not 0.
fn below(dice: u64, limit: usize) -> usize {
    usize::try_from(dice % limit as u64).unwrap_or(0) // below a usize
}

fn failed(operation: Operation, subject: &str, kind: ErrorKind) -> StoreError {
    StoreError::new(operation, subject, kind).because("a fault by plan")
}

fn lost(operation: Operation, subject: &str) -> StoreError {
    failed(operation, subject, ErrorKind::Transient)
}

fn dead(operation: Operation, subject: &str) -> StoreError {
    StoreError::new(operation, subject, ErrorKind::Fatal).because("the process is dead, by plan")
}

#[deny(clippy::missing_trait_methods)]
impl<S: ReadStore> ReadStore for Faulty<S> {
    type Cursor = FaultyCursor<S::Cursor>;

    fn list(&self, within: &str, after: &str) -> Self::Cursor {
        let inner = self.inner.list(within, after);
        FaultyCursor::new(inner, Arc::clone(&self.faults), format!("{within}\n{after}"))
    }

    async fn folders(&self, within: &str) -> Result<Folders, StoreError> {
        let luck = self.faults.meet(Operation::List, within)?;
        let mut folders = self.inner.folders(within).await?;
        match luck.fault {
            Some(Fault::LostAnswer) => return Err(lost(Operation::List, within)),
            Some(Fault::ShortPage) if !folders.prefixes.is_empty() => {
                folders.prefixes.truncate(below(luck.dice, folders.prefixes.len()));
                folders.is_complete = false;
            }
            _ => {}
        }
        Ok(folders)
    }

    async fn look(&self, keys: Vec<Box<str>>) -> Result<Vec<Option<Object>>, StoreError> {
        let subject = keys.first().cloned().unwrap_or_default();
        let luck = self.faults.meet(Operation::Look, &subject)?;
        let objects = self.inner.look(keys).await?;
        match luck.fault {
            Some(Fault::LostAnswer) => Err(lost(Operation::Look, &subject)),
            _ => Ok(objects),
        }
    }

    async fn get(&self, key: &str, at_most: u64) -> Result<Bytes, StoreError> {
        let luck = self.faults.meet(Operation::Get, key)?;
        let body = self.inner.get(key, at_most).await?;
        match luck.fault {
            Some(Fault::LostAnswer | Fault::CutBody) => Err(lost(Operation::Get, key)),
            _ => Ok(body),
        }
    }

    async fn get_content(
        &self,
        key: &str,
        digest: &Digest,
        at_most: u64,
    ) -> Result<Content, StoreError> {
        let luck = self.faults.meet(Operation::Get, key)?;
        let content = self.inner.get_content(key, digest, at_most).await?;
        match luck.fault {
            Some(Fault::LostAnswer | Fault::CutBody) => Err(lost(Operation::Get, key)),
            _ => Ok(content),
        }
    }

    async fn now(&self) -> Result<Timestamp, StoreError> {
        let luck = self.faults.meet(Operation::Open, "the time")?;
        let now = self.inner.now().await?;
        match luck.fault {
            Some(Fault::LostAnswer) => Err(lost(Operation::Open, "the time")),
            _ => Ok(now),
        }
    }

    fn identity(&self) -> &str {
        self.inner.identity()
    }

    fn abilities(&self) -> Abilities {
        self.inner.abilities()
    }
}

#[deny(clippy::missing_trait_methods)]
impl<S: PartStore> PartStore for Faulty<S> {
    async fn get_part(&self, key: &str, part: Range<u64>) -> Result<Bytes, StoreError> {
        let luck = self.faults.meet(Operation::Get, key)?;
        let body = self.inner.get_part(key, part).await?;
        match luck.fault {
            Some(Fault::LostAnswer | Fault::CutBody) => Err(lost(Operation::Get, key)),
            _ => Ok(body),
        }
    }
}

#[deny(clippy::missing_trait_methods)]
impl<S: DeleteStore> DeleteStore for Faulty<S> {
    async fn delete(&self, batch: &DeleteBatch) -> Result<Vec<KeyOutcome>, StoreError> {
        let subject = batch.objects().first().map_or("", |doomed| &doomed.key);
        let luck = self.faults.meet(Operation::Delete, subject)?;
        if luck.is_dying || luck.fault == Some(Fault::HalfDone) {
            let count = below(luck.dice, batch.objects().len() + 1);
            self.delete_where(batch, |index| index < count).await?;
            let is_dead = luck.is_dying;
            return Err(if is_dead { dead } else { lost }(Operation::Delete, subject));
        }
        let is_chosen = |index: usize| mix(luck.dice ^ index as u64).is_multiple_of(3);
        match luck.fault {
            Some(Fault::LostAnswer) => {
                self.inner.delete(batch).await?;
                Err(lost(Operation::Delete, subject))
            }
            Some(Fault::FailedKeys) => self.delete_where(batch, |index| !is_chosen(index)).await,
            Some(Fault::LostKeys) => {
                let mut outcomes = self.inner.delete(batch).await?;
                for (index, outcome) in outcomes.iter_mut().enumerate() {
                    if is_chosen(index) {
                        *outcome = key_failure(index);
                    }
                }
                Ok(outcomes)
            }
            _ => self.inner.delete(batch).await,
        }
    }
}

impl<S: DeleteStore> Faulty<S> {
    /// Deletes the objects at the indices that `is_chosen` takes; the others are failures.
    async fn delete_where(
        &self,
        batch: &DeleteBatch,
        is_chosen: impl Fn(usize) -> bool + Send,
    ) -> Result<Vec<KeyOutcome>, StoreError> {
        let objects = batch.objects();
        let chosen: Vec<usize> = (0..objects.len()).filter(|index| is_chosen(*index)).collect();
        let mut outcomes: Vec<KeyOutcome> = (0..objects.len()).map(key_failure).collect();
        let part = chosen.iter().map(|index| objects[*index].clone()).collect();
        // No batch is empty.
        if let Ok(part) = batch.part(part) {
            for (index, outcome) in chosen.into_iter().zip(self.inner.delete(&part).await?) {
                outcomes[index] = outcome;
            }
        }
        Ok(outcomes)
    }
}

fn key_failure(index: usize) -> KeyOutcome {
    KeyOutcome::Failed(failure_of(index))
}

fn failure_of(index: usize) -> KeyFailure {
    let kind = if index.is_multiple_of(2) { ErrorKind::Throttled } else { ErrorKind::Transient };
    KeyFailure { kind, message: "a fault by plan".into() }
}

#[cfg(test)]
mod tests;
