//! Asks a store no faster than it bears, and counts what it is asked.

mod multipart;
mod restore;
mod write;

use std::num::NonZeroU32;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use monitor::{Counter, Monitor, Stop};
use registry::{Digest, Timestamp};
use tokio::sync::{Mutex as Turn, Semaphore, SemaphorePermit};
use tokio::time::Instant;

use crate::controller::{Controller, KeyRate, TokenBucket};
use crate::stopping::{Stopped, unless_stopped};
use crate::{
    Abilities, Content, Cursor, DeleteBatch, DeleteStore, ErrorKind, Folders, KeyOutcome, Listed,
    Object, Operation, PartStore, ReadStore, Share, StoreError,
};

/// How much to ask for at a time, at most (G12).
#[derive(Clone, Copy, Debug)]
pub struct PaceSettings {
    /// Listing requests in flight.
    pub lists_in_flight: usize,
    /// Reading requests in flight.
    pub gets_in_flight: usize,
    /// Delete requests in flight.
    pub deletes_in_flight: usize,
    /// Keys deleted in a second, at most. None: as many as the store bears.
    pub deletes_per_second: Option<NonZeroU32>,
    /// How much to use of what the store bears in deletes: of the keys a second that it turned out to take, and of the
    /// delete requests in flight.
    pub delete_share: Share,
}

impl Default for PaceSettings {
    fn default() -> Self {
        Self {
            lists_in_flight: 64,
            gets_in_flight: 128,
            deletes_in_flight: 64,
            deletes_per_second: None,
            delete_share: Share::ALL,
        }
    }
}

/// A store that is asked no faster than it bears.
///
/// Each kind of request has its own limit of requests in flight, found by trying. Where the store asks to slow down,
/// that of lists and of gets is halved; deletes, which stores count by the key, keep to a rate of keys from then on.
/// Counts every answer that asked to slow down on the [`Monitor`]; the store itself counts its requests. Waiting for a
/// place ends with [`ErrorKind::Stopped`] when the run is asked to stop; the request was then not sent.
#[derive(Debug)]
pub struct Paced<S> {
    store: S,
    pace: Arc<Pace>,
}

#[derive(Debug)]
struct Pace {
    lists: Gate,
    gets: Gate,
    deletes: Gate,
    /// What the operator allows.
    allowed: Option<Mutex<TokenBucket>>,
    /// What the store bears.
    borne: Mutex<KeyRate>,
    /// Who waits for keys that the store bears; the others wait for their turn.
    turn: Turn<()>,
    monitor: Arc<Monitor>,
    stop: Arc<Stop>,
    clock: Clock,
}

/// The moment that the controllers' times count from.
#[derive(Clone, Copy, Debug)]
struct Clock(Instant);

impl Clock {
    fn now(self) -> Duration {
        self.0.elapsed()
    }
}

impl<S> Paced<S> {
    /// Paces `store`.
    pub fn new(store: S, settings: PaceSettings, monitor: &Arc<Monitor>, stop: &Arc<Stop>) -> Self {
        let batch = u32::try_from(DeleteBatch::LIMIT).unwrap_or(u32::MAX);
        let bucket = |rate: NonZeroU32| Mutex::new(TokenBucket::new(rate.get(), batch));
        let pace = Pace {
            lists: Gate::new(settings.lists_in_flight),
            gets: Gate::new(settings.gets_in_flight),
            deletes: Gate::new(settings.delete_share.of(settings.deletes_in_flight)),
            allowed: settings.deletes_per_second.map(bucket),
            borne: Mutex::new(KeyRate::new(settings.delete_share)),
            turn: Turn::default(),
            monitor: Arc::clone(monitor),
            stop: Arc::clone(stop),
            clock: Clock(Instant::now()),
        };
        Self { store, pace: Arc::new(pace) }
    }
}

impl Pace {
    /// Waits for a place in `gate`.
    async fn enter<'a>(&'a self, gate: &'a Gate) -> Result<Place<'a>, Stopped> {
        let permit = unless_stopped(&self.stop, gate.permit()).await?;
        Ok(Place { gate, permit: Some(permit), sent: self.clock.now() })
    }

    /// Waits until so many keys may be deleted, and for a place. Whoever waits for keys already has a place, so that the
    /// request is sent as soon as there are enough.
    async fn enter_to_delete(&self, keys: u32) -> Result<Place<'_>, Stopped> {
        self.spend(keys).await?;
        let _turn = unless_stopped(&self.stop, self.turn.lock()).await?;
        let mut place = self.enter(&self.deletes).await?;
        while let Some(wait) = self.missing(keys) {
            unless_stopped(&self.stop, tokio::time::sleep(wait)).await?;
        }
        place.sent = self.clock.now();
        Ok(place)
    }

    fn missing(&self, keys: u32) -> Option<Duration> {
        lock(&self.borne).take(keys, self.clock.now())
    }

    /// Waits until the operator allows so many more keys.
    async fn spend(&self, keys: u32) -> Result<(), Stopped> {
        let Some(bucket) = &self.allowed else { return Ok(()) };
        let wait = lock(bucket).take(keys, self.clock.now());
        if wait.is_zero() {
            return Ok(());
        }
        unless_stopped(&self.stop, tokio::time::sleep(wait)).await
    }

    /// Learns from the answer to a delete request sent at `sent`.
    fn learn(&self, granted: u32, verdict: Verdict, sent: Duration) {
        let (mut borne, now) = (lock(&self.borne), self.clock.now());
        match verdict {
            Verdict::Clean => borne.clean(granted, sent, now),
            Verdict::Throttled => {
                if borne.throttled(granted, sent, now) {
                    let keys_per_second = borne.per_second();
                    tracing::debug!(keys_per_second, "the store asks to delete more slowly");
                }
            }
            Verdict::Unclear => {}
        }
    }
}

/// What an answer says about the pace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Clean,
    Throttled,
    /// Nothing: a store that fails says neither that it bears more nor less.
    Unclear,
}

fn verdict<T>(answer: &Result<T, StoreError>) -> Verdict {
    match answer {
        Ok(_) => Verdict::Clean,
        Err(error) if error.kind == ErrorKind::Throttled => Verdict::Throttled,
        Err(error) if error.kind == ErrorKind::NotFound => Verdict::Clean,
        Err(_) => Verdict::Unclear,
    }
}

/// Keys that were throttled inside an answer make it a throttled one, once. The others were granted.
fn verdict_of_batch(answer: &Result<Vec<KeyOutcome>, StoreError>) -> (Verdict, u32) {
    let Ok(outcomes) = answer else { return (verdict(answer), 0) };
    let is_throttled = |outcome: &&KeyOutcome| matches!(outcome, KeyOutcome::Failed(failure) if failure.kind == ErrorKind::Throttled);
    let throttled = outcomes.iter().filter(is_throttled).count();
    let verdict = if throttled > 0 { Verdict::Throttled } else { Verdict::Clean };
    (verdict, count(outcomes.len() - throttled))
}

/// A batch holds no more than 1000.
fn count(keys: usize) -> u32 {
    u32::try_from(keys).unwrap_or(u32::MAX)
}

/// A semaphore whose size follows a controller. First come, first served.
#[derive(Debug)]
struct Gate {
    semaphore: Semaphore,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    controller: Controller,
    /// Permits to take back from those who leave: the limit fell below what was in flight.
    surplus: usize,
}

impl Gate {
    fn new(maximum: usize) -> Self {
        let controller = Controller::new(maximum.min(Semaphore::MAX_PERMITS));
        let semaphore = Semaphore::new(controller.limit());
        Self { semaphore, state: Mutex::new(State { controller, surplus: 0 }) }
    }

    /// Never fails: the semaphore is never closed; and if it were, whoever waits would wait on.
    async fn permit(&self) -> SemaphorePermit<'_> {
        match self.semaphore.acquire().await {
            Ok(permit) => permit,
            Err(_closed) => std::future::pending().await,
        }
    }

    fn adjust(&self, change: impl FnOnce(&mut Controller)) {
        let mut state = lock(&self.state);
        let before = state.controller.limit();
        change(&mut state.controller);
        let after = state.controller.limit();
        if after < before {
            let fewer = before - after;
            state.surplus += fewer - self.semaphore.forget_permits(fewer);
        } else {
            let paid = state.surplus.min(after - before);
            state.surplus -= paid;
            self.semaphore.add_permits(after - before - paid);
        }
    }
}

/// A place among the requests in flight; given back when dropped.
#[derive(Debug)]
struct Place<'a> {
    gate: &'a Gate,
    permit: Option<SemaphorePermit<'a>>,
    sent: Duration,
}

impl Place<'_> {
    /// Gives the place back and tells its controller what the answer says about the pace.
    fn leave(self, pace: &Pace, verdict: Verdict) {
        let now = pace.clock.now();
        match verdict {
            Verdict::Clean => self.gate.adjust(|controller| controller.clean(now)),
            Verdict::Throttled => {
                pace.monitor.count(Counter::ThrottledAnswers, 1);
                self.gate.adjust(|controller| controller.throttled(self.sent, now));
            }
            Verdict::Unclear => {}
        }
    }

    /// The same for deletes: it is the rate of keys that falls, and requests in flight with it.
    fn leave_after_delete(self, pace: &Pace, verdict: Verdict) {
        match verdict {
            Verdict::Throttled => pace.monitor.count(Counter::ThrottledAnswers, 1),
            Verdict::Clean | Verdict::Unclear => self.leave(pace, verdict),
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.gate.state);
        if state.surplus > 0 {
            state.surplus -= 1;
            if let Some(permit) = self.permit.take() {
                permit.forget();
            }
        }
    }
}

/// Every critical section here leaves its data whole, so a panic elsewhere poisons nothing.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A listing that is asked no faster than the store bears.
#[derive(Debug)]
pub struct PacedCursor<C> {
    cursor: C,
    pace: Arc<Pace>,
    within: Box<str>,
}

#[deny(clippy::missing_trait_methods)]
impl<C: Cursor> Cursor for PacedCursor<C> {
    async fn next(&mut self) -> Result<Option<Vec<Listed>>, StoreError> {
        let place = self.pace.enter(&self.pace.lists).await;
        let place = place.map_err(|Stopped| Stopped::at(Operation::List, &self.within))?;
        let answer = self.cursor.next().await;
        place.leave(&self.pace, verdict(&answer));
        answer
    }

    fn end_at(&mut self, until: &str) {
        self.cursor.end_at(until);
    }
}

#[deny(clippy::missing_trait_methods)]
impl<S: ReadStore> ReadStore for Paced<S> {
    type Cursor = PacedCursor<S::Cursor>;

    fn list(&self, within: &str, after: &str) -> Self::Cursor {
        PacedCursor {
            cursor: self.store.list(within, after),
            pace: Arc::clone(&self.pace),
            within: within.into(),
        }
    }

    async fn folders(&self, within: &str) -> Result<Folders, StoreError> {
        let place = self.pace.enter(&self.pace.lists).await;
        let place = place.map_err(|Stopped| Stopped::at(Operation::List, within))?;
        let answer = self.store.folders(within).await;
        place.leave(&self.pace, verdict(&answer));
        answer
    }

    async fn look(&self, keys: Vec<Box<str>>) -> Result<Vec<Option<Object>>, StoreError> {
        let place = self.pace.enter(&self.pace.gets).await;
        let place = place.map_err(|Stopped| Stopped::at(Operation::Look, self.identity()))?;
        let answer = self.store.look(keys).await;
        place.leave(&self.pace, verdict(&answer));
        answer
    }

    async fn get(&self, key: &str, at_most: u64) -> Result<Bytes, StoreError> {
        let place = self.pace.enter(&self.pace.gets).await;
        let place = place.map_err(|Stopped| Stopped::at(Operation::Get, key))?;
        let answer = self.store.get(key, at_most).await;
        place.leave(&self.pace, verdict(&answer));
        answer
    }

    async fn get_content(
        &self,
        key: &str,
        digest: &Digest,
        at_most: u64,
    ) -> Result<Content, StoreError> {
        let place = self.pace.enter(&self.pace.gets).await;
        let place = place.map_err(|Stopped| Stopped::at(Operation::Get, key))?;
        let answer = self.store.get_content(key, digest, at_most).await;
        place.leave(&self.pace, verdict(&answer));
        answer
    }

    async fn now(&self) -> Result<Timestamp, StoreError> {
        let place = self.pace.enter(&self.pace.lists).await;
        let place = place.map_err(|Stopped| Stopped::at(Operation::Open, self.identity()))?;
        let answer = self.store.now().await;
        place.leave(&self.pace, verdict(&answer));
        answer
    }

    fn identity(&self) -> &str {
        self.store.identity()
    }

    fn abilities(&self) -> Abilities {
        self.store.abilities()
    }
}

#[deny(clippy::missing_trait_methods)]
impl<S: PartStore> PartStore for Paced<S> {
    async fn get_part(&self, key: &str, part: Range<u64>) -> Result<Bytes, StoreError> {
        let place = self.pace.enter(&self.pace.gets).await;
        let place = place.map_err(|Stopped| Stopped::at(Operation::Get, key))?;
        let answer = self.store.get_part(key, part).await;
        place.leave(&self.pace, verdict(&answer));
        answer
    }
}

#[deny(clippy::missing_trait_methods)]
impl<S: DeleteStore> DeleteStore for Paced<S> {
    async fn delete(&self, batch: &DeleteBatch) -> Result<Vec<KeyOutcome>, StoreError> {
        let place = self.pace.enter_to_delete(count(batch.objects().len())).await;
        let place = place.map_err(|Stopped| Stopped::at(Operation::Delete, self.identity()))?;
        let answer = self.store.delete(batch).await;
        let (verdict, granted) = verdict_of_batch(&answer);
        self.pace.learn(granted, verdict, place.sent);
        place.leave_after_delete(&self.pace, verdict);
        answer
    }
}

#[cfg(test)]
mod tests;
