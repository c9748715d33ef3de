//! Asks again where asking again may help.

mod restore;

use std::collections::hash_map::RandomState;
use std::error::Error;
use std::hash::{BuildHasher, Hasher};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use monitor::{Counter, Monitor, Stop};
use registry::{Digest, Timestamp};
use tokio::time::Instant;

use crate::stopping::{Stopped, unless_stopped};
use crate::{
    Abilities, Content, Cursor, DeleteBatch, DeleteStore, Doomed, ErrorKind, Folders, KeyFailure,
    KeyOutcome, Listed, Object, Operation, PartStore, ReadStore, StoreError,
};

/// How long to go on asking.
#[derive(Clone, Copy, Debug)]
pub struct RetrySettings {
    /// How long a request may be without progress before its failure is final.
    pub patience: Duration,
    /// The most to wait before asking for the second time; doubles from then on.
    pub first_pause: Duration,
    /// The most to wait at all.
    pub longest_pause: Duration,
}

impl Default for RetrySettings {
    fn default() -> Self {
        Self {
            patience: Duration::from_mins(5),
            first_pause: Duration::from_millis(100),
            longest_pause: Duration::from_secs(20),
        }
    }
}

/// A request that failed for too long.
#[derive(Debug, thiserror::Error)]
#[error("gave up after {attempts} attempts in {} s", .elapsed.as_secs())]
pub struct GaveUp {
    /// How often it was asked.
    pub attempts: u32,
    /// How long it was without progress.
    pub elapsed: Duration,
    /// Why it failed the last time.
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

/// A store that is asked again where that may help.
///
/// Pauses between attempts are random, up to a bound that doubles. What ends the asking is time without progress, not a
/// number of attempts: a store that throttles for a minute must not end a run of hours. A pause ends with
/// [`ErrorKind::Stopped`] when the run is asked to stop.
#[derive(Debug)]
pub struct Retried<S> {
    store: S,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    settings: RetrySettings,
    monitor: Arc<Monitor>,
    stop: Arc<Stop>,
    /// The store was reached once, so being out of reach may pass.
    was_reached: AtomicBool,
}

impl<S> Retried<S> {
    /// Retries what `store` fails at.
    pub fn new(
        store: S,
        settings: RetrySettings,
        monitor: &Arc<Monitor>,
        stop: &Arc<Stop>,
    ) -> Self {
        let (monitor, stop) = (Arc::clone(monitor), Arc::clone(stop));
        let was_reached = AtomicBool::new(false);
        Self { store, shared: Arc::new(Shared { settings, monitor, stop, was_reached }) }
    }
}

impl Shared {
    /// The rules: what may pass is asked again. An address where nobody answers is wrong until somebody answered there
    /// once; from then on it is an outage.
    fn may_pass(&self, kind: ErrorKind) -> bool {
        match kind {
            ErrorKind::Throttled | ErrorKind::Transient => true,
            ErrorKind::Unreachable => self.was_reached.load(Ordering::Relaxed),
            ErrorKind::NotFound
            | ErrorKind::NoContainer
            | ErrorKind::Denied
            | ErrorKind::Credentials
            | ErrorKind::WrongAddress
            | ErrorKind::TooLarge
            | ErrorKind::Malformed
            | ErrorKind::Stopped
            | ErrorKind::Fatal
            | ErrorKind::Precondition => false,
        }
    }

    fn effort(&self) -> Effort<'_> {
        Effort { shared: self, attempts: 0, failures: 0, failing_since: None }
    }
}

/// The attempts at one request.
#[derive(Debug)]
struct Effort<'a> {
    shared: &'a Shared,
    attempts: u32,
    /// Failed attempts since the last progress.
    failures: u32,
    failing_since: Option<Instant>,
}

impl Effort<'_> {
    fn succeeded(&mut self) {
        self.shared.was_reached.store(true, Ordering::Relaxed);
        (self.failures, self.failing_since) = (0, None);
    }

    /// Waits until it is time to ask again, or says that it never is.
    async fn failed(&mut self, error: StoreError) -> Result<(), StoreError> {
        self.attempts += 1;
        if matches!(error.kind, ErrorKind::Throttled | ErrorKind::NotFound) {
            self.shared.was_reached.store(true, Ordering::Relaxed);
        }
        if !self.shared.may_pass(error.kind) {
            return Err(error);
        }
        let since = *self.failing_since.get_or_insert_with(Instant::now);
        let pause = pause(&self.shared.settings, self.failures, random());
        if since.elapsed() + pause > self.shared.settings.patience {
            return Err(self.give_up(error, since.elapsed()));
        }
        self.failures += 1;
        unless_stopped(&self.shared.stop, tokio::time::sleep(pause))
            .await
            .map_err(|Stopped| Stopped::at(error.operation, &error.subject).because(error))?;
        self.shared.monitor.count(Counter::RetriedRequests, 1);
        Ok(())
    }

    fn give_up(&self, error: StoreError, elapsed: Duration) -> StoreError {
        let StoreError { operation, subject, kind, source } = error;
        let gave_up = GaveUp { attempts: self.attempts, elapsed, source };
        StoreError::new(operation, &subject, kind).because(gave_up)
    }
}

/// Full jitter: anything up to a bound that doubles with every failure, so that many who failed together do not come back
/// together.
fn pause(settings: &RetrySettings, failures: u32, random: u64) -> Duration {
    let doubled = 2_u32.saturating_pow(failures);
    let bound = settings.first_pause.saturating_mul(doubled).min(settings.longest_pause);
    bound.mul_f64(random as f64 / u64::MAX as f64)
}

/// A number nobody can foretell: the hasher's own seed, hashed.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// A listing whose pages are asked for again where that may help.
#[derive(Debug)]
pub struct RetriedCursor<C> {
    cursor: C,
    shared: Arc<Shared>,
}

/// Repeats a request until it succeeds or its failure is final.
macro_rules! retry {
    ($self:ident, $request:expr) => {{
        let mut effort = $self.shared.effort();
        loop {
            match $request.await {
                Ok(answer) => {
                    effort.succeeded();
                    return Ok(answer);
                }
                Err(error) => effort.failed(error).await?,
            }
        }
    }};
}

#[deny(clippy::missing_trait_methods)]
impl<C: Cursor> Cursor for RetriedCursor<C> {
    async fn next(&mut self) -> Result<Option<Vec<Listed>>, StoreError> {
        retry!(self, self.cursor.next())
    }

    fn end_at(&mut self, until: &str) {
        self.cursor.end_at(until);
    }
}

#[deny(clippy::missing_trait_methods)]
impl<S: ReadStore> ReadStore for Retried<S> {
    type Cursor = RetriedCursor<S::Cursor>;

    fn list(&self, within: &str, after: &str) -> Self::Cursor {
        let cursor = self.store.list(within, after);
        RetriedCursor { cursor, shared: Arc::clone(&self.shared) }
    }

    async fn folders(&self, within: &str) -> Result<Folders, StoreError> {
        retry!(self, self.store.folders(within))
    }

    async fn look(&self, keys: Vec<Box<str>>) -> Result<Vec<Option<Object>>, StoreError> {
        retry!(self, self.store.look(keys.clone()))
    }

    async fn get(&self, key: &str, at_most: u64) -> Result<Bytes, StoreError> {
        retry!(self, self.store.get(key, at_most))
    }

    async fn get_content(
        &self,
        key: &str,
        digest: &Digest,
        at_most: u64,
    ) -> Result<Content, StoreError> {
        retry!(self, self.store.get_content(key, digest, at_most))
    }

    async fn now(&self) -> Result<Timestamp, StoreError> {
        retry!(self, self.store.now())
    }

    fn identity(&self) -> &str {
        self.store.identity()
    }

    fn abilities(&self) -> Abilities {
        self.store.abilities()
    }
}

#[deny(clippy::missing_trait_methods)]
impl<S: PartStore> PartStore for Retried<S> {
    async fn get_part(&self, key: &str, part: Range<u64>) -> Result<Bytes, StoreError> {
        retry!(self, self.store.get_part(key, part.clone()))
    }
}

#[deny(clippy::missing_trait_methods)]
impl<S: DeleteStore> DeleteStore for Retried<S> {
    /// Asks again for the keys that may still be deleted, and only for them. Once an answer told of some keys, the
    /// others' failures are told key by key too, so that nothing that is known is lost (G10).
    async fn delete(&self, batch: &DeleteBatch) -> Result<Vec<KeyOutcome>, StoreError> {
        let mut effort = self.shared.effort();
        let mut sweep = Sweep::new(batch);
        loop {
            let pending = sweep.pending()?;
            let failure = match self.store.delete(pending.as_ref().unwrap_or(batch)).await {
                Ok(outcomes) => match sweep.settle(outcomes, &self.shared, self.identity())? {
                    Settled::All => {
                        effort.succeeded();
                        return Ok(sweep.into_outcomes());
                    }
                    Settled::Some(failure) => {
                        effort.succeeded();
                        failure
                    }
                    Settled::None(failure) => failure,
                },
                Err(error) => error,
            };
            match effort.failed(failure).await {
                Ok(()) => {}
                Err(last) if sweep.is_untold => return Err(last),
                Err(last) => return Ok(sweep.give_up(&last)),
            }
        }
    }
}

/// A batch on its way: what is known of each object so far.
#[derive(Debug)]
struct Sweep<'a> {
    batch: &'a DeleteBatch,
    objects: &'a [Doomed],
    outcomes: Vec<Option<KeyOutcome>>,
    /// The places of the objects to ask for, in the order of the batch.
    pending: Vec<usize>,
    /// No answer told of any key yet.
    is_untold: bool,
}

/// How far an answer brought a batch.
enum Settled {
    /// Nothing is left to ask for.
    All,
    /// Some keys are done; others failed as told.
    Some(StoreError),
    /// Every key failed, the first as told.
    None(StoreError),
}

impl<'a> Sweep<'a> {
    fn new(batch: &'a DeleteBatch) -> Self {
        let objects = batch.objects();
        Self {
            batch,
            objects,
            outcomes: vec![None; objects.len()],
            pending: (0..objects.len()).collect(),
            is_untold: true,
        }
    }

    /// What to ask for, where it is not the whole batch.
    fn pending(&self) -> Result<Option<DeleteBatch>, StoreError> {
        if self.pending.len() == self.objects.len() {
            return Ok(None);
        }
        let objects = self.pending.iter().map(|place| self.objects[*place].clone()).collect();
        self.batch.part(objects).map(Some).map_err(|error| {
            StoreError::new(Operation::Delete, "", ErrorKind::Fatal).because(error)
        })
    }

    /// Takes an answer to [`pending`](Self::pending).
    fn settle(
        &mut self,
        outcomes: Vec<KeyOutcome>,
        shared: &Shared,
        subject: &str,
    ) -> Result<Settled, StoreError> {
        let asked = std::mem::take(&mut self.pending);
        if outcomes.len() != asked.len() {
            let text = format!("{} outcomes came for {} keys", outcomes.len(), asked.len());
            let error = StoreError::new(Operation::Delete, subject, ErrorKind::Malformed);
            return Err(error.because(text));
        }
        let mut failure = None;
        for (place, outcome) in asked.iter().copied().zip(outcomes) {
            if let KeyOutcome::Failed(why) = &outcome
                && shared.may_pass(why.kind)
            {
                self.pending.push(place);
                failure.get_or_insert_with(|| self.failure(place, why));
            }
            self.outcomes[place] = Some(outcome);
        }
        self.is_untold = false;
        let is_stuck = self.pending.len() == asked.len();
        Ok(match failure {
            None => Settled::All,
            Some(failure) if is_stuck => Settled::None(failure),
            Some(failure) => Settled::Some(failure),
        })
    }

    fn failure(&self, place: usize, why: &KeyFailure) -> StoreError {
        let key = &self.objects[place].key;
        StoreError::new(Operation::Delete, key, why.kind).because(why.clone())
    }

    /// The outcomes as they are known, where `last` ended the asking for the pending ones.
    fn give_up(mut self, last: &StoreError) -> Vec<KeyOutcome> {
        for place in std::mem::take(&mut self.pending) {
            let failure = KeyFailure { kind: last.kind, message: words(last).into() };
            self.outcomes[place] = Some(KeyOutcome::Failed(failure));
        }
        self.into_outcomes()
    }

    /// Called only where each place has its outcome.
    fn into_outcomes(self) -> Vec<KeyOutcome> {
        self.outcomes.into_iter().flatten().collect()
    }
}

/// All that is known of an error, in one line.
fn words(error: &StoreError) -> String {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.fold(error.kind.to_string(), |line, cause| format!("{line}: {cause}"))
}

mod multipart;
mod write;

#[cfg(test)]
mod tests;
