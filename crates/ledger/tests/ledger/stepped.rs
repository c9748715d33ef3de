//! A store whose requests take their steps one by one, as somebody outside wants: what is slow, fails or arrives late.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use bytes::Bytes;
use registry::Timestamp;
use store::{
    Abilities, Condition, ErrorKind, Folders, MemoryCursor, MemoryStore, Object, Operation,
    ReadStore, StoreError, Token, Versioned, WriteStore,
};

/// What becomes of the next request that takes its step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Fate {
    #[default]
    Fine,
    /// No effect, no answer.
    Unserved,
    /// An effect, no answer.
    Unanswered,
    /// No answer, and an effect when it [`lands`](Stepped::land).
    Late,
}

/// A handle; clones are one store.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stepped {
    pub(crate) memory: MemoryStore,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// In milliseconds.
    time: AtomicI64,
    /// How far the store's clock is ahead of the time.
    ahead: AtomicI64,
    /// How far behind its clock the time is that it tells.
    lag: AtomicI64,
    /// Answers are under way until their request is polled once more.
    has_slow_answers: AtomicBool,
    fate: Mutex<Fate>,
    late: Mutex<VecDeque<(String, Bytes, Condition)>>,
}

impl Stepped {
    pub(crate) fn time(&self) -> i64 {
        self.shared.time.load(Ordering::SeqCst)
    }

    pub(crate) fn pass(&self, millis: i64) {
        self.shared.time.fetch_add(millis, Ordering::SeqCst);
    }

    pub(crate) fn set_ahead(&self, millis: i64) {
        self.shared.ahead.store(millis, Ordering::SeqCst);
    }

    pub(crate) fn set_lag(&self, millis: i64) {
        self.shared.lag.store(millis, Ordering::SeqCst);
    }

    pub(crate) fn slow_answers(&self) {
        self.shared.has_slow_answers.store(true, Ordering::SeqCst);
    }

    pub(crate) fn doom(&self, fate: Fate) {
        *self.shared.fate.lock().unwrap() = fate;
    }

    /// The oldest write that is late arrives.
    pub(crate) fn land(&self) {
        let late = self.shared.late.lock().unwrap().pop_front();
        if let Some((key, content, condition)) = late {
            drop(now_or_never(self.memory.write(&key, content, &condition)));
        }
    }

    /// Waits to be polled once more; what then becomes of the request.
    async fn step(&self) -> Fate {
        polled_again().await;
        std::mem::take(&mut self.shared.fate.lock().unwrap())
    }

    /// Waits until the answer is there.
    async fn answered(&self) {
        if self.shared.has_slow_answers.load(Ordering::SeqCst) {
            polled_again().await;
        }
    }

    async fn ask<T>(
        &self,
        operation: Operation,
        key: &str,
        answer: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let answer = match self.step().await {
            Fate::Fine => answer.await,
            _ => Err(StoreError::new(operation, key, ErrorKind::Transient)),
        };
        self.answered().await;
        answer
    }
}

async fn polled_again() {
    let mut is_first = true;
    poll_fn(|_| if std::mem::take(&mut is_first) { Poll::Pending } else { Poll::Ready(()) }).await;
}

/// The outcome of what never waits.
fn now_or_never<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    match future.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("memory waits for nobody"),
    }
}

impl ReadStore for Stepped {
    type Cursor = MemoryCursor;

    fn list(&self, within: &str, after: &str) -> MemoryCursor {
        self.memory.list(within, after)
    }

    async fn look(&self, keys: Vec<Box<str>>) -> Result<Vec<Option<Object>>, StoreError> {
        self.memory.look(keys).await
    }

    async fn folders(&self, within: &str) -> Result<Folders, StoreError> {
        self.memory.folders(within).await
    }

    async fn get(&self, key: &str, at_most: u64) -> Result<Bytes, StoreError> {
        self.ask(Operation::Get, key, self.memory.get(key, at_most)).await
    }

    async fn now(&self) -> Result<Timestamp, StoreError> {
        let now = async {
            let shared = &self.shared;
            let clock = self.time() + shared.ahead.load(Ordering::SeqCst);
            Ok(Timestamp::from_millis(clock - shared.lag.load(Ordering::SeqCst)))
        };
        self.ask(Operation::Open, "the time", now).await
    }

    fn identity(&self) -> &'static str {
        "stepped"
    }

    fn abilities(&self) -> Abilities {
        self.memory.abilities()
    }
}

impl WriteStore for Stepped {
    async fn read(&self, key: &str, at_most: u64) -> Result<Versioned, StoreError> {
        self.ask(Operation::Get, key, self.memory.read(key, at_most)).await
    }

    async fn write(
        &self,
        key: &str,
        content: Bytes,
        condition: &Condition,
    ) -> Result<Token, StoreError> {
        let lost = Err(StoreError::new(Operation::Write, key, ErrorKind::Transient));
        let answer = match self.step().await {
            Fate::Fine => self.memory.write(key, content, condition).await,
            Fate::Unserved => lost,
            Fate::Unanswered => {
                drop(self.memory.write(key, content, condition).await);
                lost
            }
            Fate::Late => {
                let late = (key.to_owned(), content, condition.clone());
                self.shared.late.lock().unwrap().push_back(late);
                lost
            }
        };
        self.answered().await;
        answer
    }

    fn conditional_puts(&self) -> Option<bool> {
        Some(true)
    }
}
